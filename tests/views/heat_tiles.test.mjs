import assert from "node:assert/strict";
import { test } from "node:test";
import { TileShelf, coverage, misfit, unhidden, widened } from "../../workbench/views/heat_tiles.js";
import { HeatCamera } from "../../workbench/views/heat_camera.js";
import { bestRuns, markedRuns } from "../../workbench/views/heat_paint.js";
import { bookRows } from "../../workbench/views/heat_columns.js";
import { readout } from "../../workbench/views/heat_axes.js";
import { regionOf } from "../../workbench/views/heat_hands.js";
import { NO_TICK } from "../../workbench/views/heat_store.js";

const part = (leftMs, rightMs) => ({ leftMs, rightMs });

function answer(id, stage, { columns = 10, column_ms = 100, origin_ms = 0, fill = 3, exact = true } = {}) {
  const content = { k: "tile", id, stage, columns, rows: 2, column_ms, origin_ms, row_ticks: 1, low_tick: 0, rule: "max", exact };
  const edges = Int32Array.from({ length: columns * 3 }, (_, i) => [0, 1, 0][i % 3]);
  return [content, [new Uint16Array(columns * 2).fill(fill), edges, Float32Array.of(4, 1, 7, 1)]];
}

function camera() {
  const view = new HeatCamera(6);
  Object.assign(view, { width: 10, msPerPx: 60, right: 800, centre: 1, ticksPerPx: 0.3, newestMs: 5000, beginMs: 0 });
  return view;
}

test("sheets behind one that shows all of the view are not drawn", () => {
  const sheet = (leftMs, rightMs, lowTick = 0, highTick = 10) => ({ leftMs, rightMs, lowTick, highTick });
  const [part, low, whole, wider] = [sheet(40, 60), sheet(0, 100, 0, 5), sheet(0, 100), sheet(-50, 200)];
  assert.deepEqual(unhidden([part, low, whole, wider], 0, 100, 0, 10), [part, low, whole]);
  assert.deepEqual(unhidden([whole, part], 0, 100, 0, 10), [whole]);
  assert.deepEqual(unhidden([part, low, whole], 0, 101, 0, 10), [part, low, whole], "nobody shows all: all are drawn");
  assert.deepEqual(unhidden([], 0, 1, 0, 1), []);
});

test("better sheets take the time they know, worse ones what is left", () => {
  const [best, wide] = [part(30, 50), part(0, 100)];
  assert.deepEqual(
    coverage([best, wide], 10, 80).map((p) => [p.sheet === best, p.leftMs, p.rightMs]),
    [[false, 10, 30], [true, 30, 50], [false, 50, 80]],
  );
  assert.deepEqual(coverage([part(0, 5)], 10, 80), []);
});

/** A shelf that has looked so many times. */
function asking(times, base = 0) {
  const shelf = new TileShelf(base);
  for (let i = 0; i < times; i++) shelf.look(camera(), {}, 0);
  return shelf;
}

test("a newer answer is best, an older look's is dropped, the overview stays apart", () => {
  const shelf = asking(2);
  shelf.take(...answer(1, "half"), 0);
  shelf.take(...answer(2, "half"), 0);
  assert.equal(shelf.take(...answer(1, "full"), 0), null);
  shelf.take(...answer(2, "full", { fill: 9 }), 0);
  shelf.take(...answer(2, "overview"), 5);
  assert.deepEqual(shelf.tiles.map((tile) => [tile.id, tile.stage]), [[2, "full"], [1, "half"]]);
  assert.equal(shelf.tiles[0].code(4, 1), 9);
  assert.equal(shelf.tiles[0].code(4, 2), 0);
  assert.equal(shelf.tiles[0].cells.last.lots, 7);
  assert.equal(shelf.overview.at, 5);
});

test("a look names the newest wish, and the overview only when it is old", () => {
  const shelf = new TileShelf();
  const first = shelf.look(camera(), { rule: "max" }, 0);
  assert.deepEqual([first.k, first.id, first.left_ms, first.right_ms, first.overview, first.rule], ["look", 1, 200, 800, true, "max"]);
  shelf.take(...answer(1, "overview"), 0);
  assert.equal(shelf.look(camera(), {}, 1000).overview, false);
  assert.equal(shelf.look(camera(), {}, 31000).overview, true);
});

test("answers to the looks of another page on the same view are none of this one's", () => {
  const [mine, other] = [asking(1, 1000), asking(5, 2000)];
  assert.equal(mine.take(...answer(other.asked, "full"), 0), null);
  assert.equal(mine.take(...answer(1, "full"), 0), null);
  assert.equal(mine.answered, false, "its own look may be lost: it is to be asked again");
  mine.take(...answer(mine.asked, "half"), 0);
  assert.equal(mine.answered, false);
  assert.equal(mine.take(...answer(mine.asked, "full"), 0).id, 1001);
  assert.equal(mine.answered, true);
});

test("a view asks for tiles only where nothing at hand is sharp and whole", () => {
  const view = camera();
  const shelf = asking(2);
  const live = { leftMs: 4000, rightMs: 5000, lowTick: -10, highTick: 20, columnMs: 100, rowTicks: 1 };
  assert.ok(shelf.lacks(view, live, "max", 5000));
  shelf.take(...answer(1, "full", { exact: false }), 0);
  assert.ok(shelf.lacks(view, live, "max", 5000), "a preview is not enough");
  Object.assign(shelf.take(...answer(2, "full"), 0), { lowTick: -1, rows: 9 });
  assert.equal(shelf.lacks(view, live, "max", 5000), false);
  assert.ok(shelf.lacks(view, live, "mean", 5000), "of another rule");
  assert.equal(shelf.lacks(Object.assign(camera(), { right: 5000 }), live, "max", 5000), false, "the live ring shows it");
});

test("cells finer than a pixel suit worse than coarse ones, and no row is finer than a tick", () => {
  const view = { msPerPx: 100, ticksPerPx: 1 };
  const fit = (columnMs, rowTicks = 3) => misfit({ columnMs, rowTicks }, view);
  assert.ok(fit(160) < fit(320) && fit(320) < fit(80));
  assert.equal(misfit({ columnMs: 160, rowTicks: 1 }, { msPerPx: 100, ticksPerPx: 0.01 }), 0);
});

test("best prices break where a side is empty or nothing is known", () => {
  const edges = [[5, 7, 0], [6, 7, 0], [NO_TICK, 7, 0], [6, 8, 1], [6, 8, 0]];
  const sheet = { edge: (column, which) => edges[column][which], startMs: (column) => column * 100, columnMs: 100 };
  assert.deepEqual(bestRuns(sheet, 0, 5, 0).map((run) => [run.points, run.endMs]), [[[[0, 5], [100, 6]], 200], [[[400, 6]], 500]]);
  assert.deepEqual(bestRuns(sheet, 0, 2, 0, 200).map((run) => run.points), [[[100, 6]]], "the last of each pixel");
  assert.deepEqual(markedRuns(sheet, 0, 5, 1), [[3, 4]]);
});

test("the book sums up from the touch outward", () => {
  const now = Uint16Array.of(1025, 1, 0, 0, 0, 0, 1, 1025); // bids 2, 1 in rows 0, 1; asks 1, 2 in rows 2, 3
  assert.deepEqual(bookRows(now, 4, 0, 4, false).map((s) => [s.row, s.side, s.lots]), [[1, 0, 1], [0, 0, 2], [2, 1, 1], [3, 1, 2]]);
  assert.deepEqual(bookRows(now, 4, 0, 4, true).map((s) => s.lots), [1, 3, 1, 3]);
  assert.deepEqual(bookRows(now, 4, 3, 4, true).map((s) => s.lots), [3], "also of rows out of sight");
});

test("the readout says time, price, distance, size and volume, and what is not known", () => {
  const sheet = { columnAt: () => 0, rowAt: (tick) => Math.floor(tick), lowTick: 0, rowTicks: 1, last: 0, edge: () => 0, code: () => 1 + 1024 };
  const units = { tick: 0.25, lot: 1, decimals: 2 };
  const facts = { sheet, rule: "max", volume: [3, 1, 0], touch: [10, 11] };
  assert.deepEqual(readout(facts, 42, 8.4, units, "UTC"), ["00:00:00.042", "2.00  −2.5 t", "size 2  max", "traded 4  ▲3 ▼1"]);
  sheet.edge = () => 1;
  assert.equal(readout(facts, 42, 8.4, units, "UTC")[2], "size gap: not known");
  assert.deepEqual(readout({ rule: "max" }, 42, 8, units, "UTC"), ["00:00:00.042", "nothing known"]);
});

test("what is under the pointer stays there while zooming, and following holds the edge", () => {
  const view = camera();
  view.followTime = view.followPrice = false;
  const [ms, tick] = [view.at().msAt(3), view.at().tickAt(2)];
  view.zoomTime(1.7, 3);
  view.zoomPrice(0.6, 2);
  assert.ok(Math.abs(view.at().msAt(3) - ms) < 1e-6 && Math.abs(view.at().tickAt(2) - tick) < 1e-9);
  view.followTime = true;
  view.right = view.newestMs;
  view.zoomTime(3, 1);
  assert.equal(view.right, 5000);
});

test("data never leave the screen, and reaching the newest follows it", () => {
  const view = camera();
  view.panTo(-1e9, null);
  assert.equal(view.right, 300, "half a screen of the first data stays");
  assert.equal(view.followTime, false);
  view.panTo(1e9, null);
  assert.deepEqual([view.right, view.followTime], [5000, true]);
  view.show(1000, 2000, 3, 9);
  assert.deepEqual([view.left, view.right, view.lowTick, view.highTick, view.following], [1000, 2000, 3, 9, false]);
});

test("the chart is a plot, columns and two axes", () => {
  const view = { width: 100, height: 50 };
  assert.deepEqual([[10, 10], [120, 10], [170, 10], [10, 55]].map(([x, y]) => regionOf(x, y, view, 150)), ["plot", "columns", "price", "time"]);
});

test("bytes of a coarse tile become codes again: nothing stays nothing, steps count from the least", () => {
  assert.deepEqual([...widened(Uint8Array.of(0, 1, 2, 255), 1025, 7)], [0, 1025, 1032, 1025 + 254 * 7]);
  assert.deepEqual([...widened(Uint8Array.of(255), 60000, 300)], [65535]);
});

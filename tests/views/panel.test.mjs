import assert from "node:assert/strict";
import { test } from "node:test";
import { PanelStore, brokenBetween } from "../../workbench/views/panel_store.js";
import {
  extremesOf, newestNumber, paneRows, panelColumnMs, pointsOf, shownNumber, valueAxis, valueText, valueTicks,
} from "../../workbench/views/panel_scale.js";

const LINE = { name: "a", kind: "line", pane: 0, at: { first: 0, least: 1, most: 2, last: 3 }, unit: "size", style: 0 };
const units = { decimals: 1 };

function message(kind, offsets, rows, more = {}) {
  const content = { k: kind, epoch: 1, column_ms: 100, first_ms: 1000, start_ms: 0, end_ms: 9000, width: 4, ...more };
  if (kind === "snap") Object.assign(content, { series: [LINE], panes: [{ name: "p", zero: true }], marks: [], gaps: [], ...more });
  return [content, [new Int32Array(offsets).buffer, new Float64Array(rows.flat()).buffer]];
}

function held() {
  const store = new PanelStore();
  assert.equal(store.apply(...message("snap", [0, 1, 3], [[1, 1, 1, 1], [2, 0, 5, 3], [4, 4, 4, 4]])), true);
  return store;
}

test("a snapshot is held, later columns replace the unfinished one and follow it", () => {
  const store = held();
  assert.equal(store.apply(...message("cols", [0, 1], [[4, 4, 6, 6], [7, 7, 7, 7]], { first_ms: 1300 })), true);
  assert.deepEqual([...store.live.starts.slice(0, store.live.count)], [1000, 1100, 1300, 1400]);
  assert.equal(store.live.number(2, 3), 6);
  assert.equal(store.live.number(3, 3), 7);
});

test("columns of a picture that the page does not have ask for a snapshot", () => {
  assert.equal(new PanelStore().apply(...message("cols", [0], [[1, 1, 1, 1]])), false);
  assert.equal(held().apply(...message("cols", [0], [[1, 1, 1, 1]], { epoch: 2 })), false);
});

test("a page that runs for long keeps the newest columns and forgets the oldest", () => {
  const store = held();
  for (let i = 4; i < 9000; i++) store.apply(...message("cols", [i], [[i, i, i, i]]));
  assert.ok(store.live.count <= 4096);
  assert.equal(store.live.number(store.live.count - 1, 3), 8999);
  assert.equal(store.live.starts.length, 4096, "no more memory");
});

test("a tile of older columns shows up to where the newest begin", () => {
  const store = held();
  store.apply(...message("tile", [0, 1, 2], [[0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2]], { first_ms: 800 }));
  const pieces = store.pieces(0, 2000).map(([block, from, to]) => [...block.starts.slice(from, to)]);
  assert.deepEqual(pieces, [[800, 900], [1000, 1100, 1300]]);
  assert.equal(store.columnAt(950)[0], store.tile);
  assert.equal(store.columnAt(1250)[1], 1);
});

test("a tile of what was shown before something was changed is dropped, and comes too late", () => {
  const store = held();
  const tile = () => message("tile", [0], [[0, 0, 0, 0]], { first_ms: 800 });
  store.apply(...tile());
  store.apply(...message("snap", [0], [[1, 1, 1, 1]], { epoch: 2, version: 7 }));
  assert.equal(store.tile, null);
  store.apply(...tile());
  assert.equal(store.tile, null);
});

test("older columns are asked for only where there are some that the page lacks", () => {
  const store = held();
  store.live.beginMs = 1000;
  assert.equal(store.lacks(1100, 100), false);
  assert.equal(store.lacks(500, 100), true);
  store.apply(...message("tile", [], [], { first_ms: 400 }));
  assert.equal(store.lacks(500, 100), false);
  assert.equal(store.lacks(500, 200), true, "another resolution");
  store.startMs = 1000;
  assert.equal(store.lacks(500, 100), false, "there is nothing before");
});

test("columns that share a pixel are merged without losing an extreme", () => {
  const store = held();
  const pieces = store.pieces(0, 5000);
  const wide = pointsOf(pieces, LINE, (ms) => ms / 10);
  assert.deepEqual(wide.map(({ x, last }) => [x, last]), [[100, 1], [110, 3], [130, 4]]);
  const [narrow] = pointsOf(pieces, LINE, (ms) => ms / 1e6);
  assert.deepEqual([narrow.first, narrow.least, narrow.most, narrow.last], [1, 0, 5, 4]);
});

test("unknown columns stay apart, so that a line breaks there", () => {
  const store = new PanelStore();
  store.apply(...message("snap", [0, 1, 2], [[1, 1, 1, 1], [NaN, NaN, NaN, NaN], [2, 2, 2, 2]]));
  assert.deepEqual(pointsOf(store.pieces(0, 5000), LINE, (ms) => ms / 1e6).map(({ last }) => last), [1, NaN, 2]);
});

test("a gap breaks a line between the columns round it", () => {
  assert.equal(brokenBetween([[1150, 1180]], 1100, 1300), true);
  assert.equal(brokenBetween([[1150, null]], 1300, 1400), true);
  assert.equal(brokenBetween([[1150, 1180]], 1200, 1300), false);
});

test("numbers of a column: a delta is bought minus sold, the newest is the last one", () => {
  const store = held();
  assert.equal(shownNumber(store.live, 1, { at: { buy: 2, sell: 3 } }), 2);
  assert.equal(shownNumber(store.live, 1, { at: { mean: 0, last: 3 } }), 2);
  assert.equal(newestNumber(store.live, 1, { at: { mean: 0, last: 3 } }), 3);
});

test("value axes: with zero, symmetrical, compact, mirrored, bounded", () => {
  const pairs = [[10, 20], null];
  assert.deepEqual(valueAxis(pairs, { zero: true }), [0, 21.2]);
  assert.deepEqual(valueAxis(pairs, { zero: true }, "compact"), [9.4, 20.6]);
  const [low, high] = valueAxis(pairs, {}, "symmetrical");
  assert.equal(low, -high);
  assert.deepEqual(valueAxis(pairs, { bounds: [-1, 1] }), [-1, 1]);
  assert.deepEqual(valueAxis([], {}), [0, 1]);
  const [flat, above] = valueAxis([[5, 5]], {});
  assert.ok(flat < 5 && above > 5);
});

test("extremes look at bands and turn what hangs down", () => {
  const pieces = held().pieces(0, 5000);
  assert.deepEqual(extremesOf(pieces, LINE), [0, 5]);
  assert.deepEqual(extremesOf(pieces, { at: { mean: 3 }, down: true }), [-4, -1]);
  assert.deepEqual(extremesOf(pieces, { at: { value: 3, sigma: 0 }, bands: [1, 2] }), [-4, 12]);
  assert.equal(extremesOf([], LINE), null);
});

test("labels of values are round, texts carry a sign where it matters", () => {
  assert.deepEqual(valueTicks([-11, 21], 4), [-10, 0, 10, 20]);
  assert.equal(valueText(-1234.5, "size", units), "−1235");
  assert.equal(valueText(12.5, "size", units, true), "+12.5");
  assert.equal(valueText(-0.5, "ratio", units), "−0.50");
  assert.equal(valueText(61234.56, "price", units), "61234.6");
  assert.equal(valueText(NaN, "size", units), "–");
});

test("panes share the height by weight", () => {
  const rows = paneRows([{ weight: 1 }, { weight: 3 }], 10, 85, 5);
  assert.deepEqual(rows, [{ top: 10, tall: 20 }, { top: 35, tall: 60 }]);
});

test("columns are about as wide as wanted", () => {
  assert.equal(panelColumnMs(125, 2), 200);
  assert.equal(panelColumnMs(5000, 2), 10000);
});

test("marks of a run that goes on for days are bounded, the newest stay", () => {
  const store = held();
  const marks = Array.from({ length: 3000 }, (_, i) => ({ kind: "bullish", ms: i }));
  for (const turn of [0, 1]) store.apply(...message("cols", [4 + turn], [[1, 1, 1, 1]], { marks: marks.map((mark) => ({ ...mark, turn })) }));
  assert.equal(store.marks.length, 4000);
  assert.deepEqual(store.marks.at(-1), { kind: "bullish", ms: 2999, turn: 1 });
});

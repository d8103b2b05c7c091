import assert from "node:assert/strict";
import { test } from "node:test";
import { FOOT_BUY, FootStore, cellText, deltaText, detailOf } from "../../workbench/views/footprint_store.js";
import { FootCamera } from "../../workbench/views/footprint_hands.js";

const bytes = (array) => new DataView(array.buffer, array.byteOffset, array.byteLength);

/** Bars of one minute from `first` on, with the cells given as [bar, row, flags, bid, ask]. */
function footMessage(k, first, count, cells, more = {}) {
  const bars = new Float64Array(count * 16);
  for (let i = 0; i < count; i++) bars.set([(first + i) * 60000, (first + i) * 60000 + 50000, 10, 12, 9, 11], i * 16);
  const keys = Int32Array.from(cells.flatMap(([bar, row, flags]) => [bar, row, flags]));
  const lots = Float64Array.from(cells.flatMap(([, , , bid, ask]) => [bid, ask, 0]));
  return [{ k, epoch: 1, first, row_ticks: 1, bar: "1m", auto: true, rule: {}, ...more }, [bars, keys, lots].map(bytes)];
}

test("changed cells are put into the bars that are held, the others stay", () => {
  const store = new FootStore();
  store.apply(...footMessage("snap", 3, 2, [[3, 9, 0, 1, 2], [4, 10, 0, 5, 6]], { zones: [[1, 9, 11, 3, -1]] }));
  store.apply(...footMessage("bars", 4, 2, [[4, 10, FOOT_BUY, 5, 60], [5, 11, 0, 7, 8]]));
  assert.deepEqual(store.bars.get(3).cells.get(9), { bid: 1, ask: 2, unknown: 0, flags: 0 });
  assert.deepEqual(store.bars.get(4).cells.get(10), { bid: 5, ask: 60, unknown: 0, flags: FOOT_BUY });
  assert.equal(store.count, 6);
  assert.deepEqual(store.zones, [{ side: 1, low: 9, high: 11, first: 3, last: -1 }]);
});

test("bars of another cut are refused, and a snapshot of one begins anew", () => {
  const store = new FootStore();
  store.apply(...footMessage("snap", 0, 2, [[0, 9, 0, 1, 2]]));
  assert.equal(store.apply(...footMessage("bars", 1, 1, [], { epoch: 2 })), false);
  store.apply(...footMessage("snap", 0, 1, [], { epoch: 2, zones: [] }));
  assert.equal(store.count, 1);
  assert.equal(store.bars.get(0).cells.size, 0);
});

test("bars that are missing are found, from the first to the last of them", () => {
  const store = new FootStore();
  store.apply(...footMessage("snap", 10, 3, []));
  assert.deepEqual(store.missing(5, 13), [5, 10]);
  assert.equal(store.missing(10, 13), null);
  assert.deepEqual(store.missing(-4, 2), [0, 2]);
});

test("a moment lies within the bar that was open then", () => {
  const store = new FootStore();
  store.apply(...footMessage("snap", 10, 3, []));
  assert.equal(store.placeOf(10 * 60000), 10);
  assert.equal(store.placeOf(10.5 * 60000), 10.5);
  assert.equal(store.placeOf(9 * 60000), null);
  assert.ok(store.placeOf(99 * 60000) < 13);
});

test("numbers are short, signed with a true minus, and vanish from small cells", () => {
  assert.deepEqual([0, 0.0123, 3.42, 15.27, 128.4, 12520].map(cellText), ["0", "0.012", "3.4", "15.3", "128", "12.5k"]);
  assert.deepEqual([-3, 0, 4].map(deltaText), ["−3", "0", "+4"]);
  assert.deepEqual([detailOf(100, 14), detailOf(60, 14), detailOf(30, 14), detailOf(100, 6)], ["both", "one", "colour", "colour"]);
});

test("zooming keeps the bar under the pointer, panning stops following, the newest bar follows again", () => {
  const camera = new FootCamera(100);
  camera.step(20, null);
  camera.panTo(10, null, 20);
  assert.equal(camera.followTime, false);
  const before = camera.barAt(200);
  camera.zoomTime(1.3, 200);
  assert.ok(Math.abs(camera.barAt(200) - before) < 1e-9);
  camera.panTo(99, null, 20);
  assert.equal(camera.followTime, true);
});

test("rows and pixels are inverse", () => {
  const camera = new FootCamera(100);
  camera.centre = 40;
  assert.equal(camera.rowAt(camera.yOfRow(44)), 45); // the upper edge of row 44 is the lower one of 45
});

test("the price is followed once it leaves the middle", () => {
  const camera = new FootCamera(100);
  camera.centre = 40;
  assert.equal(camera.step(5, 41), false);
  assert.equal(camera.step(5, 51), true);
  for (let i = 0; i < 60; i++) camera.step(5, 51);
  assert.ok(Math.abs(camera.centre - 51) < 0.2);
});

test("bars that somebody looks back at stay when many are held, and so do the newest", () => {
  const store = new FootStore();
  store.apply(...footMessage("snap", 5900, 100, []));
  for (let first = 5000; first >= 0; first -= 1000) store.apply(...footMessage("bars", first, first === 5000 ? 900 : 1000, []));
  store.apply(...footMessage("bars", 6000, 200, []));
  assert.ok(store.bars.size <= 6000);
  store.apply(...footMessage("bars", 100, 50, []));
  assert.equal(store.missing(100, 150), null, "what was asked for is not thrown away at once");
  assert.equal(store.missing(6000, 6200), null);
});

test("a moment is found among bars with holes between them", () => {
  const store = new FootStore();
  store.apply(...footMessage("snap", 10, 2, []));
  assert.equal(store.placeOf(0), null);
  assert.equal(store.placeOf(10.5 * 60000), 10.5);
  store.apply(...footMessage("bars", 5, 1, []));
  assert.equal(store.placeOf(5 * 60000), 5);
});

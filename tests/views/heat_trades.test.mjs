import assert from "node:assert/strict";
import { test } from "node:test";
import { TradeCells, largestBubbles, pocRow, volumeCuts } from "../../workbench/views/heat_trades.js";
import { bubbleRadius } from "../../workbench/views/heat_bubbles.js";

const cellsOf = (...trades) => {
  const cells = new TradeCells();
  cells.replace(0, Float32Array.from(trades.flat()), 0);
  return cells;
};
const SOME = [[0, 10, 1, 1], [1, 10, 3, 1], [1, 10, 2, -1], [5, 30, 9, 1]];

test("bubbles stand at the volume-weighted mean of their slice, with the buyers' share", () => {
  const [first, second] = cellsOf(...SOME).bubbles(0, 8, 2, 1, false);
  assert.deepEqual([first.lots, first.tick, first.share], [6, 10, 4 / 6]);
  assert.equal(first.column, (0.5 + 1.5 * 3 + 1.5 * 2) / 6);
  assert.equal(second.lots, 9);
  assert.deepEqual(cellsOf(...SOME).bubbles(0, 8, 2, 1, true).map((b) => [b.lots, b.share]), [[4, 1], [2, 0], [9, 1]]);
});

test("slots do not move with the view, and what changed is summed again", () => {
  const cells = cellsOf(...SOME);
  assert.equal(cells.bubbles(1, 2, 2, 1, false)[0].lots, 6, "the whole slot, also where the view begins within it");
  cells.replace(1, Float32Array.of(0, 10, 5, 1, 1, 10, 1, 1));
  assert.deepEqual(cells.bubbles(0, 8, 2, 1, false).map((b) => b.lots), [6, 1]);
  assert.deepEqual(cells.bubbles(0, 8, 4, 1, false).map((b) => b.lots), [7], "another width of slots");
});

test("any order of messages ends in the same bubbles", () => {
  const whole = cellsOf([0, 5, 1, 1], [1, 5, 2, -1], [2, 6, 3, 1], [3, 6, 4, 1]);
  const parts = cellsOf([0, 5, 1, 1], [1, 5, 1, -1]);
  parts.bubbles(0, 9, 2, 1, false);
  parts.replace(1, Float32Array.of(0, 5, 2, -1, 1, 6, 1, 1));
  parts.bubbles(0, 9, 2, 1, false);
  parts.replace(2, Float32Array.of(0, 6, 3, 1, 1, 6, 4, 1));
  assert.deepEqual(parts.bubbles(0, 9, 2, 1, false), whole.bubbles(0, 9, 2, 1, false));
  assert.deepEqual([...parts.volume(0, 9, 2)], [...whole.volume(0, 9, 2)]);
});

test("bubbles of equal volume close when they are full", () => {
  assert.deepEqual(cellsOf(...SOME).byVolume(0, 9, 5, 64).map((b) => b.lots), [6, 9]);
  assert.deepEqual(cellsOf(...SOME).byVolume(0, 2, 100, 64).map((b) => b.lots), [6], "the last one may be small");
});

test("slices of volume stay as they are while the picture pans", () => {
  const cells = cellsOf(...Array.from({ length: 64 }, (_, i) => [i, 5, 1 + (i % 3), 1]));
  const whole = cells.byVolume(0, 64, 7, 16);
  for (let first = 0; first < 48; first++) {
    const shown = cells.byVolume(first, 64, 7, 16);
    assert.deepEqual(shown, whole.slice(whole.length - shown.length), `panned by ${first}`);
  }
});

test("cuts of volume change only in steps", () => {
  assert.deepEqual(volumeCuts(10, 1000, 60), volumeCuts(10.4, 1010, 60));
  assert.deepEqual(volumeCuts(0, 1, 60), [1, 1]);
  assert.equal(cellsOf(...SOME).rate, 15 / 6, "lots over the columns from the first trade to the last");
});

test("old trades are forgotten only when they are long out of sight", () => {
  const cells = cellsOf(...SOME);
  cells.forget(4, 10);
  assert.equal(cells.list.length, 4);
  cells.forget(4, 2);
  assert.deepEqual(cells.list.map((t) => t.column), [5]);
});

test("a trade of unknown aggressor is neither bought nor sold", () => {
  const [bubble] = cellsOf([0, 1, 4, 0]).bubbles(0, 1, 1, 1, false);
  assert.deepEqual([bubble.known, bubble.share], [false, 0.5]);
  assert.deepEqual([...cellsOf([0, 1, 4, 0]).volume(0, 1, 1)], [[1, [0, 0, 4]]]);
});

test("the largest are kept, the smallest drawn last; the row with the most volume is the POC", () => {
  const lots = (bubbles) => bubbles.map((bubble) => bubble.lots);
  const some = [{ lots: 3 }, { lots: 9 }, { lots: 1 }];
  assert.deepEqual(lots(largestBubbles(some, 2)), [9, 3]);
  assert.deepEqual(lots(largestBubbles(some, 9, 2)), [9, 3]);
  assert.equal(pocRow(new Map([[4, [1, 2, 0]], [5, [0, 0, 4]]])), 5);
  assert.equal(pocRow(new Map()), null);
});

test("area is volume, within bounds", () => {
  assert.equal(bubbleRadius(400, 100, 1), 18);
  assert.equal(bubbleRadius(100, 100, 1), 9);
  assert.equal(bubbleRadius(1e9, 100, 1), 26);
  assert.equal(bubbleRadius(1e-9, 100, 1), 1);
});

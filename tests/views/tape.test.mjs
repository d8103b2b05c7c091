import assert from "node:assert/strict";
import test from "node:test";

import { TAPE_FIELDS, tapeForget, tapeJoined, tapeNewer, tapeRemark, tapeRows, tapeRunning, tapeTaken } from "../../workbench/views/tape_store.js";
import { gripRemembered, gripShared } from "../../workbench/views/workspace_grip.js";

const row = (order, more = {}) => ({ order, lots: 1, prints: 1, levels: 1, flags: 0, ...more });
const orders = (rows) => rows.map((one) => one.order);

test("rows are read field by field", () => {
  const rows = tapeRows(Float64Array.from({ length: 2 * TAPE_FIELDS.length }, (_, i) => i));
  assert.deepEqual([rows.length, rows[1].order, rows[0].high], [2, 10, 9]);
});

test("an order that goes on replaces itself, a leap forgets what was before", () => {
  const held = [row(1), row(2)];
  assert.deepEqual(tapeTaken(held, [row(2, { lots: 5 }), row(3)], false).map((one) => one.lots), [1, 5, 1]);
  assert.deepEqual(orders(tapeTaken(held, [row(9)], true)), [9]);
  assert.deepEqual(orders(tapeTaken(held, [row(3), row(4)], false, 3)), [2, 3, 4]);
  assert.equal(tapeTaken(held, [], true), held);
});

test("older rows come before, each once", () => {
  assert.deepEqual(orders(tapeJoined([row(5)], [row(3), row(4), row(5)])), [3, 4, 5]);
});

test("what was made for an order goes with the order, so that hours of trading cost no memory", () => {
  const made = new Map();
  let held = [];
  for (let order = 0; order < 3000; order++) {
    held = tapeTaken(held, [row(order)], false);
    made.set(order, {});
    tapeForget(made, held);
  }
  assert.equal(made.size, 400);
  assert.deepEqual([...made.keys()].at(0), 2600);
});

test("what is special is said in words", () => {
  assert.equal(tapeRemark(row(1, { prints: 12, levels: 5, lots: 90 }), 90), "12 prints, 5 levels, sweep, block");
  assert.equal(tapeRemark(row(1, { flags: 18 }), null), "hidden, off-book");
});

test("new rows are counted from the last seen", () => {
  assert.equal(tapeNewer([row(1), row(2), row(3)], 1), 2);
});

test("a grip moves width from one neighbour to the other, never below the least", () => {
  assert.deepEqual(gripShared(500, 300, 50), [550, 250]);
  assert.deepEqual(gripShared(500, 300, 900), [680, 120]);
  assert.deepEqual(gripShared(500, 100, 50), [500, 100]);
});

test("remembered widths that make no sense are forgotten", () => {
  assert.deepEqual(gripRemembered("[1, 2]", 2), [1, 2]);
  for (const text of ["", "[1]", "{}", '[1, "x"]', "[0, 2]"]) assert.equal(gripRemembered(text, 2), null);
});

test("running sums go back from the newest row, and not over rows that were let go", () => {
  const rows = [row(1, { lots: 4, side: 1 }), row(5, { lots: 3, side: -1 }), row(7, { lots: 2, side: 1 })];
  assert.deepEqual([...tapeRunning(rows, { order: 7, sum: 10 }, "delta")], [[7, 10], [5, 8], [1, 11]]);
  assert.deepEqual([...tapeRunning(rows, { order: 7, sum: 90 }, "volume")], [[7, 90], [5, 88], [1, 85]]);
  assert.deepEqual([...tapeRunning(rows, { order: 7, sum: 10 }, "delta", 5).keys()], [7]);
});

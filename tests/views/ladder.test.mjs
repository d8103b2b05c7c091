import assert from "node:assert/strict";
import { test } from "node:test";
import { fitting, shifted, toggled } from "../../workbench/views/ladder_menu.js";
import {
  LADDER_FIELDS, LadderState, cellKind, cellText, ladderHead, lockedCentre, orderText, orderWords, ordersIn, profitAt, signedText,
} from "../../workbench/views/ladder_rows.js";
import { cleanSize, kernelBusy, newOrderName, steppedSize } from "../../workbench/views/ladder_ticket.js";

const units = { tick: 0.25, lot: 1, decimals: 2, multiplier: 50 };
const facts = { low_row: 100, row_ticks: 1, bid_row: 101, ask_row: 102, last_row: 102, last_tick: 102, last_side: 1, spread: 1 };

/** Message with cells given as [field, row, value]. */
function message(fresh, number, cells, more = {}) {
  const at = Uint16Array.from(cells, ([field, row]) => LADDER_FIELDS.indexOf(field) * 3 + row - 100);
  return [{ k: "rows", count: 3, fresh, number, ...more }, at, Float32Array.from(cells, ([, , value]) => value)];
}

function standing(cells = [["bid", 101, 6], ["ask", 102, 12], ["sold", 101, 2], ["bought", 102, 5]], more = {}) {
  const state = new LadderState();
  assert.equal(state.take(...message(true, 0, cells, { ...facts, ...more })), true);
  return state;
}

test("cells change one by one, and what did not come in order asks for everything", () => {
  const state = standing();
  state.touched.clear();
  assert.equal(state.take(...message(false, 1, [["bid", 101, 7]], { bid_row: 100 })), true);
  assert.deepEqual([state.value("bid", 101), state.value("ask", 102), state.facts.bid_row], [7, 12, 100]);
  assert.deepEqual([...state.touched], [101]);
  assert.equal(state.take(...message(false, 3, [])), false);
  assert.equal(state.take(...message(true, 0, [], facts)), true);
  assert.equal(state.value("ask", 102), 0);
});

test("cells say sizes, prices, signs and sides; rows outside what was sent are empty, not wrong", () => {
  const state = standing([["bid", 101, 6], ["bid_flow", 101, -4], ["ask_flow", 102, 3], ["print", 102, 12], ["print", 101, -5]]);
  const text = (column, row) => cellText(state, column, row, units);
  assert.deepEqual([text("price", 101), text("bid", 101), text("bid", 102), text("bid", 7)], ["25.25", "6", "", ""]);
  assert.deepEqual([text("bid_flow", 101), text("ask_flow", 102)], ["−4", "+3"]);
  assert.deepEqual([text("print", 102), text("print", 101)], ["▲12", "▼5"]);
  assert.deepEqual([cellKind(state, "bid_flow", 101, units), cellKind(state, "print", 102, units)], ["ow-down", "ow-up"]);
  assert.deepEqual([state.most(["bid", "ask"], 100, 102), state.sum("bid", 100, 102)], [6, 6]);
});

test("recent trades fade in steps", () => {
  const state = standing([["recent_sold", 101, 6], ["warmth_sold", 101, 2]]);
  assert.deepEqual([cellText(state, "recent_sold", 101, units), cellKind(state, "recent_sold", 101, units)], ["6", "ow-w2"]);
});

test("own orders show their size, their state and their place, and never an uncertain one as a fact", () => {
  const order = { id: "a", side: 1, tick: 101, kind: "LIMIT", size: 3, status: "NEW", ahead: 12, of: 40 };
  assert.equal(orderText([order], units), "3 ≈12/40");
  assert.equal(orderText([{ ...order, exact: true }], units), "3 12/40");
  assert.equal(orderText([{ ...order, status: "PENDING_NEW", ahead: undefined }], units), "3…");
  assert.equal(orderText([{ ...order, unknown: "no answer" }], units), "3? ≈12/40");
  assert.equal(orderText([{ ...order, kind: "STOP", ahead: undefined }, { ...order, size: 2 }], units), "S 2×5");
  assert.match(orderWords([{ ...order, unknown: "no answer" }], units), /buy 3 at 25.25 \(limit, new, about 12 ahead of 40\): no answer/);
  const state = standing([], { orders: [order, { ...order, id: "b", side: -1, tick: 103, unknown: "?" }], row_ticks: 2 });
  assert.deepEqual(ordersIn(state.facts.orders, 1, 50, 2).map((one) => one.id), ["a"]);
  assert.deepEqual([cellKind(state, "buys", 50, units), cellKind(state, "sells", 51, units)], ["ow-own", "ow-own ow-unknown"]);
  assert.equal(cellText(state, "buys", 51, units), "");
});

test("profit at a price knows the multiplier and the side", () => {
  assert.deepEqual(profitAt([2, 100], 104, units), { ticks: 4, money: 100 });
  assert.deepEqual(profitAt([-1, 100], 104, units), { ticks: -4, money: -50 });
  assert.equal(profitAt(null, 104, units), null);
  const state = standing([], { position: [-1, 100] });
  assert.deepEqual([cellText(state, "profit", 102, units), cellText(state, "profit", 100, units), cellKind(state, "profit", 102, units)], ["−25", "0", "ow-down"]);
});

test("the head says last, spread and imbalance, with signs", () => {
  const head = ladderHead({ ...facts, volume: 30_000, delta: -12, touch: 0.5, depth: null }, units);
  assert.deepEqual(head, { last: "25.50▲", side: 1, spread: "0.25", volume: "30k", delta: "−12", touch: "+0.50", depth: "–" });
  assert.equal(signedText(0), "");
});

test("the centre stays until the touch leaves the middle half", () => {
  assert.equal(lockedCentre(null, 10, 20), 10);
  assert.equal(lockedCentre(10, 14, 20), 10);
  assert.equal(lockedCentre(10, 16, 20), 16);
  assert.equal(lockedCentre(10, null, 20), null);
});

test("columns come and go where they belong, and the price stays", () => {
  const all = ["a", "b", "price", "c"];
  assert.deepEqual(toggled(["a", "price", "c"], all, "b"), ["a", "b", "price", "c"]);
  assert.deepEqual(toggled(["price", "c"], all, "a"), ["a", "price", "c"]);
  assert.deepEqual(toggled(["a", "price"], all, "a"), ["price"]);
  assert.deepEqual(toggled(["a", "price"], all, "price"), ["a", "price"]);
  assert.deepEqual(shifted(["a", "price", "c"], "c", -1), ["a", "c", "price"]);
  assert.deepEqual(shifted(["a", "price"], "a", -1), ["a", "price"]);
});

test("columns that have no room go, the book itself last", () => {
  const kinds = Object.fromEntries(["profit", "buys", "bid", "price", "ask", "sells", "print"].map((name) => [name, ["", "", 100]]));
  const all = Object.keys(kinds);
  assert.deepEqual(fitting(all, kinds, 680, true), all);
  assert.deepEqual(fitting(all, kinds, 590, true), ["profit", "buys", "bid", "price", "ask", "sells"]);
  assert.deepEqual(fitting(all, kinds, 490, true), ["buys", "bid", "price", "ask", "sells"]);
  assert.deepEqual(fitting(all, kinds, 390, false), ["bid", "price", "ask", "print"]);
  assert.deepEqual(fitting(all, kinds, 100, true), ["bid", "price", "ask"]);
});

test("each click has a name of its own that platforms take", () => {
  const names = new Set(Array.from({ length: 500 }, newOrderName));
  assert.equal(names.size, 500);
  for (const name of names) assert.match(name, /^[A-Za-z0-9._:-]{1,26}$/); // an order with a bracket has no longer one
});

test("sizes step by lots, by more where they are larger, and never below one lot", () => {
  assert.deepEqual([steppedSize(1, 1, 1), steppedSize(1, -1, 1), steppedSize(20, 1, 1), steppedSize(10, -1, 1)], [2, 1, 30, 9]);
  assert.equal(cleanSize(0.30000000000000004, 0.1), 0.3);
  assert.equal(cleanSize(0, 0.1), 0.1);
});

test("a silent kernel is busy", () => {
  assert.deepEqual([kernelBusy(900, 0), kernelBusy(1100, 0), kernelBusy(0, 1600)], [false, true, true]);
});

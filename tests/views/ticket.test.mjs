import assert from "node:assert/strict";
import { test } from "node:test";
import {
  amountText, averageText, clockText, curvePoints, meterParts, moneyText, needsArming, orderCells, peaks, positionParts, switchParts, ticksText, typedTick,
  typedTicks, worthOf,
} from "../../workbench/views/ticket_parts.js";
import { boundsText, bracketText } from "../../workbench/views/ladder_ticket.js";
import { entryRow, fillText, orderText } from "../../workbench/views/ladder_rows.js";
import { orderNear, orderTag } from "../../workbench/views/heat_orders.js";
import { chartOrder, chartWords } from "../../workbench/views/heat_trade.js";

const units = { tick: 0.25, lot: 1, decimals: 2, multiplier: 50 };

test("money has its sign and two decimals, and nothing is neither gained nor lost", () => {
  assert.deepEqual([1250, -3.5, 0, -0.001, 1234567.891, 999.995].map(moneyText), ["+1,250.00", "−3.50", "0.00", "0.00", "+1,234,567.89", "+1,000.00"]);
  assert.deepEqual([-3.5, 12].map(amountText), ["3.50", "12.00"]);
  assert.deepEqual([4, -1.5, 0, 0.04].map(ticksText), ["+4 t", "−1.5 t", "0 t", "0 t"]);
  assert.equal(worthOf(8, 2, units), 200);
});

test("what is typed is whole ticks, none, or nothing that is sent", () => {
  assert.deepEqual(["", " ", "8", "0", "1.5", "-2", "x"].map(typedTicks), [null, null, 8, undefined, undefined, undefined, undefined]);
  assert.deepEqual(["5000.25", "5000.3", "", "x", "Infinity"].map((text) => typedTick(text, units)), [20001, null, null, null, null]);
});

test("an average between two prices has one more decimal", () => {
  assert.deepEqual([20001, 20001.0000001, 20001.5].map((tick) => averageText(tick, units)), ["5000.25", "5000.25", "5000.375"]);
});

test("a position says its side, and how far the middle is from its entry; without a book it does not", () => {
  assert.deepEqual(positionParts([2, 20000], [20003, 20005], units), { side: 1, text: "long 2 @ 5000.00", ticks: 4 });
  assert.equal(positionParts([-2, 20000], [20003, 20005], units).ticks, -4);
  assert.equal(positionParts([-2, 20000], [null, 20005], units).ticks, null);
  assert.deepEqual(positionParts(null, [1, 2], units), { side: 0, text: "flat", ticks: null });
});

test("a meter is as full as its bound is used, hot near it, and none where there is none", () => {
  assert.deepEqual(meterParts(["position", 3, 10, "size"]), { name: "position", text: "3 / 10", title: "position: 3 of at most 10", share: 0.3, kind: "" });
  assert.deepEqual(["drawdown", "loss"].map((name, i) => meterParts([name, [80, 120][i], 100, "money"]).kind), ["ow-hot", "ow-full"]);
  assert.equal(meterParts(["loss", 120, 100, "money"]).share, 1);
  assert.deepEqual(meterParts(["loss", 12, null, "money"]), { name: "loss", text: "12.00", title: "loss: no bound is set", share: null, kind: "" });
});

test("an order shows what is filled, the average it got, and else its price", () => {
  const order = { ms: 0, side: -1, size: 3, filled: 1, kind: "limit", tick: 20000, avg: null, state: "part filled", open: true, reason: "" };
  const cells = orderCells(order, units);
  assert.deepEqual([cells.side, cells.size, cells.price, cells.state], ["SELL", "1/3", "5000.00", "part filled"]);
  assert.equal(orderCells({ ...order, avg: 20001.5 }, units).price, "5000.375");
  assert.equal(orderCells({ ...order, tick: null }, units).price, "–");
  assert.match(clockText(0), /^\d\d:\d\d:\d\d$/);
});

test("the badge says where orders go and whether they may; a lock that is shut shows how it opens", () => {
  const paper = { place: "paper", state: "ACTIVE", reason: "", left: null };
  assert.deepEqual([switchParts(paper).text, switchParts(paper).kind, needsArming(paper)], ["PAPER · ACTIVE", "ow-on", false]);
  const halted = { ...paper, state: "HALTED", reason: "TRADING_HALTED: panic" };
  assert.deepEqual([switchParts(halted).kind, switchParts(halted).title, needsArming(halted)], ["ow-off", "TRADING_HALTED: panic", true]);
  assert.equal(switchParts({ ...paper, state: "REDUCING" }).kind, "ow-half");
  const armed = { place: "platform", state: "ARMED", reason: "", left: 4 };
  assert.equal(switchParts(armed).text, "PLATFORM · ARMED · 4 left");
  assert.deepEqual([switchParts(null).text, needsArming(null), needsArming({ ...armed, state: "OFF" })], ["no orders", false, false]);
});

test("a curve fills its box, with nothing gained always in view", () => {
  const curve = [[0, 0], [5, 10], [10, -10]];
  assert.deepEqual(curvePoints(curve, 100, 40), { points: [[0, 20], [50, 0], [100, 40]], zero: 20, low: -10, high: 10 });
  assert.deepEqual(curvePoints([[7, 5], [7, 5]], 100, 40).points, [[100, 0], [100, 0]]);
  assert.deepEqual(peaks(curve), [[0, 0], [5, 10], [10, 10]]);
  assert.deepEqual(peaks([[0, -5], [1, -9]]), [[0, 0], [1, 0]], "a loss from the start is a loss from nothing");
});

test("the ladder names brackets, bounds, own fills and the price of entry", () => {
  assert.equal(bracketText({ take_profit: 16, stop_loss: 8, trailing: true }), "+16 / −8 t trail");
  assert.deepEqual([bracketText({}), bracketText({ take_profit: 4 })], ["", "+4 t"]);
  assert.deepEqual([boundsText({ left: 2 ** 31 - 1, max_size: 100 }), boundsText({ left: 3, max_size: 2 })], ["at most 100 each", "3 left, at most 2 each"]);
  const order = { id: "a.tp", side: -1, tick: 1, kind: "LIMIT", size: 2, status: "NEW" };
  assert.deepEqual([orderText([order], units), orderText([{ ...order, id: "a.sl", kind: "STOP" }], units)], ["TP 2", "SL 2"]);
  const fills = [[20000, 1, 2], [20001, 1, 1], [20000, -1, 5]];
  assert.deepEqual([fillText(fills, 1, 10000, 2), fillText(fills, -1, 10000, 2), fillText(fills, 1, 1, 2), fillText(undefined, 1, 1, 1)], ["✓ 3", "✓ 5", "", ""]);
  assert.deepEqual([entryRow({ position: [1, 20001.5], row_ticks: 2 }), entryRow({ position: null, row_ticks: 1 })], [10000, null]);
});

test("a click on the chart buys below the middle and sells above it; with Shift it is the stop of the other side", () => {
  const ways = [[90, false], [110, false], [90, true], [110, true]].map(([tick, shift]) => chartOrder(tick, 100, shift));
  assert.deepEqual(ways.map(({ side, kind }) => `${side} ${kind}`), ["BUY limit", "SELL limit", "SELL stop", "BUY stop"]);
  const words = chartWords({ side: "BUY", kind: "limit", tick: 20000 }, { size: 2, take_profit: 16, stop_loss: 8, trailing: true }, units);
  assert.equal(words, "buy 2 limit @ 5000.00 (+16 / −8 t trail)");
  assert.equal(chartWords({ side: "SELL", kind: "stop", tick: 20000 }, { size: 1 }, units), "sell 1 stop @ 5000.00");
});

test("the hand takes the nearest working order of the chart, and none that has ended", () => {
  const at = { yAt: (tick) => 1000 - tick };
  const order = (id, tick, end = null) => ({ id, side: 1, kind: "limit", end, steps: [[0, 1, 1], [5, tick, 2]] });
  const orders = [order("a", 500), order("b", 503), order("c", 502, 9)];
  assert.equal(orderNear(orders, 1000 - 502.6, at).id, "b");
  assert.equal(orderNear(orders, 1000 - 520, at), null);
  assert.deepEqual([orderTag(orders[0]), orderTag({ ...orders[0], side: -1, kind: "stop loss" }), orderTag({ ...orders[0], kind: "target" })], ["B 2", "S SL 2", "B TP 2"]);
});

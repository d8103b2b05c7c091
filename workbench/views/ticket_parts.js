// Texts and numbers of a trading panel; pure, so that they can be tested without a page.
import { priceText, sizeText } from "./geometry.js";

const TICKET_HOT = 0.8;

/** Money with its sign and two decimals: +1,250.00, −3.50, 0.00. */
export function moneyText(value) {
  const cents = Math.round(Math.abs(value) * 100);
  if (!cents) return "0.00";
  const [whole, part] = (cents / 100).toFixed(2).split(".");
  return `${value < 0 ? "−" : "+"}${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${part}`;
}

/** The same without its sign. */
export function amountText(value) {
  return moneyText(Math.abs(value)).replace("+", "");
}

/** Ticks with their sign: +4 t, −1.5 t. */
export function ticksText(ticks) {
  const rounded = Math.round(Math.abs(ticks) * 10) / 10;
  return `${rounded === 0 ? "" : ticks < 0 ? "−" : "+"}${rounded} t`;
}

/** What a distance is worth: money of so many ticks at a size. */
export function worthOf(ticks, size, units) {
  return ticks * size * units.tick * units.multiplier;
}

/** Whole ticks above 0 that somebody has typed; null: none, undefined: no such number. */
export function typedTicks(text) {
  if (text.trim() === "") return null;
  const ticks = Number(text);
  return Number.isInteger(ticks) && ticks > 0 ? ticks : undefined;
}

/** Tick of a price that somebody has typed; null where there is none or it is off the grid. */
export function typedTick(text, units) {
  if (text.trim() === "" || !Number.isFinite(Number(text))) return null;
  const ticks = Number(text) / units.tick;
  return Math.abs(ticks - Math.round(ticks)) < 1e-6 ? Math.round(ticks) : null;
}

/** An average price, in ticks: with one more decimal where it lies between two prices. */
export function averageText(tick, units) {
  const between = Math.abs(tick - Math.round(tick)) > 1e-6;
  return priceText(between ? tick : Math.round(tick), units.tick, units.decimals + (between ? 1 : 0));
}

/** Position in words: side, size, entry; and how far the market is from it, in ticks. */
export function positionParts(position, quote, units) {
  if (!position) return { side: 0, text: "flat", ticks: null };
  const [size, entry] = position;
  const side = Math.sign(size);
  const [bid, ask] = quote ?? [null, null];
  const known = bid !== null && ask !== null;
  return {
    side,
    text: `${side > 0 ? "long" : "short"} ${sizeText(Math.abs(size))} @ ${averageText(entry, units)}`,
    ticks: known ? ((bid + ask) / 2 - entry) * side : null,
  };
}

/** Text of a meter and how full it is: used of bound, 0 to 1; null where there is no bound. */
export function meterParts([name, used, bound, kind]) {
  const text = (value) => (kind === "money" ? amountText(value) : sizeText(value));
  const share = bound === null || bound === undefined ? null : Math.min(used / bound, 1);
  return {
    name,
    text: share === null ? text(used) : `${text(used)} / ${text(bound)}`,
    title: share === null ? `${name}: no bound is set` : `${name}: ${text(used)} of at most ${text(bound)}`,
    share,
    kind: share === null ? "" : share >= 1 ? "ow-full" : share >= TICKET_HOT ? "ow-hot" : "",
  };
}

/** Cells of one order in the blotter. */
export function orderCells(order, units) {
  const price = order.avg ?? order.tick;
  const partly = order.filled > 0 && order.filled < order.size;
  return {
    time: clockText(order.ms),
    side: order.side > 0 ? "BUY" : "SELL",
    size: partly ? `${sizeText(order.filled)}/${sizeText(order.size)}` : sizeText(order.size),
    kind: order.kind,
    price: price === null ? "–" : averageText(price, units),
    state: order.state,
  };
}

/** Time of the day in the browser's zone. */
export function clockText(ms) {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** What stands beside the name: where orders go, and whether they may. */
export function switchParts(state) {
  if (!state) return { text: "no orders", kind: "ow-off", title: "nothing here takes orders" };
  const place = state.place === "paper" ? "PAPER" : "PLATFORM";
  const open = state.state === "ACTIVE" || state.state === "ARMED";
  const left = open && state.left !== null ? ` · ${state.left} left` : "";
  return { text: `${place} · ${state.state}${left}`, kind: open ? "ow-on" : state.state === "REDUCING" ? "ow-half" : "ow-off", title: state.reason };
}

/** Whether the row that opens the lock is needed. */
export function needsArming(state) {
  return Boolean(state) && state.state !== "ACTIVE" && state.state !== "OFF";
}

/** Corners of a curve of [ms, value] in a box, from its newest `most` ms on; time is even, 0 is always in view. */
export function curvePoints(curve, width, height) {
  const values = curve.map(([, value]) => value);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const span = high - low || 1;
  const y = (value) => (height * (high - value)) / span;
  const [first, last] = [curve[0][0], curve[curve.length - 1][0]];
  const x = (ms) => (last > first ? (width * (ms - first)) / (last - first) : width);
  return { points: curve.map(([ms, value]) => [x(ms), y(value)]), zero: y(0), low, high };
}

/** Highest value so far at each point: what a drawdown is measured from. */
export function peaks(curve) {
  let most = 0;
  return curve.map(([ms, value]) => [ms, (most = Math.max(most, value))]);
}

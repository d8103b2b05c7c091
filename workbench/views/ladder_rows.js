// What a ladder's cells say: pure, so that it can be tested without a page.
import { priceText, sizeText } from "./geometry.js";

/** Order of the numbers of a row; the kernel sends them field by field. */
export const LADDER_FIELDS = [
  "bid", "ask", "bought", "sold", "recent_bought", "recent_sold", "warmth_bought", "warmth_sold", "bid_flow", "ask_flow", "print", "prints",
];
/** Columns with a bar behind their number, and the fields whose largest is the whole width. */
export const LADDER_BARS = { bid: ["bid", "ask"], ask: ["bid", "ask"], sold: ["sold", "bought"], bought: ["sold", "bought"] };
const LADDER_FIELD_AT = Object.fromEntries(LADDER_FIELDS.map((name, index) => [name, index]));

/** Cells of the window of rows that the kernel sends, and the facts that stand above them. */
export class LadderState {
  constructor() {
    this.facts = { orders: [], notes: [], position: null, why: "", desk: null };
    this.cells = new Float32Array(0);
    this.count = 0;
    this.number = -1;
    this.touched = new Set();
  }

  /** Takes in a message; false if one before it is missing. */
  take(content, at, values) {
    if (content.fresh) {
      this.count = content.count;
      this.cells = new Float32Array(LADDER_FIELDS.length * content.count);
      this.facts = { ...this.facts };
      this.all = true;
    } else if (content.number !== this.number + 1) return false;
    this.number = content.number;
    Object.assign(this.facts, content);
    for (let i = 0; i < at.length; i++) {
      this.cells[at[i]] = values[i];
      this.touched.add(this.facts.low_row + (at[i] % this.count));
    }
    return true;
  }

  /** Lots of one field in one row; 0 outside what was sent. */
  value(field, row) {
    const at = row - this.facts.low_row;
    return at >= 0 && at < this.count ? this.cells[LADDER_FIELD_AT[field] * this.count + at] : 0;
  }

  /** Largest of some fields over rows [low, high]. */
  most(fields, low, high) {
    let most = 0;
    for (const field of fields) for (let row = low; row <= high; row++) most = Math.max(most, this.value(field, row));
    return most;
  }

  /** Sum of a field over rows [low, high]. */
  sum(field, low, high) {
    let sum = 0;
    for (let row = low; row <= high; row++) sum += this.value(field, row);
    return sum;
  }

  /** Row between the best prices, or of the last trade; null before either. */
  get middle() {
    const { bid_row, ask_row, last_row } = this.facts;
    const sides = [bid_row, ask_row].filter((row) => row !== null && row !== undefined);
    return sides.length ? Math.round(sides.reduce((a, b) => a + b) / sides.length) : (last_row ?? null);
  }
}

/** Size with its sign, as a trader writes it: +12, −3.4k; nothing for 0. */
export function signedText(size) {
  if (!size) return "";
  return (size > 0 ? "+" : "−") + sizeText(Math.abs(size));
}

/** Own orders of one side whose price lies in a row, oldest first. */
export function ordersIn(orders, side, row, rowTicks) {
  return orders.filter((order) => order.side === side && order.tick !== null && Math.floor(order.tick / rowTicks) === row);
}

const LADDER_STATES = {
  PENDING_NEW: "…",
  PENDING_CANCEL: "✕",
  PENDING_REPLACE: "↕",
  SUSPENDED: "‖",
  INITIALIZED: "…",
};

/** Text of own orders in a cell: size, how it stands, and its place in the queue. */
export function orderText(orders, units) {
  if (!orders.length) return "";
  const [first] = orders;
  const total = orders.reduce((sum, order) => sum + order.size, 0);
  const mark = orders.some((order) => order.unknown) ? "?" : (LADDER_STATES[first.status] ?? "");
  const stop = { tp: "TP ", sl: "SL " }[first.id.split(".").at(-1)] ?? (first.kind.startsWith("STOP") ? "S " : "");
  const count = orders.length > 1 ? `${orders.length}×` : "";
  const place = first.ahead === undefined ? "" : ` ${first.exact ? "" : "≈"}${sizeText(first.ahead * units.lot)}/${sizeText(first.of * units.lot)}`;
  return `${stop}${count}${sizeText(total)}${mark}${place}`;
}

/** What the same orders are, in words. */
export function orderWords(orders, units) {
  return orders
    .map((order) => {
      const what = `${order.side > 0 ? "buy" : "sell"} ${sizeText(order.size)} at ${priceText(order.tick, units.tick, units.decimals)}`;
      const state = `${order.kind.toLowerCase().replace("_", " ")}, ${order.status.toLowerCase().replace("_", " ")}`;
      const about = order.exact ? "" : "about ";
      const place = order.ahead === undefined ? "" : `, ${about}${sizeText(order.ahead * units.lot)} ahead of ${sizeText(order.of * units.lot)}`;
      return `${what} (${state}${place})${order.unknown ? `: ${order.unknown}` : ""}`;
    })
    .join("\n");
}

/** What was executed of own orders in a row lately, on one side; fills are [tick, side, size]. */
export function fillText(fills, side, row, rowTicks) {
  const size = (fills ?? []).reduce((sum, [tick, of, lots]) => sum + (of === side && Math.floor(tick / rowTicks) === row ? lots : 0), 0);
  return size ? `✓ ${sizeText(size)}` : "";
}

/** Row of the price of entry of the open position; null where there is none. */
export function entryRow(facts) {
  return facts.position ? Math.floor(Math.round(facts.position[1] * 1e6) / 1e6 / facts.row_ticks) : null;
}

/** Kind of a row: the last price, the touch, the price of entry. */
export function rowKind(facts, row) {
  const place = row === facts.last_row ? "ow-last" : row === facts.bid_row || row === facts.ask_row ? "ow-touch" : "";
  if (entryRow(facts) !== row) return place;
  return `${place} ow-entry ${facts.position[0] > 0 ? "ow-entry-long" : "ow-entry-short"}`;
}

/** Profit of a position [size, entry in ticks] closed at a tick: ticks and money. */
export function profitAt(position, tick, units) {
  if (!position) return null;
  const [size, entry] = position;
  const ticks = (tick - entry) * Math.sign(size);
  return { ticks, money: ticks * Math.abs(size) * units.tick * units.multiplier };
}

/** Text of one cell. */
export function cellText(state, column, row, units) {
  const { facts } = state;
  const tick = row * facts.row_ticks;
  if (column === "price") return priceText(tick, units.tick, units.decimals);
  if (column === "buys" || column === "sells") {
    const side = column === "buys" ? 1 : -1;
    return orderText(ordersIn(facts.orders, side, row, facts.row_ticks), units) || fillText(facts.fills, side, row, facts.row_ticks);
  }
  if (column === "profit") {
    const profit = profitAt(facts.position, tick, units);
    return profit ? signedText(profit.money) || "0" : "";
  }
  const value = state.value(column, row) * units.lot;
  if (column === "bid_flow" || column === "ask_flow") return signedText(value);
  if (column === "print") return value ? (value > 0 ? "▲" : "▼") + sizeText(Math.abs(value)) : "";
  return value > 0 ? sizeText(value) : "";
}

/** Kind of a cell beyond its column: what colours and weights it, never alone. */
export function cellKind(state, column, row, units) {
  if (column === "recent_bought" || column === "recent_sold") return `ow-w${state.value(column.replace("recent", "warmth"), row)}`;
  const value = column === "profit" ? (profitAt(state.facts.position, row * state.facts.row_ticks, units)?.money ?? 0) : state.value(column, row);
  if (["bid_flow", "ask_flow", "print", "profit"].includes(column)) return value > 0 ? "ow-up" : value < 0 ? "ow-down" : "";
  if (column === "buys" || column === "sells") {
    const orders = ordersIn(state.facts.orders, column === "buys" ? 1 : -1, row, state.facts.row_ticks);
    if (!orders.length) return fillText(state.facts.fills, column === "buys" ? 1 : -1, row, state.facts.row_ticks) ? "ow-filled" : "";
    return orders.some((order) => order.unknown) ? "ow-own ow-unknown" : orders.some((order) => order.status.startsWith("PENDING")) ? "ow-own ow-pending" : "ow-own";
  }
  return "";
}

/** Centre row: stays until the touch leaves the middle half, so that prices do not jump under the hand. */
export function lockedCentre(centre, middle, count) {
  if (centre === null || middle === null) return middle;
  return Math.abs(middle - centre) > count / 4 ? middle : centre;
}

/** Words and numbers above the rows. */
export function ladderHead(facts, units) {
  const price = (tick) => (tick === null || tick === undefined ? "–" : priceText(tick, units.tick, units.decimals));
  const share = (value) => (value === null || value === undefined ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`);
  const arrow = facts.last_side > 0 ? "▲" : facts.last_side < 0 ? "▼" : "";
  return {
    last: `${price(facts.last_tick)}${arrow}`,
    side: facts.last_side ?? 0,
    spread: price(facts.spread),
    volume: sizeText((facts.volume ?? 0) * units.lot),
    delta: signedText((facts.delta ?? 0) * units.lot) || "0",
    touch: share(facts.touch),
    depth: share(facts.depth),
  };
}

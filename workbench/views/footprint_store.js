// What a footprint page holds: bars with their cells, zones, and the arithmetic on them. No DOM.
import { arrayOf } from "./arrays.js";

export const FOOT_BUY = 1;
export const FOOT_SELL = 2;
export const FOOT_BUY_STACKED = 4;
export const FOOT_SELL_STACKED = 8;
export const FOOT_UNFINISHED = 16;
export const FOOT_POC = 32;
const FOOT_BAR_FIELDS = ["startMs", "endMs", "open", "high", "low", "close", "buy", "sell", "unknown", "trades", "minDelta", "maxDelta", "cvd", "first", "gap", "pocRow"];
const FOOT_MOST_BARS = 6000;
const FOOT_NEWEST_BARS = 600;

export class FootStore {
  constructor() {
    this.epoch = -1;
    this.last = -1;
    this.bars = new Map();
    this.zones = [];
    this.version = 0;
  }

  get ready() {
    return this.bars.size > 0;
  }

  get count() {
    return this.last + 1;
  }

  /** Takes a message in; false if it belongs to other bars than these. */
  apply(content, buffers) {
    if (content.k === "snap") this.#begin(content);
    else if (content.epoch !== this.epoch) return false;
    if (content.zones) this.zones = content.zones.map(([side, low, high, first, last]) => ({ side, low, high, first, last }));
    this.version += 1;
    this.#takeBars(arrayOf(Float64Array, buffers[0]), content.first);
    this.#takeCells(arrayOf(Int32Array, buffers[1]), arrayOf(Float64Array, buffers[2]));
    return true;
  }

  #begin(content) {
    if (content.epoch !== this.epoch || content.first > this.last) {
      this.bars.clear();
      this.last = -1;
    }
    this.epoch = content.epoch;
    this.rowTicks = content.row_ticks;
    this.bar = content.bar;
    this.auto = content.auto;
    this.rule = content.rule;
  }

  #takeBars(values, first) {
    const width = FOOT_BAR_FIELDS.length;
    for (let i = 0; i * width < values.length; i++) {
      const index = first + i;
      const bar = this.bars.get(index) ?? { index, cells: new Map() };
      FOOT_BAR_FIELDS.forEach((name, at) => (bar[name] = values[i * width + at]));
      bar.version = this.version;
      this.bars.set(index, bar);
      this.last = Math.max(this.last, index);
    }
    if (this.bars.size > FOOT_MOST_BARS) this.#forget(first);
  }

  #takeCells(keys, lots) {
    for (let i = 0; i * 3 < keys.length; i++) {
      const bar = this.bars.get(keys[3 * i]);
      bar?.cells.set(keys[3 * i + 1], { bid: lots[3 * i], ask: lots[3 * i + 1], unknown: lots[3 * i + 2], flags: keys[3 * i + 2] });
    }
  }

  /** Keeps the newest bars and those round the ones that just came: somebody looks there. */
  #forget(here) {
    const kept = [...this.bars.keys()].sort((a, b) => b - a);
    const others = kept.splice(FOOT_NEWEST_BARS).sort((a, b) => Math.abs(a - here) - Math.abs(b - here));
    kept.push(...others.slice(0, FOOT_MOST_BARS / 2 - FOOT_NEWEST_BARS));
    this.bars = new Map(kept.map((index) => [index, this.bars.get(index)]));
  }

  /** Bars held, oldest first; sorted once for every change. */
  get #inOrder() {
    if (this.orderedAt !== this.version) {
      this.orderedAt = this.version;
      this.ordered = [...this.bars.values()].sort((a, b) => a.index - b.index);
    }
    return this.ordered;
  }

  /** First and last number of the bars that are missing in [first, stop), or null. */
  missing(first, stop) {
    let [low, high] = [Infinity, -1];
    for (let index = Math.max(0, first); index < Math.min(stop, this.count); index++) {
      if (this.bars.has(index)) continue;
      low = Math.min(low, index);
      high = index;
    }
    return high < 0 ? null : [low, high + 1];
  }

  /** Position of a moment among the bars, a fraction within the bar; null outside what is held. */
  placeOf(ms) {
    const held = this.#inOrder;
    if (!held.length || ms < held[0].startMs) return null;
    let [low, high] = [0, held.length];
    while (low < high - 1) {
      const middle = (low + high) >> 1;
      if (held[middle].startMs <= ms) low = middle;
      else high = middle;
    }
    const bar = held[low];
    const end = held[low + 1]?.startMs ?? Math.max(bar.endMs, bar.startMs + 1);
    return bar.index + Math.min((ms - bar.startMs) / Math.max(end - bar.startMs, 1), 0.999);
  }

  /** Sizes that get the full colour (nearly the largest side, delta) or length (the largest sum), in steps that do not flicker. */
  scaleOf(first, stop) {
    const key = `${this.version}:${first}:${stop}`;
    if (this.scaleKey !== key) {
      this.scaleKey = key;
      this.scale = this.#measure(first, stop);
    }
    return this.scale;
  }

  #measure(first, stop) {
    const [sides, deltas] = [[], []];
    let total = 0;
    for (let index = first; index < stop; index++) {
      for (const cell of this.bars.get(index)?.cells.values() ?? []) {
        sides.push(cell.bid, cell.ask);
        deltas.push(Math.abs(cell.ask - cell.bid));
        total = Math.max(total, cell.bid + cell.ask + cell.unknown);
      }
    }
    return { side: footStepped(footQuantile(sides, 0.97)), total: footStepped(total), delta: footStepped(footQuantile(deltas, 0.97)) };
  }
}

function footQuantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted.length ? sorted[Math.floor((sorted.length - 1) * share)] : 0;
}

/** Next of the powers of 1.25. */
function footStepped(value) {
  return 1.25 ** Math.ceil(Math.log(Math.max(value, 1e-9)) / Math.log(1.25));
}

/** Size of a cell in few signs: 0.012, 3.4, 128, 1.25k. */
export function cellText(size) {
  if (size === 0) return "0";
  if (size >= 1e4) return `${Number((size / 1e3).toPrecision(3))}k`;
  if (size >= 100) return size.toFixed(0);
  return size >= 10 ? String(Number(size.toFixed(1))) : String(Number(size.toPrecision(2)));
}

/** Signed size in few signs, with a true minus. */
export function deltaText(size) {
  return `${size < 0 ? "−" : size > 0 ? "+" : ""}${cellText(Math.abs(size))}`;
}

/** What fits into a cell of this size: numbers of both sides, one number, or colour alone. */
export function detailOf(barPx, rowPx) {
  if (rowPx < 9) return "colour";
  if (barPx >= 74) return "both";
  return barPx >= 44 ? "one" : "colour";
}

// Trades as the page holds them, and their sums: bubbles per slot of time, volume per row. Pure.

import { niceTicks } from "./geometry.js";

/** Trades summed by the kernel per column, row and aggressor, oldest first, and sums of them that are kept. */
export class TradeCells {
  constructor() {
    this.list = [];
    this.slots = new Map();
    this.version = 0;
  }

  get last() {
    return this.list.length ? this.list[this.list.length - 1] : null;
  }

  /** Cells of columns from `first` on are sent again as a whole: the old ones go, the new ones come. They count from `first`. */
  replace(first, cells, lowTick = 0) {
    const { list } = this;
    const before = list.length;
    while (list.length && list[list.length - 1].column >= first) list.pop();
    for (let i = 0; i < cells.length; i += 4) {
      list.push({ column: first + cells[i], tick: lowTick + cells[i + 1], lots: cells[i + 2], side: cells[i + 3] });
    }
    if (!cells.length && before === list.length) return;
    this.version += 1;
    for (const slot of this.slots.keys()) if ((slot + 1) * this.perSlot > first) this.slots.delete(slot);
  }

  /** Drops what is older than column `first`, now and then: `slack` columns may stay. */
  forget(first, slack) {
    if (this.list.length && this.list[0].column < first - slack) {
      this.list.splice(0, this.at(first));
      this.slots.clear();
    }
  }

  /** Index of the first trade at or after a column. */
  at(column) {
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].column < column) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Bubbles of columns [first, stop): sums over slots of `perSlot` columns × `perRow` ticks (and × aggressor if `split`).
   * Slots are anchored at column 0, so that they do not move while the picture scrolls, and kept until they change.
   */
  bubbles(first, stop, perSlot, perRow, split) {
    const key = `${perSlot}:${perRow}:${split}`;
    if (key !== this.slotsKey) {
      this.slots.clear();
      Object.assign(this, { slotsKey: key, perSlot });
    }
    const found = [];
    for (let slot = Math.floor(first / perSlot); slot * perSlot < stop; slot++) {
      if (!this.slots.has(slot)) this.slots.set(slot, this.#summed(slot * perSlot, (slot + 1) * perSlot, perRow, split));
      found.push(...this.slots.get(slot));
    }
    return found;
  }

  #summed(first, stop, perRow, split) {
    const sums = new Map();
    for (let i = this.at(first); i < this.list.length && this.list[i].column < stop; i++) {
      const trade = this.list[i];
      const row = Math.floor(trade.tick / perRow);
      const key = split ? row * 4 + trade.side : row;
      let sum = sums.get(key);
      if (!sum) sums.set(key, (sum = { lots: 0, bought: 0, sold: 0, moment: 0, time: 0 }));
      addTrade(sum, trade);
    }
    return [...sums.values()].map(bubbleOf);
  }

  /**
   * Bubbles of equal volume instead of equal time: trades of [first, stop) in order, cut whenever `lots` are full, and at
   * every multiple of `block` columns. Slices begin at the block's edge, so that they stay as they are when `first` moves.
   */
  byVolume(first, stop, lots, block) {
    const found = [];
    let sum = null;
    const close = () => {
      if (sum) found.push(bubbleOf(sum));
      sum = null;
    };
    let at = null;
    for (let i = this.at(Math.floor(first / block) * block); i < this.list.length && this.list[i].column < stop; i++) {
      const mine = Math.floor(this.list[i].column / block);
      if (mine !== at) close();
      at = mine;
      sum ??= { lots: 0, bought: 0, sold: 0, moment: 0, time: 0 };
      addTrade(sum, this.list[i]);
      if (sum.lots >= lots) close();
    }
    close();
    return found;
  }

  /** Adds the lots bought and sold per row of `perRow` ticks in columns [first, stop) to a Map row → [bought, sold, unknown]. */
  volume(first, stop, perRow, rows = new Map()) {
    for (let i = this.at(first); i < this.list.length && this.list[i].column < stop; i++) {
      const trade = this.list[i];
      const row = Math.floor(trade.tick / perRow);
      let sum = rows.get(row);
      if (!sum) rows.set(row, (sum = [0, 0, 0]));
      sum[trade.side > 0 ? 0 : trade.side < 0 ? 1 : 2] += trade.lots;
    }
    return rows;
  }

  /** Lots per column, over all that is held. */
  get rate() {
    if (this.ratedVersion !== this.version) {
      this.ratedVersion = this.version;
      const lots = this.list.reduce((sum, trade) => sum + trade.lots, 0);
      this.perColumn = lots ? lots / (this.last.column - this.list[0].column + 1) : 0;
    }
    return this.perColumn;
  }
}

/** Cuts for about `slices` slices of equal volume in `columns` columns: [lots, block], steps that small changes leave alone. */
export function volumeCuts(rate, columns, slices) {
  return [niceTicks(Math.max(1, Math.ceil((rate * columns) / slices))), 2 ** Math.ceil(Math.log2(Math.max(columns / 4, 1)))];
}

function addTrade(sum, trade) {
  sum.lots += trade.lots;
  if (trade.side > 0) sum.bought += trade.lots;
  else if (trade.side < 0) sum.sold += trade.lots;
  sum.moment += trade.lots * trade.tick;
  sum.time += trade.lots * (trade.column + 0.5);
}

/** A bubble stands at the volume-weighted mean of time and price; `share` is what buyers took, ½ if nobody knows. */
function bubbleOf(sum) {
  const known = sum.bought + sum.sold;
  return {
    column: sum.time / sum.lots,
    tick: sum.moment / sum.lots,
    lots: sum.lots,
    share: known ? sum.bought / known : 0.5,
    known: known > 0,
  };
}

/** The `most` largest bubbles of at least `least` lots, largest first, so that small ones are drawn on top. */
export function largestBubbles(bubbles, most, least = 0) {
  const kept = least > 0 ? bubbles.filter((bubble) => bubble.lots >= least) : bubbles.slice();
  kept.sort((a, b) => b.lots - a.lots);
  if (kept.length > most) kept.length = most;
  return kept;
}

/** Row with the most volume, or null. */
export function pocRow(rows) {
  let best = null;
  let most = 0;
  for (const [row, sums] of rows) {
    const lots = sums[0] + sums[1] + sums[2];
    if (lots > most) [best, most] = [row, lots];
  }
  return best;
}

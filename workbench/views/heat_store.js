// What the page knows of the market: a ring of columns and the trades in it, filled by the messages of the kernel.
import { ringPieces } from "./geometry.js";

export const NO_TICK = -(2 ** 31);
export const MARK_GAP = 1;
export const MARK_EMPTY = 2;

/** Typed copy of a buffer: parts of a message lie at any byte, and typed arrays want alignment. */
export function typed(Kind, buffer) {
  const view = ArrayBuffer.isView(buffer) ? buffer : new DataView(buffer);
  return new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

export class HeatStore {
  constructor() {
    this.epoch = null;
    this.first = 0;
    this.last = -1;
  }

  get ready() {
    return this.epoch !== null;
  }

  /** Takes a message in. Returns the columns to repaint as [first, stop), or null if a snapshot is needed first. */
  apply(content, buffers) {
    if (content.k === "snap") this.#reset(content);
    if (this.epoch === null || content.epoch !== this.epoch) return null;
    if (content.first > this.last + 1 && this.last >= 0) return null;
    const codes = typed(Uint16Array, buffers[0]);
    const edges = typed(Int32Array, buffers[1]);
    const count = content.last - content.first + 1;
    for (const piece of ringPieces(content.first, content.last + 1, this.columns)) {
      const from = piece.column - content.first;
      this.codes.set(codes.subarray(from * this.rows, (from + piece.count) * this.rows), piece.slot * this.rows);
      this.edges.set(edges.subarray(from * 3, (from + piece.count) * 3), piece.slot * 3);
    }
    if (this.last < 0) this.first = content.first;
    this.last = content.last;
    this.first = Math.max(this.first, this.last - this.columns + 1);
    this.#addTrades(content.first, typed(Float32Array, buffers[2]));
    this.now = typed(Uint16Array, buffers[3]);
    this.valid = content.valid;
    this.version += 1;
    return count > 0 ? [content.first, content.last + 1] : [0, 0];
  }

  #reset(content) {
    this.epoch = content.epoch;
    for (const name of ["columns", "rows"]) this[name] = content[name];
    this.columnMs = content.column_ms;
    this.originMs = content.origin_ms;
    this.rowTicks = content.row_ticks;
    this.lowTick = content.low_tick;
    this.auto = content.auto;
    this.visibleTicks = content.visible_ticks;
    this.codes = new Uint16Array(this.columns * this.rows);
    this.edges = new Int32Array(this.columns * 3).fill(NO_TICK);
    this.trades = [];
    this.first = 0;
    this.last = -1;
    this.version = 0;
  }

  /** Cells of columns from `first` on are sent again as a whole: the old ones go, the new ones come. */
  #addTrades(first, cells) {
    while (this.trades.length && this.trades[this.trades.length - 1].column >= first) this.trades.pop();
    for (let i = 0; i < cells.length; i += 4) {
      this.trades.push({ column: cells[i], tick: this.lowTick + cells[i + 1], lots: cells[i + 2], side: cells[i + 3] });
    }
    if (this.trades.length && this.trades[0].column < this.first - this.columns / 4) {
      this.trades = this.trades.filter((trade) => trade.column >= this.first);
    }
  }

  slot(column) {
    return ((column % this.columns) + this.columns) % this.columns;
  }

  /** Best bid (0), best ask (1) in ticks, or the mark (2), of a column. */
  edge(column, which) {
    return this.edges[this.slot(column) * 3 + which];
  }

  /** Code of a cell; 0 outside. */
  code(column, row) {
    if (column < this.first || column > this.last || row < 0 || row >= this.rows) return 0;
    return this.codes[this.slot(column) * this.rows + row];
  }

  columnAt(ms) {
    return Math.floor((ms - this.originMs) / this.columnMs);
  }

  startMs(column) {
    return this.originMs + column * this.columnMs;
  }

  rowAt(tick) {
    return Math.floor((tick - this.lowTick) / this.rowTicks);
  }

  /** Mid of the newest column with both sides, in ticks; null without. */
  mid() {
    for (let column = this.last; column >= Math.max(this.first, this.last - 20); column--) {
      const [bid, ask] = [this.edge(column, 0), this.edge(column, 1)];
      if (bid !== NO_TICK && ask !== NO_TICK) return (bid + ask) / 2;
    }
    return null;
  }

  lastTrade() {
    return this.trades.length ? this.trades[this.trades.length - 1] : null;
  }
}

/**
 * Bubbles for drawing: trades of columns [first, stop) summed over slots of `perSlot` columns × `perRow` ticks × side.
 * Slots are anchored at column and tick 0, so that they do not change while the picture scrolls. The largest `most`.
 */
export function bubblesOf(trades, first, stop, perSlot, perRow, most) {
  const cells = new Map();
  for (const trade of trades) {
    if (trade.column < first || trade.column >= stop) continue;
    const slot = Math.floor(trade.column / perSlot);
    const key = `${slot}:${Math.floor(trade.tick / perRow)}:${trade.side}`;
    const cell = cells.get(key);
    if (cell) {
      cell.lots += trade.lots;
      cell.moment += trade.lots * trade.tick;
      cell.time += trade.lots * (trade.column + 0.5);
    } else {
      const moment = trade.lots * trade.tick;
      cells.set(key, { lots: trade.lots, moment, time: trade.lots * (trade.column + 0.5), side: trade.side });
    }
  }
  const found = [...cells.values()].map((c) => ({ column: c.time / c.lots, tick: c.moment / c.lots, lots: c.lots, side: c.side }));
  if (found.length > most) found.sort((a, b) => b.lots - a.lots).length = most;
  return found;
}

/** Lots bought and sold per row of `perRow` ticks in columns [first, stop): Map row → [bought, sold]. */
export function volumeByRow(trades, first, stop, perRow) {
  const rows = new Map();
  for (const trade of trades) {
    if (trade.column < first || trade.column >= stop) continue;
    const row = Math.floor(trade.tick / perRow);
    const sum = rows.get(row) ?? [0, 0];
    sum[trade.side < 0 ? 1 : 0] += trade.lots;
    rows.set(row, sum);
  }
  return rows;
}

// What the page knows of the market: sheets of columns × rows. The store is the live one, a ring fed by the kernel.
import { ringPieces } from "./geometry.js";
import { TradeCells } from "./heat_trades.js";

export const NO_TICK = -(2 ** 31);
export const MARK_GAP = 1;
export const MARK_EMPTY = 2;

/** Typed copy of a buffer: parts of a message lie at any byte, and typed arrays want alignment. */
export function typed(Kind, buffer) {
  const view = ArrayBuffer.isView(buffer) ? buffer : new DataView(buffer);
  return new Kind(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** Columns [first, last] of codes and edges, at one scale of time and price. */
export class HeatSheet {
  /** Takes the scale and makes room for nothing yet. */
  scaled(content) {
    for (const name of ["columns", "rows"]) this[name] = content[name];
    this.columnMs = content.column_ms;
    this.originMs = content.origin_ms;
    this.rowTicks = content.row_ticks;
    this.lowTick = content.low_tick;
    this.version = 0;
  }

  get highTick() {
    return this.lowTick + this.rows * this.rowTicks;
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

  get leftMs() {
    return this.startMs(this.first);
  }

  get rightMs() {
    return this.startMs(this.last + 1);
  }

  rowAt(tick) {
    return Math.floor((tick - this.lowTick) / this.rowTicks);
  }

  /** First and stop of the columns that touch a time range. */
  between(leftMs, rightMs) {
    const first = Math.max(this.first, this.columnAt(leftMs));
    return [first, Math.max(first, Math.min(this.last + 1, Math.ceil((rightMs - this.originMs) / this.columnMs)))];
  }
}

export class HeatStore extends HeatSheet {
  constructor() {
    super();
    this.epoch = null;
    this.first = 0;
    this.last = -1;
    this.cells = new TradeCells();
  }

  get ready() {
    return this.epoch !== null;
  }

  get trades() {
    return this.cells.list;
  }

  /** Takes a message in. Returns the columns to repaint as [first, stop), or null if a snapshot is needed first. */
  apply(content, buffers) {
    if (content.k === "snap") this.#reset(content);
    if (this.epoch === null || content.epoch !== this.epoch) return null;
    if (content.first > this.last + 1 && this.last >= 0) return null;
    const sparse = content.sparse || content.sparse_now;
    if (sparse && content.n !== this.number + 1) return null; // something was missed
    this.number = content.n;
    const count = content.last - content.first + 1;
    if (content.sparse) this.#carry(content, typed(Uint16Array, buffers[0]));
    else this.#write(content, typed(Uint16Array, buffers[0]));
    const edges = typed(Int32Array, buffers[1]);
    for (const piece of ringPieces(content.first, content.last + 1, this.columns)) {
      const from = piece.column - content.first;
      this.edges.set(edges.subarray(from * 3, (from + piece.count) * 3), piece.slot * 3);
    }
    if (this.last < 0) this.first = content.first;
    this.last = content.last;
    this.first = Math.max(this.first, this.last - this.columns + 1);
    this.cells.replace(content.first, typed(Float32Array, buffers[2]), this.lowTick);
    this.cells.forget(this.first, this.columns / 4);
    const now = typed(Uint16Array, buffers[3]);
    this.now = content.sparse_now ? patchedNow(this.now, now) : now;
    if (content.session) this.session = sessionRows(typed(Float32Array, buffers[4]), this.lowTick / this.rowTicks);
    this.valid = content.valid;
    this.version += 1;
    return count > 0 ? [content.first, content.last + 1] : [0, 0];
  }

  #write(content, codes) {
    for (const piece of ringPieces(content.first, content.last + 1, this.columns)) {
      const from = piece.column - content.first;
      this.codes.set(codes.subarray(from * this.rows, (from + piece.count) * this.rows), piece.slot * this.rows);
    }
  }

  /** Columns told as what differs: the first from itself as it stands, each further one from the one before it. */
  #carry(content, changes) {
    const half = changes.length / 2;
    let at = 0;
    for (let column = content.first; column <= content.last; column++) {
      const base = this.slot(column) * this.rows;
      if (column > content.first) {
        const before = this.slot(column - 1) * this.rows;
        this.codes.copyWithin(base, before, before + this.rows);
      }
      const from = (column - content.first) * this.rows;
      for (; at < half && changes[at] < from + this.rows; at++) this.codes[base + changes[at] - from] = changes[half + at];
    }
  }

  #reset(content) {
    this.scaled(content);
    this.epoch = content.epoch;
    this.auto = content.auto;
    this.session = null;
    this.visibleTicks = content.visible_ticks;
    this.codes = new Uint16Array(this.columns * this.rows);
    this.edges = new Int32Array(this.columns * 3).fill(NO_TICK);
    this.cells = new TradeCells();
    this.first = 0;
    this.last = -1;
  }

  /** Best bid and ask of the newest column with both sides, in ticks; null without. */
  touch() {
    for (let column = this.last; column >= Math.max(this.first, this.last - 20); column--) {
      const [bid, ask] = [this.edge(column, 0), this.edge(column, 1)];
      if (bid !== NO_TICK && ask !== NO_TICK) return [bid, ask];
    }
    return null;
  }

  /** Where the market is, in ticks: mid of the newest column with both sides, else the last trade; null without. */
  mid() {
    const touch = this.touch();
    return touch ? (touch[0] + touch[1]) / 2 : (this.lastTrade()?.tick ?? null);
  }

  lastTrade() {
    return this.cells.last;
  }
}

/** A copy with the values of places put in: `changes` holds the places, then their values. */
function patchedNow(values, changes) {
  const copy = values.slice();
  const half = changes.length / 2;
  for (let i = 0; i < half; i++) copy[changes[i]] = changes[half + i];
  return copy;
}

/** Map row → [bought, sold, unknown] of rows counted from `firstRow` on; rows without volume are left out. */
function sessionRows(lots, firstRow) {
  const rows = new Map();
  for (let i = 0; i < lots.length; i += 3) {
    if (lots[i] + lots[i + 1] + lots[i + 2] > 0) rows.set(firstRow + i / 3, [lots[i], lots[i + 1], lots[i + 2]]);
  }
  return rows;
}

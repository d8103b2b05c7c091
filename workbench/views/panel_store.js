// What a panel knows: the newest columns, a tile of older ones, marks and gaps, filled by the messages of the kernel.
import { typed } from "./heat_store.js";

export const PANEL_RING = 2048;
const PANEL_MOST_MARKS = 4000;
const PANEL_ROLES = ["accent", "last", "violet", "text", "warn"];
const PANEL_DASHES = [[], [6, 3], [2, 2], [8, 3, 2, 3], [1, 3]];

/** Columns of one size in order of time: their beginnings in ms and `width` numbers each. */
export class PanelBlock {
  constructor(columnMs, width, capacity = 2 * PANEL_RING) {
    this.columnMs = columnMs;
    this.width = width;
    this.count = 0;
    this.starts = new Float64Array(capacity);
    this.values = new Float64Array(capacity * width);
  }

  /** Adds columns; one that is there already is replaced. */
  put(firstMs, offsets, values) {
    for (let i = 0; i < offsets.length; i++) {
      const start = firstMs + offsets[i] * this.columnMs;
      const last = this.count ? this.starts[this.count - 1] : -Infinity;
      const at = start <= last ? this.indexOf(start) : this.#room();
      if (at < 0 || (at < this.count && this.starts[at] !== start)) continue;
      this.starts[at] = start;
      this.values.set(values.subarray(i * this.width, (i + 1) * this.width), at * this.width);
      this.count = Math.max(this.count, at + 1);
    }
  }

  #room() {
    if (this.count === this.starts.length) {
      const kept = Math.ceil(this.count / 2);
      this.starts.copyWithin(0, this.count - kept, this.count);
      this.values.copyWithin(0, (this.count - kept) * this.width, this.count * this.width);
      this.count = kept;
      this.beginMs = this.starts[0];
    }
    return this.count;
  }

  /** The last column that begins at or before a moment; −1 if none does. */
  indexOf(ms) {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] <= ms) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  number(index, column) {
    return this.values[index * this.width + column];
  }
}

export class PanelStore {
  constructor() {
    this.live = null;
    this.tile = null;
    this.gaps = [];
    this.marks = [];
    this.version = 0;
  }

  get ready() {
    return this.live !== null;
  }

  /** Takes a message in; false if a snapshot is needed first. */
  apply(content, buffers) {
    const offsets = typed(Int32Array, buffers[0]);
    const values = typed(Float64Array, buffers[1]);
    if (content.k === "tile") return this.#applyTile(content, offsets, values);
    if (content.k === "snap") this.#reset(content);
    else if (!this.live || content.epoch !== this.epoch) return false;
    this.live.put(content.first_ms, offsets, values);
    if (content.k === "cols" && content.marks) this.marks = [...this.marks, ...content.marks].slice(-PANEL_MOST_MARKS);
    if (content.gaps) this.gaps = content.gaps;
    this.startMs = content.start_ms;
    this.endMs = content.end_ms;
    this.version += 1;
    return true;
  }

  #reset(content) {
    const { width } = content;
    if (this.live?.width !== width || this.shows !== content.version) this.tile = null;
    this.shows = content.version;
    this.epoch = content.epoch;
    this.live = new PanelBlock(content.column_ms, width);
    this.live.beginMs = content.first_ms;
    this.panes = content.panes;
    this.series = content.series.map((series) => ({
      ...series,
      role: series.role || PANEL_ROLES[series.style % PANEL_ROLES.length],
      dash: PANEL_DASHES[series.style % PANEL_DASHES.length],
    }));
    this.marks = content.marks;
  }

  #applyTile(content, offsets, values) {
    if (!this.live || content.version !== this.shows || (offsets.length && values.length !== offsets.length * this.live.width)) return true;
    const tile = new PanelBlock(content.column_ms, this.live.width, Math.max(offsets.length, 1));
    tile.put(content.first_ms, offsets, values);
    tile.beginMs = content.first_ms;
    this.tile = tile;
    this.version += 1;
    return true;
  }

  /** Pieces [block, from, to) that show a range, in order of time: the tile up to where the newest columns begin. */
  pieces(leftMs, rightMs) {
    const pieces = [];
    const { live, tile } = this;
    if (!live) return pieces;
    const edge = live.count ? live.starts[0] : Infinity;
    if (tile && leftMs < edge) {
      const stop = edge === Infinity ? tile.count : tile.indexOf(edge - 1e-6) + 1;
      pieces.push([tile, Math.max(0, tile.indexOf(leftMs)), Math.min(stop, tile.indexOf(rightMs) + 1)]);
    }
    pieces.push([live, Math.max(0, live.indexOf(leftMs)), live.indexOf(rightMs) + 1]);
    return pieces.filter(([, from, to]) => to > from);
  }

  /** Whether older columns than the page holds would be needed to show a range. */
  lacks(leftMs, columnMs) {
    const { live, tile } = this;
    if (!live || leftMs >= live.beginMs || this.startMs >= live.beginMs) return false;
    const covered = tile && tile.columnMs === columnMs && tile.beginMs <= Math.max(leftMs, this.startMs) + columnMs;
    return !covered || (tile.askedRightMs ?? Infinity) < live.beginMs;
  }

  /** [block, index] of the newest column that begins at or before a moment, if the page holds it. */
  columnAt(ms) {
    const [piece] = this.pieces(ms, ms).slice(-1);
    return piece ? [piece[0], piece[0].indexOf(ms)] : null;
  }

  /** Gaps that lie in a range. */
  gapsWithin(leftMs, rightMs) {
    return this.gaps.filter(([begin, end]) => begin <= rightMs && (end ?? Infinity) >= leftMs);
  }
}

/** Whether one of some gaps lies over a moment, or between it and a later one. */
export function brokenBetween(gaps, fromMs, toMs) {
  return gaps.some(([begin, end]) => begin <= toMs && (end ?? Infinity) >= fromMs);
}

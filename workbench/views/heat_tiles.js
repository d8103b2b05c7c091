// Tiles: parts of the past at the resolution of the zoom, asked for when the hand rests. What is there is shown meanwhile.
import { HeatSheet, typed } from "./heat_store.js";
import { TradeCells } from "./heat_trades.js";

const TILES_KEPT = 6;
const OVERVIEW_MS = 30000;
const IDEAL_COLUMN_PX = 1.6;
const IDEAL_ROW_PX = 3;

/** One answer of the kernel: columns 0 … n − 1 from `originMs` on. */
export class HeatTile extends HeatSheet {
  constructor(content, buffers) {
    super();
    this.scaled(content);
    Object.assign(this, { id: content.id, stage: content.stage, rule: content.rule, exact: content.exact, first: 0, last: content.columns - 1 });
    this.codes = content.code_step ? widened(typed(Uint8Array, buffers[0]), content.code_low, content.code_step) : typed(Uint16Array, buffers[0]);
    this.edges = typed(Int32Array, buffers[1]);
    this.cells = new TradeCells();
    this.cells.replace(0, typed(Float32Array, buffers[2]), this.lowTick);
  }
}

/** Codes of sizes from the bytes of a coarse tile: 0 stays 0, k is the (k − 1)th step above the least; pure. */
export function widened(bytes, low, step) {
  const table = Uint16Array.from({ length: 256 }, (_, k) => (k === 0 ? 0 : Math.min(low + (k - 1) * step, 65535)));
  const codes = new Uint16Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) codes[i] = table[bytes[i]];
  return codes;
}

/** How badly a sheet suits a view: octaves of its cells' size from the ideal; finer than a pixel counts double. */
export function misfit(sheet, view) {
  const off = (px, ideal) => {
    const octaves = Math.log2(px / ideal);
    return octaves < 0 ? -2 * octaves : octaves;
  };
  const rows = off(sheet.rowTicks / view.ticksPerPx, IDEAL_ROW_PX) / 2;
  const coarse = sheet.rowTicks === 1 && rows > 0 ? 0 : Math.abs(rows); // no price lies between two ticks
  return off(sheet.columnMs / view.msPerPx, IDEAL_COLUMN_PX) + coarse + (sheet.exact === false ? 0.5 : 0);
}

/**
 * Which sheet speaks for which time: `sheets` best first, each gets what better ones leave of [leftMs, rightMs].
 * Returns `{ sheet, leftMs, rightMs }` from left to right.
 */
export function coverage(sheets, leftMs, rightMs) {
  let free = [[leftMs, rightMs]];
  const taken = [];
  for (const sheet of sheets) {
    const left = [];
    for (const [from, to] of free) {
      const [start, stop] = [Math.max(from, sheet.leftMs), Math.min(to, sheet.rightMs)];
      if (stop <= start) {
        left.push([from, to]);
        continue;
      }
      taken.push({ sheet, leftMs: start, rightMs: stop });
      if (start > from) left.push([from, start]);
      if (stop < to) left.push([stop, to]);
    }
    free = left;
  }
  return taken.sort((a, b) => a.leftMs - b.leftMs);
}

/** Whether a sheet shows all of a time and price range, near enough. */
export function covers(sheet, leftMs, rightMs, lowTick, highTick) {
  return sheet.leftMs <= leftMs && sheet.rightMs >= rightMs && sheet.lowTick <= lowTick && sheet.highTick >= highTick;
}

/** Sheets that can be seen: of those given, best first, the ones up to the first that shows the whole range by itself. */
export function unhidden(sheets, leftMs, rightMs, lowTick, highTick) {
  const last = sheets.findIndex((sheet) => covers(sheet, leftMs, rightMs, lowTick, highTick));
  return last < 0 ? sheets : sheets.slice(0, last + 1);
}

/** The tiles that the page holds; `overview` is a coarse one of the whole session. */
export class TileShelf {
  /** `base` comes before the number of the first look: answers to other pages' looks are none of this one's. */
  constructor(base = 0) {
    this.tiles = [];
    this.overview = null;
    this.base = base;
    this.asked = base;
    this.askedAt = -Infinity;
  }

  /** Words of the next look; the kernel answers the newest only. */
  look(view, more, now) {
    this.asked += 1;
    this.askedAt = now;
    return {
      k: "look",
      id: this.asked,
      left_ms: view.left,
      right_ms: view.right,
      low: view.lowTick,
      high: view.highTick,
      width: view.width,
      height: view.height,
      overview: this.overview === null || now - this.overview.at > OVERVIEW_MS,
      ...more,
    };
  }

  /** Whether the newest look was answered to the end: another page's later look may have taken its place. */
  get answered() {
    return this.asked === this.base || this.tiles.some((tile) => tile.id === this.asked && tile.stage === "full");
  }

  /** Takes an answer in; returns its tile, or null if it is of an older look than what stands, or of another page's. */
  take(content, buffers, now) {
    if (content.id <= this.base || content.id > this.asked) return null;
    const tile = new HeatTile(content, buffers);
    if (content.stage === "overview") {
      this.overview = Object.assign(tile, { at: now });
      return tile;
    }
    if (this.tiles.length && content.id < this.tiles[0].id) return null;
    this.tiles = [tile, ...this.tiles.filter((other) => other.id !== tile.id)].slice(0, TILES_KEPT);
    return tile;
  }

  clear() {
    this.tiles = [];
    this.overview = null;
  }

  /** Sheets for a view, best first; `live` is the ring. */
  sheets(view, live, rule) {
    const all = [live, ...this.tiles.filter((tile) => tile.rule === rule)];
    const fits = new Map(all.map((sheet, i) => [sheet, misfit(sheet, view) + i * 0.01]));
    all.sort((a, b) => fits.get(a) - fits.get(b));
    return this.overview ? [...all, this.overview] : all;
  }

  /** Whether a view needs another look: no sheet at hand shows all of it sharply. */
  lacks(view, live, rule, endMs) {
    const right = Math.min(view.right, endMs);
    const left = Math.max(view.left, view.beginMs);
    const sharp = (sheet) => sheet.exact !== false && misfit(sheet, view) < 2.2;
    const sheets = [live, ...this.tiles.filter((tile) => tile.rule === rule && tile.stage === "full")];
    return !sheets.some((sheet) => sharp(sheet) && covers(sheet, left, Math.min(right, sheet === live ? live.rightMs : right), view.lowTick, view.highTick));
  }
}

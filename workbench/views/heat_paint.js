// The market itself on the canvas: resting size, gaps, best prices. Functions of (context, sheets, view); no state.
import { ringPieces, xOf, yOf } from "./geometry.js";
import { faded } from "./colour.js";
import { MARK_EMPTY, MARK_GAP, NO_TICK } from "./heat_store.js";

const HATCH_PX = 9;

/** Colours of a sheet in a canvas of its own, painted once and stretched as often as the view moves. */
export class HeatImage {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.context = this.canvas.getContext("2d", { willReadFrequently: false });
    this.shape = "";
  }

  /** Makes the picture of a sheet current: all of it with another table or shape, else columns [first, stop). */
  paint(sheet, table, tableKey, first, stop) {
    const shape = `${sheet.columns}x${sheet.rows}:${sheet.epoch ?? sheet.id}`;
    if (shape !== this.shape) {
      this.canvas.width = sheet.columns; // which also empties it
      this.canvas.height = sheet.rows;
    }
    const all = shape !== this.shape || tableKey !== this.tableKey;
    Object.assign(this, { shape, tableKey });
    paintRing(this.context, sheet, table, all ? sheet.first : Math.max(first, sheet.first), all ? sheet.last + 1 : stop);
  }
}

/** Paints columns [first, stop) of a sheet into a canvas of its shape. */
export function paintRing(context, sheet, table, first, stop) {
  for (const piece of ringPieces(first, stop, sheet.columns)) {
    const image = context.createImageData(piece.count, sheet.rows);
    const words = new Uint32Array(image.data.buffer);
    for (let c = 0; c < piece.count; c++) {
      const base = (piece.slot + c) * sheet.rows;
      let at = (sheet.rows - 1) * piece.count + c;
      for (let row = 0; row < sheet.rows; row++, at -= piece.count) words[at] = table[sheet.codes[base + row]];
    }
    context.putImageData(image, piece.slot, 0);
  }
}

/** Resting size of one sheet: its picture, stretched. The unfinished column of a live one reaches to the present. */
export function drawHeat(context, image, sheet, view, live) {
  const [first, stop] = sheet.between(view.left, view.right + sheet.columnMs);
  const top = yOf(sheet.highTick, view);
  const height = yOf(sheet.lowTick, view) - top;
  const width = sheet.columnMs / view.msPerPx;
  context.imageSmoothingEnabled = width < 0.75;
  for (const piece of ringPieces(first, stop, sheet.columns)) {
    const x = xOf(sheet.startMs(piece.column), view);
    context.drawImage(image.canvas, piece.slot, 0, piece.count, sheet.rows, x, top, piece.count * width, height);
  }
  const edge = xOf(sheet.rightMs, view);
  if (live && edge < view.width && edge > -view.width) {
    const rest = Math.min(view.width - edge, view.holdMs / view.msPerPx);
    context.imageSmoothingEnabled = false;
    context.drawImage(image.canvas, sheet.slot(sheet.last), 0, 1, sheet.rows, edge, top, rest, height);
  }
}

/** Runs of columns [first, stop) that carry a mark, as [start, end) pairs; pure. */
export function markedRuns(sheet, first, stop, mark) {
  const runs = [];
  for (let column = first; column < stop; column++) {
    if (!(sheet.edge(column, 2) & mark)) continue;
    const last = runs[runs.length - 1];
    if (last && last[1] === column) last[1] = column + 1;
    else runs.push([column, column + 1]);
  }
  return runs;
}

/** Hatches columns in which events were lost: what is drawn there is not the market. */
export function drawGaps(context, parts, view, colours) {
  for (const { sheet, leftMs, rightMs } of parts) {
    const [first, stop] = sheet.between(leftMs, rightMs);
    for (const [start, end] of markedRuns(sheet, first, stop, MARK_GAP)) {
      hatch(context, xOf(sheet.startMs(start), view), Math.max(2, ((end - start) * sheet.columnMs) / view.msPerPx), view, colours);
    }
  }
}

function hatch(context, x, width, view, colours) {
  context.save();
  context.beginPath();
  context.rect(x, 0, width, view.height);
  context.clip();
  context.fillStyle = faded(colours.gap, 0.28);
  context.fillRect(x, 0, width, view.height);
  context.strokeStyle = faded(colours.gap, 0.7);
  context.lineWidth = 1;
  context.beginPath();
  const [from, to] = [Math.max(x, 0), Math.min(x + width, view.width)];
  for (let at = Math.floor((from - view.height) / HATCH_PX) * HATCH_PX; at < to; at += HATCH_PX) {
    context.moveTo(at, view.height);
    context.lineTo(at + view.height, 0);
  }
  context.stroke();
  if (width > 34) {
    context.fillStyle = colours.text;
    context.textAlign = "center";
    context.fillText("gap", (from + to) / 2, 14);
  }
  context.restore();
}

/**
 * Points of one side's steps over columns [first, stop) as runs of [ms, tick]; a run ends where the side was empty or
 * nothing was known. `lastPerMs`: of columns that share a span of so many ms only the last counts; 0 keeps all. Pure.
 */
export function bestRuns(sheet, first, stop, side, lastPerMs = 0) {
  const runs = [];
  let run = null;
  for (let column = first; column < stop; column++) {
    const tick = sheet.edge(column, side);
    if (tick === NO_TICK || sheet.edge(column, 2) & (MARK_GAP | MARK_EMPTY)) {
      run = null;
      continue;
    }
    const ms = sheet.startMs(column);
    if (lastPerMs && column + 1 < stop && Math.floor(ms / lastPerMs) === Math.floor((ms + sheet.columnMs) / lastPerMs)) continue;
    if (!run) runs.push((run = { points: [], endMs: 0 }));
    run.points.push([ms, tick]);
    run.endMs = ms + sheet.columnMs;
  }
  return runs;
}

/** Best bid and ask as steps with a dark rim, so that they stay crisp over bright liquidity. */
export function drawBest(context, parts, view, colours, how, live) {
  context.lineJoin = "miter";
  for (const [side, role] of [[0, "bid"], [1, "ask"]]) {
    context.beginPath();
    for (const { sheet, leftMs, rightMs } of parts) {
      const [first, stop] = sheet.between(leftMs, rightMs);
      for (const run of bestRuns(sheet, first, stop, side, how === "last" ? view.msPerPx : 0)) {
        traceRun(context, run, view, sheet === live && stop === live.last + 1 ? view.holdMs : 0);
      }
    }
    for (const [width, colour] of [[3, faded(colours.background, 0.55)], [1.4, colours[role]]]) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
}

/** Steps of one run, one corner where the price changes: a line of many pieces takes twice as long to stroke. */
function traceRun(context, run, view, holdMs) {
  const right = (ms) => Math.min(xOf(ms, view), view.width);
  let held = run.points[0][1];
  context.moveTo(xOf(run.points[0][0], view), yOf(held + 0.5, view));
  for (const [ms, tick] of run.points) {
    if (tick === held) continue;
    const x = right(ms);
    context.lineTo(x, yOf(held + 0.5, view));
    context.lineTo(x, yOf(tick + 0.5, view));
    held = tick;
  }
  context.lineTo(right(run.endMs + holdMs), yOf(held + 0.5, view));
}

/** Says over the picture that it is not of now. */
export function drawStale(context, view, colours, text) {
  context.fillStyle = faded(colours.background, 0.55);
  context.fillRect(0, 0, view.width, view.height);
  context.fillStyle = colours.warn;
  context.textAlign = "center";
  context.fillText(text, view.width / 2, 30);
}

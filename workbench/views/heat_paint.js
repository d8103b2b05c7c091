// Layers of the heatmap, each a function of (context, what is known, the view); nothing here keeps state.
import { priceText, priceTicks, ringPieces, sizeText, tickAt, timeText, timeTicks, xOf, yOf, zoneOffsetMs } from "./geometry.js";
import { faded, lotsOf } from "./colour.js";
import { MARK_EMPTY, MARK_GAP, NO_TICK } from "./heat_store.js";
import { FONT } from "./link.js";

const LABEL_PX = 46;
const TIME_LABEL_PX = 96;

/** First and stop of the columns in view. */
export function columnsInView(store, view) {
  const first = Math.max(store.first, store.columnAt(view.right - view.width * view.msPerPx) - 1);
  const stop = Math.min(store.last + 1, store.columnAt(view.right) + 2);
  return [first, Math.max(first, stop)];
}

/** Paints columns [first, stop) of the store into the ring canvas. */
export function paintRing(ringContext, store, table, first, stop) {
  for (const piece of ringPieces(first, stop, store.columns)) {
    const image = ringContext.createImageData(piece.count, store.rows);
    const words = new Uint32Array(image.data.buffer);
    for (let c = 0; c < piece.count; c++) {
      const base = (piece.slot + c) * store.rows;
      let at = (store.rows - 1) * piece.count + c;
      for (let row = 0; row < store.rows; row++, at -= piece.count) words[at] = table[store.codes[base + row]];
    }
    ringContext.putImageData(image, piece.slot, 0);
  }
}

/** Resting size: the ring, stretched; the unfinished column reaches to the present. */
export function drawHeat(context, ring, store, view) {
  const [first, stop] = columnsInView(store, view);
  const top = yOf(store.lowTick + store.rows * store.rowTicks, view);
  const height = yOf(store.lowTick, view) - top;
  const width = store.columnMs / view.msPerPx;
  context.imageSmoothingEnabled = false;
  for (const piece of ringPieces(first, stop, store.columns)) {
    const x = xOf(store.startMs(piece.column), view);
    context.drawImage(ring, piece.slot, 0, piece.count, store.rows, x, top, piece.count * width, height);
  }
  const edge = xOf(store.startMs(store.last + 1), view);
  if (stop === store.last + 1 && edge < view.width) {
    const rest = Math.min(view.width - edge, view.holdMs / view.msPerPx);
    context.drawImage(ring, store.slot(store.last), 0, 1, store.rows, edge, top, rest, height);
  }
}

/** Hatches columns in which events were lost: what is drawn there is not the market. */
export function drawGaps(context, store, view, colours) {
  const [first, stop] = columnsInView(store, view);
  let start = null;
  for (let column = first; column <= stop; column++) {
    const lost = column < stop && store.edge(column, 2) & MARK_GAP;
    if (lost && start === null) start = column;
    if (lost || start === null) continue;
    hatch(context, xOf(store.startMs(start), view), Math.max(2, ((column - start) * store.columnMs) / view.msPerPx), view, colours);
    start = null;
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
  for (let at = Math.floor((x - view.height) / 9) * 9; at < x + width; at += 9) {
    context.moveTo(at, view.height);
    context.lineTo(at + view.height, 0);
  }
  context.stroke();
  if (width > 34) {
    context.fillStyle = colours.text;
    context.textAlign = "center";
    context.fillText("gap", x + width / 2, 14);
  }
  context.restore();
}

/** Best bid and ask as steps, broken where a side was empty or nothing was known. */
export function drawBest(context, store, view, colours) {
  const [first, stop] = columnsInView(store, view);
  const width = store.columnMs / view.msPerPx;
  context.lineWidth = 1.5;
  context.lineJoin = "miter";
  for (const [side, role] of [[0, "bid"], [1, "ask"]]) {
    context.strokeStyle = colours[role];
    context.beginPath();
    let open = false;
    for (let column = first; column < stop; column++) {
      const tick = store.edge(column, side);
      if (tick === NO_TICK || store.edge(column, 2) & (MARK_GAP | MARK_EMPTY)) {
        open = false;
        continue;
      }
      const x = xOf(store.startMs(column), view);
      const y = yOf(tick + 0.5, view);
      if (open) context.lineTo(x, y);
      else context.moveTo(x, y);
      const end = column === store.last ? Math.min(view.width, x + width + view.holdMs / view.msPerPx) : x + width;
      context.lineTo(end, y);
      open = true;
    }
    context.stroke();
  }
}

/** Trades: area ∝ volume, colour = aggressor; small ones on top so that none hides. */
export function drawBubbles(context, bubbles, store, view, colours) {
  const sizes = bubbles.map((bubble) => bubble.lots).sort((a, b) => a - b);
  if (!sizes.length) return;
  const large = sizes[Math.floor(sizes.length * 0.98)];
  const unit = 9 / Math.sqrt(large);
  context.lineWidth = 1;
  context.strokeStyle = faded(colours.background, 0.65);
  for (const bubble of [...bubbles].sort((a, b) => b.lots - a.lots)) {
    const x = xOf(store.originMs + bubble.column * store.columnMs, view);
    const y = yOf(bubble.tick + 0.5, view);
    if (x < -20 || y < -20 || y > view.height + 20) continue;
    const radius = Math.min(Math.max(unit * Math.sqrt(bubble.lots), 1), 22);
    context.fillStyle = faded(bubble.side > 0 ? colours.buy : bubble.side < 0 ? colours.sell : colours.faint, radius > 6 ? 0.72 : 0.9);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
    if (radius > 2.5) context.stroke();
  }
}

/** Current book at the right edge: one bar per row and side, its size written where there is room. */
export function drawBook(context, store, view, box, colours, units) {
  panel(context, box, view, colours);
  const [low, high] = rowsInView(store, view);
  let most = 1;
  const sizes = [];
  for (let row = low; row < high; row++) {
    for (const side of [0, 1]) {
      const lots = lotsOf(store.now[side * store.rows + row]);
      if (lots > 0) sizes.push({ row, side, lots });
    }
  }
  if (sizes.length) most = sizes.map((s) => s.lots).sort((a, b) => a - b)[Math.floor(sizes.length * 0.97)];
  const height = store.rowTicks / view.ticksPerPx;
  for (const { row, side, lots } of sizes) {
    const y = yOf(store.lowTick + (row + 1) * store.rowTicks, view);
    const length = Math.min((lots / most) * (box.width - 6) * 0.85, box.width - 4);
    context.fillStyle = faded(side === 0 ? colours.bid : colours.ask, 0.55);
    context.fillRect(box.left + 1, y, Math.max(length, 1), Math.max(height - (height > 3 ? 1 : 0), 0.7));
    if (height >= 10) {
      context.fillStyle = colours.text;
      context.textAlign = "right";
      context.fillText(sizeText(lots * units.lot), box.left + box.width - 4, y + height / 2);
    }
  }
}

/** Volume traded at each price in the visible time, sold from the left, bought after it. */
export function drawVolume(context, volume, perRow, view, box, colours) {
  panel(context, box, view, colours);
  const most = Math.max(1, ...[...volume.values()].map(([bought, sold]) => bought + sold));
  const height = Math.max(perRow / view.ticksPerPx, 1);
  for (const [row, [bought, sold]] of volume) {
    const y = yOf((row + 1) * perRow, view);
    if (y < -height || y > view.height) continue;
    const unit = (box.width - 6) / most;
    context.fillStyle = faded(colours.sell, 0.7);
    context.fillRect(box.left + 1, y, sold * unit, Math.max(height - (height > 3 ? 1 : 0), 0.7));
    context.fillStyle = faded(colours.buy, 0.7);
    context.fillRect(box.left + 1 + sold * unit, y, bought * unit, Math.max(height - (height > 3 ? 1 : 0), 0.7));
  }
}

function panel(context, box, view, colours) {
  context.fillStyle = colours.panel;
  context.fillRect(box.left, 0, box.width, view.height);
  context.fillStyle = colours.grid;
  context.fillRect(box.left, 0, 1, view.height);
}

function rowsInView(store, view) {
  const low = Math.max(0, store.rowAt(tickAt(view.height, view)));
  return [low, Math.min(store.rows, store.rowAt(tickAt(0, view)) + 1)];
}

/** Lines and labels of both axes. */
export function drawAxes(context, view, box, colours, units) {
  context.fillStyle = colours.panel;
  context.fillRect(box.left, 0, box.width, view.height + box.bottom);
  context.fillRect(0, view.height, box.left + box.width, box.bottom);
  context.fillStyle = colours.grid;
  context.fillRect(0, view.height, box.left + box.width, 1);
  const [low, high] = [tickAt(view.height, view), tickAt(0, view)];
  context.textAlign = "right";
  for (const tick of priceTicks(low, high - 1, view.height / LABEL_PX)) {
    const y = yOf(tick + 0.5, view);
    context.fillStyle = faded(colours.text, 0.1);
    context.fillRect(0, Math.round(y), view.width, 1);
    context.fillStyle = colours.text;
    if (y > 8 && y < view.height - 6) context.fillText(priceText(tick, units.tick, units.decimals), box.left + box.width - 6, y);
  }
  context.textAlign = "center";
  const start = view.right - view.width * view.msPerPx;
  const times = timeTicks(start, view.right, view.width / TIME_LABEL_PX, zoneOffsetMs(view.right));
  for (const ms of times.at) {
    const x = xOf(ms, view);
    context.fillStyle = faded(colours.text, 0.1);
    context.fillRect(Math.round(x), 0, 1, view.height);
    context.fillStyle = colours.faint;
    if (x > 30 && x < view.width - 30) context.fillText(timeText(ms, times.step), x, view.height + box.bottom / 2 + 1);
  }
}

/** Tag of a price on the axis, and a line to it. */
export function drawTag(context, tick, view, box, text, fill, ink, dashed) {
  const y = Math.min(Math.max(yOf(tick, view), 8), view.height - 8);
  context.save();
  context.strokeStyle = fill;
  context.globalAlpha = 0.8;
  if (dashed) context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(0, Math.round(y) + 0.5);
  context.lineTo(box.left, Math.round(y) + 0.5);
  context.stroke();
  context.restore();
  context.fillStyle = fill;
  context.fillRect(box.left + 1, y - 8, box.width - 1, 16);
  context.fillStyle = ink;
  context.textAlign = "right";
  context.fillText(text, box.left + box.width - 6, y + 0.5);
}

/** Crosshair and what is under it. */
export function drawCrosshair(context, at, store, view, box, colours, units) {
  const tick = tickAt(at.y, view);
  const ms = view.right - (view.width - at.x) * view.msPerPx;
  context.strokeStyle = faded(colours.text, 0.55);
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(Math.round(at.x) + 0.5, 0);
  context.lineTo(Math.round(at.x) + 0.5, view.height);
  context.moveTo(0, Math.round(at.y) + 0.5);
  context.lineTo(box.left, Math.round(at.y) + 0.5);
  context.stroke();
  context.setLineDash([]);
  const price = priceText(Math.floor(tick), units.tick, units.decimals);
  context.fillStyle = colours.text;
  context.fillRect(box.left + 1, at.y - 8, box.width - 1, 16);
  context.fillStyle = colours.background;
  context.textAlign = "right";
  context.fillText(price, box.left + box.width - 6, at.y + 0.5);
  note(context, readout(store, ms, tick, units), at, view, colours);
}

/** Lines of text for the cell at a moment and a price. */
export function readout(store, ms, tick, units) {
  const column = Math.min(store.columnAt(ms), store.last);
  const row = store.rowAt(tick);
  const low = store.lowTick + row * store.rowTicks;
  const from = priceText(low, units.tick, units.decimals);
  const to = priceText(low + store.rowTicks - 1, units.tick, units.decimals);
  const lost = column >= store.first && store.edge(column, 2) & MARK_GAP;
  const lots = lotsOf(store.code(column, row));
  return [timeText(ms, 1), store.rowTicks === 1 ? from : `${from} – ${to}`, lost ? "gap: not known" : `size ${lots ? sizeText(lots * units.lot) : "0"}`];
}

function note(context, lines, at, view, colours) {
  const width = Math.max(...lines.map((line) => context.measureText(line).width)) + 14;
  const x = at.x + 14 + width > view.width ? at.x - width - 12 : at.x + 12;
  const y = at.y + 62 > view.height ? at.y - 58 : at.y + 10;
  context.fillStyle = faded(colours.panel, 0.92);
  context.fillRect(x, y, width, 50);
  context.strokeStyle = faded(colours.text, 0.35);
  context.strokeRect(x + 0.5, y + 0.5, width - 1, 49);
  context.fillStyle = colours.text;
  context.textAlign = "left";
  lines.forEach((line, index) => context.fillText(line, x + 7, y + 11 + index * 14.5));
}

/** Font and baseline that all layers share. */
export function prepare(context) {
  context.font = FONT;
  context.textBaseline = "middle";
}

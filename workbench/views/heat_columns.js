// Columns beside the heatmap: volume at price, and the book of this moment.
import { sizeText, tickAt, yOf } from "./geometry.js";
import { faded, lotsOf } from "./colour.js";
import { pocRow } from "./heat_trades.js";

const TEXT_ROW_PX = 10;
const VOLUME_PARTS = [["sell", 1, () => 0], ["buy", 0, (lots) => lots[1]], ["faint", 2, (lots) => lots[0] + lots[1]]];

function columnGround(context, box, view, colours) {
  context.fillStyle = colours.panel;
  context.fillRect(box.left, 0, box.width, view.height);
  context.fillStyle = colours.grid;
  context.fillRect(box.left, 0, 1, view.height);
}

/** Name of a column over its bars. */
function columnTitle(context, box, colours, title) {
  context.fillStyle = faded(colours.panel, 0.85);
  context.fillRect(box.left + 1, 0, box.width - 1, 16);
  context.fillStyle = colours.faint;
  context.textAlign = "center";
  context.fillText(title, box.left + box.width / 2, 9);
}

/**
 * Volume traded at each price: sold from the left, bought after it; the row with the most is framed and named.
 * `rows` is a Map row → [bought, sold, unknown] in rows of `perRow` ticks.
 */
export function drawVolume(context, rows, perRow, view, box, colours, units, title) {
  columnGround(context, box, view, colours);
  let most = 1;
  for (const [bought, sold, unknown] of rows.values()) most = Math.max(most, bought + sold + unknown);
  const unit = (box.width - 6) / most;
  const height = Math.max(perRow / view.ticksPerPx, 1);
  const thick = Math.max(height - (height > 3 ? 1 : 0), 0.7);
  const inView = (y) => y >= 14 - height && y <= view.height;
  // one colour after the other: changing it for every bar costs more than the bars
  for (const [role, part, before] of VOLUME_PARTS) {
    context.fillStyle = faded(colours[role], 0.75);
    for (const [row, lots] of rows) {
      const y = yOf((row + 1) * perRow, view);
      if (lots[part] && inView(y)) context.fillRect(box.left + 1 + before(lots) * unit, y, lots[part] * unit, thick);
    }
  }
  const poc = pocRow(rows);
  if (poc !== null) drawPoc(context, poc, perRow, view, box, colours);
  columnTitle(context, box, colours, title);
}

function drawPoc(context, row, perRow, view, box, colours) {
  const y = yOf((row + 1) * perRow, view);
  const height = Math.max(perRow / view.ticksPerPx, 3);
  context.strokeStyle = colours.last;
  context.lineWidth = 1;
  context.strokeRect(box.left + 1.5, y - 0.5, box.width - 3, height);
  if (y < 24 || y > view.height - 4) return;
  context.fillStyle = colours.last;
  context.textAlign = "right";
  context.fillText("POC", box.left + box.width - 4, y - 5);
}

/** Sizes of the book by row: `[{ row, side, lots }]`, from the touch outward summed up if `cumulative`; pure. */
export function bookRows(now, rows, low, high, cumulative) {
  const found = [];
  for (const side of [0, 1]) {
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      const row = side === 0 ? rows - 1 - i : i;
      const lots = lotsOf(now[side * rows + row]);
      if (!lots) continue;
      sum += lots;
      if (row >= low && row < high) found.push({ row, side, lots: cumulative ? sum : lots });
    }
  }
  return found;
}

/** Current book at the right edge: one bar per row and side, sizes where there is room, totals of what is in view. */
export function drawBook(context, store, view, box, colours, units, how) {
  columnGround(context, box, view, colours);
  const low = Math.max(0, store.rowAt(tickAt(view.height, view)));
  const high = Math.min(store.rows, store.rowAt(tickAt(0, view)) + 1);
  const sizes = bookRows(store.now, store.rows, low, high, how === "cumulative");
  if (!sizes.length) return;
  const sorted = sizes.map((size) => size.lots).sort((a, b) => a - b);
  const most = how === "cumulative" ? sorted[sorted.length - 1] : sorted[Math.floor(sorted.length * 0.97)];
  const height = store.rowTicks / view.ticksPerPx;
  const inks = [faded(colours.bid, 0.55), faded(colours.ask, 0.55)];
  for (const { row, side, lots } of sizes) {
    const y = yOf(store.lowTick + (row + 1) * store.rowTicks, view);
    const length = Math.min((lots / most) * (box.width - 6) * 0.85, box.width - 4);
    context.fillStyle = inks[side];
    context.fillRect(box.left + 1, y, Math.max(length, 1), Math.max(height - (height > 3 ? 1 : 0), 0.7));
    if (height < TEXT_ROW_PX || y < 14 || y > view.height - 22) continue;
    context.fillStyle = colours.text;
    context.textAlign = "right";
    context.fillText(sizeText(lots * units.lot), box.left + box.width - 4, y + height / 2);
  }
  columnTitle(context, box, colours, how === "cumulative" ? "depth Σ" : "book");
  drawTotals(context, bookRows(store.now, store.rows, low, high, false), view, box, colours, units);
}

function drawTotals(context, sizes, view, box, colours, units) {
  const total = (side) => sizes.reduce((sum, size) => sum + (size.side === side ? size.lots : 0), 0);
  const y = view.height - 8;
  context.fillStyle = faded(colours.panel, 0.92);
  context.fillRect(box.left + 1, y - 8, box.width - 1, 16);
  context.textAlign = "left";
  context.fillStyle = colours.bid;
  context.fillText(sizeText(total(0) * units.lot), box.left + 5, y);
  context.textAlign = "right";
  context.fillStyle = colours.ask;
  context.fillText(sizeText(total(1) * units.lot), box.left + box.width - 4, y);
}

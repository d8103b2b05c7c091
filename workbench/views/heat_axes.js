// Axes, price tags, crosshairs and what they say.
import { axisText, dayText, priceText, priceTicks, sizeText, tickAt, timeText, timeTicks, xOf, yOf, zoneName, zoneOffsetMs } from "./geometry.js";
import { faded, lotsOf } from "./colour.js";
import { MARK_EMPTY, MARK_GAP } from "./heat_store.js";
import { FONT } from "./link.js";

const LABEL_PX = 46;
const TIME_LABEL_PX = 96;
const LINE_PX = 14.5;

/** Font and baseline that all layers share. */
export function prepare(context) {
  context.font = FONT;
  context.textBaseline = "middle";
}

/** Lines and labels of both axes. */
export function drawAxes(context, view, box, colours, units, zone) {
  context.fillStyle = colours.panel;
  context.fillRect(box.left, 0, box.width, view.height + box.bottom);
  context.fillRect(0, view.height, box.left + box.width, box.bottom);
  context.fillStyle = colours.grid;
  context.fillRect(0, view.height, box.left + box.width, 1);
  context.fillRect(box.left, 0, 1, view.height);
  context.textAlign = "right";
  for (const tick of priceTicks(view.lowTick, view.highTick - 1, view.height / LABEL_PX, units.tick)) {
    const y = yOf(tick + 0.5, view);
    context.fillStyle = faded(colours.text, 0.07);
    context.fillRect(0, Math.round(y), view.width, 1);
    context.fillStyle = colours.text;
    if (y > 8 && y < view.height - 6) context.fillText(priceText(tick, units.tick, units.decimals), box.left + box.width - 6, y);
  }
  drawTimes(context, view, box, colours, zone);
}

function drawTimes(context, view, box, colours, zone) {
  context.textAlign = "center";
  const times = timeTicks(view.left, view.right, view.width / TIME_LABEL_PX, zoneOffsetMs(view.right, zone));
  const y = view.height + box.bottom / 2 + 1;
  for (const ms of times.at) {
    const x = xOf(ms, view);
    context.fillStyle = faded(colours.text, 0.07);
    context.fillRect(Math.round(x), 0, 1, view.height);
    const text = axisText(ms, times.step, zone);
    context.fillStyle = text.includes(" ") ? colours.text : colours.faint; // a new day
    if (x > 30 && x < view.width - 30) context.fillText(text, x, y);
  }
  context.fillStyle = colours.faint;
  context.textAlign = "right";
  context.fillText(`${dayText(view.right, zone)} ${zoneName(view.right, zone)}`, box.left + box.width - 6, y);
}

/** Tag of a price on the axis, and a line to it. */
export function drawTag(context, tick, view, box, text, fill, ink, dashed) {
  const exact = yOf(tick, view);
  const y = Math.min(Math.max(exact, 8), view.height - 8);
  if (exact === y) {
    context.save();
    context.strokeStyle = fill;
    context.globalAlpha = 0.6;
    context.lineWidth = 1;
    if (dashed) context.setLineDash([2, 4]);
    context.beginPath();
    context.moveTo(0, Math.round(y) + 0.5);
    context.lineTo(box.left, Math.round(y) + 0.5);
    context.stroke();
    context.restore();
  }
  tagBox(context, y, box, text, fill, ink);
  if (exact === y) return;
  context.textAlign = "left"; // the price lies beyond the axis: an arrow says where
  context.fillText(exact < y ? "▲" : "▼", box.left + 4, y + 0.5);
}

function tagBox(context, y, box, text, fill, ink) {
  context.fillStyle = fill;
  context.beginPath();
  context.moveTo(box.left, y);
  context.lineTo(box.left + 5, y - 8);
  context.lineTo(box.left + box.width, y - 8);
  context.lineTo(box.left + box.width, y + 8);
  context.lineTo(box.left + 5, y + 8);
  context.fill();
  context.fillStyle = ink;
  context.textAlign = "right";
  context.fillText(text, box.left + box.width - 6, y + 0.5);
}

function hairs(context, x, y, view, box, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  context.beginPath();
  if (x !== null && x >= 0 && x <= view.width) {
    context.moveTo(Math.round(x) + 0.5, 0);
    context.lineTo(Math.round(x) + 0.5, view.height);
  }
  if (y !== null && y >= 0 && y <= view.height) {
    context.moveTo(0, Math.round(y) + 0.5);
    context.lineTo(box.left, Math.round(y) + 0.5);
  }
  context.stroke();
  context.setLineDash([]);
}

/** Cursor of another view: its moment, and its price if it is of the same instrument. */
export function drawGhost(context, cursor, view, box, colours, units, symbol) {
  const mine = cursor.price !== null && cursor.price !== undefined && (cursor.symbol === undefined || cursor.symbol === symbol);
  const x = cursor.ms === null || cursor.ms === undefined ? null : xOf(cursor.ms, view);
  hairs(context, x, mine ? yOf(cursor.price / units.tick, view) : null, view, box, faded(colours.accent, 0.8));
}

/** Crosshair, the price and time under it as tags, and a note of what is there. */
export function drawCrosshair(context, at, lines, view, box, colours, units, zone) {
  hairs(context, at.x, at.y, view, box, faded(colours.text, 0.55));
  tagBox(context, at.y, box, priceText(Math.floor(tickAt(at.y, view)), units.tick, units.decimals), colours.text, colours.background);
  const text = timeText(view.right - (view.width - at.x) * view.msPerPx, view.msPerPx < 50 ? 1 : 1000, zone);
  const width = context.measureText(text).width + 12;
  const x = Math.min(Math.max(at.x, width / 2), view.width - width / 2);
  context.fillStyle = colours.text;
  context.fillRect(x - width / 2, view.height + 1, width, box.bottom - 2);
  context.fillStyle = colours.background;
  context.textAlign = "center";
  context.fillText(text, x, view.height + box.bottom / 2 + 1);
  drawNote(context, lines, at, view, colours);
}

/** Lines of text for a moment and a price: `sheet` is what is drawn there, `volume` what traded in that row in view. */
export function readout({ sheet, rule, volume, touch }, ms, tick, units, zone) {
  const lines = [timeText(ms, 1, zone)];
  if (!sheet) return [...lines, "nothing known"];
  const [column, row] = [sheet.columnAt(ms), sheet.rowAt(tick)];
  const low = sheet.lowTick + row * sheet.rowTicks;
  const price = (ticks) => priceText(ticks, units.tick, units.decimals);
  const range = sheet.rowTicks === 1 ? price(low) : `${price(low)} – ${price(low + sheet.rowTicks - 1)}`;
  const away = touch ? distanceText(Math.floor(tick), touch) : "";
  lines.push(range + away);
  const mark = column > sheet.last ? 0 : sheet.edge(column, 2);
  const size = mark & MARK_GAP ? "gap: not known" : mark & MARK_EMPTY ? "no book" : `${sizeText(lotsOf(sheet.code(Math.min(column, sheet.last), row)) * units.lot)}  ${rule}`;
  lines.push(`size ${size}`);
  if (volume) lines.push(`traded ${sizeText((volume[0] + volume[1] + volume[2]) * units.lot)}  ▲${sizeText(volume[0] * units.lot)} ▼${sizeText(volume[1] * units.lot)}`);
  return lines;
}

/** Distance of a price from the mid in ticks, signed, " (+3.5)". */
function distanceText(tick, [bid, ask]) {
  const away = tick - (bid + ask) / 2;
  return `  ${away >= 0 ? "+" : "−"}${Math.abs(away)} t`;
}

function drawNote(context, lines, at, view, colours) {
  const width = Math.max(...lines.map((line) => context.measureText(line).width)) + 14;
  const height = lines.length * LINE_PX + 7;
  const x = at.x + 14 + width > view.width ? at.x - width - 12 : at.x + 12;
  const y = at.y + height + 14 > view.height ? at.y - height - 8 : at.y + 10;
  context.fillStyle = faded(colours.panel, 0.93);
  context.fillRect(x, y, width, height);
  context.strokeStyle = faded(colours.text, 0.3);
  context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  context.textAlign = "left";
  lines.forEach((line, index) => {
    context.fillStyle = index ? colours.text : colours.faint;
    context.fillText(line, x + 7, y + 11 + index * LINE_PX);
  });
}

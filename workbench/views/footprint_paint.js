// How footprint bars look: cells, candle, marks, zones, delta rows. Reads the store, knows no DOM but canvases.
import { faded, rgbOf } from "./colour.js";
import { FONT } from "./link.js";
import {
  FOOT_BUY, FOOT_BUY_STACKED, FOOT_POC, FOOT_SELL, FOOT_SELL_STACKED, FOOT_UNFINISHED, cellText, deltaText, detailOf,
} from "./footprint_store.js";

const FOOT_CANDLE_PX = 9;
const FOOT_GAP_PX = 4;
const FOOT_NARROW_PX = 26; // narrower bars are cells alone, side by side
const FOOT_WEDGE_PX = 4;
export const FOOT_ROW_PX = 15;
export const FOOT_ROWS = [
  ["delta", (bar) => bar.buy - bar.sell, true],
  ["max Δ", (bar) => bar.maxDelta, true],
  ["min Δ", (bar) => bar.minDelta, true],
  ["volume", (bar) => bar.buy + bar.sell + bar.unknown, false],
  ["CVD", (bar) => bar.cvd, true],
];

/** Font whose numbers fit a row. */
function footFont(rowPx, bold) {
  const px = Math.max(8, Math.min(12, Math.floor(rowPx - 2)));
  return `${bold ? "bold " : ""}${FONT.replace(/^\d+px/, `${px}px`)}`;
}

/** Paints one bar's cells with its upper left corner at (0, 0); rows go down from the highest. */
export function paintBar(context, bar, look) {
  const { rowPx, barPx } = look;
  const rows = [...bar.cells.keys()];
  const top = Math.max(...rows);
  const box = barPx < FOOT_NARROW_PX ? { left: 0, width: Math.max(barPx - 1, 1) } : { left: FOOT_CANDLE_PX + 3, width: barPx - FOOT_CANDLE_PX - 3 - FOOT_GAP_PX };
  const detail = detailOf(barPx, rowPx);
  context.textBaseline = "middle";
  for (const [row, cell] of bar.cells) {
    const y = (top - row) * rowPx;
    CELL_MODES[look.mode](context, cell, box, y, look, detail);
    if (cell.flags & FOOT_POC) footOutline(context, box, y, rowPx, look.colours.last);
  }
  for (const [row, cell] of bar.cells) {
    if (cell.flags & FOOT_UNFINISHED) footUnfinished(context, box, (top - row) * rowPx, row === top, look);
  }
}

function footOutline(context, box, y, rowPx, colour) {
  context.strokeStyle = colour;
  context.lineWidth = rowPx > 5 ? 1.4 : 1;
  context.strokeRect(box.left + 0.5, y + 0.5, box.width - 1, Math.max(rowPx - 1, 1));
}

/** Open end of an auction: a dashed line and a ring beyond the bar's extreme. */
function footUnfinished(context, box, y, atTop, look) {
  if (look.rowPx < 4) return;
  const edge = atTop ? y : y + look.rowPx;
  context.strokeStyle = look.colours.warn;
  context.lineWidth = 1.5;
  context.setLineDash([3, 2]);
  context.beginPath();
  context.moveTo(box.left, edge);
  context.lineTo(box.left + box.width, edge);
  context.stroke();
  context.setLineDash([]);
}

const CELL_MODES = { bid_ask: paintSides, delta: paintDelta, volume: paintVolume };

function paintSides(context, cell, box, y, look, detail) {
  const { colours, rowPx, scale, lot } = look;
  const half = box.width / 2;
  const height = rowPx > 4 ? rowPx - 1 : rowPx;
  for (const [size, role, left] of [[cell.bid, "sell", box.left], [cell.ask, "buy", box.left + half]]) {
    context.fillStyle = faded(colours[role], size ? 0.06 + 0.6 * Math.min(size / scale.side, 1) ** 0.7 : 0.025);
    context.fillRect(left, y, half, height);
  }
  const middle = y + rowPx / 2;
  if (detail === "both") {
    footSideText(context, cell.bid * lot, box.left + half - 5, middle, "right", cell.flags & FOOT_SELL, "sell", look);
    footSideText(context, cell.ask * lot, box.left + half + 5, middle, "left", cell.flags & FOOT_BUY, "buy", look);
    context.fillStyle = colours.faint;
    context.textAlign = "center";
    if (rowPx >= 11) context.fillText("×", box.left + half, middle);
  } else if (detail === "one") footOneText(context, deltaText((cell.ask - cell.bid) * lot), box, middle, look);
  footWedges(context, cell, box, y, look);
}

function footSideText(context, size, x, y, align, imbalanced, role, look) {
  context.font = footFont(look.rowPx, imbalanced);
  context.fillStyle = imbalanced ? look.bright[role] : size ? look.colours.text : look.colours.faint;
  context.textAlign = align;
  context.fillText(cellText(size), x, y);
}

function footOneText(context, text, box, y, look) {
  context.font = footFont(look.rowPx, false);
  context.fillStyle = look.colours.text;
  context.textAlign = "center";
  context.fillText(text, box.left + box.width / 2, y);
}

/** Imbalances: wedges at the outer edge, filled bars where they are stacked. */
function footWedges(context, cell, box, y, look) {
  if (look.rowPx < 5) return;
  const marks = [
    [FOOT_SELL, FOOT_SELL_STACKED, "sell", box.left, 1],
    [FOOT_BUY, FOOT_BUY_STACKED, "buy", box.left + box.width, -1],
  ];
  for (const [flag, stackedFlag, role, x, inwards] of marks) {
    if (!(cell.flags & flag)) continue;
    context.fillStyle = look.colours[role];
    if (cell.flags & stackedFlag) context.fillRect(inwards > 0 ? x : x - 2.5, y, 2.5, look.rowPx);
    const middle = y + (look.rowPx - 1) / 2;
    const reach = Math.min(look.rowPx / 2 - 1, FOOT_WEDGE_PX);
    context.beginPath();
    context.moveTo(x, middle - reach);
    context.lineTo(x + inwards * (reach + 2), middle);
    context.lineTo(x, middle + reach);
    context.fill();
  }
}

function paintDelta(context, cell, box, y, look, detail) {
  const { colours, rowPx, scale, lot } = look;
  const delta = cell.ask - cell.bid;
  context.fillStyle = faded(colours[delta < 0 ? "sell" : "buy"], delta ? 0.07 + 0.63 * Math.min(Math.abs(delta) / scale.delta, 1) ** 0.7 : 0.03);
  context.fillRect(box.left, y, box.width, rowPx > 4 ? rowPx - 1 : rowPx);
  if (detail !== "colour") footOneText(context, deltaText(delta * lot), box, y + rowPx / 2, look);
  footWedges(context, cell, box, y, look);
}

function paintVolume(context, cell, box, y, look, detail) {
  const { colours, rowPx, scale, lot } = look;
  const height = rowPx > 4 ? rowPx - 1 : rowPx;
  let x = box.left;
  for (const [lots, role] of [[cell.bid, "sell"], [cell.ask, "buy"], [cell.unknown, "faint"]]) {
    const wide = (lots / scale.total) * box.width;
    context.fillStyle = faded(colours[role], 0.62);
    context.fillRect(x, y, wide, height);
    x += wide;
  }
  if (detail !== "colour") {
    context.font = footFont(rowPx, false);
    context.fillStyle = colours.text;
    context.textAlign = "left";
    context.fillText(cellText((cell.bid + cell.ask + cell.unknown) * lot), box.left + 4, y + rowPx / 2);
  }
  footWedges(context, cell, box, y, look);
}

/** Colour between two of a theme. */
function footBetween(one, other, share) {
  const [a, b] = [rgbOf(one), rgbOf(other)];
  return `rgb(${a.map((part, i) => Math.round(part + (b[i] - part) * share)).join(",")})`;
}

/** What paints depend on besides the bar itself. */
export function footLook(facts, colours) {
  const bright = { buy: footBetween(colours.buy, colours.text, 0.45), sell: footBetween(colours.sell, colours.text, 0.45) };
  return { ...facts, colours, bright };
}

/** Candle beside the cells: wick, body, its colour and (hollow or full) its direction. */
export function drawCandle(context, bar, x, barPx, yOfTick, colours) {
  if (barPx < FOOT_NARROW_PX) return;
  const rising = bar.close >= bar.open;
  const colour = rising ? colours.buy : colours.sell;
  const middle = x + FOOT_CANDLE_PX / 2 + 0.5;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(middle, yOfTick(bar.high + 0.5));
  context.lineTo(middle, yOfTick(bar.low - 0.5));
  context.stroke();
  const [top, bottom] = [yOfTick(Math.max(bar.open, bar.close)), yOfTick(Math.min(bar.open, bar.close))];
  const height = Math.max(bottom - top, 2);
  context.fillStyle = rising ? colours.background : colour;
  context.fillRect(x + 2, top, FOOT_CANDLE_PX - 3, height);
  context.strokeRect(x + 2, top, FOOT_CANDLE_PX - 3, height);
}

/** Stacked zones: boxes from their bar to where price left them behind, or to the edge. */
export function drawZones(context, zones, xOfBar, yOfRow, rowPx, width, colours) {
  for (const zone of zones) {
    const left = xOfBar(zone.first + 1) - FOOT_GAP_PX;
    const right = zone.last < 0 ? width : Math.min(xOfBar(zone.last) + FOOT_CANDLE_PX, width);
    if (right <= 0 || left >= width || right <= left) continue;
    const [top, height] = [yOfRow(zone.high), (zone.high - zone.low + 1) * rowPx];
    const colour = colours[zone.side > 0 ? "buy" : "sell"];
    context.fillStyle = faded(colour, zone.last < 0 ? 0.13 : 0.06);
    context.fillRect(left, top, right - left, height);
    context.strokeStyle = faded(colour, 0.55);
    context.setLineDash(zone.last < 0 ? [] : [2, 3]);
    context.strokeRect(left + 0.5, top + 0.5, right - left - 1, height - 1);
    context.setLineDash([]);
    if (zone.last < 0 && right - left > 70 && height > 10) {
      context.fillStyle = colour;
      context.textAlign = "right";
      context.fillText(`${zone.high - zone.low + 1} stacked ${zone.side > 0 ? "buys" : "sells"}`, right - 6, top + height / 2);
    }
  }
}

/** Rows under the bars: delta, its extremes, volume, cumulative delta. */
export function drawDeltaRows(context, bars, at) {
  const { xOfBar, barPx, top, width, axisPx, colours, lot } = at;
  context.font = FONT;
  FOOT_ROWS.forEach(([name, value, signed], row) => {
    const y = top + row * FOOT_ROW_PX;
    const most = Math.max(1e-9, ...bars.map((bar) => Math.abs(value(bar))));
    for (const bar of bars) {
      const number = value(bar);
      const role = !signed ? "accent" : number < 0 ? "sell" : "buy";
      context.fillStyle = faded(colours[role], 0.08 + 0.5 * (Math.abs(number) / most));
      context.fillRect(xOfBar(bar.index) + 1, y, Math.max(barPx - 2, 1), FOOT_ROW_PX - 1);
      if (barPx < 42) continue;
      context.fillStyle = colours.text;
      context.textAlign = "center";
      context.fillText(signed ? deltaText(number * lot) : cellText(number * lot), xOfBar(bar.index) + barPx / 2, y + FOOT_ROW_PX / 2);
    }
    context.fillStyle = colours.panel;
    context.fillRect(width, y, axisPx, FOOT_ROW_PX);
    context.fillStyle = colours.faint;
    context.textAlign = "left";
    context.fillText(name, width + 6, y + FOOT_ROW_PX / 2);
  });
}

// Drawing of a panel's series on its canvas: lines with their extremes, bars, areas, bands, gaps, marks.
import { faded } from "./colour.js";
import { brokenBetween } from "./panel_store.js";
import { extremesOf, pointsOf, valueAxis } from "./panel_scale.js";

const HATCH_PX = 7;

/** Pixel of a value in a pane row {top, tall} with an axis [low, high]. */
function valueY(value, row, [low, high]) {
  return row.top + row.tall - ((value - low) / (high - low || 1)) * row.tall;
}

/** Draws one pane; `at` = {store, pieces, xAt, colours, row, axis, width, pane}. */
export function drawPane(context, at) {
  context.save();
  context.beginPath();
  context.rect(0, at.row.top - 1, at.width, at.row.tall + 2);
  context.clip();
  for (const series of at.series) drawSeries(context, series, at);
  drawPanelGaps(context, at);
  drawPanelMarks(context, at);
  context.restore();
}

function drawSeries(context, series, at) {
  const own = series.own ? { ...at, axis: valueAxis([extremesOf(at.pieces, series)], { zero: false }, "compact") } : at;
  const points = pointsOf(at.pieces, series, at.xAt, 1);
  if (series.kind === "bars") drawPanelBars(context, points, own, at.barShare?.(series) ?? [0, 1]);
  else if (series.kind === "area") drawPanelArea(context, points, series, own);
  else if (series.kind === "average") drawAverage(context, points, series, own);
  else drawPanelLine(context, points, series, own);
}

/** Path of a step line through the last values; broken where unknown and where events were missing. */
function tracePath(context, points, at, valueOf, stop) {
  let before = null;
  context.beginPath();
  for (const point of points) {
    const value = valueOf(point);
    if (Number.isNaN(value)) {
      before = null;
      continue;
    }
    const y = valueY(value, at.row, at.axis);
    if (before === null || brokenBetween(at.gaps, before.ms, point.ms)) context.moveTo(point.x, y);
    else {
      context.lineTo(point.x, before.y);
      context.lineTo(point.x, y);
    }
    before = { ms: point.ms, y };
  }
  if (before && stop !== undefined) context.lineTo(stop, before.y);
}

function drawPanelLine(context, points, series, at) {
  const colour = at.colours[series.role];
  const thin = series.own ? 1 : 1.5;
  if (series.at.least !== undefined) drawExtremes(context, points, faded(colour, series.kind === "range" ? 0.4 : 0.55), at);
  if (series.kind === "signed") fillSigned(context, points, at);
  context.strokeStyle = series.own ? faded(colour, 0.8) : colour;
  context.lineWidth = thin;
  context.setLineDash(series.dash);
  tracePath(context, points, at, (point) => point.last, at.newestX);
  context.stroke();
  context.setLineDash([]);
  context.lineWidth = 1;
}

/** Upright strokes from the least to the most of each column. */
function drawExtremes(context, points, colour, at) {
  context.fillStyle = colour;
  for (const point of points) {
    if (!(point.most > point.least)) continue;
    const top = valueY(point.most, at.row, at.axis);
    const wide = Math.max(Math.min(at.perMs * point.wide, 3), 1);
    context.fillRect(point.x, top, wide, Math.max(valueY(point.least, at.row, at.axis) - top, 1));
  }
}

function fillSigned(context, points, at) {
  const zero = valueY(0, at.row, at.axis);
  for (const point of points) {
    if (Number.isNaN(point.last)) continue;
    const y = valueY(point.last, at.row, at.axis);
    context.fillStyle = faded(point.last >= 0 ? at.colours.bid : at.colours.ask, 0.3);
    context.fillRect(point.x, Math.min(y, zero), Math.max(at.perMs * point.wide, 1), Math.abs(zero - y));
  }
}

/** Bars from zero; several filters share a column side by side. */
function drawPanelBars(context, points, at, [place, of]) {
  const zero = valueY(0, at.row, at.axis);
  for (const point of points) {
    const wide = Math.max(at.perMs * point.wide * 0.9, 1);
    const y = valueY(point.last, at.row, at.axis);
    context.fillStyle = point.last >= 0 ? at.colours.buy : at.colours.sell;
    context.fillRect(point.x + (wide * place) / of, Math.min(y, zero), Math.max(wide / of - (wide > 6 ? 1 : 0), 0.7), Math.abs(zero - y));
  }
}

function drawPanelArea(context, points, series, at) {
  const sign = series.down ? -1 : 1;
  const zero = valueY(0, at.row, at.axis);
  context.fillStyle = faded(at.colours[series.role], series.shade ?? 0.5);
  for (let i = 0; i < points.length; i++) {
    const point = points[i];
    if (Number.isNaN(point.last)) continue;
    const y = valueY(sign * point.last, at.row, at.axis);
    // up to the next column's pixel, so that no seam shows between two of them
    const end = Math.round(i + 1 < points.length ? points[i + 1].x : point.x + at.perMs * point.wide);
    const left = Math.round(point.x);
    context.fillRect(left, Math.min(y, zero), Math.max(end - left, i + 1 < points.length ? 0 : 1), Math.abs(zero - y));
  }
  context.strokeStyle = at.colours[series.role];
  context.setLineDash(series.dash);
  tracePath(context, points, at, (point) => sign * point.last);
  context.stroke();
  context.setLineDash([]);
}

function drawAverage(context, points, series, at) {
  const colour = at.colours[series.role];
  const sigmas = pointsOf(at.pieces, { at: { value: series.at.sigma } }, at.xAt, 1);
  const bands = [...series.bands].sort((a, b) => b - a);
  bands.forEach((k, order) => {
    const values = [1, -1].map((sign) => points.map((point, i) => ({ ...point, last: point.last + sign * k * (sigmas[i]?.last ?? NaN) })));
    if (order === bands.length - 1) fillBetween(context, values[0], values[1], faded(colour, 0.07), at);
    context.strokeStyle = faded(colour, 0.55);
    context.setLineDash([2, 3 + 2 * order]);
    for (const line of values) {
      tracePath(context, line, at, (point) => point.last, at.newestX);
      context.stroke();
    }
  });
  context.setLineDash(series.dash);
  context.strokeStyle = colour;
  context.lineWidth = 1.6;
  tracePath(context, points, at, (point) => point.last, at.newestX);
  context.stroke();
  context.lineWidth = 1;
  context.setLineDash([]);
}

function fillBetween(context, upper, lower, colour, at) {
  context.fillStyle = colour;
  for (let i = 0; i < upper.length; i++) {
    const top = valueY(upper[i].last, at.row, at.axis);
    const end = i + 1 < upper.length ? upper[i + 1].x : (at.newestX ?? upper[i].x);
    if (!Number.isNaN(top)) context.fillRect(upper[i].x, top, end - upper[i].x, valueY(lower[i].last, at.row, at.axis) - top);
  }
}

/** Hatches the time in which events were missing. */
function drawPanelGaps(context, { gaps, xAt, row, width, colours }) {
  for (const [begin, end] of gaps) {
    const left = Math.max(xAt(begin), 0);
    const right = Math.min(end === null ? width : Math.max(xAt(end), left + 2), width);
    if (right <= left || left >= width) continue;
    context.save();
    context.beginPath();
    context.rect(left, row.top, right - left, row.tall);
    context.clip();
    context.fillStyle = faded(colours.gap, 0.18);
    context.fillRect(left, row.top, right - left, row.tall);
    context.strokeStyle = faded(colours.gap, 0.7);
    context.beginPath();
    for (let x = left - row.tall; x < right; x += HATCH_PX) {
      context.moveTo(x, row.top + row.tall);
      context.lineTo(x + row.tall, row.top);
    }
    context.stroke();
    context.restore();
  }
}

/** Resets and anchors as upright lines, divergence as arrows that point where the delta would have price go. */
function drawPanelMarks(context, at) {
  if (at.index > 0) return;
  for (const mark of at.store.marks) {
    const x = at.xAt(mark.until_ms ?? mark.ms);
    if (x < -8 || x > at.width + 8) continue;
    if (mark.kind === "bearish" || mark.kind === "bullish") drawArrow(context, x, mark, at);
    else {
      context.strokeStyle = at.colours.faint;
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(Math.round(x) + 0.5, at.row.top);
      context.lineTo(Math.round(x) + 0.5, at.row.top + at.row.tall);
      context.stroke();
      context.setLineDash([]);
    }
  }
}

function drawArrow(context, x, mark, at) {
  const down = mark.kind === "bearish";
  const bars = at.series.some((series) => series.kind === "bars");
  const wanted = bars ? (down ? at.row.top + 8 : at.row.top + at.row.tall - 8) : valueY(mark.value, at.row, at.axis) + (down ? -9 : 9);
  const y = Math.min(Math.max(wanted, at.row.top + 8), at.row.top + at.row.tall - 8);
  const tip = down ? 5 : -5;
  context.fillStyle = down ? at.colours.sell : at.colours.buy;
  context.strokeStyle = at.colours.background;
  context.beginPath();
  context.moveTo(x - 5, y - tip);
  context.lineTo(x + 5, y - tip);
  context.lineTo(x, y + tip);
  context.closePath();
  context.fill();
  context.stroke();
}

// Pure arithmetic of the panels: numbers of a series by pixel, value axes, texts. No DOM.
import { niceStep, priceText, sizeText } from "./geometry.js";

export const PANEL_STEPS_MS = [100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000, 300000, 900000, 3600000];
export const PANEL_AXIS_PX = 74;
const PANEL_LEGEND_PX = 140; // with the axis as wide as what the heatmap has at its right by default
const PANEL_NARROW_PX = 560;
export const PANEL_SCALINGS = ["auto", "symmetrical", "zero", "compact"];

/** Column time whose columns are nearest to `px` pixels wide. */
export function panelColumnMs(msPerPx, px) {
  const distance = (s) => Math.abs(Math.log(s / (msPerPx * px)));
  return PANEL_STEPS_MS.reduce((best, s) => (distance(s) < distance(best) ? s : best));
}

/** The number that stands for a column of a series: what its line goes through. */
export function shownNumber(block, index, { at }) {
  if (at.value !== undefined) return block.number(index, at.value);
  if (at.mean !== undefined) return block.number(index, at.mean);
  if (at.last !== undefined) return block.number(index, at.last);
  return block.number(index, at.buy) - block.number(index, at.sell);
}

/** The value now, for the legend: the last one where the series carries it. */
export function newestNumber(block, index, series) {
  return series.at.last !== undefined ? block.number(index, series.at.last) : shownNumber(block, index, series);
}

/**
 * Points of a series over pieces of columns, at most one per pixel: {x, ms, first, least, most, last}. Columns that share
 * a pixel are merged (first, least, most, last), so nothing that a line shows is lost; unknown columns have `last` NaN.
 */
export function pointsOf(pieces, series, xAt, minPx = 1) {
  const { at } = series;
  const points = [];
  for (const [block, from, to] of pieces) {
    for (let i = from; i < to; i++) {
      const shown = shownNumber(block, i, series);
      const point = {
        ms: block.starts[i],
        x: xAt(block.starts[i]),
        wide: block.columnMs,
        first: at.first === undefined ? shown : block.number(i, at.first),
        least: at.least === undefined ? shown : block.number(i, at.least),
        most: at.most === undefined ? shown : block.number(i, at.most),
        last: shown,
      };
      const before = points[points.length - 1];
      if (before && point.x - before.x < minPx && !Number.isNaN(before.last) && !Number.isNaN(shown)) mergePoint(before, point);
      else points.push(point);
    }
  }
  return points;
}

function mergePoint(into, point) {
  into.least = Math.min(into.least, point.least);
  into.most = Math.max(into.most, point.most);
  into.last = point.last;
  into.wide = point.ms + point.wide - into.ms;
}

/** Lowest and highest number that a series draws over pieces; null without any. */
export function extremesOf(pieces, series) {
  const { at } = series;
  let [low, high] = [Infinity, -Infinity];
  const reach = at.sigma === undefined ? 0 : Math.max(0, ...series.bands);
  for (const [block, from, to] of pieces) {
    for (let i = from; i < to; i++) {
      const shown = shownNumber(block, i, series);
      const away = reach ? reach * block.number(i, at.sigma) : 0;
      const least = at.least === undefined ? shown - away : block.number(i, at.least);
      const most = at.most === undefined ? shown + away : block.number(i, at.most);
      if (least < low) low = least;
      if (most > high) high = most;
    }
  }
  if (low > high) return null;
  return series.down ? [-high, -low] : [low, high];
}

/** Value axis [low, high] round the extremes of some series, as a scaling asks. */
export function valueAxis(pairs, pane, scaling = "auto") {
  if (pane.bounds) return pane.bounds;
  const known = pairs.filter(Boolean);
  if (!known.length) return [0, 1];
  let low = Math.min(...known.map((pair) => pair[0]));
  let high = Math.max(...known.map((pair) => pair[1]));
  const mirror = pane.mirror || scaling === "symmetrical";
  if (mirror || scaling === "zero" || (scaling === "auto" && pane.zero)) {
    low = Math.min(low, 0);
    high = Math.max(high, 0);
  }
  if (mirror) [low, high] = [-Math.max(-low, high), Math.max(-low, high)];
  const room = (high - low) * 0.06 || Math.abs(high) * 1e-4 || 1;
  return [low ? low - room : 0, high ? high + room : low ? 0 : room];
}

/** Values that get a label. */
export function valueTicks([low, high], most) {
  const step = niceStep(Math.max(high - low, 1e-12), Math.max(most, 1));
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(Number((k * step).toPrecision(12)));
  return found;
}

/** Number as its unit is written; a dash where unknown. */
export function valueText(value, unit, units, signed = false) {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (unit === "price") return priceText(value, 1, units.decimals);
  if (unit === "ticks") return String(Number(value.toPrecision(3)));
  const sign = value < 0 ? "−" : signed && value > 0 ? "+" : "";
  if (unit === "ratio") return `${sign}${Math.abs(value).toFixed(2)}`;
  return sign + sizeText(Math.abs(value));
}

/** Tops and heights of panes by weight. */
export function paneRows(panes, top, height, between = 5) {
  const total = panes.reduce((sum, pane) => sum + (pane.weight ?? 1), 0);
  const free = height - between * (panes.length - 1);
  let y = top;
  return panes.map((pane) => {
    const tall = (free * (pane.weight ?? 1)) / total;
    const row = { top: y, tall };
    y += tall + between;
    return row;
  });
}

/**
 * Width of a panel's time axis: that of the heatmap over it where one is known (`plotPx`), else with a legend beside the
 * value axis where the panel is wide enough for one.
 */
export function panelPlotPx(total, plotPx) {
  const most = total - PANEL_AXIS_PX;
  if (plotPx !== null) return Math.min(plotPx, most);
  return total >= PANEL_NARROW_PX ? most - PANEL_LEGEND_PX : most;
}

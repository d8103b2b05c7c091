// Where rows, volumes and moments of a profile lie, and how they look. Pure, except for the canvas it is handed.
import { faded } from "./colour.js";
import { axisText, priceText, priceTicks, timeTicks, zoneOffsetMs } from "./geometry.js";

export const PROFILE_AXIS_PX = 74;
const PROFILE_LABEL_PX = 40;
const PROFILE_TIME_PX = 18;
const PROFILE_STEPS_SHARE = 0.3;
const PROFILE_NAMES_PX = 90;

/** Lengths of the pieces of row `i` by role. */
export function profilePieces(state, i, split) {
  const [bought, sold, unknown] = [0, 1, 2].map((kind) => state.lots[kind * state.count + i]);
  if (split === "total") return [["accent", bought + sold + unknown]];
  if (split === "delta") return [[bought < sold ? "sell" : "buy", Math.abs(bought - sold)]];
  return [["sell", sold], ["buy", bought], ["faint", unknown]];
}

/** Price axis that shows every row of a profile with a little room, in ticks. */
export function fittingAxis(state, height) {
  const span = Math.max(state.count, 12) * state.rowTicks;
  return { centre: (state.lowRow + state.count / 2) * state.rowTicks, ticksPerPx: (span * 1.04) / height };
}

/** Boxes and labels of a profile in a picture of width × height; pure, so that it can be tested without a page. */
export function profileSpec(state, width, height, axis = fittingAxis(state, height), split = "aggressor") {
  const developed = (state.steps?.length ?? 0) > 1 && width > 460;
  const right = width - PROFILE_AXIS_PX;
  const plot = developed ? Math.round(right * (1 - PROFILE_STEPS_SHARE)) : right;
  const rowPx = state.rowTicks / axis.ticksPerPx;
  const yOfRow = (row) => height / 2 - ((row + 1) * state.rowTicks - axis.centre) / axis.ticksPerPx;
  const totals = Array.from({ length: state.count }, (_, i) => state.lots[i] + state.lots[state.count + i] + state.lots[2 * state.count + i]);
  const unit = (plot - PROFILE_NAMES_PX) / totals.reduce((most, total) => Math.max(most, total), 1e-9);
  const bars = totals.map((total, i) => ({
    y: yOfRow(state.lowRow + i),
    total: total * unit,
    pieces: profilePieces(state, i, split).map(([role, lots]) => [role, lots * unit]),
    inside: state.valRow !== null && state.lowRow + i >= state.valRow && state.lowRow + i <= state.vahRow,
  }));
  const lines = [["VAH", state.vahRow], ["POC", state.pocRow], ["VAL", state.valRow]]
    .filter(([, row]) => row !== null)
    .map(([name, row]) => ({ name, row, y: yOfRow(row) + rowPx / 2 }));
  return { plot, right, developed, rowPx, bars, lines, yOfRow };
}

export function drawProfileRows(context, spec, split, colours) {
  const height = Math.max(spec.rowPx - (spec.rowPx > 3 ? 1 : 0), 0.7);
  const inside = spec.bars.filter((bar) => bar.inside);
  if (inside.length) {
    const top = inside[inside.length - 1].y;
    context.fillStyle = faded(colours.area, 0.6);
    context.fillRect(0, top, spec.plot, inside[0].y + spec.rowPx - top);
  }
  for (const bar of spec.bars) {
    if (split === "delta") {
      context.fillStyle = faded(colours.faint, 0.22);
      context.fillRect(0, bar.y, bar.total, height);
    }
    let x = 0;
    for (const [role, wide] of bar.pieces) {
      context.fillStyle = faded(colours[role], bar.inside ? 0.9 : 0.5);
      context.fillRect(x, bar.y, wide, height);
      x += wide;
    }
  }
}

export function drawProfileAxis(context, spec, state, at) {
  const { colours, units, width, height, axis } = at;
  context.fillStyle = colours.panel;
  context.fillRect(spec.right, 0, PROFILE_AXIS_PX, height);
  context.fillStyle = colours.text;
  context.textAlign = "right";
  const half = (height / 2) * axis.ticksPerPx;
  for (const tick of priceTicks(axis.centre - half, axis.centre + half - 1, height / PROFILE_LABEL_PX)) {
    const y = height / 2 - (tick + 0.5 - axis.centre) / axis.ticksPerPx;
    if (!spec.lines.some((line) => Math.abs(line.y - y) < 14)) context.fillText(priceText(tick, units.tick, units.decimals), width - 6, y);
  }
}

export function drawProfileLines(context, spec, state, at) {
  const { colours, units, width } = at;
  for (const line of spec.lines) {
    const colour = line.name === "POC" ? colours.last : colours.accent;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash(line.name === "POC" ? [] : [5, 4]);
    context.beginPath();
    context.moveTo(0, Math.round(line.y) + 0.5);
    context.lineTo(spec.right, Math.round(line.y) + 0.5);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colour;
    context.fillRect(spec.right + 1, line.y - 8, PROFILE_AXIS_PX - 1, 16);
    context.textAlign = "right";
    // names stay apart where two lines fall together: VAL below its line, POC further in
    context.fillText(line.name, spec.plot - (line.name === "POC" ? 48 : 8), line.y + (line.name === "VAL" ? 9 : -8));
    context.fillStyle = colours.background;
    context.fillText(priceText(line.row * state.rowTicks, units.tick, units.decimals), width - 6, line.y + 0.5);
  }
}

/** Points of control that nobody came back to, dotted, with the time of their period. */
export function drawProfileNaked(context, spec, state, at) {
  const { colours, zone } = at;
  context.strokeStyle = context.fillStyle = colours.warn;
  context.textAlign = "left";
  for (const [row, startMs] of state.naked) {
    const y = Math.round(spec.yOfRow(row) + spec.rowPx / 2) + 0.5;
    context.setLineDash([2, 5]);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(spec.right, y);
    context.stroke();
    context.setLineDash([]);
    const text = `naked POC ${axisText(startMs, 60000, zone)}`;
    context.fillText(text, spec.plot - context.measureText(text).width - 84, y - 7);
  }
}

/** High (filled) and low (hollow) volume nodes at the left edge. */
export function drawProfileNodes(context, spec, state, colours) {
  context.lineWidth = 1.4;
  for (const [rows, full] of [[state.hvn, true], [state.lvn, false]]) {
    for (const row of rows) {
      const y = spec.yOfRow(row) + spec.rowPx / 2;
      context.beginPath();
      context.moveTo(1, y - 5);
      context.lineTo(8, y);
      context.lineTo(1, y + 5);
      context.closePath();
      context.fillStyle = context.strokeStyle = colours.text;
      if (full) context.fill();
      else context.stroke();
    }
  }
}

/** How POC and value area moved: steps over time beside the rows, the area between VAL and VAH shaded. */
export function drawProfileSteps(context, spec, state, at) {
  const { colours, height, zone } = at;
  const [left, right] = [spec.plot + 4, spec.right - 4];
  const { steps } = state;
  const [first, last] = [steps[0][0], steps[steps.length - 1][0]];
  const xOf = (ms) => left + ((ms - first) / Math.max(last - first, 1)) * (right - left);
  const yOf = (row) => spec.yOfRow(row) + spec.rowPx / 2;
  context.fillStyle = colours.background;
  context.fillRect(spec.plot, 0, spec.right - spec.plot, height);
  context.fillStyle = faded(colours.area, 0.5);
  for (let i = 0; i < steps.length; i++) {
    const [start, stop] = [i ? xOf(steps[i - 1][0]) : left, xOf(steps[i][0])];
    context.fillRect(start, yOf(steps[i][3]), Math.max(stop - start, 1), Math.max(yOf(steps[i][2]) - yOf(steps[i][3]), 1));
  }
  for (const [field, role, wide] of [[3, "accent", 1], [2, "accent", 1], [1, "last", 1.8]]) {
    context.strokeStyle = colours[role];
    context.lineWidth = wide;
    context.beginPath();
    steps.forEach((step, i) => {
      const [start, y] = [i ? xOf(steps[i - 1][0]) : left, yOf(step[field])];
      if (i) context.lineTo(start, y);
      else context.moveTo(start, y);
      context.lineTo(xOf(step[0]), y);
    });
    context.stroke();
  }
  context.fillStyle = colours.grid;
  context.fillRect(spec.plot, 0, 1, height);
  drawStepTimes(context, { first, last, left, right, xOf, height, zone, colours });
}

function drawStepTimes(context, { first, last, left, right, xOf, height, zone, colours }) {
  context.fillStyle = colours.faint;
  context.textAlign = "center";
  const { step, at } = timeTicks(first, last, Math.max(1, (right - left) / 90), zoneOffsetMs(first, zone));
  for (const ms of at) {
    const x = xOf(ms);
    if (x > left + 24 && x < right - 24) context.fillText(axisText(ms, step, zone), x, height - PROFILE_TIME_PX / 2);
  }
}

// Layer of the heatmap: labels, selection, flags, lines, VWAP and its bands, gaps.
import { priceText } from "./geometry.js";
import { faded } from "./colour.js";
import { boxOf, factLines, firstAtLeast, flagsInView, grownLine, isInside, shortFacts, valueAt } from "./heat_lines.js";

const MARK_MOST = 2000;
const MARK_FLAG_PX = 5;
const MARK_HIT_PX = 7;
const MARK_TAG_PX = 15;
const MARK_BANDS = [1, 2];

export class HeatMarks {
  constructor(heat) {
    this.heat = heat;
    this.labels = [];
    this.names = [];
    this.trouble = "";
    this.selection = null;
    this.pending = null; // a region that is being named
    this.sets = {};
    this.lines = new Map();
    this.gaps = [];
    this.heard = () => {};
  }

  /** News of the kernel: only what changed. */
  take(layers) {
    if ("selection" in layers) this.selection = layers.selection;
    if (layers.labels) Object.assign(this, { labels: layers.labels.items, names: layers.labels.names, trouble: layers.labels.trouble });
    if (layers.marks) this.sets = layers.marks;
    if (layers.gaps) this.gaps = layers.gaps;
    for (const news of layers.lines ?? []) {
      if (news.gone) this.lines.delete(news.name);
      else this.lines.set(news.name, grownLine(this.lines.get(news.name), news));
    }
    this.heard(layers);
  }

  draw(context, at) {
    this.spots = [];
    context.save();
    this.#drawLines(context, at);
    this.#drawSelection(context, at);
    this.#drawLabels(context, at);
    for (const [name, set] of Object.entries(this.sets)) this.#drawFlags(context, at, name, set);
    this.#drawGapMarks(context, at);
    context.restore();
  }

  // -- lines -----------------------------------------------------------------------------------------------------
  #drawLines(context, at) {
    context.lineJoin = "round";
    for (const line of this.lines.values()) {
      if (line.kind === "vwap") {
        if (at.settings?.vwap !== false) this.#drawVwap(context, at, line);
      } else this.#stroke(context, at, line, (i) => line.ticks[0][i], 1, 1.5, []);
    }
  }

  #drawVwap(context, at, line) {
    this.#stroke(context, at, line, (i) => line.ticks[0][i], 0.95, 1.5, []);
    for (const k of MARK_BANDS) {
      const strength = k === 1 ? 0.85 : 0.65;
      for (const way of [k, -k]) this.#stroke(context, at, line, (i) => line.ticks[0][i] + way * line.ticks[1][i], strength, 1, [2 + k, 3]);
    }
  }

  #stroke(context, at, line, value, strength, width, dash) {
    const { view } = at;
    const first = Math.max(0, firstAtLeast(line.ms, at.msAt(0)) - 1);
    const stop = Math.min(line.ms.length, firstAtLeast(line.ms, at.msAt(view.width)) + 1);
    context.strokeStyle = faded(markColour(line.colour, at.colours), strength);
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    let open = false;
    let y = 0;
    for (let i = first; i < stop; i++) {
      const tick = value(i);
      if (tick === null || Number.isNaN(tick)) {
        open = false;
        continue;
      }
      const x = at.xAt(line.ms[i]);
      y = at.yAt(tick + 0.5);
      if (open) context.lineTo(x, y);
      else context.moveTo(x, y);
      open = true;
    }
    if (open && stop === line.ms.length && line.kind === "vwap") context.lineTo(Math.min(view.width, at.xAt(view.newestMs ?? line.ms[stop - 1])), y);
    context.stroke();
    context.setLineDash([]);
  }

  // -- regions ---------------------------------------------------------------------------------------------------
  #drawLabels(context, at) {
    for (const label of this.labels) {
      const box = boxOf(label, at);
      if (box.right < 0 || box.left > at.view.width || box.bottom < 0 || box.top > at.view.height) continue;
      drawRegion(context, box, at.colours.last, 0.07, [5, 3]);
      const tag = drawMarkTag(context, label.name, Math.max(box.left, 2), Math.max(box.top, 2), at.colours.last, at.colours);
      this.spots.push({ ...tag, text: label.note ? `${label.name}\n${label.note}` : label.name, label });
    }
  }

  #drawSelection(context, at) {
    const { colours, view } = at;
    if (this.pending) drawRegion(context, boxOf(this.pending, at), colours.last, 0.14, [4, 3]);
    if (!this.selection) return;
    const box = boxOf(this.selection, at);
    if (box.right < 0 || box.left > view.width) return;
    drawRegion(context, box, colours.accent, 0.1, []);
    const text = shortFacts(this.selection.facts);
    const width = context.measureText(text).width + 10;
    const left = Math.max(2, Math.min(box.right - width, view.width - width - 2));
    const top = Math.min(Math.max(box.bottom - MARK_TAG_PX, 2), view.height - MARK_TAG_PX - 2);
    context.fillStyle = faded(colours.panel, 0.88);
    context.fillRect(left, top, width, MARK_TAG_PX);
    context.fillStyle = colours.accent;
    context.textAlign = "left";
    context.fillText(text, left + 5, top + MARK_TAG_PX / 2 + 0.5);
    this.spots.push({ left, right: left + width, top, bottom: top + MARK_TAG_PX, text: factLines(this.selection.facts).join("\n") });
  }

  // -- flags -----------------------------------------------------------------------------------------------------
  #drawFlags(context, at, name, set) {
    const colour = markColour(set.colour, at.colours);
    const { view } = at;
    for (const flag of flagsInView(set, at.msAt(-10), at.msAt(view.width + 10), MARK_MOST, 8 * view.msPerPx)) {
      const x = at.xAt(flag.ms);
      const y = flag.tick === null ? (flag.side < 0 ? 14 : view.height - 14) : at.yAt(flag.tick + 0.5);
      drawArrow(context, x, y, flag.side, MARK_FLAG_PX, colour, at.colours.background);
      if (flag.count > 1) {
        context.fillStyle = colour;
        context.textAlign = "left";
        context.fillText(String(flag.count), x + MARK_FLAG_PX + 2, y);
      }
      const words = [name + (flag.count > 1 ? ` ×${flag.count}` : ""), flag.text].filter(Boolean);
      this.spots.push(aroundArrow(x, y, flag.side, MARK_FLAG_PX, words.join("\n")));
    }
  }

  #drawGapMarks(context, at) {
    const y = at.view.height - 6;
    for (const [ms, lost] of this.gaps) {
      const x = at.xAt(ms);
      if (x < -6 || x > at.view.width + 6) continue;
      context.fillStyle = at.colours.warn;
      context.beginPath();
      context.moveTo(x - 5, y + 5);
      context.lineTo(x + 5, y + 5);
      context.lineTo(x, y - 4);
      context.fill();
      this.spots.push({ left: x - 6, right: x + 6, top: y - 5, bottom: y + 6, text: `gap: ${lost < 0 ? "an unknown number of" : lost} events lost` });
    }
  }

  // -- hits ------------------------------------------------------------------------------------------------------
  hit(x, y, at) {
    const spot = this.spots?.findLast((one) => isInside(one, x, y, 2));
    if (spot) return spot;
    for (const line of this.lines.values()) {
      if (line.kind === "vwap" && at.settings?.vwap === false) continue;
      const found = this.#hitLine(line, x, y, at);
      if (found) return { text: found };
    }
    return null;
  }

  #hitLine(line, x, y, at) {
    const tick = valueAt(line, at.msAt(x));
    if (tick === null) return null;
    const offsets = line.kind === "vwap" ? [0, ...MARK_BANDS.flatMap((k) => [k, -k])] : [0];
    for (const k of offsets) {
      const value = tick + k * (k ? valueAt(line, at.msAt(x), 1) : 0);
      if (Math.abs(at.yAt(value + 0.5) - y) > MARK_HIT_PX / 2) continue;
      const band = k ? ` ${k > 0 ? "+" : "−"}${Math.abs(k)} σ` : "";
      return `${line.name}${band} ${priceText(value, at.units.tick, at.units.decimals + 1)}`;
    }
    return null;
  }

  /** Label whose tag, or failing that whose region, is under a point. */
  labelAt(x, y, at) {
    const tag = this.spots?.findLast((one) => one.label && isInside(one, x, y, 2));
    return tag?.label ?? this.labels.findLast((label) => isInside(boxOf(label, at), x, y)) ?? null;
  }

  tagAt(x, y) {
    return this.spots?.findLast((one) => one.label && isInside(one, x, y, 2))?.label ?? null;
  }
}

/** Colour of a role of the theme, or the colour itself. */
export function markColour(colour, colours) {
  return (Object.hasOwn(colours, colour) ? colours[colour] : null) ?? (/^#[0-9a-fA-F]{6}$/.test(colour) ? colour : colours.accent);
}

export function drawRegion(context, box, colour, strength, dash) {
  context.fillStyle = faded(colour, strength);
  context.fillRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  context.strokeStyle = faded(colour, 0.8);
  context.lineWidth = 1;
  context.setLineDash(dash);
  context.strokeRect(Math.round(box.left) + 0.5, Math.round(box.top) + 0.5, Math.round(box.right - box.left), Math.round(box.bottom - box.top));
  context.setLineDash([]);
}

/** Small tag with a text; returns its box. */
export function drawMarkTag(context, text, left, top, colour, colours, most = 32) {
  const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  const width = context.measureText(short).width + 10;
  context.fillStyle = colour;
  context.fillRect(left, top, width, MARK_TAG_PX);
  context.fillStyle = colours.background;
  context.textAlign = "left";
  context.fillText(short, left + 5, top + MARK_TAG_PX / 2 + 0.5);
  return { left, right: left + width, top, bottom: top + MARK_TAG_PX };
}

/** ▲ below its price for a buy, ▼ above it for a sell, ◆ on it where there is no side. */
export function drawArrow(context, x, y, side, size, fill, rim) {
  context.beginPath();
  if (side === 0) {
    for (const [dx, dy] of [[0, -size], [size, 0], [0, size], [-size, 0]]) context.lineTo(x + dx, y + dy);
  } else {
    context.moveTo(x, y + side * 2);
    context.lineTo(x - size, y + side * (2 + size * 1.7));
    context.lineTo(x + size, y + side * (2 + size * 1.7));
  }
  context.closePath();
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = rim;
  context.lineWidth = 1;
  context.stroke();
}

export function aroundArrow(x, y, side, size, text) {
  const [top, bottom] = side === 0 ? [y - size, y + size] : side > 0 ? [y, y + 2 + size * 1.7] : [y - 2 - size * 1.7, y];
  return { left: x - size, right: x + size, top, bottom, text };
}

// The event study: mean move around the events of a signal, in its direction, with its interval.
import { FONT } from "./link.js";
import { sharpContext } from "./painter.js";
import { faded } from "./colour.js";

const PATH_LEFT = 52;
const PATH_RIGHT = 14;
const PATH_TOP = 26;
const PATH_BOTTOM = 22;

/** Round numbers within [low, high], at most about `most`. */
export function roundSteps(low, high, most) {
  const span = high - low;
  if (!(span > 0)) return [];
  const decade = 10 ** Math.floor(Math.log10(span / most));
  const step = [1, 2, 5, 10, 20].map((n) => n * decade).find((s) => span / s <= most);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, n) => Number(((first + n) * step).toPrecision(12)));
}

/** Points that are known: [after, mean, low, high]. */
export function knownPath(study) {
  const { after = [], mean = [], low = [], high = [] } = study?.path ?? {};
  return after.map((s, i) => [s, mean[i], low[i] ?? mean[i], high[i] ?? mean[i]]).filter((row) => row[1] !== null && row[1] !== undefined);
}

/** The picture as a sentence, for ears. */
export function pathWords(study) {
  const rows = knownPath(study);
  if (!rows.length) return "Event study: nothing to show";
  const [after, mean, low, high] = rows[rows.length - 1];
  const said = [mean, low, high].map((v) => v.toFixed(2));
  return `Event study of ${study.events} events: mean move ${said[0]} ticks after ${after} s, interval ${said[1]} to ${said[2]}`;
}

export class PathChart {
  constructor(canvas, height, changed) {
    this.canvas = canvas;
    this.height = height;
    this.changed = changed;
    this.rows = [];
    this.sizes = new ResizeObserver(() => changed());
    this.sizes.observe(canvas);
    canvas.addEventListener("pointermove", (event) => this.#point(event.offsetX));
    canvas.addEventListener("pointerleave", () => this.#point(null));
    canvas.addEventListener("keydown", (event) => this.#pressed(event));
  }

  take(study) {
    this.study = study;
    this.rows = knownPath(study);
  }

  #point(x) {
    this.index = x === null || !this.rows.length ? undefined : this.#nearest(x);
    this.changed();
  }

  #pressed(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || !this.rows.length) return;
    event.preventDefault();
    const last = this.rows.length - 1;
    this.index = Math.min(last, Math.max(0, (this.index ?? this.rows.findIndex((row) => row[0] >= 0)) + by));
    this.changed();
  }

  #nearest(x) {
    const gaps = this.rows.map((row) => Math.abs(this.#x(row[0]) - x));
    return gaps.indexOf(Math.min(...gaps));
  }

  #x(after) {
    const [first, last] = [this.rows[0][0], this.rows[this.rows.length - 1][0]];
    return PATH_LEFT + ((after - first) / (last - first || 1)) * (this.width - PATH_LEFT - PATH_RIGHT);
  }

  #y(ticks) {
    const [low, high] = this.span;
    return this.height - PATH_BOTTOM - ((ticks - low) / (high - low || 1)) * (this.height - PATH_TOP - PATH_BOTTOM);
  }

  draw(colours, busy) {
    this.width = this.canvas.clientWidth;
    if (!this.width) return;
    const context = sharpContext(this.canvas, this.width, this.height);
    context.fillStyle = colours.background;
    context.fillRect(0, 0, this.width, this.height);
    context.font = FONT;
    context.textBaseline = "middle";
    if (!this.rows.length) {
      this.#nothing(context, colours, busy);
      return;
    }
    this.span = [Math.min(0, ...this.rows.map((row) => row[2])), Math.max(0, ...this.rows.map((row) => row[3]))];
    this.#grid(context, colours);
    context.globalAlpha = busy ? 0.55 : 1;
    this.#lines(context, colours);
    context.globalAlpha = 1;
    this.#title(context, colours);
    this.#cursor(context, colours);
  }

  #nothing(context, colours, busy) {
    context.fillStyle = colours.faint;
    context.textAlign = "center";
    const said = this.study ? `${this.study.events} events: nothing to average` : busy ? "reading the events …" : "no study";
    context.fillText(said, this.width / 2, this.height / 2);
  }

  #grid(context, colours) {
    const { width, height } = this;
    context.lineWidth = 1;
    context.textAlign = "right";
    for (const ticks of roundSteps(...this.span, 6)) {
      const y = Math.round(this.#y(ticks)) + 0.5;
      context.strokeStyle = ticks === 0 ? colours.faint : colours.grid;
      context.beginPath();
      context.moveTo(PATH_LEFT, y);
      context.lineTo(width - PATH_RIGHT, y);
      context.stroke();
      context.fillStyle = colours.faint;
      context.fillText(String(ticks), PATH_LEFT - 6, y);
    }
    const [first, last] = [this.rows[0][0], this.rows[this.rows.length - 1][0]];
    context.textAlign = "center";
    for (const after of roundSteps(first, last, Math.max(3, Math.floor(width / 90)))) {
      context.fillStyle = colours.faint;
      const text = after === 0 ? "event" : `${after > 0 ? "+" : "−"}${Math.abs(after)} s`;
      const half = context.measureText(text).width / 2;
      context.fillText(text, Math.min(this.#x(after), width - 4 - half), height - 10);
    }
    if (first <= 0 && last >= 0) {
      context.strokeStyle = colours.warn;
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(this.#x(0), PATH_TOP);
      context.lineTo(this.#x(0), height - PATH_BOTTOM);
      context.stroke();
      context.setLineDash([]);
    }
  }

  #lines(context, colours) {
    context.fillStyle = faded(colours.accent, 0.22);
    context.beginPath();
    for (const row of this.rows) context.lineTo(this.#x(row[0]), this.#y(row[3]));
    for (const row of [...this.rows].reverse()) context.lineTo(this.#x(row[0]), this.#y(row[2]));
    context.fill();
    context.strokeStyle = colours.accent;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    for (const row of this.rows) context.lineTo(this.#x(row[0]), this.#y(row[1]));
    context.stroke();
  }

  #title(context, colours) {
    context.textAlign = "left";
    context.fillStyle = colours.text;
    const events = this.study.events.toLocaleString("en");
    context.fillText(`mean move around ${events} events, ticks · band 95 %`, PATH_LEFT, 13, this.width - PATH_LEFT - PATH_RIGHT);
  }

  #cursor(context, colours) {
    const row = this.rows[this.index];
    if (!row) return;
    const [x, y] = [this.#x(row[0]), this.#y(row[1])];
    context.fillStyle = colours.last;
    context.beginPath();
    context.arc(x, y, 3.5, 0, 2 * Math.PI);
    context.fill();
    const text = `${Number(row[0].toPrecision(3))} s: ${row[1].toFixed(2)} [${row[2].toFixed(2)}, ${row[3].toFixed(2)}]`;
    const wide = context.measureText(text).width + 12;
    const left = Math.min(Math.max(x - wide / 2, PATH_LEFT), this.width - PATH_RIGHT - wide);
    const top = y - 30 > PATH_TOP ? y - 30 : y + 12;
    context.fillStyle = faded(colours.panel, 0.94);
    context.fillRect(left, top, wide, 18);
    context.fillStyle = colours.text;
    context.textAlign = "left";
    context.fillText(text, left + 6, top + 9);
  }

  stop() {
    this.sizes.disconnect();
  }
}

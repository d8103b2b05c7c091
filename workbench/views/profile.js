// Profile: traded volume by price with point of control and value area, and how they came about.
import { decimalsOf, priceText, sizeText } from "./geometry.js";
import { faded } from "./colour.js";
import { arrayOf } from "./arrays.js";
import { FONT, Link, dress, pageTheme } from "./link.js";
import { Painter, sharpContext } from "./painter.js";
import { Bond } from "./bond.js";
import { RowFit } from "./row_fit.js";
import { fillSelection, selection, toolBar } from "./profile_controls.js";
import {
  PROFILE_AXIS_PX, drawProfileAxis, drawProfileLines, drawProfileNaked, drawProfileNodes, drawProfileRows, drawProfileSteps, fittingAxis, profileSpec,
} from "./profile_paint.js";

const PROFILE_SAY_MS = 250;
const PROFILE_KINDS = [["session", "session"], ["visible", "visible range"], ["fixed", "selection"]];
const PROFILE_METHODS = [["two_row", "two rows"], ["one_row", "one row"], ["traded_only", "traded rows"]];
const PROFILE_SPLITS = [["aggressor", "sold | bought"], ["delta", "delta"], ["total", "volume"]];
const PROFILE_PERIODS = [["", "off"], ["30m", "30 min"], ["1h", "1 h"], ["1d", "1 day"]];
const PROFILE_AREAS = [[0.6, "60 %"], [0.68, "68 %"], [0.7, "70 %"], [0.8, "80 %"]];
const PROFILE_HELP = "Drag: move prices. Wheel: zoom prices. Double-click or F: fit everything. Keys: ↑ ↓ move, + − zoom.";

/** The profile's state after a message; null if it needs a full one. */
export function profileState(before, content, buffers) {
  const lots = arrayOf(Float64Array, buffers[0]);
  const flat = arrayOf(Float64Array, buffers[1]);
  const tail = Array.from({ length: flat.length / 4 }, (_, i) => Array.from(flat.subarray(4 * i, 4 * i + 4)));
  if (content.k === "some" && !before) return null;
  const merged = content.k === "some" ? patchedRows(before.lots, content.count, lots, arrayOf(Int32Array, buffers[2])) : lots;
  const steps = content.k === "some" ? [...before.steps.slice(0, content.dev_from), ...tail] : tail;
  return {
    lots: merged, steps, count: content.count, lowRow: content.low_row, rowTicks: content.row_ticks, pocRow: content.poc_row, vahRow: content.vah_row,
    valRow: content.val_row, naked: content.naked, hvn: content.hvn, lvn: content.lvn, rule: content,
  };
}

function patchedRows(lots, count, changed, rows) {
  rows.forEach((row, i) => {
    for (let kind = 0; kind < 3; kind++) lots[kind * count + row] = changed[kind * rows.length + i];
  });
  return lots;
}

class ProfileView {
  constructor(model, el) {
    this.options = { ...model.get("options") };
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.split = this.options.split;
    this.nodes = this.options.nodes;
    this.#build(el);
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.fit = new RowFit(this.root, this.canvas, this.options.height, (height) => {
      this.options.height = height;
      this.painter.ask();
    });
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.#restyle();
  }

  // -- page ----------------------------------------------------------------------------------------------------
  #build(el) {
    this.root = el.appendChild(document.createElement("div"));
    this.root.className = "ow-root ow-profile";
    const bar = toolBar(this.root, this.options.symbol);
    bar.title = PROFILE_HELP;
    this.#controls(bar);
    this.canvas = this.root.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.dataset.lmSuppressShortcuts = "true";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Volume profile of ${this.options.symbol}. ${PROFILE_HELP}`);
    const on = (name, handler, options) => this.canvas.addEventListener(name, handler, options);
    on("pointermove", (event) => this.#move(event));
    on("pointerleave", () => this.#hover(null));
    on("pointerdown", (event) => this.#grab(event));
    on("pointerup", () => (this.grabbed = null));
    on("pointercancel", () => (this.grabbed = null));
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("dblclick", () => this.#fit());
    on("keydown", (event) => this.#key(event));
  }

  #controls(bar) {
    const say = (wish) => this.link.say({ k: "view", ...wish });
    const kinds = this.options.sources > 1 ? [["composite", `composite of ${this.options.sources}`]] : PROFILE_KINDS;
    this.kinds = kinds;
    this.chosen = {
      kind: selection(bar, "range", kinds, kinds[0][0], (kind) => say({ kind, ...this.#spanFor(kind) })),
      method: selection(bar, "value area", PROFILE_METHODS, "two_row", (method) => say({ method })),
      area: selection(bar, "", PROFILE_AREAS, 0.7, (share) => say({ value_area: Number(share) })),
      rows: selection(bar, "rows", [["auto", "auto"]], "auto", (rows) => say({ row_ticks: rows })),
      period: selection(bar, "naked POC", PROFILE_PERIODS, "1h", (period) => say({ period })),
    };
    selection(bar, "split", PROFILE_SPLITS, this.split, (split) => this.#set({ split }));
    selection(bar, "nodes", [["", "off"], ["on", "on"]], this.nodes ? "on" : "", (nodes) => this.#set({ nodes: Boolean(nodes) }));
  }

  #set(what) {
    Object.assign(this, what);
    this.painter.ask();
  }

  #showChoices({ rule, rowTicks }) {
    const said = JSON.stringify([rule.kind, rule.method, rule.value_area, rule.auto, rowTicks, rule.period]);
    if (said === this.said) return;
    this.said = said;
    const rows = [1, 2, 5, 10, 25, 50, 100, 250].map((n) => [n, `${n} tick${n > 1 ? "s" : ""}`]);
    fillSelection(this.chosen.kind, this.kinds, rule.kind);
    fillSelection(this.chosen.method, PROFILE_METHODS, rule.method);
    fillSelection(this.chosen.area, PROFILE_AREAS, rule.value_area);
    fillSelection(this.chosen.rows, [["auto", `auto (${rowTicks})`], ...rows], rule.auto ? "auto" : rowTicks);
    fillSelection(this.chosen.period, PROFILE_PERIODS, rule.period);
  }

  #restyle() {
    this.colours = this.options.themes[this.sharedTheme ?? pageTheme(this.options.theme)];
    dress(this.root, this.colours);
    this.painter.ask();
  }

  // -- hands ---------------------------------------------------------------------------------------------------
  #grab(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.grabbed = { y: event.offsetY, centre: this.#axis()?.centre };
  }

  #move(event) {
    if (this.grabbed?.centre !== undefined && Math.abs(event.offsetY - this.grabbed.y) > 3) {
      const axis = this.#axis();
      this.own = { ...axis, centre: this.grabbed.centre + (event.offsetY - this.grabbed.y) * axis.ticksPerPx };
    }
    this.#hover(event.offsetY);
  }

  #wheel(event) {
    event.preventDefault();
    this.#zoom(Math.exp(Math.sign(event.deltaY) * 0.14), event.offsetY);
  }

  #zoom(factor, y) {
    const axis = this.#axis();
    if (!axis) return;
    const away = this.options.height / 2 - y;
    const ticksPerPx = Math.min(Math.max(axis.ticksPerPx * factor, 0.005), 1e6);
    this.own = { centre: axis.centre + away * (axis.ticksPerPx - ticksPerPx), ticksPerPx };
    this.painter.ask();
  }

  #fit() {
    this.own = null;
    this.aligned = null;
    this.painter.ask();
  }

  #key(event) {
    const axis = this.#axis();
    const shift = (px) => (this.own = { ...axis, centre: axis.centre + px * axis.ticksPerPx });
    const actions = {
      ArrowUp: () => shift(30), ArrowDown: () => shift(-30), f: () => this.#fit(),
      "+": () => this.#zoom(0.8, this.options.height / 2), "-": () => this.#zoom(1.25, this.options.height / 2),
    };
    const action = actions[event.key];
    if (!action || !axis || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action();
    this.painter.ask();
  }

  #hover(y) {
    this.cursor = y;
    const axis = this.#axis();
    const value = y === null || !axis ? null : { ms: null, price: this.#tickAt(y, axis) * this.units.tick, symbol: this.options.symbol };
    if (this.bond.shared) this.bond.tell("cursor", value);
    this.painter.ask();
  }

  /** The price axis in force: the hand's, the other views', or one that shows everything. */
  #axis() {
    if (!this.state?.count) return null;
    return this.own ?? this.aligned ?? fittingAxis(this.state, this.options.height);
  }

  #tickAt(y, axis) {
    return axis.centre + (this.options.height / 2 - y) * axis.ticksPerPx;
  }

  // -- the other views -----------------------------------------------------------------------------------------
  #heard(topic, value) {
    if (topic === "cursor") this.shared = value;
    else if (topic === "prices" && value?.symbol === this.options.symbol) this.#align(value);
    else if (topic === "range" && value) this.#see(value);
    else if (topic === "select") this.#select(value);
    else if (topic === "theme") {
      this.sharedTheme = value === "dark" || value === "light" ? value : null;
      this.#restyle();
    }
    this.painter.ask();
  }

  #align({ low, high }) {
    const [from, to] = [low / this.units.tick, high / this.units.tick];
    if (to > from) this.aligned = { centre: (from + to) / 2, ticksPerPx: (to - from) / this.options.height };
  }

  /** Tells the kernel which times the others show: at most four times a second, while following only when the span changes. */
  #see({ leftMs, rightMs, follow }) {
    const span = rightMs - leftMs;
    const known = this.seen;
    if (follow && known?.follow && Math.abs(span / (known.right_ms - known.left_ms) - 1) < 0.02) return;
    this.seen = { left_ms: leftMs, right_ms: rightMs, follow: Boolean(follow) };
    clearTimeout(this.saying);
    if (this.state?.rule.kind === "visible") this.saying = setTimeout(() => this.link.say({ k: "view", seen: this.seen }), PROFILE_SAY_MS);
  }

  #select(span) {
    this.selected = span ? { start_ns: Math.round(span.startMs * 1e6), end_ns: Math.round(span.endMs * 1e6) } : null;
    if (this.selected && this.state?.rule.kind === "fixed") this.link.say({ k: "view", ...this.selected });
  }

  #spanFor(kind) {
    if (kind === "visible" && this.seen) return { seen: this.seen };
    return kind === "fixed" && this.selected ? this.selected : {};
  }

  // -- drawing -------------------------------------------------------------------------------------------------
  #take(content, buffers) {
    const state = profileState(this.state, content, buffers);
    if (state === null) return false;
    this.state = state;
    this.#showChoices(state);
    this.root.dataset.drawn = content.s;
    this.root.dataset.rows = content.count;
    this.painter.ask();
    return true;
  }

  #draw() {
    const { colours, options, state } = this;
    const [width, height] = [Math.max(this.painter.width, 160), options.height];
    const context = sharpContext(this.canvas, width, height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.fillStyle = colours.background;
    context.fillRect(0, 0, width, height);
    this.root.dataset.frames = this.painter.frames;
    if (!state || !state.count) {
      context.fillStyle = colours.faint;
      context.textAlign = "center";
      context.fillText(state ? "no trades in this range" : this.link.facts.state === "recorded" ? "no trades read so far" : "waiting for trades …", width / 2, height / 2);
      return false;
    }
    const axis = this.#axis();
    const spec = profileSpec(state, width, height, axis, this.split);
    const at = { colours, units: this.units, width, height, axis, zone: options.zone };
    drawProfileRows(context, spec, this.split, colours);
    if (spec.developed) drawProfileSteps(context, spec, state, at);
    if (this.nodes) drawProfileNodes(context, spec, state, colours);
    drawProfileNaked(context, spec, state, at);
    drawProfileAxis(context, spec, state, at);
    drawProfileLines(context, spec, state, at);
    this.#cursors(context, spec, at);
    return false;
  }

  #cursors(context, spec, at) {
    const { shared, cursor, units, options } = this;
    const own = cursor !== null && cursor !== undefined;
    if (!own && (!shared || shared.price === null || (shared.symbol ?? options.symbol) !== options.symbol)) return;
    const y = own ? cursor : at.height / 2 - (shared.price / units.tick - at.axis.centre) / at.axis.ticksPerPx;
    context.fillStyle = faded(at.colours.text, 0.45);
    context.fillRect(0, Math.round(y), spec.right, 1);
    context.fillStyle = at.colours.text;
    context.fillRect(spec.right + 1, y - 8, PROFILE_AXIS_PX - 1, 16);
    context.fillStyle = at.colours.background;
    context.textAlign = "right";
    context.fillText(priceText(Math.floor(this.#tickAt(y, at.axis)), units.tick, units.decimals), at.width - 6, y + 0.5);
    if (own) this.#readout(context, spec, at);
  }

  #readout(context, spec, at) {
    const { state, units } = this;
    const index = Math.floor(this.#tickAt(this.cursor, at.axis) / state.rowTicks) - state.lowRow;
    if (index < 0 || index >= state.count) return;
    const [bought, sold, unknown] = [0, 1, 2].map((kind) => state.lots[kind * state.count + index] * units.lot);
    const delta = `${bought < sold ? "−" : bought > sold ? "+" : ""}${sizeText(Math.abs(bought - sold))}`;
    const price = priceText((state.lowRow + index) * state.rowTicks, units.tick, units.decimals);
    const rest = unknown ? `  unknown ${sizeText(unknown)}` : "";
    const text = `${price}  volume ${sizeText(bought + sold + unknown)}  bought ${sizeText(bought)}  sold ${sizeText(sold)}  Δ ${delta}${rest}`;
    const wide = context.measureText(text).width + 14;
    const y = Math.min(Math.max(this.cursor - 26, 4), at.height - 26);
    context.fillStyle = faded(at.colours.panel, 0.96);
    context.fillRect(Math.max(spec.right - wide - 8, 0), y, wide, 20);
    context.fillStyle = at.colours.text;
    context.textAlign = "left";
    context.fillText(text, Math.max(spec.right - wide - 8, 0) + 7, y + 10);
  }

  stop() {
    clearTimeout(this.saying);
    this.bond.leave();
    this.link.stop();
    this.painter.stop();
    this.fit.disconnect();
    this.watch.disconnect();
  }
}

function render({ model, el }) {
  const view = new ProfileView(model, el);
  return () => view.stop();
}

export default { render };

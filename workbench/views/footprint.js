// Footprint: bid × ask by bar and price. What it holds, how it looks and what hands do are files of their own.
import { decimalsOf, priceText, priceTicks, timeText } from "./geometry.js";
import { faded } from "./colour.js";
import { FONT, Link, dress, pageTheme } from "./link.js";
import { Painter, sharpContext } from "./painter.js";
import { Bond } from "./bond.js";
import { RowFit } from "./row_fit.js";
import { numberField, selection, toolBar, fillSelection } from "./profile_controls.js";
import { FOOT_BUY, FOOT_SELL, FOOT_UNFINISHED, FootStore, cellText, deltaText } from "./footprint_store.js";
import { FOOT_ROWS, FOOT_ROW_PX, drawCandle, drawDeltaRows, drawZones, footLook, paintBar } from "./footprint_paint.js";
import { FootCamera, FootHands } from "./footprint_hands.js";

const FOOT_AXIS_PX = 74;
const FOOT_TIME_PX = 18;
const FOOT_MODES = [["bid_ask", "bid × ask"], ["delta", "delta"], ["volume", "volume"]];
const FOOT_BARS = ["5s", "15s", "1m", "5m", "15m", "1h"];
const FOOT_MOST_PX = 4000;
const FOOT_LOOK_MS = 250;
const FOOT_HELP =
  "Drag: pan. Wheel: bar width; with Shift or on the price axis: row height. Double-click or F: follow. Keys: arrows pan, + − bar width, * / row height, M mode, Home, End.";

class FootprintView {
  constructor(model, el) {
    this.options = { ...model.get("options") };
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.store = new FootStore();
    this.camera = new FootCamera(this.options.mode === "bid_ask" ? 104 : 64);
    this.mode = this.options.mode;
    this.bitmaps = new Map();
    this.#build(el);
    this.hands = new FootHands(this);
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
    this.root.className = "ow-root ow-footprint";
    this.#controls(toolBar(this.root, this.options.symbol));
    this.canvas = this.root.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.dataset.lmSuppressShortcuts = "true";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Footprint of ${this.options.symbol}. ${FOOT_HELP}`);
    this.root.querySelector(".ow-tools").title = FOOT_HELP;
    this.button = this.root.appendChild(document.createElement("button"));
    this.button.className = "ow-follow";
    this.button.textContent = "Follow ▸";
    Object.assign(this.button, { title: "Back to the newest bar (double-click or F)", hidden: true });
    this.button.style.bottom = "130px";
    this.button.addEventListener("click", () => this.followAgain());
  }

  #controls(bar) {
    const say = (wish) => this.link.say({ k: "view", ...wish });
    this.chosenMode = selection(bar, "cells", FOOT_MODES, this.mode, (mode) => this.setMode(mode));
    this.chosenBar = selection(bar, "bar", FOOT_BARS.map((text) => [text, text]), "1m", (text) => say({ bar: text }));
    this.chosenRows = selection(bar, "rows", [["auto", "auto"]], "auto", (rows) => say({ row_ticks: rows === "auto" ? "auto" : Number(rows) }));
    this.chosenRatio = numberField(bar, "ratio ≥", 3, 1, (ratio) => say({ ratio }));
    this.chosenLeast = numberField(bar, "volume ≥", 0, 0, (volume) => say({ min_volume: volume }));
    this.chosenStacked = selection(bar, "stacked", [2, 3, 4, 5].map((n) => [n, String(n)]), 3, (n) => say({ stacked: Number(n) }));
    this.chosenZeros = selection(bar, "zeros", [["ignore", "ignore"], ["count", "count"]], "ignore", (zeros) => say({ zeros }));
  }

  #showChoices() {
    const { store } = this;
    const focused = document.activeElement;
    fillSelection(this.chosenBar, FOOT_BARS.map((text) => [text, text]), store.bar);
    const rows = [1, 2, 5, 10, 25, 50, 100, 250].map((n) => [n, `${n} tick${n > 1 ? "s" : ""}`]);
    fillSelection(this.chosenRows, [["auto", `auto (${store.rowTicks})`], ...rows], store.auto ? "auto" : store.rowTicks);
    if (focused !== this.chosenRatio) this.chosenRatio.value = String(store.rule.ratio);
    if (focused !== this.chosenLeast) this.chosenLeast.value = String(store.rule.min_volume);
    fillSelection(this.chosenStacked, [2, 3, 4, 5].map((n) => [n, String(n)]), store.rule.stacked);
    this.chosenZeros.value = store.rule.zeros;
  }

  #restyle() {
    this.colours = this.options.themes[this.sharedTheme ?? pageTheme(this.options.theme)];
    dress(this.root, this.colours);
    this.bitmaps.clear();
    this.painter.ask();
  }

  // -- data ----------------------------------------------------------------------------------------------------
  #take(content, buffers) {
    const before = this.store.epoch;
    if (!this.store.apply(content, buffers)) return false;
    if (content.k === "snap") this.#showChoices();
    if (before !== this.store.epoch) {
      this.bitmaps.clear();
      this.camera.centre = this.#lastRow();
    }
    if (content.s !== undefined) this.root.dataset.drawn = content.s;
    this.root.dataset.bars = this.store.bars.size;
    this.painter.ask();
    return true;
  }

  #lastRow(index = this.store.last) {
    const last = this.store.bars.get(Math.min(index, this.store.last));
    return last ? last.close / this.store.rowTicks + 0.5 : null;
  }

  /** Asks for bars that the view shows and the page does not hold, again a little later if they have not come. */
  #lookBack(first, stop) {
    const missing = this.store.missing(first - 8, stop + 8);
    if (!missing || this.looking) return;
    this.link.say({ k: "look", first: missing[0], stop: missing[1] });
    this.looking = setTimeout(() => this.painter.ask((this.looking = null)), FOOT_LOOK_MS);
  }

  // -- what hands can do ---------------------------------------------------------------------------------------
  setMode(mode) {
    this.mode = mode;
    this.chosenMode.value = mode;
    this.painter.ask();
  }

  nextMode() {
    const names = FOOT_MODES.map(([name]) => name);
    this.setMode(names[(names.indexOf(this.mode) + 1) % names.length]);
  }

  followAgain() {
    this.camera.followTime = this.camera.followPrice = true;
    if (this.store.ready) this.camera.centre = this.#lastRow();
    this.changed();
  }

  changed() {
    const { camera } = this;
    this.button.hidden = camera.followTime && camera.followPrice;
    this.#tellRange();
    this.painter.ask();
  }

  /** Tells the others what is shown once it was moved in time by hand, and when it follows again: then as far as they looked. */
  #tellRange() {
    const { camera, store } = this;
    const place = camera.followTime ? "follow" : `${camera.right}:${camera.barPx}`;
    if (place === (this.toldPlace ?? "follow") || !this.bond.shared || !store.ready) return;
    const [leftMs, rightMs] = [this.#msOf(Math.max(camera.barAt(0), 0)), this.#msOf(camera.right)];
    if (leftMs === null || rightMs === null) return; // bars that the page does not hold yet
    this.toldPlace = place;
    const span = camera.followTime && this.heardSpan ? this.heardSpan : rightMs - leftMs;
    this.bond.tell("range", { leftMs: rightMs - span, rightMs, follow: camera.followTime });
  }

  hover(at) {
    const { camera, store } = this;
    this.cursor = at && store.ready && at.x < camera.width ? at : null;
    const value = this.cursor && at.y < camera.height
      ? { ms: this.#msOf(camera.barAt(at.x)), price: camera.rowAt(at.y) * store.rowTicks * this.units.tick, symbol: this.options.symbol }
      : null;
    if (this.bond.shared && (value || this.toldCursor)) this.bond.tell("cursor", value);
    this.toldCursor = Boolean(value);
    this.painter.ask();
  }

  #msOf(place) {
    const { store } = this;
    const bar = store.bars.get(Math.min(Math.max(Math.floor(place), 0), store.last));
    const next = bar && store.bars.get(bar.index + 1);
    if (!bar) return null;
    return bar.startMs + (place - bar.index) * ((next?.startMs ?? Math.max(bar.endMs, bar.startMs + 1)) - bar.startMs);
  }

  #heard(topic, value) {
    if (topic === "cursor") this.shared = value;
    else if (topic === "range" && value && this.store.ready) this.#obey(value);
    else if (topic === "theme") {
      this.sharedTheme = value === "dark" || value === "light" ? value : null;
      this.#restyle();
    }
    this.painter.ask();
  }

  #obey(range) {
    this.heardSpan = range.rightMs - range.leftMs;
    if (range.follow) {
      this.camera.followTime = true;
      this.toldPlace = "follow";
      return;
    }
    const [left, right] = [this.store.placeOf(range.leftMs) ?? 0, this.store.placeOf(range.rightMs)];
    if (right !== null && right > left) this.camera.show(left, Math.min(right, this.store.count));
    this.toldPlace = `${this.camera.right}:${this.camera.barPx}`;
  }

  // -- drawing -------------------------------------------------------------------------------------------------
  #draw() {
    const { camera, colours, options, store } = this;
    const total = Math.max(this.painter.width, 160);
    camera.width = total - FOOT_AXIS_PX;
    camera.height = options.height - FOOT_TIME_PX - FOOT_ROWS.length * FOOT_ROW_PX;
    const context = sharpContext(this.canvas, total, options.height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.fillStyle = colours.background;
    context.fillRect(0, 0, total, options.height);
    this.root.dataset.frames = this.painter.frames;
    if (!store.ready) {
      context.fillStyle = colours.faint;
      context.textAlign = "center";
      context.fillText(this.link.facts.state === "recorded" ? "no trades read so far" : "waiting for trades …", total / 2, options.height / 2);
      return false;
    }
    const gliding = camera.step(store.count, this.#lastRow(camera.followTime ? undefined : Math.ceil(camera.right) - 1));
    const [first, stop] = [camera.firstBar, Math.min(store.count, Math.ceil(camera.right))];
    this.#lookBack(first, stop);
    this.#plot(context, first, stop);
    this.#axes(context, first, stop, total);
    this.#cursors(context, total);
    return gliding;
  }

  #plot(context, first, stop) {
    const { camera, colours, store } = this;
    context.save();
    context.beginPath();
    context.rect(0, 0, camera.width, camera.height);
    context.clip();
    const xOfBar = (index) => camera.xOfBar(index);
    const yOfTick = (tick) => camera.yOfRow((tick + 0.5) / store.rowTicks - 1);
    drawZones(context, store.zones, xOfBar, (row) => camera.yOfRow(row), camera.rowPx, camera.width, colours);
    const look = footLook({ rowPx: camera.rowPx, barPx: camera.barPx, mode: this.mode, lot: this.units.lot, scale: store.scaleOf(first, stop) }, colours);
    const shown = new Map();
    for (let index = first; index < stop; index++) {
      const bar = store.bars.get(index);
      if (!bar?.cells.size) continue;
      if (bar.gap) this.#gap(context, xOfBar(index));
      this.#cells(context, bar, look, shown);
      drawCandle(context, bar, xOfBar(index), camera.barPx, yOfTick, colours);
    }
    this.bitmaps = shown;
    context.restore();
  }

  /** A bar's cells, from its bitmap as long as neither it nor the look changes. */
  #cells(context, bar, look, shown) {
    const { camera } = this;
    const ratio = window.devicePixelRatio || 1;
    const rows = [...bar.cells.keys()];
    const [top, count] = [Math.max(...rows), Math.max(...rows) - Math.min(...rows) + 1];
    const [x, y] = [Math.round(camera.xOfBar(bar.index)), Math.round(camera.yOfRow(top) * ratio) / ratio];
    const height = count * look.rowPx + 2;
    if (y > camera.height || y + height < 0) return;
    if (height * ratio > FOOT_MOST_PX) {
      context.save();
      context.translate(x, y);
      paintBar(context, bar, look);
      context.restore();
      return;
    }
    const key = `${bar.version}|${look.rowPx}|${look.barPx}|${look.mode}|${Object.values(look.scale).join()}|${ratio}`;
    let kept = this.bitmaps.get(bar.index);
    if (kept?.key !== key) kept = { key, canvas: this.#bitmap(kept?.canvas, bar, look, height, ratio) };
    shown.set(bar.index, kept);
    context.drawImage(kept.canvas, x, y, kept.canvas.width / ratio, kept.canvas.height / ratio);
  }

  #bitmap(canvas, bar, look, height, ratio) {
    const made = canvas ?? document.createElement("canvas");
    made.width = Math.ceil((look.barPx + 1) * ratio);
    made.height = Math.ceil(height * ratio);
    const context = made.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    paintBar(context, bar, look);
    return made;
  }

  #gap(context, x) {
    const { camera, colours } = this;
    context.fillStyle = faded(colours.gap, 0.22);
    context.fillRect(x, 0, camera.barPx, camera.height);
    context.fillStyle = colours.warn;
    context.textAlign = "center";
    if (camera.barPx > 24) context.fillText("gap", x + camera.barPx / 2, 10);
  }

  #axes(context, first, stop, total) {
    const { camera, colours, store, units, options } = this;
    const bars = [];
    for (let index = first; index < stop; index++) if (store.bars.has(index)) bars.push(store.bars.get(index));
    const top = camera.height;
    drawDeltaRows(context, bars, {
      xOfBar: (index) => camera.xOfBar(index), barPx: camera.barPx, top, width: camera.width, axisPx: FOOT_AXIS_PX, colours, lot: units.lot,
    });
    context.fillStyle = colours.panel;
    context.fillRect(camera.width, 0, FOOT_AXIS_PX, camera.height);
    context.fillRect(0, options.height - FOOT_TIME_PX, total, FOOT_TIME_PX);
    context.textAlign = "right";
    context.fillStyle = colours.text;
    const [low, high] = [camera.rowAt(camera.height) * store.rowTicks, camera.rowAt(0) * store.rowTicks];
    for (const tick of priceTicks(low, high, camera.height / 40)) {
      const y = camera.yOfRow((tick + 0.5) / store.rowTicks - 1);
      const covered = Math.abs(y - this.#lastY()) < 14;
      if (y > 8 && y < camera.height - 8 && !covered) context.fillText(priceText(tick, units.tick, units.decimals), total - 6, y);
    }
    this.#times(context, bars);
    this.#lastPrice(context, total);
  }

  #times(context, bars) {
    const { camera, colours, options } = this;
    const every = Math.max(1, Math.ceil(74 / camera.barPx));
    const step = /[mhd]$/.test(this.store.bar) ? 60000 : 1000;
    context.fillStyle = colours.faint;
    context.textAlign = "left";
    for (const bar of bars) {
      const x = camera.xOfBar(bar.index);
      if (bar.index % every || x > camera.width - 30) continue;
      context.fillText(timeText(bar.startMs, step, options.zone), Math.max(x, 2), options.height - FOOT_TIME_PX / 2);
    }
  }

  #lastY() {
    return this.camera.yOfRow((this.store.bars.get(this.store.last).close + 0.5) / this.store.rowTicks - 1);
  }

  #lastPrice(context, total) {
    const { camera, colours, store, units } = this;
    const { close } = store.bars.get(store.last);
    const y = this.#lastY();
    if (y < 0 || y > camera.height) return;
    this.#tag(context, y, priceText(Math.floor(close), units.tick, units.decimals), total, colours.last);
  }

  #tag(context, y, text, total, colour) {
    context.fillStyle = colour;
    context.fillRect(total - FOOT_AXIS_PX + 1, y - 8, FOOT_AXIS_PX - 1, 16);
    context.fillStyle = this.colours.background;
    context.textAlign = "right";
    context.fillText(text, total - 6, y + 0.5);
  }

  #cursors(context, total) {
    const { camera, colours, store, units, cursor } = this;
    const shared = !cursor && this.shared;
    const place = shared ? store.placeOf(this.shared.ms) : null;
    const x = cursor ? cursor.x : place === null ? null : camera.xOfBar(place);
    const price = shared && (shared.symbol ?? this.options.symbol) === this.options.symbol ? shared.price : null;
    const y = cursor ? cursor.y : price === null || price === undefined ? null : camera.yOfRow(price / units.tick / store.rowTicks - 1);
    context.fillStyle = faded(colours.text, 0.4);
    if (x !== null && x < camera.width) context.fillRect(Math.round(x), 0, 1, this.options.height - FOOT_TIME_PX);
    if (y === null || y < 0 || y > camera.height) return;
    context.fillRect(0, Math.round(y), camera.width, 1);
    const row = Math.floor(camera.rowAt(y));
    this.#tag(context, y, priceText(row * store.rowTicks, units.tick, units.decimals), total, colours.text);
    if (cursor) this.#readout(context, store.bars.get(Math.floor(camera.barAt(x))), row);
  }

  #readout(context, bar, row) {
    const cell = bar?.cells.get(row);
    if (!cell) return;
    const { camera, colours, cursor, options, store, units } = this;
    const price = priceText(row * store.rowTicks, units.tick, units.decimals);
    const size = (lots) => cellText(lots * units.lot);
    const said = [[FOOT_BUY, "buy imbalance"], [FOOT_SELL, "sell imbalance"], [FOOT_UNFINISHED, "unfinished"]].filter(([flag]) => cell.flags & flag);
    const words = [
      timeText(bar.startMs, 1000, options.zone), price, `${size(cell.bid)} × ${size(cell.ask)}`, `Δ ${deltaText((cell.ask - cell.bid) * units.lot)}`,
      ...(cell.unknown ? [`${size(cell.unknown)} unknown`] : []), ...said.map(([, text]) => text), ...(bar.gap ? ["gap: no claims"] : []),
    ];
    const text = words.join("   ");
    const wide = context.measureText(text).width + 14;
    const left = Math.min(Math.max(cursor.x + 14, 2), Math.max(camera.width - wide - 2, 2));
    const y = cursor.y > 34 ? cursor.y - 30 : cursor.y + 12;
    context.fillStyle = faded(colours.panel, 0.96);
    context.fillRect(left, y, wide, 20);
    context.strokeStyle = colours.grid;
    context.strokeRect(left + 0.5, y + 0.5, wide - 1, 19);
    context.fillStyle = colours.text;
    context.textAlign = "left";
    context.fillText(text, left + 7, y + 10);
  }

  stop() {
    clearTimeout(this.looking);
    this.bond.leave();
    this.link.stop();
    this.painter.stop();
    this.fit.disconnect();
    this.watch.disconnect();
  }
}

function render({ model, el }) {
  const view = new FootprintView(model, el);
  return () => view.stop();
}

export default { render };

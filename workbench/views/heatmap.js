// Heatmap: what it knows, where it looks, and the frame that is drawn from both. Hands and bars are files of their own.
import { decimalsOf, niceColumnMs, niceTicks } from "./geometry.js";
import { codeTable, ramp } from "./colour.js";
import { HeatStore, bubblesOf, volumeByRow } from "./heat_store.js";
import { Link, Painter, dress, pageTheme, sharpContext } from "./link.js";
import { Bond } from "./bond.js";
import { HeatCamera } from "./heat_camera.js";
import { HeatHands } from "./heat_hands.js";
import { heatLayers, heatTools } from "./heat_extras.js";
import { drawAxes, drawBest, drawBook, drawBubbles, drawCrosshair, drawGaps, drawHeat, drawTag, drawVolume, columnsInView, paintRing, prepare } from "./heat_paint.js";
import { priceText } from "./geometry.js";

const AXIS_PX = 74;
const BOOK_PX = 78;
const VOLUME_PX = 58;
const TIME_PX = 20;
const MOST_BUBBLES = 2000;
const COLUMN_PX = 2;
const SETTLE_MS = 140;
const HOLD_MS = 3000;
const TELL_MS = 500;

class HeatmapView {
  constructor(model, el) {
    this.model = model;
    this.options = model.get("options");
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.zone = this.options.zone ?? "";
    this.store = new HeatStore();
    this.camera = new HeatCamera(this.options.height - TIME_PX);
    this.camera.moved = () => this.#changed();
    this.#build(el);
    this.layers = heatLayers(this);
    this.tools = heatTools(this);
    this.tool = null;
    this.hands = new HeatHands(this);
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.#watch();
    this.#restyle();
  }

  // -- page ----------------------------------------------------------------------------------------------------
  #build(el) {
    this.root = el.appendChild(document.createElement("div"));
    this.root.className = "ow-root ow-heatmap";
    this.canvas = this.root.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.style.height = `${this.options.height}px`;
    this.canvas.dataset.lmSuppressShortcuts = "true";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Heatmap of resting orders, ${this.options.symbol}`);
    this.title = this.root.appendChild(document.createElement("div"));
    this.title.className = "ow-title";
    this.title.textContent = this.options.symbol;
    this.button = this.root.appendChild(document.createElement("button"));
    this.button.className = "ow-follow";
    this.button.textContent = "Follow ▸";
    this.button.title = "Back to the newest data (double-click or F)";
    this.button.hidden = true;
    this.button.addEventListener("click", () => this.followAgain());
    this.ring = document.createElement("canvas");
    this.ringContext = this.ring.getContext("2d", { willReadFrequently: false });
  }

  #watch() {
    this.resize = new ResizeObserver(() => this.painter?.ask());
    this.resize.observe(this.root);
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  }

  #restyle() {
    this.theme = this.sharedTheme ?? pageTheme(this.options.theme);
    this.colours = this.options.themes[this.theme];
    dress(this.root, this.colours);
    this.words = ramp(this.options.maps[this.theme]);
    if (this.store.ready) this.#recolour();
    this.painter.ask();
  }

  #recolour() {
    this.table = codeTable(this.words, this.cut, this.table);
    paintRing(this.ringContext, this.store, this.table, this.store.first, this.store.last + 1);
  }

  // -- data ----------------------------------------------------------------------------------------------------
  #take(content, buffers) {
    const range = this.store.apply(content, buffers);
    if (range === null) return false;
    const recut = !this.cut || content.cut[0] !== this.cut[0] || content.cut[1] !== this.cut[1];
    this.cut = content.cut;
    if (content.k === "snap") {
      this.ring.width = this.store.columns;
      this.ring.height = this.store.rows;
      this.#fit();
    }
    if (recut || content.k === "snap") this.#recolour();
    else paintRing(this.ringContext, this.store, this.table, Math.max(range[0], this.store.first), range[1]);
    if (content.layers) for (const layer of this.layers) layer.take?.(content.layers);
    this.root.dataset.drawn = content.s;
    this.root.dataset.columns = this.store.last - this.store.first + 1;
    this.painter.ask();
    return true;
  }

  #fit() {
    const { camera, store } = this;
    if (!this.fitted) {
      camera.msPerPx = store.columnMs / COLUMN_PX;
      this.fitted = true;
      camera.centre = store.mid() ?? store.lowTick + (store.rows * store.rowTicks) / 2;
    }
    camera.beginMs = store.startMs(store.first);
    if (!camera.ownPriceZoom) camera.ticksPerPx = store.visibleTicks / camera.height;
  }

  /** Asks for another resolution once the hand rests: what is there is shown stretched meanwhile. */
  #settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const { store, camera } = this;
      if (!store.ready) return;
      const columnMs = niceColumnMs(camera.msPerPx, COLUMN_PX);
      const rowPx = store.rowTicks / camera.ticksPerPx;
      const rows = camera.ownPriceZoom && (rowPx < 1.6 || rowPx > 9) ? niceTicks(camera.ticksPerPx * 3) : store.rowTicks;
      const span = store.rows * store.rowTicks;
      const away = Math.abs(camera.centre - (store.lowTick + span / 2)) + (camera.height * camera.ticksPerPx) / 2 > span / 2;
      if (columnMs === store.columnMs && rows === store.rowTicks && !(away && !camera.followPrice)) return;
      this.link.say({
        k: "view",
        column_ns: columnMs * 1e6,
        row_ticks: camera.ownPriceZoom ? rows : "auto",
        centre: camera.followPrice ? null : camera.centre,
      });
    }, SETTLE_MS);
  }

  // -- what hands can do ---------------------------------------------------------------------------------------
  get axisLeft() {
    return this.camera.width + VOLUME_PX + BOOK_PX;
  }

  followAgain() {
    const { camera, store } = this;
    if (camera.ownPriceZoom || !store.auto) {
      camera.ownPriceZoom = false;
      this.link.say({ k: "view", column_ns: niceColumnMs(camera.msPerPx, COLUMN_PX) * 1e6, row_ticks: "auto", centre: null });
    }
    camera.followAgain(store.ready ? store.mid() : null);
  }

  refitPrice() {
    this.camera.ownPriceZoom = false;
    this.camera.followPrice = true;
    if (this.store.ready) this.camera.ticksPerPx = this.store.visibleTicks / this.camera.height;
    this.#changed();
  }

  refitTime() {
    this.camera.followTime = true;
    this.#changed();
  }

  keys() {
    const tools = this.tools.map((tool) => [tool.key.toLowerCase(), () => this.setTool(this.tool === tool ? null : tool.name)]);
    return Object.fromEntries(tools);
  }

  escape() {
    this.setTool(null);
  }

  /** Takes a tool into the hand, by name; null lays it down. */
  setTool(name) {
    this.tool?.cancel();
    this.tool = this.tools.find((tool) => tool.name === name) ?? null;
    this.painter.ask();
  }

  hover(at) {
    const { camera } = this;
    this.cursor = at && at.x < camera.width && at.y < camera.height ? at : null;
    const value = this.cursor && { ms: this.at().msAt(at.x), price: this.at().tickAt(at.y) * this.units.tick, symbol: this.options.symbol };
    if (this.bond.shared && (value || this.toldCursor)) this.bond.tell("cursor", value);
    this.toldCursor = Boolean(value);
    this.painter.ask();
  }

  /** Facts that layers and tools draw with. */
  at() {
    return this.camera.at({ store: this.store, colours: this.colours, units: this.units, theme: this.theme, zone: this.zone });
  }

  #changed() {
    this.button.hidden = this.camera.following;
    this.#settle();
    this.#tell();
    this.painter.ask();
  }

  // -- the other views -----------------------------------------------------------------------------------------
  #tell() {
    const { camera, obeying } = this;
    if (!this.bond.shared || obeying || !this.store.ready) return;
    this.toldAt = performance.now();
    this.bond.tell("range", { leftMs: camera.left, rightMs: camera.right, follow: camera.followTime });
    const { tick } = this.units;
    this.bond.tell("prices", { low: camera.lowTick * tick, high: camera.highTick * tick, symbol: this.options.symbol });
  }

  #heard(topic, value) {
    this.obeying = true;
    if (topic === "cursor") this.shared = value;
    else if (topic === "range" && value) this.camera.show(value.leftMs, value.rightMs, null, null, value.follow);
    else if (topic === "theme") {
      this.sharedTheme = value === "dark" || value === "light" ? value : null;
      this.#restyle();
    }
    this.obeying = false;
    this.painter.ask();
  }

  // -- drawing -------------------------------------------------------------------------------------------------
  #place(total) {
    const { camera, store } = this;
    camera.width = total - AXIS_PX - BOOK_PX - VOLUME_PX;
    const newest = this.link.marketNow();
    camera.holdMs = this.link.facts.state === "live" ? HOLD_MS : Math.max(0, newest - store.startMs(store.last + 1));
    const gliding = camera.step(newest, store.mid());
    if (camera.followTime && performance.now() - (this.toldAt ?? 0) > TELL_MS) this.#tell();
    return gliding;
  }

  #draw() {
    const { store, colours } = this;
    const total = Math.max(this.root.clientWidth, 320);
    const gliding = store.ready ? this.#place(total) : false;
    const context = sharpContext(this.canvas, total, this.options.height);
    prepare(context);
    context.fillStyle = colours.background;
    context.fillRect(0, 0, total, this.options.height);
    this.root.dataset.frames = this.painter.frames;
    if (!store.ready) {
      context.fillStyle = colours.faint;
      context.textAlign = "center";
      context.fillText("waiting for market data …", total / 2, this.options.height / 2);
      return false;
    }
    this.#picture(context);
    return gliding || (this.camera.followTime && this.link.facts.state === "live");
  }

  #picture(context) {
    const { store, camera, colours, units } = this;
    const left = { volume: camera.width, book: camera.width + VOLUME_PX, axis: this.axisLeft };
    const { bubbles, volume } = this.#trades();
    this.#clipped(context, 0, camera.width, () => {
      drawHeat(context, this.ring, store, camera);
      drawGaps(context, store, camera, colours);
      drawBest(context, store, camera, colours);
      drawBubbles(context, bubbles, store, camera, colours);
      for (const layer of this.layers) layer.draw(context, this.at());
      this.tool?.draw(context, this.at());
    });
    this.#clipped(context, left.volume, VOLUME_PX + BOOK_PX, () => {
      drawVolume(context, volume, store.rowTicks, camera, { left: left.volume, width: VOLUME_PX }, colours);
      drawBook(context, store, camera, { left: left.book, width: BOOK_PX }, colours, units);
    });
    const axis = { left: left.axis, width: AXIS_PX, bottom: TIME_PX };
    drawAxes(context, camera, axis, colours, units);
    const last = store.lastTrade();
    if (last) {
      const text = priceText(Math.floor(last.tick), units.tick, units.decimals);
      drawTag(context, last.tick + 0.5, camera, axis, text, colours.last, colours.background, true);
    }
    if (this.cursor) drawCrosshair(context, this.cursor, store, camera, axis, colours, units);
  }

  #clipped(context, left, width, draw) {
    context.save();
    context.beginPath();
    context.rect(left, 0, width, this.camera.height);
    context.clip();
    draw();
    context.restore();
  }

  /** Sums of the visible trades, kept until data or zoom change. */
  #trades() {
    const { store, camera } = this;
    const [first, stop] = columnsInView(store, camera);
    const perSlot = Math.max(1, Math.round((6 * camera.msPerPx) / store.columnMs));
    const perRow = Math.max(store.rowTicks, niceTicks(camera.ticksPerPx * 3));
    const key = `${store.epoch}:${store.version}:${first}:${stop}:${perSlot}:${perRow}`;
    if (key !== this.tradesKey) {
      this.tradesKey = key;
      const from = Math.floor(first / perSlot) * perSlot;
      this.sums = {
        bubbles: bubblesOf(store.trades, from, stop, perSlot, perRow, MOST_BUBBLES),
        volume: volumeByRow(store.trades, first, stop, store.rowTicks),
      };
    }
    return this.sums;
  }

  stop() {
    clearTimeout(this.settling);
    this.bond.leave();
    this.link.stop();
    this.painter.stop();
    this.resize.disconnect();
    this.watch.disconnect();
  }
}

function render({ model, el }) {
  const view = new HeatmapView(model, el);
  return () => view.stop();
}

export default { render };

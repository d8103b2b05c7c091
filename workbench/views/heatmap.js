// Heatmap: a ring canvas of resting size, drawn with lines, bubbles, book, axes and a crosshair over it.
import { centreFor, decimalsOf, msAt, niceColumnMs, niceTicks, priceText, tickAt } from "./geometry.js";
import { codeTable, ramp } from "./colour.js";
import { HeatStore, bubblesOf, volumeByRow } from "./heat_store.js";
import { Link, Painter, dress, pageTheme, sharpContext } from "./link.js";
import {
  columnsInView, drawAxes, drawBest, drawBook, drawBubbles, drawCrosshair, drawGaps, drawHeat, drawTag, drawVolume,
  paintRing, prepare,
} from "./heat_paint.js";

const AXIS_PX = 74;
const BOOK_PX = 78;
const VOLUME_PX = 58;
const TIME_PX = 20;
const MOST_BUBBLES = 2000;
const COLUMN_PX = 2;
const SETTLE_MS = 140;
const HOLD_MS = 3000;

class HeatmapView {
  constructor(model, el) {
    this.model = model;
    this.options = model.get("options");
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.store = new HeatStore();
    this.view = { width: 600, height: this.options.height - TIME_PX, right: 0, msPerPx: 125, centre: 0, ticksPerPx: 1, holdMs: 0 };
    this.followTime = true;
    this.followPrice = true;
    this.ownPriceZoom = false;
    this.#build(el);
    this.#listen();
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
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
    this.ring = document.createElement("canvas");
    this.ringContext = this.ring.getContext("2d", { willReadFrequently: false });
  }

  #restyle() {
    this.theme = pageTheme(this.options.theme);
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
    this.root.dataset.drawn = content.s;
    this.root.dataset.columns = this.store.last - this.store.first + 1;
    this.painter.ask();
    return true;
  }

  #fit() {
    if (!this.fitted) {
      this.view.msPerPx = this.store.columnMs / COLUMN_PX;
      this.fitted = true;
      const mid = this.store.mid();
      this.view.centre = mid ?? this.store.lowTick + (this.store.rows * this.store.rowTicks) / 2;
    }
    if (!this.ownPriceZoom) this.view.ticksPerPx = this.store.visibleTicks / this.view.height;
  }

  /** Asks for another resolution once the hand rests: what is there is shown stretched meanwhile. */
  #settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const { store, view } = this;
      if (!store.ready) return;
      const columnMs = niceColumnMs(view.msPerPx, COLUMN_PX);
      const rowPx = store.rowTicks / view.ticksPerPx;
      const rows = this.ownPriceZoom && (rowPx < 1.6 || rowPx > 9) ? niceTicks(view.ticksPerPx * 3) : store.rowTicks;
      const span = store.rows * store.rowTicks;
      const away = Math.abs(view.centre - (store.lowTick + span / 2)) + (view.height * view.ticksPerPx) / 2 > span / 2;
      if (columnMs === store.columnMs && rows === store.rowTicks && !(away && !this.followPrice)) return;
      this.link.say({
        k: "view",
        column_ns: columnMs * 1e6,
        row_ticks: this.ownPriceZoom ? rows : "auto",
        centre: this.followPrice ? null : view.centre,
      });
    }, SETTLE_MS);
  }

  // -- hands ---------------------------------------------------------------------------------------------------
  #listen() {
    const on = (target, name, handler, options) => target.addEventListener(name, handler, options);
    on(this.canvas, "wheel", (event) => this.#wheel(event), { passive: false });
    on(this.canvas, "pointerdown", (event) => this.#grab(event));
    on(this.canvas, "pointermove", (event) => this.#move(event));
    on(this.canvas, "pointerup", () => (this.grabbed = null));
    on(this.canvas, "pointerleave", () => this.#hover(null));
    on(this.canvas, "dblclick", () => this.#followAgain());
    on(this.canvas, "keydown", (event) => this.#key(event));
    on(this.button, "click", () => this.#followAgain());
    this.resize = new ResizeObserver(() => this.painter?.ask());
    this.resize.observe(this.root);
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  }

  #wheel(event) {
    event.preventDefault();
    const factor = Math.exp(Math.sign(event.deltaY || event.deltaX) * 0.16);
    if (event.shiftKey || event.offsetX > this.view.width) this.#zoomPrice(factor, event.offsetY);
    else this.#zoomTime(factor, event.offsetX);
  }

  #zoomTime(factor, x) {
    const { view } = this;
    const anchor = this.followTime ? view.right : msAt(x, view);
    const msPerPx = Math.min(Math.max(view.msPerPx * factor, 5), 600000);
    view.right = anchor + ((view.right - anchor) * msPerPx) / view.msPerPx;
    view.msPerPx = msPerPx;
    this.#changed();
  }

  #zoomPrice(factor, y) {
    const { view } = this;
    const anchor = this.followPrice ? view.centre : tickAt(y, view);
    const ticksPerPx = Math.min(Math.max(view.ticksPerPx * factor, 0.01), 1e6);
    view.centre = anchor + ((view.centre - anchor) * ticksPerPx) / view.ticksPerPx;
    view.ticksPerPx = ticksPerPx;
    this.ownPriceZoom = true;
    this.#changed();
  }

  #grab(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.grabbed = { x: event.offsetX, y: event.offsetY, right: this.view.right, centre: this.view.centre };
  }

  #move(event) {
    this.#hover({ x: event.offsetX, y: event.offsetY });
    if (!this.grabbed) return;
    const [dx, dy] = [event.offsetX - this.grabbed.x, event.offsetY - this.grabbed.y];
    if (Math.abs(dx) > 3) this.#panTo(this.grabbed.right - dx * this.view.msPerPx, null);
    if (Math.abs(dy) > 3) this.#panTo(null, this.grabbed.centre + dy * this.view.ticksPerPx);
  }

  #panTo(right, centre) {
    const { store, view } = this;
    if (!store.ready) return;
    if (right !== null) {
      const newest = this.link.marketNow();
      view.right = Math.min(Math.max(right, store.startMs(store.first) + 40 * view.msPerPx), newest);
      this.followTime = view.right >= newest;
    }
    if (centre !== null) {
      view.centre = centre;
      this.followPrice = false;
    }
    this.#changed();
  }

  #followAgain() {
    this.followTime = this.followPrice = true;
    if (this.ownPriceZoom || !this.store.auto) {
      this.ownPriceZoom = false;
      this.link.say({ k: "view", column_ns: niceColumnMs(this.view.msPerPx, COLUMN_PX) * 1e6, row_ticks: "auto", centre: null });
    }
    const mid = this.store.ready ? this.store.mid() : null;
    if (mid !== null) this.view.centre = mid;
    this.#changed();
  }

  #key(event) {
    const { view } = this;
    const actions = {
      ArrowLeft: () => this.#panTo(view.right - 60 * view.msPerPx, null),
      ArrowRight: () => this.#panTo(view.right + 60 * view.msPerPx, null),
      ArrowUp: () => this.#panTo(null, view.centre + 30 * view.ticksPerPx),
      ArrowDown: () => this.#panTo(null, view.centre - 30 * view.ticksPerPx),
      "+": () => this.#zoomTime(0.8, view.width),
      "-": () => this.#zoomTime(1.25, view.width),
      f: () => this.#followAgain(),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  #hover(at) {
    this.cursor = at && at.x < this.view.width && at.y < this.view.height ? at : null;
    this.painter.ask();
  }

  #changed() {
    this.button.hidden = this.followTime && this.followPrice;
    this.#settle();
    this.painter.ask();
  }

  // -- drawing -------------------------------------------------------------------------------------------------
  #place() {
    const { view, store } = this;
    const total = Math.max(this.root.clientWidth, 320);
    view.width = total - AXIS_PX - BOOK_PX - VOLUME_PX;
    const newest = this.link.marketNow();
    if (this.followTime) view.right = newest;
    view.holdMs = this.link.facts.state === "live" ? HOLD_MS : Math.max(0, newest - store.startMs(store.last + 1));
    const mid = store.mid();
    let gliding = false;
    if (this.followPrice && mid !== null) {
      const target = centreFor(mid, view) ?? this.target ?? null;
      this.target = target !== null && Math.abs(target - view.centre) > view.ticksPerPx ? mid : null;
      if (this.target !== null) {
        view.centre += (this.target - view.centre) * 0.12;
        gliding = true;
      }
    }
    return { total, gliding };
  }

  #draw() {
    const { store, view, colours, units } = this;
    const { total, gliding } = store.ready ? this.#place() : { total: Math.max(this.root.clientWidth, 320), gliding: false };
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
    this.#layers(context, { volume: view.width, book: view.width + VOLUME_PX, axis: view.width + VOLUME_PX + BOOK_PX });
    if (this.cursor) {
      const axis = { left: view.width + VOLUME_PX + BOOK_PX, width: AXIS_PX };
      drawCrosshair(context, this.cursor, store, view, axis, colours, units);
    }
    return gliding || (this.followTime && this.link.facts.state === "live");
  }

  #layers(context, left) {
    const { store, view, colours, units } = this;
    context.save();
    context.beginPath();
    context.rect(0, 0, view.width, view.height);
    context.clip();
    drawHeat(context, this.ring, store, view);
    drawGaps(context, store, view, colours);
    drawBest(context, store, view, colours);
    const { bubbles, volume } = this.#trades();
    drawBubbles(context, bubbles, store, view, colours);
    context.restore();
    context.save();
    context.beginPath();
    context.rect(left.volume, 0, VOLUME_PX + BOOK_PX, view.height);
    context.clip();
    drawVolume(context, volume, store.rowTicks, view, { left: left.volume, width: VOLUME_PX }, colours);
    drawBook(context, store, view, { left: left.book, width: BOOK_PX }, colours, units);
    context.restore();
    const axis = { left: left.axis, width: AXIS_PX, bottom: TIME_PX };
    drawAxes(context, view, axis, colours, units);
    const last = store.lastTrade();
    if (last) {
      const text = priceText(Math.floor(last.tick), units.tick, units.decimals);
      drawTag(context, last.tick + 0.5, view, axis, text, colours.last, colours.background, true);
    }
  }

  /** Sums of the visible trades, kept until data or zoom change. */
  #trades() {
    const { store, view } = this;
    const [first, stop] = columnsInView(store, view);
    const perSlot = Math.max(1, Math.round((6 * view.msPerPx) / store.columnMs));
    const perRow = Math.max(store.rowTicks, niceTicks(view.ticksPerPx * 3));
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

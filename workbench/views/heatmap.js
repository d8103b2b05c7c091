// Heatmap: what it knows, where it looks, what is set. The frame, hands, bar, layers and tools are files of their own.
import { decimalsOf, niceColumnMs, niceTicks } from "./geometry.js";
import { HeatStore } from "./heat_store.js";
import { TileShelf } from "./heat_tiles.js";
import { Link, dress, lookBase, pageTheme } from "./link.js";
import { Painter, hush, hushed } from "./painter.js";
import { Bond } from "./bond.js";
import { RowFit } from "./row_fit.js";
import { HeatCamera } from "./heat_camera.js";
import { HeatHands } from "./heat_hands.js";
import { HeatControls, nextChoice } from "./heat_controls.js";
import { HeatFrame, HEAT_TIME_PX } from "./heat_frame.js";
import { heatLayers, heatTools } from "./heat_extras.js";

const COLUMN_PX = 2;
const SETTLE_MS = 140;
const LOOK_MS = 60; // between two looks while the hand moves
const AGAIN_MS = 700;
const HAND_MS = 500; // a look so soon after a move is what the hand waits for
const LOST_MS = 3000;
const LOST_TIMES = 4;
const MOVED_PX = 1; // a picture that follows is drawn again once it has moved by so much,
const REST_MS = 60; // or by less, when nothing else has had it drawn for so long
const HOLD_MS = 3000;
const TELL_MS = 500;
const SAID_MS = 5000;
const KERNEL_SETTINGS = ["rule", "min_trade", "profile"];

/** Whether a picture that has moved by so many device pixels is worth drawing again after so many ms. */
function isDue(px, ms) {
  return !(px < MOVED_PX) || (px > MOVED_PX / 8 && ms > REST_MS);
}

class HeatmapView {
  constructor(model, el) {
    this.model = model;
    this.options = { ...model.get("options") };
    this.settings = { ...this.options.defaults, ...model.get("settings") };
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.store = new HeatStore();
    this.shelf = new TileShelf(lookBase());
    this.camera = new HeatCamera(this.options.height - HEAT_TIME_PX);
    this.camera.moved = () => this.#changed();
    this.root = el.appendChild(document.createElement("div"));
    this.root.className = "ow-root ow-heatmap";
    this.tool = null;
    this.layers = heatLayers(this);
    this.tools = heatTools(this);
    this.controls = new HeatControls(this, (settings) => this.set(settings));
    this.#build();
    this.frame = new HeatFrame(this);
    this.hands = new HeatHands(this);
    this.lookedAt = -Infinity;
    this.painter = new Painter(this.root, (asked) => this.#draw(asked));
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.controls.showTools(this.tools, null);
    this.#watch();
    this.#restyle();
  }

  // -- page ----------------------------------------------------------------------------------------------------
  #build() {
    this.canvas = this.root.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.dataset.lmSuppressShortcuts = "true";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Heatmap of resting orders, ${this.options.symbol}; press ? for keys`);
    this.button = this.controls.follow;
    this.button.hidden = true;
    this.said = this.root.appendChild(document.createElement("div"));
    this.said.className = "ow-said";
    this.said.setAttribute("role", "status");
  }

  #watch() {
    this.fit = new RowFit(this.root, this.canvas, this.options.height, (height) => {
      this.options.height = height;
      this.camera.height = height - HEAT_TIME_PX;
      this.painter.ask();
    });
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    // What a hand set here and the kernel has not kept yet is newer than anything the kernel says.
    this.onSettings = () => this.#adopt({ ...this.model.get("settings"), ...this.unkept });
    this.model.on("change:settings", this.onSettings);
  }

  #restyle() {
    this.theme = this.sharedTheme ?? pageTheme(this.options.theme);
    this.colours = this.options.themes[this.theme];
    dress(this.root, this.colours);
    this.zone = this.settings.zone;
    this.controls.show(this.settings);
    this.frame.restyle();
    this.painter.ask();
  }

  // -- settings ------------------------------------------------------------------------------------------------
  /** Applies settings here at once, and lets the kernel keep them for the next page. */
  set(settings) {
    this.unkept = { ...this.unkept, ...settings };
    this.#adopt(settings);
    clearTimeout(this.keeping);
    const wish = (this.wishes = (this.wishes ?? 0) + 1);
    this.root.dataset.unkept = "1";
    this.keeping = setTimeout(() => {
      const kept = this.link.act({ do: "settings", settings: this.settings }).catch((error) => this.say(error.message, true));
      kept.then(() => {
        if (wish !== this.wishes) return; // an older answer says nothing of what was set since
        this.unkept = {};
        delete this.root.dataset.unkept;
      });
    }, SETTLE_MS);
  }

  #adopt(settings) {
    const before = this.settings;
    this.settings = { ...before, ...settings };
    if (KERNEL_SETTINGS.some((name) => before[name] !== this.settings[name])) {
      this.shelf.clear();
      this.#ask(this.recorded ? this.store.columnMs : niceColumnMs(this.camera.msPerPx, COLUMN_PX), this.store.rowTicks);
      this.#look();
    }
    this.#restyle();
  }

  // -- data ----------------------------------------------------------------------------------------------------
  #take(content, buffers) {
    if (content.k === "tile") return this.#takeTile(content, buffers);
    if (content.k === "show") return this.camera.show(content.left_ms, content.right_ms, content.low ?? null, content.high ?? null, Boolean(content.follow));
    const range = this.store.apply(content, buffers);
    if (range === null) return false;
    if (content.k === "snap") this.#fit(content);
    this.frame.changed(content, range);
    if (content.layers) for (const layer of this.layers) layer.take?.(content.layers);
    this.root.dataset.drawn = content.s;
    this.root.dataset.columns = this.store.last - this.store.first + 1;
    this.root.dataset.columnMs = this.store.columnMs;
    this.painter.ask();
    return true;
  }

  #takeTile(content, buffers) {
    const tile = this.shelf.take(content, buffers, performance.now());
    if (!tile) return;
    this.root.dataset.tile = `${content.id}:${content.stage}`;
    if (content.stage === "full") {
      this.root.dataset.tiles = Number(this.root.dataset.tiles ?? 0) + 1;
      this.root.dataset.tileMs = Math.round(performance.now() - this.shelf.askedAt);
      if (!content.exact) this.#lookSoon(AGAIN_MS);
      hushed(this.root);
    }
    if (content.stage !== "half") this.frame.judge(); // new colours cost what the coarse tile is to save
    this.painter.ask();
  }

  #fit(content) {
    const { camera, store } = this;
    camera.beginMs = content.begin_ms ?? store.leftMs;
    if (!this.fitted) {
      this.fitted = true;
      this.frame.place(HOLD_MS);
      camera.msPerPx = store.columnMs / COLUMN_PX;
      camera.centre = store.mid() ?? (store.lowTick + store.highTick) / 2;
      camera.right = camera.newestMs = this.link.marketNow();
      if (content.shown) this.#take({ k: "show", ...content.shown }, []);
    }
    if (!camera.ownPriceZoom) camera.ticksPerPx = store.visibleTicks / camera.height;
    this.frame.judge();
    this.#lookSoon(SETTLE_MS);
  }

  get recorded() {
    return this.link.facts.state === "recorded";
  }

  // -- asking the kernel ---------------------------------------------------------------------------------------
  /** Once the hand rests: the live ring at the resolution of the zoom, while it is what is looked at. */
  #settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const { store, camera } = this;
      if (!store.ready) return;
      this.frame.judge();
      if (camera.right < store.leftMs || this.recorded) return; // tiles show the past
      const columnMs = niceColumnMs(camera.msPerPx, COLUMN_PX);
      const rowPx = store.rowTicks / camera.ticksPerPx;
      const rows = camera.ownPriceZoom && (rowPx < 1.6 || rowPx > 9) ? niceTicks(camera.ticksPerPx * 3) : store.rowTicks;
      const away = camera.highTick > store.highTick || camera.lowTick < store.lowTick;
      if (columnMs === store.columnMs && rows === store.rowTicks && !(away && !camera.followPrice)) return;
      this.#ask(columnMs, rows);
    }, SETTLE_MS);
  }

  #ask(columnMs, rows) {
    const { camera } = this;
    const { rule, min_trade, profile } = this.settings;
    this.link.say({
      k: "view",
      column_ns: columnMs * 1e6,
      row_ticks: camera.ownPriceZoom ? rows : "auto",
      centre: camera.followPrice ? null : camera.centre,
      rule,
      min_trade,
      profile,
    });
  }

  /** Asks for tiles in `ms`, or when that was to happen sooner anyway. */
  #lookSoon(ms) {
    const due = performance.now() + ms;
    if (this.looking && this.lookDue <= due) return;
    clearTimeout(this.looking);
    this.lookDue = due;
    this.looking = setTimeout(() => {
      this.looking = null;
      this.#look();
    }, ms);
  }

  #look() {
    const { camera, store, settings } = this;
    if (!store.ready || !this.shelf.lacks(camera, store, settings.rule, store.rightMs)) return;
    const more = { rule: settings.rule, min_trade: settings.min_trade, row_ticks: camera.ownPriceZoom ? null : store.rowTicks };
    this.lookedAt = performance.now();
    this.link.say(this.shelf.look(camera, more, this.lookedAt));
    if (performance.now() - this.movedAt < HAND_MS) hush(this.root); // a hand waits, not a picture that has to come again
    this.#lookAgainIfLost(0);
  }

  /** The kernel answers the newest look only, and another page on this view may have asked right after this one. */
  #lookAgainIfLost(times) {
    clearTimeout(this.losing);
    this.losing = setTimeout(() => {
      if (this.shelf.answered || times >= LOST_TIMES) return;
      this.#look();
      this.#lookAgainIfLost(times + 1);
    }, LOST_MS);
  }

  // -- what hands can do ---------------------------------------------------------------------------------------
  get axisLeft() {
    return this.frame.axisLeft;
  }

  followAgain() {
    const { camera, store } = this;
    if (camera.ownPriceZoom || !store.auto) this.refitPrice();
    camera.followAgain(store.ready ? store.mid() : null);
  }

  refitPrice() {
    const { camera, store } = this;
    camera.ownPriceZoom = false;
    camera.followPrice = true;
    if (!this.recorded) this.#ask(niceColumnMs(camera.msPerPx, COLUMN_PX), store.rowTicks);
    if (store.ready) camera.ticksPerPx = store.visibleTicks / camera.height;
    this.#changed();
  }

  refitTime() {
    this.camera.followTime = true;
    this.camera.msPerPx = this.options.column_ms / COLUMN_PX;
    this.#changed();
  }

  keys() {
    const cycle = (name) => this.set({ [name]: nextChoice(name, this.settings[name]) });
    const tools = this.tools.map((tool) => [tool.key.toLowerCase(), () => this.setTool(this.tool === tool ? null : tool.name)]);
    return { r: () => cycle("rule"), c: () => cycle("colours"), "?": () => this.controls.toggle(this.controls.help), ...Object.fromEntries(tools) };
  }

  escape() {
    this.controls.panel.hidden = this.controls.help.hidden = true;
    this.setTool(null);
  }

  /** Takes a tool into the hand, by name; null lays it down. */
  setTool(name) {
    this.tool?.cancel();
    this.tool = this.tools.find((tool) => tool.name === name) ?? null;
    this.root.dataset.tool = this.tool?.name ?? "";
    this.controls.showTools(this.tools, this.tool);
    this.painter.ask();
  }

  /** Says something over the picture, for a while. */
  say(text, bad = false) {
    clearTimeout(this.saying);
    this.said.textContent = text;
    this.said.classList.toggle("ow-bad", bad);
    this.saying = setTimeout(() => (this.said.textContent = ""), SAID_MS);
  }

  hover(at) {
    const { camera } = this;
    this.cursor = at && at.x < camera.width && at.y < camera.height ? at : null;
    const here = this.at();
    const value = this.cursor && { ms: here.msAt(at.x), price: here.tickAt(at.y) * this.units.tick, symbol: this.options.symbol };
    if (this.bond.shared && (value || this.toldCursor)) this.bond.tell("cursor", value);
    this.toldCursor = Boolean(value);
    this.painter.ask();
  }

  /** Facts that layers and tools draw with. */
  at() {
    const { store, colours, units, theme, zone, settings } = this;
    return this.camera.at({ store, colours, units, theme, zone, settings });
  }

  #changed() {
    this.movedAt = performance.now();
    this.button.hidden = this.camera.following;
    this.#settle();
    // The first move asks at once; a hand that goes on asks no more often than the kernel can answer, and is heard to its end.
    this.#lookSoon(Math.max(0, LOOK_MS - (performance.now() - this.lookedAt)));
    this.#tell();
    this.painter.ask();
  }

  // -- the other views -----------------------------------------------------------------------------------------
  #tell() {
    const { camera } = this;
    if (this.obeying || !this.settings.linked || !this.bond?.shared || !this.store.ready) return;
    this.toldAt = performance.now();
    this.bond.tell("range", { leftMs: camera.left, rightMs: camera.right, follow: camera.followTime, plot: this.frame.plot });
    this.root.dataset.plotPx = this.toldWidth = camera.width;
    const { tick } = this.units;
    this.bond.tell("prices", { low: camera.lowTick * tick, high: camera.highTick * tick, symbol: this.options.symbol });
  }

  #heard(topic, value) {
    this.obeying = true;
    if (topic === "cursor") this.ghost = value;
    else if (topic === "hello") this.toldWidth = null; // a view that has come: it is told where this one looks
    else if (topic === "range" && value && this.settings.linked) this.camera.show(value.leftMs, value.rightMs, null, null, value.follow);
    else if (topic === "theme") {
      this.sharedTheme = value === "dark" || value === "light" ? value : null;
      this.#restyle();
    } else for (const layer of this.layers) layer.hears?.(topic, value);
    this.obeying = false;
    this.painter.ask();
  }

  // -- drawing -------------------------------------------------------------------------------------------------
  #draw(asked) {
    const follows = this.store.ready && this.camera.followTime;
    const place = (this.link.marketNow() / this.camera.msPerPx) * (window.devicePixelRatio || 1);
    const now = performance.now();
    if (asked || this.gliding || isDue(Math.abs(place - this.drawnPlace), now - this.drawnAt)) {
      Object.assign(this, { drawnPlace: place, drawnAt: now });
      this.gliding = this.frame.draw(HOLD_MS);
    }
    if (this.camera.width !== this.toldWidth || (follows && performance.now() - (this.toldAt ?? 0) > TELL_MS)) this.#tell();
    return this.gliding || (follows && this.link.moving);
  }

  stop() {
    for (const timer of [this.settling, this.looking, this.losing, this.keeping, this.saying]) clearTimeout(timer);
    this.model.off("change:settings", this.onSettings);
    this.bond.leave();
    this.link.stop();
    this.painter.stop();
    this.fit.disconnect();
    this.watch.disconnect();
  }
}

function render({ model, el }) {
  const view = new HeatmapView(model, el);
  el.workbench = view;
  return () => view.stop();
}

export default { render };

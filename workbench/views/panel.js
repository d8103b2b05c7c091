// A panel of lines under the heatmap: one time axis with it, value axes of its own, a legend with the values at the cursor.
import { decimalsOf, msAt } from "./geometry.js";
import { Bond } from "./bond.js";
import { RowFit } from "./row_fit.js";
import { Link, dress, lookBase, pageTheme } from "./link.js";
import { Painter } from "./painter.js";
import { PanelFrame } from "./panel_frame.js";
import { PanelStore } from "./panel_store.js";
import { PanelHands } from "./panel_hands.js";
import { PANEL_SCALINGS, panelColumnMs, panelPlotPx } from "./panel_scale.js";

const PANEL_LEAST_PX = 160;
const PANEL_SHIFT_PX = 3;
const PANEL_COLUMN_PX = 2;
const PANEL_SETTLE_MS = 120;
const PANEL_GLIDE_MS = 90; // a column is never shorter than 100 ms: time alone moves the picture no more often
const PANEL_MS_PER_PX = [0.02, 7.2e6];
const PANEL_SAID_MS = 6000;
const PANEL_LOST_MS = 3000;
const PANEL_KEYS = "Wheel zooms, drag pans, arrows, + and −, Home; F follows, S changes the scale";

const clampZoom = (msPerPx) => Math.min(Math.max(msPerPx, PANEL_MS_PER_PX[0]), PANEL_MS_PER_PX[1]);

/** `more` = {buttons: [{label, title, key, run(panel)}], title, click(panel, ms) -> bool, price: bool}. */
export class TimePanel {
  constructor(model, el, more = {}) {
    this.options = { ...model.get("options") };
    this.more = more;
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.zone = this.options.zone ?? "";
    this.scaling = this.options.scale ?? "auto";
    this.store = new PanelStore();
    this.lookId = lookBase();
    this.view = { width: 600, right: 0, msPerPx: 125 };
    this.follow = true;
    this.#build(el);
    this.hands = new PanelHands(this);
    this.frame = new PanelFrame(this);
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.fit = new RowFit(this.root, this.canvas, this.options.height, (height) => {
      this.options.height = height;
      this.changed();
    });
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.#restyle();
    this.bond.tell("hello", null);
  }

  // -- page ----------------------------------------------------------------------------------------------------
  #build(el) {
    const make = (parent, kind, name, text = "") => {
      const made = parent.appendChild(document.createElement(kind));
      made.className = name;
      made.textContent = text;
      return made;
    };
    this.root = make(el, "div", `ow-root ow-panel ${this.more.className ?? ""}`);
    const head = make(this.root, "div", "ow-panel-head");
    make(head, "span", "ow-panel-name", `${this.more.title ?? ""} ${this.options.symbol}`);
    this.said = make(head, "span", "ow-panel-said");
    this.said.setAttribute("role", "status");
    this.buttons = [...(this.more.buttons ?? []), this.#scaleButton()].map((described) => this.#button(make, head, described));
    const fold = make(head, "button", "ow-panel-button ow-panel-more", "⋯");
    fold.title = "More controls";
    fold.setAttribute("aria-label", fold.title);
    fold.addEventListener("click", () => head.classList.toggle("ow-all"));
    this.canvas = make(this.root, "canvas", "");
    this.canvas.tabIndex = 0;
    this.canvas.dataset.lmSuppressShortcuts = "true";
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${this.more.title ?? "Panel"} of ${this.options.symbol}. ${PANEL_KEYS}`);
    this.followButton = make(this.root, "button", "ow-follow", "Follow ▸");
    this.followButton.title = "Back to the newest data (F)";
    this.followButton.hidden = true;
    this.followButton.addEventListener("click", () => this.followAgain());
  }

  #button(make, head, described) {
    const button = make(head, "button", "ow-panel-button", described.label);
    button.title = described.key ? `${described.title} (${described.key.toUpperCase()})` : described.title;
    button.addEventListener("click", () => described.run(this, button));
    described.begin?.(this, button);
    return { ...described, button };
  }

  #scaleButton() {
    const run = (panel, button) => {
      panel.scaling = PANEL_SCALINGS[(PANEL_SCALINGS.indexOf(panel.scaling) + 1) % PANEL_SCALINGS.length];
      button.textContent = `scale: ${panel.scaling}`;
      panel.touch();
    };
    const title = "Value axis: automatic, symmetrical, with zero, compact";
    return { label: `scale: ${this.scaling}`, title, key: "s", run };
  }

  #restyle() {
    this.colours = this.options.themes[this.sharedTheme ?? pageTheme(this.options.theme)];
    dress(this.root, this.colours);
    this.touch();
  }

  /** Says something in the panel's head for a while. */
  say(text, bad = false) {
    clearTimeout(this.saying);
    this.said.textContent = text;
    this.said.classList.toggle("ow-bad", bad);
    this.saying = setTimeout(() => (this.said.textContent = ""), PANEL_SAID_MS);
  }

  /** Lets the kernel do something; what goes wrong is shown. */
  async act(content) {
    try {
      return await this.link.act(content);
    } catch (error) {
      this.say(error.message, true);
      return null;
    }
  }

  // -- data ----------------------------------------------------------------------------------------------------
  #take(content, buffers) {
    if (content.k === "tile" && content.id !== this.lookId) return true;
    if (!this.store.apply(content, buffers)) return false;
    if (content.k === "tile") {
      clearTimeout(this.losing);
      if (this.store.tile) this.store.tile.askedRightMs = this.lookRightMs;
    } else {
      this.root.dataset.drawn = content.s;
      if (content.k === "snap") {
        this.lookKey = null;
        this.#settle();
      }
    }
    this.touch();
    return true;
  }

  /** Asks for the resolution that the zoom wants, and for older columns that the page lacks. */
  #settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const { store, view } = this;
      if (!store.ready) return;
      const columnMs = panelColumnMs(view.msPerPx, PANEL_COLUMN_PX);
      if (columnMs !== this.askedMs) {
        this.askedMs = columnMs;
        this.link.say({ k: "view", column_ms: columnMs });
      }
      if (store.lacks(this.leftMs, store.tile?.wantedMs === columnMs ? store.tile.columnMs : columnMs)) this.#look(columnMs);
    }, PANEL_SETTLE_MS);
  }

  #look(columnMs) {
    const span = this.view.width * this.view.msPerPx;
    const [left, right] = [this.leftMs - span, this.view.right + span];
    const key = `${Math.round(left / columnMs)}:${columnMs}`;
    if (key === this.lookKey) return;
    this.lookKey = key;
    this.lookId += 1;
    this.lookRightMs = right;
    this.link.say({ k: "look", id: this.lookId, left_ms: left, right_ms: right, column_ms: columnMs });
    clearTimeout(this.losing);
    this.losing = setTimeout(() => {
      this.lookKey = null; // the kernel answers the newest look only, and another page may have asked right after
      this.#settle();
    }, PANEL_LOST_MS);
  }

  // -- where it looks ------------------------------------------------------------------------------------------
  get leftMs() {
    return this.view.right - this.view.width * this.view.msPerPx;
  }

  get newestMs() {
    return Math.max(this.link.marketNow(), this.store.endMs ?? 0);
  }

  show(leftMs, rightMs, follow) {
    this.view.msPerPx = clampZoom((rightMs - leftMs) / Math.max(this.view.width, 1));
    this.follow = follow;
    this.view.right = follow ? this.newestMs : rightMs;
    this.changed();
  }

  zoom(factor, x) {
    const { view } = this;
    const anchor = this.follow ? view.right : msAt(x, view);
    const msPerPx = clampZoom(view.msPerPx * factor);
    view.right = anchor + ((view.right - anchor) * msPerPx) / view.msPerPx;
    view.msPerPx = msPerPx;
    this.#tellRange();
  }

  panTo(right) {
    if (!this.store.ready) return;
    const { view } = this;
    const least = this.store.startMs + 40 * view.msPerPx;
    view.right = Math.min(Math.max(right, least), this.newestMs);
    this.follow = view.right >= this.newestMs;
    this.#tellRange();
  }

  followAgain() {
    this.follow = true;
    this.view.right = this.newestMs;
    this.#tellRange();
  }

  #tellRange() {
    this.changed();
    this.bond.tell("range", { leftMs: this.leftMs, rightMs: this.view.right, follow: this.follow });
  }

  changed() {
    this.followButton.hidden = this.follow;
    this.#settle();
    this.touch();
  }

  touch() {
    this.dirty = true;
    this.painter?.ask();
  }

  hover(at) {
    this.cursor = at && at.x < this.view.width ? at : null;
    const price = this.cursor && this.more.price ? this.frame.valueAt(this.cursor.y) : null;
    if (this.bond.shared && (this.cursor || this.toldCursor)) {
      this.bond.tell("cursor", this.cursor && { ms: msAt(this.cursor.x, this.view), price, symbol: this.options.symbol });
    }
    this.toldCursor = Boolean(this.cursor);
    this.touch();
  }

  #heard(topic, value) {
    if (topic === "cursor") this.ghost = value;
    else if (topic === "range" && value) {
      if (value.plot) this.#stand(value.plot);
      this.show(value.leftMs, value.rightMs, Boolean(value.follow));
    }
    else if (topic === "theme") {
      this.sharedTheme = value === "dark" || value === "light" ? value : undefined;
      this.#restyle();
    }
    this.touch();
  }

  /** Under a heatmap whose left edge is this panel's, times stand under each other. */
  #stand({ left, width }) {
    const shift = Math.abs(this.root.getBoundingClientRect().left - left);
    this.plotPx = shift < PANEL_SHIFT_PX ? width : null;
    this.#measure();
  }

  /** Widths: of the whole, and of its time axis. */
  #measure() {
    const total = Math.max(this.painter.width, PANEL_LEAST_PX);
    this.view.width = panelPlotPx(total, this.plotPx ?? null);
    return total;
  }

  // -- drawing -------------------------------------------------------------------------------------------------
  #draw() {
    const { view } = this;
    const total = this.#measure();
    if (this.follow && this.store.ready) view.right = this.newestMs;
    const gliding = this.follow && this.link.moving;
    const pixel = Math.round((view.right / view.msPerPx) * (window.devicePixelRatio || 1));
    const now = performance.now();
    if (!this.dirty && (pixel === this.drawnPixel || now - this.drawnAt < PANEL_GLIDE_MS)) return gliding;
    Object.assign(this, { dirty: false, drawnPixel: pixel, drawnAt: now });
    this.frame.paint(total);
    this.#count();
    return gliding;
  }

  /** What the page shows, in numbers: for whoever looks at it from outside. */
  #count() {
    const { dataset } = this.root;
    dataset.frames = this.painter.frames;
    dataset.spanMs = Math.round(this.view.width * this.view.msPerPx);
    dataset.plotPx = this.view.width;
    dataset.follow = this.follow;
    dataset.series = this.store.series?.length ?? 0;
    dataset.marks = this.store.marks.length;
  }

  stop() {
    for (const timer of [this.settling, this.losing, this.saying]) clearTimeout(timer);
    this.bond.leave();
    this.link.stop();
    this.painter.stop();
    this.fit.disconnect();
    this.watch.disconnect();
  }
}

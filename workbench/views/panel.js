// A panel of lines under the heatmap: one time axis with it, value axes of its own, a legend with the values at the cursor.
import { axisText, decimalsOf, msAt, timeText, timeTicks, xOf, zoneOffsetMs } from "./geometry.js";
import { faded } from "./colour.js";
import { Bond } from "./bond.js";
import { FONT, Link, Painter, dress, pageTheme, sharpContext } from "./link.js";
import { drawPane } from "./panel_paint.js";
import { PanelStore } from "./panel_store.js";
import { PanelHands } from "./panel_hands.js";
import {
  PANEL_SCALINGS, extremesOf, newestNumber, paneRows, panelColumnMs, shownNumber, valueAxis, valueText, valueTicks,
} from "./panel_scale.js";

const PANEL_AXIS_PX = 74;
const PANEL_LEGEND_PX = 136;
const PANEL_TIME_PX = 20;
const PANEL_TOP_PX = 6;
const PANEL_NARROW_PX = 640;
const PANEL_COLUMN_PX = 2;
const PANEL_SETTLE_MS = 120;
const PANEL_LABEL_PX = 34;
const PANEL_SAID_MS = 6000;
const PANEL_KEYS = "Wheel zooms, drag pans, arrows, + and −, Home; F follows, S changes the scale";

/** `more` = {buttons: [{label, title, key, run(panel)}], title, click(panel, ms) -> bool, price: bool}. */
export class TimePanel {
  constructor(model, el, more = {}) {
    this.options = model.get("options");
    this.more = more;
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.zone = this.options.zone ?? "";
    this.scaling = this.options.scale ?? "auto";
    this.store = new PanelStore();
    this.view = { width: 600, right: 0, msPerPx: 125 };
    this.follow = true;
    this.#build(el);
    this.hands = new PanelHands(this);
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.resize = new ResizeObserver(() => this.changed());
    this.resize.observe(this.root);
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.#restyle();
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
    this.canvas = make(this.root, "canvas", "");
    this.canvas.tabIndex = 0;
    this.canvas.style.height = `${this.options.height}px`;
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
      if (this.store.tile) this.store.tile.askedRightMs = this.lookRightMs;
    } else {
      this.root.dataset.drawn = content.s;
      if (content.k === "snap") this.#settle();
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
    this.lookId = (this.lookId ?? 0) + 1;
    this.lookRightMs = right;
    this.link.say({ k: "look", id: this.lookId, left_ms: left, right_ms: right, column_ms: columnMs });
  }

  // -- where it looks ------------------------------------------------------------------------------------------
  get leftMs() {
    return this.view.right - this.view.width * this.view.msPerPx;
  }

  get newestMs() {
    return Math.max(this.link.marketNow(), this.store.endMs ?? 0);
  }

  show(leftMs, rightMs, follow) {
    this.view.msPerPx = Math.min(Math.max((rightMs - leftMs) / Math.max(this.view.width, 1), 1), 3.6e6);
    this.follow = follow;
    this.view.right = follow ? this.newestMs : rightMs;
    this.changed();
  }

  zoom(factor, x) {
    const { view } = this;
    const anchor = this.follow ? view.right : msAt(x, view);
    const msPerPx = Math.min(Math.max(view.msPerPx * factor, 5), 3.6e6);
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
    const row = this.cursor && this.#rowAt(this.cursor.y);
    const priced = row && this.more.price;
    const price = priced ? row.axis[0] + (1 - (this.cursor.y - row.top) / row.tall) * (row.axis[1] - row.axis[0]) : null;
    if (this.bond.shared && (this.cursor || this.toldCursor)) {
      this.bond.tell("cursor", this.cursor && { ms: msAt(this.cursor.x, this.view), price, symbol: this.options.symbol });
    }
    this.toldCursor = Boolean(this.cursor);
    this.touch();
  }

  #rowAt(y) {
    return this.rows?.find((row) => y >= row.top && y <= row.top + row.tall) ?? null;
  }

  #heard(topic, value) {
    if (topic === "cursor") this.ghost = value;
    else if (topic === "range" && value) this.show(value.leftMs, value.rightMs, Boolean(value.follow));
    else if (topic === "theme") {
      this.sharedTheme = value === "dark" || value === "light" ? value : undefined;
      this.#restyle();
    }
    this.touch();
  }

  // -- drawing -------------------------------------------------------------------------------------------------
  #draw() {
    const { view } = this;
    const total = Math.max(this.root.clientWidth, 320);
    this.wide = total >= PANEL_NARROW_PX;
    view.width = total - PANEL_AXIS_PX - (this.wide ? PANEL_LEGEND_PX : 0);
    if (this.follow && this.store.ready) view.right = this.newestMs;
    const gliding = this.follow && this.link?.facts.state === "live";
    const pixel = Math.round((view.right / view.msPerPx) * (window.devicePixelRatio || 1));
    if (!this.dirty && pixel === this.drawnPixel) return gliding;
    this.dirty = false;
    this.drawnPixel = pixel;
    this.#paint(total);
    this.root.dataset.frames = this.painter.frames;
    return gliding;
  }

  #paint(total) {
    const { colours, options, store } = this;
    const context = sharpContext(this.canvas, total, options.height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.fillStyle = colours.background;
    context.fillRect(0, 0, total, options.height);
    if (!store.ready) {
      context.fillStyle = colours.faint;
      context.textAlign = "center";
      context.fillText("waiting for market data …", total / 2, options.height / 2);
      return;
    }
    this.#panes(context, total);
    this.#timeAxis(context, total);
    this.#crosshair(context);
    this.#legend(context, total);
  }

  #panes(context, total) {
    const { store, view, colours } = this;
    const pieces = store.pieces(this.leftMs, view.right);
    const gaps = store.gapsWithin(this.leftMs - view.msPerPx, view.right);
    const xAt = (ms) => xOf(ms, view);
    const height = this.options.height - PANEL_TIME_PX - PANEL_TOP_PX;
    this.rows = paneRows(store.panes, PANEL_TOP_PX, height).map((row, index) => {
      const pane = store.panes[index];
      const series = store.series.filter((one) => one.pane === index);
      const main = series.filter((one) => !one.own);
      const axis = valueAxis(main.map((one) => extremesOf(pieces, one)), pane, this.scaling);
      return { ...row, index, pane, series, axis, unit: (main[0] ?? series[0]).unit };
    });
    const newest = pieces.length ? Math.min(xAt(this.newestMs), view.width) : undefined;
    for (const row of this.rows) {
      this.#grid(context, row, total);
      const bars = row.series.filter((one) => one.kind === "bars");
      const barShare = (one) => [bars.indexOf(one), bars.length];
      const at = { ...row, row, store, pieces, gaps, xAt, colours, width: view.width, perMs: 1 / view.msPerPx, newestX: newest, barShare };
      drawPane(context, at);
    }
  }

  #grid(context, row, total) {
    const { colours, view } = this;
    context.fillStyle = colours.panel;
    context.fillRect(view.width, row.top, PANEL_AXIS_PX, row.tall);
    context.textAlign = "left";
    for (const value of valueTicks(row.axis, row.tall / PANEL_LABEL_PX)) {
      const y = Math.round(row.top + row.tall - ((value - row.axis[0]) / (row.axis[1] - row.axis[0])) * row.tall) + 0.5;
      context.strokeStyle = value === 0 ? faded(colours.faint, 0.7) : faded(colours.grid, 0.8);
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(view.width, y);
      context.stroke();
      context.fillStyle = colours.faint;
      if (y > row.top + 5 && y < row.top + row.tall - 5) context.fillText(valueText(value, row.unit, this.units), view.width + 6, y);
    }
    if (row.index > 0) {
      context.strokeStyle = colours.grid;
      context.strokeRect(-1, Math.round(row.top - 3) + 0.5, total + 2, 0);
    }
  }

  #timeAxis(context, total) {
    const { view, colours, zone } = this;
    const top = this.options.height - PANEL_TIME_PX;
    context.fillStyle = colours.panel;
    context.fillRect(0, top, total, PANEL_TIME_PX);
    context.textAlign = "center";
    context.fillStyle = colours.faint;
    const { step, at } = timeTicks(this.leftMs, view.right, Math.max(view.width / 90, 1), zoneOffsetMs(view.right, zone));
    for (const ms of at) {
      const x = xOf(ms, view);
      if (x > 30 && x < view.width - 20) context.fillText(axisText(ms, step, zone), x, top + PANEL_TIME_PX / 2);
    }
  }

  #crosshair(context) {
    const { view, colours } = this;
    const ghost = this.cursor ? null : this.ghost;
    const ms = this.cursor ? msAt(this.cursor.x, view) : ghost?.ms;
    if (ms === undefined || ms === null) return;
    const x = Math.round(xOf(ms, view)) + 0.5;
    if (x < 0 || x > view.width) return;
    context.strokeStyle = faded(colours.text, 0.55);
    context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, this.options.height - PANEL_TIME_PX);
    const row = this.cursor ? this.#rowAt(this.cursor.y) : this.#ghostRow(ghost);
    if (row) {
      context.moveTo(0, row.y ?? this.cursor.y);
      context.lineTo(view.width, row.y ?? this.cursor.y);
    }
    context.stroke();
    context.setLineDash([]);
    this.#tag(context, x, this.options.height - PANEL_TIME_PX / 2, timeText(ms, 1, this.zone), "center");
    if (!row) return;
    const y = row.y ?? this.cursor.y;
    const value = row.axis[0] + ((row.top + row.tall - y) / row.tall) * (row.axis[1] - row.axis[0]);
    this.#tag(context, view.width + 6, y, valueText(value, row.unit, this.units), "left");
  }

  /** Row in which another view's price stands, with its pixel. */
  #ghostRow(ghost) {
    const known = this.more.price && ghost?.price !== null && ghost?.price !== undefined && ghost.symbol === this.options.symbol;
    if (!known) return null;
    const row = this.rows[0];
    const y = row.top + row.tall - ((ghost.price - row.axis[0]) / (row.axis[1] - row.axis[0])) * row.tall;
    return y > row.top && y < row.top + row.tall ? { ...row, y } : null;
  }

  #tag(context, x, y, text, align) {
    const { colours } = this;
    const wide = context.measureText(text).width + 8;
    const left = align === "center" ? x - wide / 2 : x - 4;
    context.fillStyle = colours.text;
    context.fillRect(left, y - 8, wide, 16);
    context.fillStyle = colours.background;
    context.textAlign = align;
    context.fillText(text, x, y + 0.5);
  }

  /** Names with a sample of their line and the value at the cursor, else the newest one. */
  #legend(context, total) {
    const { store, view, colours } = this;
    const moment = this.cursor ? msAt(this.cursor.x, view) : (this.ghost?.ms ?? null);
    const found = store.columnAt(moment ?? Infinity);
    const left = this.wide ? view.width + PANEL_AXIS_PX + 8 : 8;
    context.textAlign = "left";
    for (const row of this.rows) {
      let y = row.top + 8;
      context.fillStyle = colours.faint;
      if (this.wide) context.fillText(row.pane.name, left, y);
      for (const series of [...row.series].reverse()) {
        y += 14;
        if (y > row.top + row.tall + 2) break;
        const number = found ? (moment === null ? newestNumber : shownNumber)(found[0], found[1], series) : NaN;
        this.#legendLine(context, series, valueText(number, series.unit, this.units, series.signed || series.kind === "bars"), left, y, total);
      }
    }
  }

  #legendLine(context, series, text, left, y, total) {
    const colour = this.colours[series.role];
    if (!this.wide) {
      context.fillStyle = faded(this.colours.background, 0.7);
      context.fillRect(left - 3, y - 7, 24 + context.measureText(`${series.name} ${text}`).width + 12, 14);
    }
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.setLineDash(series.dash);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(left + 16, y);
    context.stroke();
    context.setLineDash([]);
    context.lineWidth = 1;
    context.fillStyle = colour;
    context.fillText(series.name, left + 21, y);
    context.fillStyle = this.colours.text;
    const right = this.wide ? total - 8 : left + 27 + context.measureText(series.name).width;
    context.textAlign = this.wide ? "right" : "left";
    context.fillText(text, right, y);
    context.textAlign = "left";
  }

  stop() {
    clearTimeout(this.settling);
    clearTimeout(this.saying);
    this.bond.leave();
    this.link.stop();
    this.painter.stop();
    this.resize.disconnect();
    this.watch.disconnect();
  }
}

// Ladder: a table of price rows whose text nodes change only where their text does.
import { Bond } from "./bond.js";
import { RowFit } from "./row_fit.js";
import { decimalsOf, priceText, sizeText } from "./geometry.js";
import { typed } from "./heat_store.js";
import { Link, dress, pageTheme } from "./link.js";
import { Painter } from "./painter.js";
import { LadderMenu, fitting } from "./ladder_menu.js";
import { LADDER_BARS, LadderState, cellKind, cellText, ladderHead, lockedCentre, orderWords, ordersIn, rowKind } from "./ladder_rows.js";
import { OrderHand } from "./ladder_ticket.js";

const LADDER_ROW_PX = 18;
const LADDER_MOST_ROWS = 60;
const LADDER_FLASH_MS = 450;
const LADDER_KEYS =
  "Wheel, arrows and PageUp/PageDown: scroll · C or double-click: centre · B / S: buy / sell at the marked row (Shift: stop) · " +
  "click in My buys / My sells: place · drag: move · right-click or Delete: take back · Escape: let go";

const ladderNode = (tag, parent, name = "", text = "") => {
  const node = parent.appendChild(document.createElement(tag));
  if (name) node.className = name;
  if (text) node.textContent = text;
  return node;
};

class LadderView {
  constructor(model, el) {
    this.model = model;
    this.options = model.get("options");
    this.count = this.options.rows;
    const { tick, lot, multiplier } = this.options;
    this.units = { tick: Number(tick), lot: Number(lot), decimals: decimalsOf(tick), multiplier };
    this.state = new LadderState();
    this.centre = null;
    this.locked = true;
    this.marked = this.hovered = null;
    this.calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.#build(el);
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.bond.tell("ticket?", null);
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.recolumn = () => this.#columns(model.get("options").columns);
    this.fit = new RowFit(this.root, this.scroller, (this.count + 1) * LADDER_ROW_PX + 4, (height) => this.#fitted(height));
    model.on("change:options", this.recolumn);
    this.#restyle();
    this.#lock(true);
  }

  // -- building ----------------------------------------------------------------------------------------------------
  #build(el) {
    this.root = ladderNode("div", el, "ow-root ow-ladder");
    const head = ladderNode("div", this.root, "ow-head");
    ladderNode("b", head, "", this.options.symbol);
    this.words = {};
    for (const [name, label, meaning] of [
      ["last", "", "last price, and who was the aggressor"],
      ["spread", "spr", "spread"],
      ["volume", "vol", "volume of the session"],
      ["delta", "Δ", "bought less sold by aggressors"],
      ["touch", "I", "imbalance at the touch: (bids − asks) / (bids + asks)"],
      ["depth", `I${this.options.levels}`, `imbalance over the best ${this.options.levels} levels of each side`],
      ["sums", "Σ", "resting on the rows shown: bids × asks"],
    ]) {
      const span = ladderNode("span", head, `ow-${name}`, label ? `${label} ` : "");
      span.title = meaning;
      this.words[name] = span.appendChild(document.createElement("i")).appendChild(document.createTextNode("–"));
    }
    this.#controls(ladderNode("span", head, "ow-controls"));
    const desk = ladderNode("div", this.root, "ow-ladder-desk");
    this.scroller = ladderNode("div", this.root, "ow-scroller");
    this.table = ladderNode("table", this.scroller);
    this.table.tabIndex = 0;
    this.table.title = "";
    this.table.setAttribute("aria-description", LADDER_KEYS);
    this.#columns(this.options.columns);
    this.#listen();
    this.hand = new OrderHand(this, desk);
  }

  #controls(parent) {
    this.grouping = ladderNode("select", parent);
    this.grouping.title = "ticks per row";
    this.grouping.setAttribute("aria-label", "ticks per row");
    const steps = [...new Set(["auto", 1, 2, 5, 10, 20, 50, 100, this.options.rowTicks ?? "auto"])];
    for (const step of steps) ladderNode("option", this.grouping, "", step === "auto" ? "auto" : `${step} t`).value = String(step);
    this.grouping.value = String(this.options.rowTicks ?? "auto");
    this.grouping.addEventListener("change", () => this.#group(this.grouping.value));
    this.menu = new LadderMenu(parent, this.root, this.options.kinds, (columns) => this.#choose(columns));
    this.button = ladderNode("button", parent, "", "centre");
    this.button.type = "button";
    this.button.title = "keep the touch in the middle (C)";
    this.button.addEventListener("click", () => this.#lock(!this.locked));
  }

  /** As many rows as there is room for, and as the kernel tells of in any case. */
  #fitted(height) {
    const fit = Math.floor((height - 4) / LADDER_ROW_PX) - 1;
    this.count = Math.min(Math.max(fit, 3), Math.max(this.options.rows, LADDER_MOST_ROWS));
    this.#columns(this.chosen);
  }

  #columns(chosen) {
    this.chosen = chosen;
    const { kinds } = this.options;
    const width = this.root.clientWidth || Infinity;
    const names = fitting(chosen, kinds, width, this.state.facts.desk !== null || this.state.facts.position !== null);
    const key = [this.count, names, "of", chosen].join();
    if (this.built === key) return;
    this.built = key;
    this.names = names;
    this.menu.show(chosen, chosen.length - names.length);
    this.table.replaceChildren();
    this.table.style.height = `${(this.count + 1) * LADDER_ROW_PX + 4}px`;
    ladderNode("caption", this.table, "", `Price ladder of ${this.options.symbol}`);
    const widths = ladderNode("colgroup", this.table);
    for (const name of names) ladderNode("col", widths).style.width = `${kinds[name][2]}px`;
    const titles = ladderNode("tr", ladderNode("thead", this.table));
    for (const name of names) {
      const cell = ladderNode("th", titles, `ow-c ow-col-${name}`, kinds[name][0]);
      cell.scope = "col";
      cell.title = kinds[name][1];
    }
    this.body = ladderNode("tbody", this.table);
    this.cells = Array.from({ length: this.count }, () => this.#row());
    this.state.all = true;
    this.painter?.ask();
  }

  #row() {
    const made = { row: ladderNode("tr", this.body), texts: {}, nodes: {}, bars: {}, kinds: {}, prints: null };
    for (const name of this.names) {
      const cell = ladderNode(name === "price" ? "th" : "td", made.row, `ow-c ow-col-${name}`);
      if (name === "price") cell.scope = "row";
      cell.dataset.column = name;
      made.nodes[name] = cell;
      made.kinds[name] = "";
      made.texts[name] = cell.appendChild(document.createTextNode(""));
    }
    return made;
  }

  #listen() {
    const { table } = this;
    table.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    table.addEventListener("dblclick", (event) => event.target.closest("[data-column=price]") && this.#lock(true));
    table.addEventListener("pointermove", (event) => this.#hover(event));
    table.addEventListener("pointerleave", () => this.#leave());
    table.addEventListener("keydown", (event) => this.#key(event));
    table.addEventListener("contextmenu", (event) => event.target.closest("thead") && this.menu.open(event));
  }

  #choose(columns) {
    this.#columns(columns);
    this.link.act({ do: "columns", columns }).catch((error) => this.hand.say(error.message));
  }

  #restyle() {
    this.colours = this.options.themes[this.theme ?? pageTheme(this.options.theme)];
    dress(this.root, this.colours);
  }

  // -- where it stands ---------------------------------------------------------------------------------------------
  #lock(on) {
    this.locked = on;
    this.button.setAttribute("aria-pressed", String(on));
    if (on) {
      this.centre = null;
      this.link?.say({ k: "view", centre: null });
    }
    this.painter?.ask();
  }

  #group(value) {
    this.centre = null;
    this.marked = null;
    this.locked = true;
    this.button.setAttribute("aria-pressed", "true");
    this.link.say({ k: "view", centre: null, row_ticks: value === "auto" ? "auto" : Number(value) });
  }

  #wheel(event) {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return; // sideways: the columns
    event.preventDefault();
    this.#scroll(-Math.sign(event.deltaY) * 3);
  }

  #scroll(rows) {
    if (this.centre === null) return;
    if (this.locked) this.#unlock();
    this.centre += rows;
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.#tellCentre(), 80);
    this.painter.ask();
  }

  #unlock() {
    this.locked = false;
    this.button.setAttribute("aria-pressed", "false");
  }

  #tellCentre() {
    if (!this.locked && this.centre !== null) this.link.say({ k: "view", centre: this.centre * this.state.facts.row_ticks });
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === "ArrowUp" || key === "ArrowDown") this.#mark(key === "ArrowUp" ? 1 : -1);
    else if (key === "PageUp" || key === "PageDown") this.#scroll((key === "PageUp" ? 1 : -1) * (this.count - 2));
    else if (key === "c" || key === "C" || key === "Home") this.#lock(true);
    else if (key === "Escape") this.#escape();
    else if (key === "Delete" || key === "Backspace") this.#takeBack();
    else if ("bBsS".includes(key) && this.marked !== null && !event.repeat) this.hand.place("bB".includes(key) ? 1 : -1, this.marked, event.shiftKey);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #mark(step) {
    if (this.centre === null) return;
    const low = this.top - this.count + 1;
    this.marked = this.marked === null ? (this.state.middle ?? this.centre) : this.marked + step;
    if (this.marked > this.top) this.#scroll(this.marked - this.top);
    if (this.marked < low) this.#scroll(this.marked - low);
    this.painter.ask();
  }

  #escape() {
    if (!this.hand.letGo()) this.marked = null;
    this.menu.close();
    this.painter.ask();
  }

  #takeBack() {
    const aimed = this.hovered ?? (this.marked === null ? null : { side: 0, row: this.marked });
    if (aimed) this.hand.cancelAt(aimed);
  }

  /** Highest row shown. */
  get top() {
    return this.centre + Math.floor(this.count / 2);
  }

  /** Row at a height of the window; null outside. */
  rowAt(clientY) {
    const box = this.body.getBoundingClientRect();
    const index = Math.floor(((clientY - box.top) / box.height) * this.count);
    return this.centre === null || index < 0 || index >= this.count ? null : this.top - index;
  }

  /** Shows where an order that is dragged would be dropped; nothing with null. */
  aim(column, row) {
    const node = row === null || column === null ? null : this.cells[this.top - row]?.nodes[column];
    if (node === this.aimed) return;
    this.aimed?.classList.remove("ow-aim");
    node?.classList.add("ow-aim");
    this.aimed = node;
  }

  #hover(event) {
    const row = this.rowAt(event.clientY);
    const column = event.target.closest?.("[data-column]")?.dataset.column;
    this.hovered = row === null ? null : { row, side: column === "buys" ? 1 : column === "sells" ? -1 : 0 };
    const { facts } = this.state;
    if (row === null || !facts.row_ticks) return;
    this.bond.tell("cursor", { ms: null, price: row * facts.row_ticks * this.units.tick, symbol: this.options.symbol });
    const orders = this.hovered.side ? ordersIn(facts.orders, this.hovered.side, row, facts.row_ticks) : [];
    const words = orders.length ? orderWords(orders, this.units) : "";
    if (this.table.title !== words) this.table.title = words;
  }

  #leave() {
    this.hovered = null;
    this.bond.tell("cursor", null);
  }

  #heard(topic, value) {
    if (topic === "theme") {
      this.theme = value;
      this.#restyle();
    }
    if (topic === "ticket" && value.symbol === this.options.symbol) this.hand.adopt(value);
    if (topic !== "cursor") return;
    const known = value && value.price !== null && value.price !== undefined && (!value.symbol || value.symbol === this.options.symbol);
    this.cursor = known ? value.price : null;
    this.painter.ask();
  }

  // -- drawing -----------------------------------------------------------------------------------------------------
  #take(content, buffers) {
    const ticks = this.state.facts.row_ticks;
    if (!this.state.take(content, typed(Uint16Array, buffers[0]), typed(Float32Array, buffers[1]))) return false;
    if (ticks !== undefined && ticks !== this.state.facts.row_ticks) this.centre = null;
    this.hand.show();
    this.#columns(this.chosen);
    this.root.dataset.drawn = content.s;
    this.painter.ask();
    return true;
  }

  #draw() {
    const { state } = this;
    if (state.facts.row_ticks === undefined) return false;
    if (this.locked && !this.hand.held?.dragging) this.centre = lockedCentre(this.centre, state.middle, this.count);
    if (this.centre === null) return false;
    const low = this.top - this.count + 1;
    this.#drawHead(low);
    const scale = Object.fromEntries(Object.entries(LADDER_BARS).map(([name, fields]) => [name, Math.max(state.most(fields, low, this.top), 1e-9)]));
    const frame = [this.centre, state.facts.row_ticks, ...Object.values(scale), JSON.stringify([state.facts.orders, state.facts.position, state.facts.fills])].join();
    const moved = this.drawnTop !== this.top;
    const all = state.all || frame !== this.drawnFrame;
    // a flash belongs to its price, and the price has left the row
    if (moved) this.table.getAnimations({ subtree: true }).forEach((flash) => flash.cancel());
    this.cells.forEach((cells, index) => {
      const row = this.top - index;
      if (all || state.touched.has(row)) this.#fill(cells, row, scale, moved || state.all);
      this.#dressRow(cells, row);
    });
    this.drawnTop = this.top;
    this.drawnFrame = frame;
    state.touched.clear();
    state.all = false;
    this.root.dataset.frames = this.painter.frames;
    return false;
  }

  #drawHead(low) {
    const { state, units, words } = this;
    const head = ladderHead(state.facts, units);
    head.sums = `${sizeText(state.sum("bid", low, this.top) * units.lot)} × ${sizeText(state.sum("ask", low, this.top) * units.lot)}`;
    for (const [name, node] of Object.entries(words)) this.#write(node, head[name]);
    const side = head.side > 0 ? "ow-up" : head.side < 0 ? "ow-down" : "";
    if (words.last.parentNode.className !== side) words.last.parentNode.className = side;
  }

  #fill(cells, row, scale, moved) {
    const { state, units } = this;
    const prints = state.value("prints", row);
    const printed = !moved && cells.prints !== null && cells.prints !== prints;
    cells.prints = prints;
    for (const name of this.names) {
      this.#write(cells.texts[name], cellText(state, name, row, units));
      const kind = cellKind(state, name, row, units);
      if (cells.kinds[name] !== kind) {
        cells.kinds[name] = kind;
        cells.nodes[name].className = `ow-c ow-col-${name} ${kind}`;
      }
      if (LADDER_BARS[name]) this.#bar(cells, name, Math.round((100 * state.value(name, row)) / scale[name]));
    }
    if (printed) this.#flash(cells, row);
  }

  #bar(cells, name, share) {
    if (cells.bars[name] === share) return;
    cells.bars[name] = share;
    cells.nodes[name].style.backgroundSize = `${share}% 100%`;
  }

  #dressRow(cells, row) {
    const { facts } = this.state;
    const cursor = this.cursor !== null && this.cursor !== undefined && Math.floor(Math.round((this.cursor / this.units.tick) * 1e6) / 1e6 / facts.row_ticks) === row;
    const kind = `${rowKind(facts, row)}${row === this.marked ? " ow-marked" : ""}${cursor ? " ow-cursor" : ""}`;
    if (cells.kind === kind) return;
    cells.kind = kind;
    cells.row.className = kind;
  }

  #write(node, text) {
    if (node.data !== text) node.data = text;
  }

  #flash(cells, row) {
    if (this.calm.matches) return;
    const colour = this.state.value("print", row) > 0 ? this.colours.buy : this.colours.sell;
    const names = this.state.value("print", row) > 0 ? ["print", "recent_bought"] : ["print", "recent_sold"];
    for (const name of names) cells.nodes[name]?.animate([{ backgroundColor: `${colour}99` }, { backgroundColor: `${colour}00` }], LADDER_FLASH_MS);
  }

  stop() {
    clearTimeout(this.asking);
    this.model.off("change:options", this.recolumn);
    this.fit.disconnect();
    this.hand.stop();
    this.menu.stop();
    this.bond.leave();
    this.link.stop();
    this.painter.stop();
    this.watch.disconnect();
  }
}

function render({ model, el }) {
  const view = new LadderView(model, el);
  return () => view.stop();
}

export default { render };

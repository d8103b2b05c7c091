// Tape: time and sales. Rows are elements that stay while their order stays; new ones come on top.
import { decimalsOf, knownZone, priceText, sizeText, timeText } from "./geometry.js";
import { typed } from "./heat_store.js";
import { Link, dress, pageTheme } from "./link.js";
import { Painter } from "./painter.js";
import { Bond } from "./bond.js";
import { RowFit } from "./row_fit.js";
import { numberField, selection, textField, toolBar } from "./profile_controls.js";
import { tapeForget, tapeJoined, tapeNewer, tapeRemark, tapeRows, tapeRunning, tapeTaken } from "./tape_store.js";

const TAPE_ROW_PX = 19;
const TAPE_BELOW = 30;
const TAPE_LOST_MS = 3000; // the kernel answers the newest look only, and another page may have asked right after
const TAPE_SIDES = [["", "both"], ["buy", "▲ bought"], ["sell", "▼ sold"], ["unknown", "· unknown"]];
const TAPE_KINDS = [["all", "everything"], ["sweeps", "sweeps"], ["lit", "displayed only"]];
const TAPE_SUMS = [["", "no sum"], ["delta", "delta"], ["volume", "volume"]];
const TAPE_WHERE = "All must hold: size>=10, size 5..50, price<5000, price 4990..5010, buy, sell, unknown, sweeps, lit; nothing: everything";
const TAPE_HELP = "Hover or scroll: stand still. ↑ ↓ move, Enter opens an order's prints, Home: newest.";

/** A running sum: a delta with its sign. */
function signedText(size, kind) {
  const text = Math.abs(size).toLocaleString("en-US", { maximumFractionDigits: 2 });
  return kind === "delta" ? `${size < 0 ? "−" : "+"}${text}` : text;
}

class TapeView {
  constructor(model, el) {
    this.model = model;
    this.options = model.get("options");
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.zone = knownZone(this.options.zone) ? this.options.zone : "";
    this.rows = [];
    this.facts = {};
    this.elements = new Map();
    this.opened = new Map();
    this.seen = -1;
    this.inSight = this.options.rows;
    this.scrollPx = 0; // told by the list's own events: to ask for it while drawing would lay the page out anew
    this.name = `ow-order-${Math.random().toString(36).slice(2)}`;
    this.#build(el);
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.fit = new RowFit(this.root, this.list, TAPE_ROW_PX * this.options.rows, (height) => this.#fitted(height));
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.#restyle();
  }

  #fitted(height) {
    this.inSight = Math.ceil(height / TAPE_ROW_PX);
    this.painter.ask();
  }

  #build(el) {
    this.root = el.appendChild(document.createElement("div"));
    this.running = this.options.running ?? null;
    this.root.className = `ow-root ow-tape-view${this.running ? " ow-running" : ""}`;
    const bar = toolBar(this.root, this.options.symbol);
    this.#filters(bar);
    this.sums = bar.appendChild(document.createElement("span"));
    this.sums.className = "ow-sums";
    this.newer = this.root.appendChild(document.createElement("button"));
    this.newer.className = "ow-newer";
    this.newer.hidden = true;
    this.newer.addEventListener("click", () => this.#toNewest());
    this.list = this.root.appendChild(document.createElement("div"));
    this.list.className = "ow-tape";
    this.list.tabIndex = 0;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", `Tape of ${this.options.symbol}. ${TAPE_HELP}`);
    this.list.title = TAPE_HELP;
    this.list.dataset.lmSuppressShortcuts = "true";
    this.list.addEventListener("pointerenter", () => (this.hovered = true));
    this.list.addEventListener("pointerleave", () => this.#left());
    this.list.addEventListener("scroll", () => this.#scrolled());
    this.list.addEventListener("keydown", (event) => this.#key(event));
  }

  #filters(bar) {
    const { let: chosen } = this.options;
    const wish = (wishes) => this.#filter(wishes);
    this.least = numberField(bar, "size ≥", chosen.min || 0, 0, (min) => wish({ min }));
    this.side = selection(bar, "side", TAPE_SIDES, chosen.side ?? "", (side) => wish({ side: side || null }));
    this.kind = selection(bar, "show", TAPE_KINDS, "all", (what) => {
      wish({ sweeps: what === "sweeps", hidden: what !== "lit", off_book: what !== "lit" });
    });
    selection(bar, "Σ", TAPE_SUMS, this.running ?? "", (kind) => {
      this.running = kind || null;
      this.elements.clear();
      this.root.classList.toggle("ow-running", Boolean(kind));
      this.painter.ask();
    });
    this.where = textField(bar, "where", chosen.where ?? "", "size>=10 buy price<5000", (where) => wish({ where }));
    this.where.title = TAPE_WHERE;
    this.#showFilter(chosen);
  }

  /** Puts into the controls what the kernel lets through. */
  #showFilter(chosen) {
    this.least.value = chosen.min || 0;
    this.side.value = chosen.side ?? "";
    this.kind.value = chosen.sweeps ? "sweeps" : chosen.hidden && chosen.off_book ? "all" : "lit";
    this.where.value = chosen.where ?? "";
  }

  async #filter(wishes) {
    try {
      const done = await this.link.act({ do: "filter", let: wishes });
      if (done.let) this.#showFilter(done.let);
      this.link.well();
    } catch (error) {
      this.link.fail(error);
    }
  }

  #take(content, buffers) {
    if (content.k === "did") return undefined;
    const rows = buffers.length ? tapeRows(typed(Float64Array, buffers[0])) : [];
    if (content.k === "older") {
      if (content.before !== this.asked) return undefined; // another page's
      this.asked = null;
      this.reached = content.reached;
      const newest = this.rows[this.rows.length - 1]?.order;
      this.rows = tapeJoined(this.rows, rows);
      const last = this.rows[this.rows.length - 1]?.order;
      if (last !== newest) this.torn = last; // newer ones were let go: no sum reaches over them
    } else if (content.k === "detail") {
      if (content.order !== this.opening) return undefined; // another page's
      this.opening = null;
      this.opened.set(content.order, rows);
      this.#forget(content.order);
    } else {
      for (const name of ["count", "bought", "sold", "unknown", "big", "warming"]) if (name in content) this.facts[name] = content[name];
      if (content.full) this.#begin();
      this.unseen = (content.full ? 0 : this.unseen) + (content.skipped ?? 0);
      this.rows = tapeTaken(this.rows, rows, content.full || content.skipped > 0, this.standing ? 4000 : 400);
      for (const row of rows) this.#forget(row.order);
      this.#know();
      this.largest = this.rows.reduce((most, row) => Math.max(most, row.lots), 0);
    }
    if (content.s !== undefined) this.root.dataset.drawn = content.s;
    this.painter.ask();
    return undefined;
  }

  /** What is known of the running sum: the totals, at the newest order. */
  #know() {
    const last = this.rows[this.rows.length - 1];
    const { bought = 0, sold = 0, unknown = 0, warming } = this.facts;
    const sum = { delta: bought - sold, volume: bought + sold + unknown };
    this.totals = last && !warming ? { order: last.order, sum } : null;
    if (!this.totals !== this.unsummed) this.elements.clear();
    this.unsummed = !this.totals;
  }

  /** Running sums of the rows held, by order. */
  #sums() {
    const { running, totals, torn } = this;
    if (!running || !totals) return new Map();
    return tapeRunning(this.rows, { order: totals.order, sum: totals.sum[running] }, running, torn);
  }

  #begin() {
    this.rows = [];
    this.unseen = 0;
    this.elements.clear();
    this.opened.clear();
    this.reached = undefined;
    this.asked = this.torn = null;
    this.seen = -1;
  }

  #forget(order) {
    this.elements.delete(order);
  }

  get standing() {
    return this.hovered || this.scrollPx > 2;
  }

  #draw() {
    const newest = this.rows.length ? this.rows[this.rows.length - 1].order : -1;
    // whoever stands still for very long has nothing left to look at
    if (!this.standing || this.seen < 0 || this.rows[0]?.order > this.seen) this.seen = newest;
    tapeForget(this.elements, this.rows);
    tapeForget(this.opened, this.rows);
    this.root.dataset.frames = this.painter.frames;
    const waiting = tapeNewer(this.rows, this.seen);
    this.newer.hidden = !waiting;
    if (waiting) this.newer.textContent = `${waiting} new`;
    this.sumOf = this.#sums();
    const shown = this.rows.filter((row) => row.order <= this.seen).reverse();
    // while it runs, rows far below are no elements: each new one on top would move them all
    if (!this.standing) shown.length = Math.min(shown.length, this.inSight + TAPE_BELOW);
    const wanted = shown.flatMap((row) => this.#elementsOf(row));
    this.#arrange(wanted);
    this.#sum();
  }

  /** Puts exactly these elements into the list; those that stand right are not touched. */
  #arrange(wanted) {
    const kept = new Set(wanted);
    for (const child of [...this.list.children]) if (!kept.has(child)) child.remove();
    wanted.forEach((element, at) => {
      if (this.list.children[at] !== element) this.list.insertBefore(element, this.list.children[at] ?? null);
    });
  }

  #elementsOf(row) {
    let made = this.elements.get(row.order);
    if (!made) {
      const parts = (this.opened.get(row.order) ?? []).map((print) => this.#element(print, true));
      made = [this.#element(row, false), ...parts];
      this.elements.set(row.order, made);
    }
    return made;
  }

  #element(row, part) {
    const element = document.createElement("div");
    const side = row.side > 0 ? " ow-bought" : row.side < 0 ? " ow-sold" : "";
    const big = !part && this.facts.big !== null && row.lots >= this.facts.big;
    element.className = `ow-print${side}${big ? " ow-big" : ""}${part ? " ow-part" : ""}`;
    const texts = [
      ["ow-when", timeText(row.ms, 1, this.zone)],
      ["ow-sign", row.side > 0 ? "▲" : row.side < 0 ? "▼" : "·"],
      ["ow-price", priceText(row.price, this.units.tick, this.units.decimals)],
      ["ow-size", sizeText(row.lots * this.units.lot)],
      ...(this.running ? [["ow-sum", part || !this.sumOf.has(row.order) ? "" : signedText(this.sumOf.get(row.order) * this.units.lot, this.running)]] : []),
      ["ow-remark", part ? "" : tapeRemark(row, this.facts.big)],
    ];
    for (const [name, text] of texts) {
      const span = element.appendChild(document.createElement("span"));
      span.className = name;
      span.textContent = text;
    }
    element.style.setProperty("--ow-part", `${Math.min(100, (100 * row.lots) / (this.largest || 1)).toFixed(1)}%`);
    element.addEventListener("pointerenter", () => this.bond.tell("cursor", { ms: row.ms, price: row.price * this.units.tick, symbol: this.options.symbol }));
    if (!part) {
      element.setAttribute("role", "option");
      element.dataset.order = row.order;
      element.id = `${this.name}-${row.order}`;
      element.addEventListener("click", () => this.#open(row));
    }
    return element;
  }

  #open(row) {
    this.selected = row.order;
    this.#mark();
    if (row.prints < 2) return;
    if (this.opened.delete(row.order)) this.#forget(row.order);
    else {
      this.opening = row.order;
      this.link.say({ k: "look", what: "prints", order: row.order });
    }
    this.painter.ask();
  }

  #mark() {
    for (const child of this.list.children) child.setAttribute("aria-selected", String(Number(child.dataset.order) === this.selected));
    this.list.setAttribute("aria-activedescendant", `${this.name}-${this.selected}`);
  }

  #key(event) {
    const options = [...this.list.children].filter((child) => child.dataset.order !== undefined);
    const at = options.findIndex((child) => Number(child.dataset.order) === this.selected);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) {
      const next = options[Math.min(Math.max(at + step, 0), options.length - 1)];
      this.selected = Number(next.dataset.order);
      next.scrollIntoView({ block: "nearest" });
      this.#mark();
    } else if (event.key === "Enter" && at >= 0) this.#open(this.rows.find((row) => row.order === this.selected));
    else if (event.key === "Home") this.#toNewest();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.list;
    if (scrollTop < 2 || this.scrollPx < 2) this.painter.ask();
    this.scrollPx = scrollTop;
    if (scrollTop < 2 || scrollTop + clientHeight < scrollHeight - 400 || !this.rows.length || this.reached === 0) return;
    const before = this.reached ?? this.rows[0].order;
    const now = performance.now();
    if (before === this.asked && now - this.askedAt < TAPE_LOST_MS) return;
    Object.assign(this, { asked: before, askedAt: now });
    this.link.say({ k: "look", what: "older", order: before, count: 200 });
  }

  #left() {
    this.hovered = false;
    this.bond.tell("cursor", null);
    this.painter.ask();
  }

  #toNewest() {
    this.list.scrollTop = this.scrollPx = 0;
    this.seen = this.rows.length ? this.rows[this.rows.length - 1].order : -1;
    this.rows = this.rows.slice(-400);
    this.reached = undefined;
    this.asked = null;
    this.painter.ask();
  }

  #sum() {
    const { lot } = this.units;
    const { count = 0, bought = 0, sold = 0 } = this.facts;
    const delta = (bought - sold) * lot;
    const sign = delta < 0 ? "−" : "+";
    const text = `${count} orders · ▲ ${sizeText(bought * lot)} ▼ ${sizeText(sold * lot)} · Δ ${sign}${sizeText(Math.abs(delta))}`;
    const unseen = this.unseen ? ` · ${this.unseen} too fast to be shown` : "";
    this.sums.title = this.unseen ? "Scroll down to read them" : "";
    const said = `${text}${unseen}${this.facts.warming ? " (reading …)" : ""}`;
    if (this.sums.textContent !== said) this.sums.textContent = said;
  }

  #heard(topic, value) {
    if (topic !== "theme") return;
    this.themed = value;
    this.#restyle();
  }

  #restyle() {
    dress(this.root, this.options.themes[this.themed ?? pageTheme(this.options.theme)]);
    this.painter.ask();
  }

  stop() {
    this.link.stop();
    this.bond.leave();
    this.painter.stop();
    this.fit.disconnect();
    this.watch.disconnect();
    this.root.remove();
  }
}

function render({ model, el }) {
  const view = new TapeView(model, el);
  el.workbench = view;
  return () => view.stop();
}

export default { render };

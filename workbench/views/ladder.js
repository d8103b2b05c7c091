// Ladder: a table of price rows whose text nodes change only where their text does.
import { decimalsOf, priceText, sizeText } from "./geometry.js";
import { typed } from "./heat_store.js";
import { Link, Painter, dress, pageTheme } from "./link.js";

const COLUMNS = ["sold", "bid", "price", "ask", "bought"];
const TITLES = ["Sold", "Bid", "Price", "Ask", "Bought"];
const FLASH_MS = 450;

/** Rows of the table, highest price first, from a message; pure, so that it can be tested without a page. */
export function ladderRows(state, centre, count, units) {
  const rows = [];
  const top = centre + Math.floor(count / 2);
  const most = Math.max(1, ...visibleSizes(state, top, count));
  for (let row = top; row > top - count; row--) {
    const at = row - state.lowRow;
    const inside = at >= 0 && at < state.count;
    const value = (which) => (inside ? state.lots[which * state.count + at] : 0);
    const text = (which) => (value(which) > 0 ? sizeText(value(which) * units.lot) : "");
    rows.push({
      price: priceText(row * state.rowTicks, units.tick, units.decimals),
      bid: text(0),
      ask: text(1),
      bought: text(2),
      sold: text(3),
      bidBar: Math.round((100 * value(0)) / most),
      askBar: Math.round((100 * value(1)) / most),
      touch: row === state.bidRow || row === state.askRow,
      last: row === state.lastRow,
    });
  }
  return rows;
}

function visibleSizes(state, top, count) {
  const sizes = [];
  for (let row = top; row > top - count; row--) {
    const at = row - state.lowRow;
    if (at >= 0 && at < state.count) sizes.push(state.lots[at], state.lots[state.count + at]);
  }
  return sizes;
}

/** Centre row: stays until the touch leaves the middle half, so that prices do not jump under the hand. */
export function lockedCentre(centre, middle, count) {
  if (centre === null || middle === null) return middle;
  return Math.abs(middle - centre) > count / 4 ? middle : centre;
}

class LadderView {
  constructor(model, el) {
    this.options = model.get("options");
    this.count = this.options.rows;
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.centre = null;
    this.locked = true;
    this.#build(el);
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.#restyle();
  }

  #build(el) {
    const make = (tag, parent, name = "") => {
      const node = parent.appendChild(document.createElement(tag));
      if (name) node.className = name;
      return node;
    };
    this.root = make("div", el, "ow-root ow-ladder");
    const head = make("div", this.root, "ow-head");
    make("b", head).textContent = this.options.symbol;
    this.summary = make("span", head);
    this.button = make("button", head);
    this.button.textContent = "centre lock";
    this.button.addEventListener("click", () => this.#lock(!this.locked));
    const table = make("table", this.root);
    table.style.height = `${(this.count + 1) * 18 + 4}px`;
    make("caption", table).textContent = `Price ladder of ${this.options.symbol}`;
    const titles = make("tr", make("thead", table));
    COLUMNS.forEach((name, index) => {
      const cell = make("th", titles, `ow-${name}`);
      cell.scope = "col";
      cell.textContent = TITLES[index];
    });
    const body = make("tbody", table);
    this.cells = Array.from({ length: this.count }, () => this.#row(make("tr", body)));
    table.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    table.addEventListener("dblclick", () => this.#lock(true));
    this.#lock(true);
  }

  #row(row) {
    const made = { row };
    for (const name of COLUMNS) {
      const cell = row.appendChild(document.createElement(name === "price" ? "th" : "td"));
      if (name === "price") cell.scope = "row";
      cell.className = `ow-${name}`;
      made[name] = cell.appendChild(document.createTextNode(""));
    }
    return made;
  }

  #restyle() {
    this.colours = this.options.themes[pageTheme(this.options.theme)];
    dress(this.root, this.colours);
  }

  #lock(on) {
    this.locked = on;
    this.button.setAttribute("aria-pressed", String(on));
    if (on) {
      this.centre = null;
      this.link?.say({ k: "view", centre: null });
    }
    this.painter?.ask();
  }

  #wheel(event) {
    event.preventDefault();
    if (this.centre === null) return;
    if (this.locked) this.#lock(false);
    this.centre -= Math.sign(event.deltaY) * 3;
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.link.say({ k: "view", centre: this.centre * this.state.rowTicks }), 80);
    this.painter.ask();
  }

  #take(content, buffers) {
    const before = this.state;
    this.state = {
      lots: typed(Float64Array, buffers[0]),
      count: content.count,
      lowRow: content.low_row,
      rowTicks: content.row_ticks,
      bidRow: content.bid_row,
      askRow: content.ask_row,
      lastRow: content.last_row,
    };
    if (before && before.rowTicks !== this.state.rowTicks) this.centre = null;
    const sides = [content.bid_row, content.ask_row].filter((row) => row !== null);
    this.middle = sides.length ? Math.round(sides.reduce((a, b) => a + b) / sides.length) : content.last_row;
    this.content = content;
    this.root.dataset.drawn = content.s;
    this.painter.ask();
    return true;
  }

  #draw() {
    const { state, content, units } = this;
    if (!state) return false;
    if (this.locked) this.centre = lockedCentre(this.centre, this.middle, this.count);
    if (this.centre === null) return false;
    const last = content.last_tick === null ? "–" : priceText(content.last_tick, units.tick, units.decimals);
    const spread = content.spread === null ? "–" : priceText(content.spread, units.tick, units.decimals);
    this.#write(this.summary.firstChild ?? this.summary.appendChild(document.createTextNode("")), `last ${last} · spread ${spread}`);
    const moved = this.drawnCentre !== this.centre;
    this.drawnCentre = this.centre;
    // a flash belongs to its price, and the price has left the row
    if (moved) this.cells.forEach(({ row }) => row.getAnimations({ subtree: true }).forEach((flash) => flash.cancel()));
    ladderRows(state, this.centre, this.count, units).forEach((row, index) => this.#fill(this.cells[index], row, moved));
    this.root.dataset.frames = this.painter.frames;
    return false;
  }

  #fill(cells, row, moved) {
    for (const name of COLUMNS) {
      const changed = this.#write(cells[name], row[name]);
      if (changed && !moved && row[name] && (name === "sold" || name === "bought")) this.#flash(cells[name].parentNode, name);
    }
    for (const [name, bar] of [["bid", row.bidBar], ["ask", row.askBar]]) {
      if (cells[`${name}Bar`] === bar) continue;
      cells[`${name}Bar`] = bar;
      cells[name].parentNode.style.backgroundSize = `${bar}% 100%`;
    }
    const kind = row.last ? "ow-last" : row.touch ? "ow-touch" : "";
    if (cells.row.className !== kind) cells.row.className = kind;
  }

  #write(node, text) {
    if (node.data === text) return false;
    node.data = text;
    return true;
  }

  #flash(cell, name) {
    const colour = name === "bought" ? this.colours.buy : this.colours.sell;
    cell.animate([{ backgroundColor: `${colour}99` }, { backgroundColor: `${colour}00` }], FLASH_MS);
  }

  stop() {
    clearTimeout(this.asking);
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

// Orders on the ladder: the ticket, and what the hand does in the own-order columns.
import { ordersIn } from "./ladder_rows.js";

const TICKET_SILENT_MS = 1000;
const TICKET_UNHEARD_MS = 1500;
const TICKET_TURN_MS = 250;
const TICKET_DRAG_PX = 5;
const TICKET_DOUBLE_MS = 300;
const TICKET_NOTE_MS = 12000;
const TICKET_UNCOUNTED = 2 ** 31 - 1;

/** Name of a new order: each click has its own, so that the same click never places two. */
export function newOrderName() {
  const random = crypto.getRandomValues(new Uint32Array(3));
  return `dom-${Array.from(random, (part) => part.toString(36)).join("")}`; // at most 25 letters: room for the names of its exits
}

/** Whether the kernel answers: clicks that it would get late are not taken. */
export function kernelBusy(silentMs, unheardMs) {
  return silentMs > TICKET_SILENT_MS || unheardMs > TICKET_UNHEARD_MS;
}

/** Next size by a step of the lot, or of a tenth of the size where that is more; never below one lot. */
export function steppedSize(size, direction, lot) {
  const decade = 10 ** Math.floor(Math.log10(Math.max(size, lot) / lot * 1.0000001));
  const step = Math.max(1, decade / (direction < 0 && Math.round(size / lot) === decade ? 10 : 1));
  return Math.max(1, Math.round(size / lot) + direction * Math.round(step)) * lot;
}

/** Size rounded to lots, as text that shows no rounding error. */
export function cleanSize(size, lot) {
  return Number((Math.max(1, Math.round(size / lot)) * lot).toPrecision(12));
}

/** What an arming still allows; paper counts no orders. */
export function boundsText({ left, max_size }) {
  return left >= TICKET_UNCOUNTED ? `at most ${max_size} each` : `${left} left, at most ${max_size} each`;
}

/** A bracket in words: +16 / −8 t trail; empty where there is none. */
export function bracketText({ take_profit, stop_loss, trailing }) {
  const parts = [take_profit ? `+${take_profit}` : "", stop_loss ? `−${stop_loss}` : ""].filter(Boolean);
  return parts.length ? `${parts.join(" / ")} t${stop_loss && trailing ? " trail" : ""}` : "";
}

/** Ticket above the rows, and the hand in the columns "My buys" and "My sells". */
export class OrderHand {
  /** `ladder` is the view: its root, table, state, options, units, link, rowAt(y), cellAt(target). */
  constructor(ladder, parent) {
    this.ladder = ladder;
    this.size = ladder.options.size;
    this.held = null;
    this.said = 0;
    this.#build(parent);
    const { table } = ladder;
    table.addEventListener("pointerdown", (event) => this.#down(event));
    table.addEventListener("pointermove", (event) => this.#move(event));
    table.addEventListener("pointerup", (event) => this.#up(event));
    table.addEventListener("pointercancel", () => this.letGo());
    table.addEventListener("contextmenu", (event) => this.#menu(event));
    this.timer = setInterval(() => this.show(), TICKET_TURN_MS);
  }

  #build(parent) {
    const make = (tag, into, name, text = "") => {
      const node = into.appendChild(document.createElement(tag));
      if (name) node.className = name;
      if (text) node.textContent = text;
      return node;
    };
    const button = (into, text, title, run) => {
      const node = make("button", into, "", text);
      node.type = "button";
      node.title = title;
      node.addEventListener("click", run);
      return node;
    };
    this.reason = make("div", parent, "ow-reason");
    this.bar = make("div", parent, "ow-ticket");
    const size = make("span", this.bar, "ow-size");
    button(size, "−", "smaller", () => this.#resize(-1));
    this.input = make("input", size);
    this.input.type = "number";
    this.input.min = this.ladder.units.lot;
    this.input.step = this.ladder.units.lot;
    this.input.title = "size of the next order";
    this.input.setAttribute("aria-label", "size of the next order");
    this.input.addEventListener("change", () => this.#chooseSize(Number(this.input.value) || this.size));
    button(size, "+", "larger", () => this.#resize(1));
    const presets = make("span", this.bar, "ow-presets");
    for (const factor of [1, 2, 5, 10]) {
      const value = cleanSize(this.ladder.options.size * factor, this.ladder.units.lot);
      button(presets, String(value), `size ${value}`, () => this.#chooseSize(value));
    }
    this.tif = make("select", this.bar);
    this.tif.title = "time in force";
    this.tif.setAttribute("aria-label", "time in force");
    const label = make("label", this.bar, "", "");
    this.postOnly = make("input", label);
    this.postOnly.type = "checkbox";
    make("span", label, "", "post only");
    label.title = "never take liquidity";
    this.bracket = {};
    this.bracketText = make("span", this.bar, "ow-bracket");
    this.bracketText.title = "bracket of every order, as the ticket says";
    this.bounds = make("span", this.bar, "ow-bounds");
    this.bounds.title = "what this arming still allows";
    const out = make("span", this.bar, "ow-out");
    button(out, "cancel all", "take back every order of this instrument", () => this.#act({ do: "cancel_all" }));
    button(out, "panic", "take back every order of every instrument, then disarm", () => this.#act({ do: "panic" })).className = "ow-panic";
    this.notes = make("div", this.ladder.root, "ow-notes");
    this.notes.setAttribute("role", "alert");
    this.#setSize(this.size);
    this.show();
  }

  /** What the ticket of the group says: size, bracket, time in force. */
  adopt(terms) {
    const { take_profit, stop_loss, trailing } = terms;
    this.bracket = { take_profit, stop_loss, trailing };
    this.#text(this.bracketText, bracketText(this.bracket));
    this.#setSize(terms.size);
    if ([...this.tif.options].some((option) => option.value === terms.tif)) this.tif.value = terms.tif;
    this.postOnly.checked = terms.post_only;
  }

  #resize(direction) {
    this.#chooseSize(steppedSize(this.size, direction, this.ladder.units.lot));
  }

  /** A size that a hand chose here: the ticket of the group follows. */
  #chooseSize(size) {
    this.#setSize(size);
    this.ladder.bond?.tell("size", { symbol: this.ladder.options.symbol, size: this.size });
  }

  #setSize(size) {
    this.size = cleanSize(size, this.ladder.units.lot);
    this.input.value = this.size;
    for (const button of this.bar.querySelectorAll(".ow-presets button")) {
      button.setAttribute("aria-pressed", String(Number(button.textContent) === this.size));
    }
  }

  /** Why a click places nothing now; empty: it would place. */
  get refusal() {
    const { state, link } = this.ladder;
    if (state.number < 0) return "";
    if (link && kernelBusy(performance.now() - link.heardAt, link.facts.unheardMs) && link.facts.state !== "closed") return "kernel busy";
    return state.facts.why;
  }

  /** Shows ticket, reason and notes as they are now. */
  show() {
    const { facts } = this.ladder.state;
    const refusal = this.refusal;
    const offers = facts.desk !== null;
    const busy = refusal === "kernel busy";
    // beside the ticket where there is one: a line that comes and goes would move the rows under the hand
    const line = busy ? facts.why : refusal;
    this.#text(this.reason, line ? `orders off: ${line}` : "");
    this.reason.hidden = !line;
    this.bar.hidden = !offers;
    this.bar.classList.toggle("ow-off", Boolean(refusal));
    this.ladder.table.classList.toggle("ow-armed", offers && !refusal);
    if (offers) this.#offer(facts.desk.tifs);
    const bounds = offers && !refusal ? boundsText(facts.desk) : "";
    this.#text(this.bounds, busy ? refusal : bounds);
    this.bounds.classList.toggle("ow-busy", busy);
    for (const [number, text] of facts.notes) if (number > this.said) this.say(text, number);
    if (this.noteUntil && performance.now() > this.noteUntil) this.say("", this.said);
  }

  #offer(tifs) {
    const said = tifs.join(" ");
    if (this.offered === said) return;
    this.offered = said;
    this.tif.replaceChildren(
      ...tifs.map((name) => {
        const option = document.createElement("option");
        option.value = option.textContent = name;
        return option;
      }),
    );
  }

  #text(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  /** Says something below the rows for a while. */
  say(text, number = this.said) {
    this.said = Math.max(this.said, number);
    this.#text(this.notes, text);
    this.noteUntil = text ? performance.now() + TICKET_NOTE_MS : 0;
  }

  #act(content) {
    return this.ladder.link.act(content).catch((error) => this.say(error.message));
  }

  // -- the hand ----------------------------------------------------------------------------------------------------
  #aimedAt(event) {
    const column = event.target.closest?.("td, th")?.dataset.column;
    const row = this.ladder.rowAt(event.clientY);
    if ((column !== "buys" && column !== "sells") || row === null) return null;
    return { column, row, side: column === "buys" ? 1 : -1 };
  }

  #ordersAt({ side, row }) {
    const { facts } = this.ladder.state;
    return ordersIn(facts.orders, side, row, facts.row_ticks);
  }

  #down(event) {
    const aimed = this.#aimedAt(event);
    if (!aimed || event.button !== 0) return;
    event.preventDefault();
    this.ladder.table.focus({ preventScroll: true });
    this.held = { ...aimed, orders: this.#ordersAt(aimed), x: event.clientX, y: event.clientY, shift: event.shiftKey, dragging: false };
    this.ladder.table.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const { held } = this;
    if (!held) return;
    if (!held.dragging && held.orders.length) held.dragging = Math.hypot(event.clientX - held.x, event.clientY - held.y) > TICKET_DRAG_PX;
    if (held.dragging) this.ladder.aim(held.column, this.ladder.rowAt(event.clientY));
  }

  #up(event) {
    const { held } = this;
    if (!held) return;
    const row = this.ladder.rowAt(event.clientY);
    this.letGo();
    if (held.dragging) this.#drop(held, row);
    else if (row === held.row && !held.orders.length) this.place(held.side, row, held.shift || event.shiftKey);
  }

  #drop(held, row) {
    if (row === null || row === held.row) return;
    if (this.refusal) return this.say(`nothing moved: ${this.refusal}`);
    const tick = row * this.ladder.state.facts.row_ticks;
    for (const order of held.orders) this.#act({ do: "move", order: order.id, tick });
  }

  #menu(event) {
    const aimed = this.#aimedAt(event);
    if (!aimed) return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab's own menu listens further up
    this.letGo();
    this.cancelAt(aimed);
  }

  /** Places an order of the ticket's size at a row's price. */
  place(side, row, stop) {
    const place = `${side} ${row} ${stop}`;
    const at = this.ladder.link.handAt;
    if (this.placed?.place === place && at - this.placed.at < TICKET_DOUBLE_MS) return; // a double click is one order
    this.placed = { place, at };
    if (this.refusal) return this.say(`nothing placed: ${this.refusal}`);
    this.#act({
      do: "place",
      order: newOrderName(),
      side: side > 0 ? "BUY" : "SELL",
      kind: stop ? "stop" : "limit",
      tick: row * this.ladder.state.facts.row_ticks,
      size: this.size,
      tif: this.tif.value,
      post_only: this.postOnly.checked,
      ...this.bracket,
    });
  }

  /** Takes back the orders of one side in a row; of both where no side is given. */
  cancelAt({ side, row }) {
    for (const each of side ? [side] : [1, -1]) {
      for (const order of this.#ordersAt({ side: each, row })) this.#act({ do: "cancel", order: order.id });
    }
  }

  /** Lets go of what is being dragged; whether there was anything. */
  letGo() {
    const had = this.held !== null;
    this.held = null;
    this.ladder.aim(null, null);
    return had;
  }

  stop() {
    clearInterval(this.timer);
  }
}

// Ticket: buttons that place, close and take back; position, money, bounds and every order with its reason.
import { decimalsOf, priceText } from "./geometry.js";
import { Link, Looks } from "./link.js";
import { Painter } from "./painter.js";
import { Bond } from "./bond.js";
import { toolBar } from "./profile_controls.js";
import { cleanSize, newOrderName, steppedSize } from "./ladder_ticket.js";
import { ticketButton, ticketCheck, ticketNode, ticketNumber, ticketPairs, writeText } from "./ticket_nodes.js";
import { TicketBlotter } from "./ticket_blotter.js";
import { drawMoney } from "./ticket_paint.js";
import { amountText, meterParts, moneyText, needsArming, positionParts, switchParts, ticksText, typedTick, typedTicks, worthOf } from "./ticket_parts.js";

const TICKET_KEEP_MS = 150;
const TICKET_SAID_MS = 12000;
const TICKET_WARNED_MS = 4000;
const TICKET_SLIP_MS = 300;

class TicketView {
  constructor(model, el) {
    this.model = model;
    this.options = model.get("options");
    this.settings = { ...model.get("settings") };
    const { tick, lot, multiplier } = this.options;
    this.units = { tick: Number(tick), lot: Number(lot), decimals: decimalsOf(tick), multiplier };
    this.facts = { curve: [] };
    this.placing = [];
    this.root = ticketNode("div", el, "ow-root ow-deal-root");
    this.#build();
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content) => this.#take(content));
    this.looks = new Looks(this.root, this.options, this.painter);
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.onSettings = () => this.#adopt(model.get("settings"));
    model.on("change:settings", this.onSettings);
    this.#show();
  }

  // -- page --------------------------------------------------------------------------------------------------------
  #build() {
    const bar = toolBar(this.root, this.options.symbol);
    this.badge = ticketNode("span", bar, "ow-badge");
    const panic = () => this.#act({ do: "panic" });
    ticketButton(bar, "panic", "take back every order of every instrument, and place none until armed again", panic, "ow-panic");
    this.body = ticketNode("div", this.root, "ow-deal");
    this.why = ticketNode("div", this.body, "ow-why");
    this.why.setAttribute("role", "status");
    this.#buildArming();
    this.#buildSize();
    this.#buildGrid();
    this.#buildBracket();
    this.#buildWaysOut();
    this.#buildPosition();
    this.meters = ticketNode("dl", this.body, "ow-meters");
    this.meters.setAttribute("aria-label", "bounds");
    this.blotter = new TicketBlotter(this.body, this.units, (id) => this.#act({ do: "cancel", order: id }));
    this.notes = ticketNode("div", this.body, "ow-notes");
    this.notes.setAttribute("role", "alert");
  }

  #buildArming() {
    this.arming = ticketNode("div", this.body, "ow-arming");
    this.halted = ticketNode("span", this.arming);
    this.bounds = ticketNode("span", this.arming, "ow-bounds");
    const field = (text, title, value) => {
      const input = ticketNumber(this.bounds, text, title, () => {});
      input.value = value;
      return input;
    };
    this.minutes = field("for", "minutes", 30);
    this.most = field("min,", "how many orders", 20);
    this.largest = field("orders of", "largest size of one", 10);
    ticketButton(this.arming, "arm", "allow orders within these bounds", () => this.#arm(), "ow-arm");
  }

  #buildSize() {
    const row = ticketNode("div", this.body, "ow-sizes");
    ticketNode("span", row, "ow-label", "size");
    ticketButton(row, "−", "smaller", () => this.#set({ size: this.#step(-1) }));
    this.size = ticketNumber(row, "", "size of the next order", (input) => this.#set({ size: cleanSize(Number(input.value) || this.settings.size, this.units.lot) }));
    ticketButton(row, "+", "larger", () => this.#set({ size: this.#step(1) }));
    this.presets = ticketNode("span", row, "ow-presets");
    for (const size of this.options.presets) ticketButton(this.presets, String(size), `size ${size}`, () => this.#set({ size }));
  }

  #buildGrid() {
    this.grid = ticketNode("div", this.body, "ow-grid");
    this.quotes = {};
    for (const at of ["market", "ask", "bid"]) {
      this.#placer("SELL", at);
      this.quotes[at] = ticketNode("span", this.grid, `ow-quote ow-at-${at}`);
      this.#placer("BUY", at);
    }
    this.#placer("SELL", "price");
    const middle = ticketNode("span", this.grid, "ow-quote ow-at-price");
    this.kind = ticketNode("select", middle);
    this.kind.setAttribute("aria-label", "kind of the order at this price");
    for (const kind of ["stop", "limit"]) ticketNode("option", this.kind, "", kind).value = kind;
    this.price = ticketNumber(middle, "", "price of a stop or limit", () => this.#show());
    this.price.step = this.units.tick;
    this.#placer("BUY", "price");
  }

  #placer(side, at) {
    const word = side.toLowerCase();
    const text = at === "market" ? `${word} market` : `${word} at ${at}`;
    const button = ticketButton(this.grid, "", text, () => this.#place(side, at), `ow-${word} ow-at-${at}`);
    ticketNode("span", button, "", text);
    if (at === "market") this[`${word}Now`] = ticketNode("b", button);
    this.placing.push(button);
  }

  #buildBracket() {
    const row = ticketNode("div", this.body, "ow-bracket");
    const ticks = (name, text, title) => {
      const input = ticketNumber(row, text, title, () => {
        const typed = typedTicks(input.value);
        if (typed === undefined) this.#say(`${text}: ${input.value} is no whole number of ticks`);
        this.#set(typed === undefined ? {} : { [name]: typed });
      });
      input.placeholder = "off";
      input.step = 1;
      return [input, ticketNode("i", row)];
    };
    [this.profit, this.profitWorth] = ticks("take_profit", "target", "take profit, ticks from the entry");
    [this.loss, this.lossWorth] = ticks("stop_loss", "stop", "stop loss, ticks from the entry");
    this.trailing = ticketCheck(row, "trail", "the stop loss follows the price", (trailing) => this.#set({ trailing }));
    this.tif = ticketNode("select", row);
    this.tif.title = "time in force of limit orders";
    this.tif.setAttribute("aria-label", "time in force");
    this.tif.addEventListener("change", () => this.#set({ tif: this.tif.value }));
    this.postOnly = ticketCheck(row, "post only", "limit orders never take", (post_only) => this.#set({ post_only }));
  }

  #buildWaysOut() {
    const row = ticketNode("div", this.body, "ow-out");
    ticketButton(row, "flatten", "take back every order of this instrument and close the position at market", () => this.#press("flatten", { do: "flatten" }));
    const reverse = () => this.#press("reverse", { do: "reverse", order: newOrderName() });
    this.reverse = ticketButton(row, "reverse", "close the position and open the same one the other way round", reverse);
    this.placing.push(this.reverse);
    ticketButton(row, "cancel all", "take back every order of this instrument", () => this.#act({ do: "cancel_all" }));
    this.disarm = ticketButton(row, "disarm", "no orders any more", () => this.#act({ do: "disarm" }));
  }

  #buildPosition() {
    const card = ticketNode("div", this.body, "ow-position");
    this.held = ticketNode("b", card);
    this.open = ticketNode("span", card, "ow-open-gain");
    this.money = ticketNode("dl", card, "ow-money");
    this.canvas = ticketNode("canvas", this.body, "ow-curve");
    this.canvas.setAttribute("role", "img");
  }

  // -- what a hand does ---------------------------------------------------------------------------------------------
  #step(direction) {
    return cleanSize(steppedSize(this.settings.size, direction, this.units.lot), this.units.lot);
  }

  #place(side, at) {
    const kind = at === "price" ? this.kind.value : at;
    const tick = at === "price" ? typedTick(this.price.value, this.units) : null;
    if (at === "price" && tick === null) {
      this.#say(`price: ${this.price.value || "nothing"} is no price; give a multiple of ${this.options.tick}`);
      return;
    }
    this.#press(`${side} ${at}`, { do: "order", order: newOrderName(), side, at: kind, ...(tick === null ? {} : { tick }), ...this.settings });
  }

  #arm() {
    const bounds = { minutes: Number(this.minutes.value), max_orders: Number(this.most.value), max_size: Number(this.largest.value) };
    this.#act({ do: "arm", ...bounds });
  }

  /** Does what a button stands for; a second press within a moment is a slip of the hand. */
  #press(button, content) {
    const at = this.link.handAt;
    if (this.pressed?.button === button && at - this.pressed.at < TICKET_SLIP_MS) {
      this.#say("double click: the second one did nothing");
      return;
    }
    this.pressed = { button, at };
    this.#keep();
    this.#act(content);
  }

  async #act(content) {
    try {
      const answer = await this.link.act(content);
      if (answer?.said) this.#say(answer.said, false);
    } catch (error) {
      this.#say(error.message);
    }
  }

  /** Shows a line for a while; one that tells what went well does not push a warning away at once. */
  #say(text, wrong = true) {
    if (!wrong && performance.now() < (this.warnedUntil ?? 0)) return;
    this.warnedUntil = wrong ? performance.now() + TICKET_WARNED_MS : 0;
    this.notes.textContent = text;
    this.notes.classList.toggle("ow-wrong", wrong);
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => (this.notes.textContent = ""), TICKET_SAID_MS);
  }

  /** Sets something here at once; the kernel keeps it for the next page. */
  #set(said) {
    this.settings = { ...this.settings, ...said };
    this.unkept = { ...this.unkept, ...said };
    this.#showSettings();
    clearTimeout(this.keeping);
    this.keeping = setTimeout(() => this.#keep(), TICKET_KEEP_MS);
  }

  /** Lets the kernel keep what was set, now: also what an order goes with, before it goes. */
  #keep() {
    clearTimeout(this.keeping);
    if (!this.unkept || this.sentUnkept === this.unkept) return;
    const kept = (this.sentUnkept = this.unkept);
    this.link.act({ do: "settings", settings: kept }).then(
      () => (this.unkept = this.unkept === kept ? undefined : this.unkept),
      (error) => {
        this.unkept = undefined;
        this.#say(error.message);
        this.#adopt(this.model.get("settings"));
      },
    );
  }

  #adopt(settings) {
    this.settings = { ...settings, ...this.unkept };
    this.#showSettings();
  }

  #heard(topic, value) {
    if (topic === "ticket?") this.#tellSettings();
    else if (topic === "size" && value.symbol === this.options.symbol) this.#set({ size: value.size });
    else if (topic === "theme") this.looks.heard(topic, value);
  }

  #tellSettings() {
    this.bond.tell("ticket", { symbol: this.options.symbol, ...this.settings });
  }

  // -- what is shown -------------------------------------------------------------------------------------------------
  #take(content) {
    this.root.dataset.drawn = content.s;
    Object.assign(this.facts, content.ticket);
    if (content.ticket) this.#show();
  }

  #show() {
    const { facts } = this;
    const badge = switchParts(facts.switch);
    writeText(this.badge, badge.text);
    this.badge.className = `ow-badge ${badge.kind}`;
    this.badge.title = badge.title;
    writeText(this.why, facts.why ? `orders off: ${facts.why}` : (facts.switch?.reason || "orders go through"));
    this.why.classList.toggle("ow-wrong", Boolean(facts.why || facts.switch?.reason));
    for (const button of this.placing) {
      button.disabled = Boolean(facts.why) || (button === this.reverse && !facts.position);
    }
    this.arming.hidden = !needsArming(facts.switch);
    this.bounds.hidden = facts.switch?.place === "paper";
    this.halted.hidden = !this.bounds.hidden;
    writeText(this.halted, facts.switch?.state === "REDUCING" ? "only what reduces is accepted until it is armed again" : "nothing is accepted until it is armed again");
    this.disarm.hidden = facts.switch?.state !== "ARMED";
    this.#showQuote(facts.quote ?? [null, null]);
    this.#showMoney();
    this.#showMeters(facts.risk ?? []);
    if (facts.blotter) this.blotter.show(facts.blotter);
    this.#offer(facts.desk?.tifs ?? [this.settings.tif]);
    const note = facts.notes?.at(-1);
    if (note && note[0] !== this.noted) {
      this.noted = note[0];
      this.#say(note[1]);
    }
    this.#showSettings();
    this.painter.ask();
  }

  #price(tick) {
    return tick === null ? "–" : priceText(tick, this.units.tick, this.units.decimals);
  }

  #showQuote([bid, ask]) {
    writeText(this.quotes.bid, this.#price(bid));
    writeText(this.quotes.ask, this.#price(ask));
    writeText(this.quotes.market, bid === null || ask === null ? "–" : `${this.#price(ask - bid)} wide`);
    writeText(this.sellNow, this.#price(bid));
    writeText(this.buyNow, this.#price(ask));
    if (bid !== null) this.price.placeholder = this.#price(bid);
  }

  #showMoney() {
    const { money, position, quote } = this.facts;
    const held = positionParts(position, quote, this.units);
    writeText(this.held, held.text);
    this.held.className = sideClass(held.side);
    writeText(this.open, held.side && money ? `${moneyText(money.unrealized)}${held.ticks === null ? "" : `  ${ticksText(held.ticks)}`}` : "");
    this.open.className = `ow-open-gain ${sideClass(held.side && money ? money.unrealized : 0)}`;
    const said = money && [
      ["realised", `${moneyText(money.realized)}  ${ticksText(money.realized_ticks)}`],
      ["fees", amountText(money.fees)],
      ["today", moneyText(money.day)],
      ["drawdown", amountText(money.drawdown)],
      ["worst", amountText(money.worst)],
    ];
    ticketPairs(this.money, said ?? []);
    this.canvas.hidden = !said || this.facts.curve.length < 2;
    if (said) this.canvas.setAttribute("aria-label", `gained ${moneyText(money.gained)}, drawdown ${amountText(money.drawdown)}`);
  }

  #showMeters(told) {
    const parts = told.map(meterParts);
    ticketPairs(this.meters, parts.map(({ name, text }) => [name, text]));
    parts.forEach(({ share, kind, title }, place) => {
      const node = this.meters.children[place];
      node.title = title;
      node.className = share === null ? "ow-unbound" : kind;
      node.style.setProperty("--workbench-share", share ?? 0);
    });
  }

  #offer(tifs) {
    const said = tifs.join(" ");
    if (this.offered === said) return;
    this.offered = said;
    this.tif.replaceChildren();
    for (const name of tifs) ticketNode("option", this.tif, "", name).value = name;
  }

  #showSettings() {
    const { settings, units } = this;
    const put = (input, value) => {
      if (document.activeElement !== input && input.value !== value) input.value = value;
    };
    put(this.size, String(settings.size));
    put(this.profit, settings.take_profit === null ? "" : String(settings.take_profit));
    put(this.loss, settings.stop_loss === null ? "" : String(settings.stop_loss));
    this.trailing.checked = settings.trailing;
    this.trailing.disabled = settings.stop_loss === null;
    this.postOnly.checked = settings.post_only;
    this.tif.value = settings.tif;
    const worth = (ticks, sign) => (ticks === null ? "" : moneyText(sign * worthOf(ticks, settings.size, units)));
    writeText(this.profitWorth, worth(settings.take_profit, 1));
    writeText(this.lossWorth, worth(settings.stop_loss, -1));
    for (const button of this.presets.children) button.setAttribute("aria-pressed", String(Number(button.textContent) === settings.size));
    const told = JSON.stringify(settings);
    if (this.bond && told !== this.told) {
      this.told = told;
      this.#tellSettings();
    }
  }

  #draw() {
    const { width } = this.painter;
    if (!width || this.canvas.hidden) return false;
    drawMoney(this.canvas, width - 2, this.facts.curve, this.looks.colours);
    return false;
  }

  stop() {
    clearTimeout(this.keeping);
    clearTimeout(this.quiet);
    this.model.off("change:settings", this.onSettings);
    this.link.stop();
    this.bond.leave();
    this.painter.stop();
    this.looks.stop();
  }
}

function sideClass(value) {
  return value > 0 ? "ow-up" : value < 0 ? "ow-down" : "";
}

function render({ model, el }) {
  const view = new TicketView(model, el);
  return () => view.stop();
}

export default { render };

// Tool of the heatmap: a click places an order at a price, dragging a working one moves it, a right-click takes it back.
import { priceText, sizeText } from "./geometry.js";
import { bracketText, newOrderName } from "./ladder_ticket.js";
import { orderNear } from "./heat_orders.js";
import { drawMarkTag } from "./heat_marks.js";

const TRADE_DRAG_PX = 4;
const TRADE_DOUBLE_MS = 300;
const TRADE_WORDS = 100;

/** What a click at a price asks for: below the middle a buy limit, above a sell limit; with Shift the stop of the other side. */
export function chartOrder(tick, middle, shift) {
  const below = tick < middle;
  return { side: below === shift ? "SELL" : "BUY", kind: shift ? "stop" : "limit", tick };
}

/** Words of an order before it is placed. */
export function chartWords(order, terms, units) {
  const bracket = bracketText(terms);
  return `${order.side.toLowerCase()} ${sizeText(terms.size)} ${order.kind} @ ${priceText(order.tick, units.tick, units.decimals)}${bracket ? ` (${bracket})` : ""}`;
}

export class OrderTool {
  name = "order";
  title = "Order";
  key = "T";

  constructor(heat, orders) {
    this.heat = heat;
    this.orders = orders;
    this.held = null;
    this.placed = { tick: null, at: -Infinity };
  }

  /** Listens for right-clicks once the chart stands; asks the group for its ticket. */
  #begin() {
    if (this.begun) return;
    this.begun = true;
    this.heat.bond.tell("ticket?", null);
    this.heat.canvas.addEventListener("contextmenu", (event) => this.#takeBack(event));
  }

  get #terms() {
    return this.orders.terms ?? { size: this.heat.units.lot, tif: "GTC", post_only: false };
  }

  down(at, event) {
    this.#begin();
    if (event.button !== 0) return true;
    this.held = { order: orderNear(this.orders.orders, event.offsetY, at), y: event.offsetY, shift: event.shiftKey, dragging: false };
    return true;
  }

  move(at, event) {
    if (!this.held) return;
    this.held.dragging ||= Math.abs(event.offsetY - this.held.y) > TRADE_DRAG_PX;
    this.heat.painter.ask();
  }

  up(at, event) {
    const { held } = this;
    this.held = null;
    if (!held) return;
    const tick = Math.floor(at.tickAt(event.offsetY));
    if (held.order) {
      if (held.dragging) this.#act({ do: "move", order: held.order.id, tick });
    } else if (!held.dragging) this.#place(this.#asked(at, tick, held.shift));
  }

  cancel() {
    this.held = null;
  }

  #asked(at, tick, shift) {
    const middle = at.store.ready ? at.store.mid() : null;
    return chartOrder(tick, middle ?? tick, shift);
  }

  #place(order) {
    const at = this.heat.link.handAt;
    if (this.placed.tick === order.tick && at - this.placed.at < TRADE_DOUBLE_MS) return; // a double click is one order
    this.placed = { tick: order.tick, at };
    this.#act({ ...this.#terms, do: "place", order: newOrderName(), ...order });
  }

  #takeBack(event) {
    const order = orderNear(this.orders.orders, event.offsetY, this.heat.at());
    if (!order || this.heat.tool !== this) return;
    event.preventDefault();
    event.stopPropagation();
    this.#act({ do: "cancel", order: order.id });
  }

  #act(content) {
    this.heat.link.act(content).then(
      (answer) => answer.said && this.heat.say(answer.said),
      (error) => this.heat.say(error.message, true),
    );
  }

  draw(context, at) {
    this.#begin();
    const { cursor } = this.heat;
    if (!cursor) return;
    const near = this.held ? this.held.order : orderNear(this.orders.orders, cursor.y, at);
    if (near && !this.held?.dragging) return;
    const tick = Math.floor(at.tickAt(cursor.y));
    const order = near ? { side: near.side > 0 ? "BUY" : "SELL" } : this.#asked(at, tick, Boolean(this.held?.shift));
    const price = priceText(tick, at.units.tick, at.units.decimals);
    const text = this.orders.why ? `orders off: ${this.orders.why}` : near ? `move to ${price}` : chartWords(order, this.#terms, at.units);
    const colour = this.orders.why ? at.colours.warn : order.side === "BUY" ? at.colours.bid : at.colours.ask;
    const y = Math.round(at.yAt(tick + 0.5)) + 0.5;
    context.save();
    context.strokeStyle = colour;
    context.globalAlpha = 0.8;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(at.view.width, y);
    context.stroke();
    drawMarkTag(context, text, Math.min(cursor.x + 12, at.view.width - context.measureText(text).width - 14), y - 18, colour, at.colours, TRADE_WORDS);
    context.restore();
  }
}

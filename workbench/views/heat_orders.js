// Layer of the heatmap: own orders from placing to their end, brackets, fills, and the price of the open position.
import { priceText, sizeText } from "./geometry.js";
import { isInside } from "./heat_lines.js";
import { aroundArrow, drawArrow, drawMarkTag } from "./heat_marks.js";

const ORDERS_MOST = 2000;
const ORDERS_TAG_PX = 15;
const ORDERS_GRAB_PX = 6;
const ORDERS_FILL_PX = 7;

/** What stands on the tag of a working order. */
export function orderTag(order) {
  const leaves = sizeText(order.steps[order.steps.length - 1][2]);
  const kind = { target: "TP ", "stop loss": "SL ", stop: "stop ", "stop limit": "stop ", "trailing stop": "trail " }[order.kind] ?? "";
  return `${order.side > 0 ? "B" : "S"} ${kind}${leaves}`;
}

/** Working order whose line is nearest to a height, at most `ORDERS_GRAB_PX` away; null where there is none. */
export function orderNear(orders, y, at) {
  let found = null;
  for (const order of orders) {
    if (order.end !== null) continue;
    const [, tick] = order.steps[order.steps.length - 1];
    const away = Math.abs(at.yAt(tick + 0.5) - y);
    if (away <= ORDERS_GRAB_PX && away <= (found?.away ?? Infinity)) found = { order, away };
  }
  return found?.order ?? null;
}

export class HeatOrders {
  constructor(heat) {
    this.heat = heat;
    this.orders = [];
    this.fills = [];
    this.position = null;
    this.why = "";
    this.spots = [];
    this.said = 0;
    this.terms = null; // what the ticket of the group says
  }

  take(layers) {
    const { account } = layers;
    if (!account) return;
    Object.assign(this, { orders: account.orders, fills: account.fills, position: account.position ?? null });
    this.why = account.why ?? "nothing here takes orders";
    if (this.moved && !this.orders.some((order) => order.id === this.moved.id && order.end === null)) this.moved = null;
    for (const [number, text] of account.notes ?? []) {
      if (number > this.said) this.heat.say(text, true);
      this.said = Math.max(this.said, number);
    }
  }

  hears(topic, value) {
    if (topic === "ticket" && value.symbol === this.heat.options.symbol) this.terms = value;
  }

  draw(context, at) {
    this.spots = [];
    context.save();
    this.#drawPosition(context, at);
    for (const order of this.orders) this.#drawOrder(context, at, order);
    this.#drawFills(context, at);
    context.restore();
  }

  #drawPosition(context, at) {
    if (!this.position) return;
    const [size, tick] = this.position;
    const y = at.yAt(tick + 0.5);
    if (y < 0 || y > at.view.height) return;
    const colour = size > 0 ? at.colours.buy : at.colours.sell;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.setLineDash([1, 3]);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(at.view.width, y);
    context.stroke();
    context.setLineDash([]);
    const text = `${size > 0 ? "long" : "short"} ${sizeText(Math.abs(size))} @ ${priceText(tick, at.units.tick, at.units.decimals)}`;
    const tag = drawMarkTag(context, text, 4, y - ORDERS_TAG_PX / 2, colour, at.colours);
    this.spots.push({ ...tag, text: `open position: ${text}` });
  }

  #drawOrder(context, at, order) {
    const colour = order.side > 0 ? at.colours.bid : at.colours.ask;
    const endMs = order.end ?? at.msAt(at.view.width);
    if (endMs < at.msAt(0) || order.steps[0][0] > at.msAt(at.view.width)) return;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.setLineDash(order.kind === "limit" || order.kind === "target" ? [6, 2] : [2, 2]);
    order.steps.forEach(([ms, tick, leaves], k) => {
      const [x0, x1] = [at.xAt(ms), at.xAt(order.steps[k + 1]?.[0] ?? endMs)];
      const y = at.yAt(tick + 0.5);
      context.beginPath();
      context.moveTo(x0, y);
      context.lineTo(x1, y);
      if (order.steps[k + 1]) context.lineTo(x1, at.yAt(order.steps[k + 1][1] + 0.5));
      context.stroke();
      const price = priceText(tick, at.units.tick, at.units.decimals);
      const word = `${order.side > 0 ? "buy" : "sell"} ${sizeText(leaves)} ${order.kind} @ ${price} ${order.status.toLowerCase().replaceAll("_", " ")}`;
      this.spots.push({ left: x0, right: x1, top: y - 3, bottom: y + 3, text: word });
    });
    context.setLineDash([]);
    this.#drawEnd(context, at, order, colour, endMs);
  }

  #drawEnd(context, at, order, colour, endMs) {
    const [, tick] = order.steps[order.steps.length - 1];
    const [x, y] = [at.xAt(endMs), at.yAt(tick + 0.5)];
    if (order.end === null) {
      const text = orderTag(order);
      drawMarkTag(context, text, x - context.measureText(text).width - 16, y - ORDERS_TAG_PX / 2, colour, at.colours);
    } else if (order.status !== "FILLED") {
      context.beginPath();
      for (const way of [1, -1]) {
        context.moveTo(x - 3, y - 3 * way);
        context.lineTo(x + 3, y + 3 * way);
      }
      context.stroke();
    }
  }

  #drawFills(context, at) {
    for (const [ms, tick, side, size] of this.fills.slice(-ORDERS_MOST)) {
      const x = at.xAt(ms);
      if (x < -9 || x > at.view.width + 9) continue;
      const y = at.yAt(tick + 0.5);
      drawArrow(context, x, y, side, ORDERS_FILL_PX, side > 0 ? at.colours.buy : at.colours.sell, at.colours.text);
      const word = `own fill: ${side > 0 ? "bought" : "sold"} ${sizeText(size)} @ ${priceText(tick, at.units.tick, at.units.decimals)}`;
      this.spots.push(aroundArrow(x, y, side, ORDERS_FILL_PX, word));
    }
  }

  hit(x, y) {
    return this.spots.findLast((one) => isInside(one, x, y, 2)) ?? null;
  }
}

// Ticket: buttons that place, close and take back; working orders, fills, position and money.
import { Link, Looks } from "./link.js";
import { Painter, sharpContext } from "./painter.js";
import { Bond } from "./bond.js";
import { toolBar } from "./profile_controls.js";
import { newOrderName } from "./ladder_ticket.js";

const DEAL_CURVE_PX = 48;

class TicketView {
  constructor(model, el) {
    this.options = model.get("options");
    this.curve = [];
    this.root = el.appendChild(document.createElement("div"));
    this.root.className = "ow-root";
    toolBar(this.root, this.options.symbol);
    this.body = this.root.appendChild(document.createElement("div"));
    this.body.className = "ow-deal";
    this.why = this.#row("ow-why");
    this.why.setAttribute("role", "status");
    this.placing = [];
    this.#build();
    this.state = this.#row();
    this.orders = this.body.appendChild(document.createElement("ul"));
    this.fills = this.body.appendChild(document.createElement("ul"));
    this.notes = this.#row();
    this.notes.setAttribute("role", "alert");
    this.canvas = this.root.appendChild(document.createElement("canvas"));
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "profit and loss");
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content) => this.#take(content));
    this.looks = new Looks(this.root, this.options, this.painter);
    this.bond = new Bond(this.options.group, (topic, value) => this.looks.heard(topic, value));
  }

  #row(name = "") {
    const row = this.body.appendChild(document.createElement("div"));
    row.className = name;
    return row;
  }

  #button(row, text, run, name = "") {
    const button = row.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = text;
    button.className = name;
    button.addEventListener("click", run);
    return button;
  }

  #field(row, text, value) {
    const label = row.appendChild(document.createElement("label"));
    label.textContent = `${text} `;
    const input = label.appendChild(document.createElement("input"));
    input.type = "number";
    input.min = 0;
    input.step = "any";
    input.value = value;
    return input;
  }

  #build() {
    const sizes = this.#row();
    this.size = this.#field(sizes, "size", this.options.presets[0]);
    for (const size of this.options.presets) this.#button(sizes, String(size), () => (this.size.value = size));
    const bracket = this.#row();
    this.loss = this.#field(bracket, "stop loss, ticks", "");
    this.profit = this.#field(bracket, "take profit, ticks", "");
    for (const side of ["BUY", "SELL"]) {
      const row = this.#row();
      for (const at of ["market", "bid", "ask"]) {
        const text = `${side.toLowerCase()} ${at === "market" ? at : `at ${at}`}`;
        this.placing.push(this.#button(row, text, () => this.#place(side, at), `ow-${side.toLowerCase()}`));
      }
    }
    const out = this.#row();
    this.#button(out, "flatten", () => this.#act({ do: "flatten" }));
    this.placing.push(this.#button(out, "reverse", () => this.#act({ do: "reverse", order: newOrderName() })));
    this.#button(out, "cancel all", () => this.#act({ do: "cancel_all" }));
    this.#button(out, "panic", () => this.#act({ do: "panic" }), "ow-panic");
    const arm = this.#row();
    this.minutes = this.#field(arm, "minutes", 30);
    this.most = this.#field(arm, "orders", 20);
    this.#button(arm, "arm", () => this.#act({ do: "arm", minutes: Number(this.minutes.value), max_orders: Number(this.most.value), max_size: Number(this.size.value) }));
  }

  #place(side, at) {
    const ticks = (input) => (input.value ? Number(input.value) : null);
    this.#act({ do: "order", order: newOrderName(), side, at, size: Number(this.size.value), stop_loss: ticks(this.loss), take_profit: ticks(this.profit) });
  }

  async #act(content) {
    try {
      const answer = await this.link.act(content);
      if (answer?.said) this.notes.textContent = answer.said;
    } catch (error) {
      this.notes.textContent = error.message;
    }
  }

  #price(tick) {
    return tick === null ? "market" : String(Number((tick * Number(this.options.tick)).toPrecision(12)));
  }

  #take(content) {
    const { ticket } = content;
    this.root.dataset.drawn = content.s;
    if (!ticket) return;
    this.why.textContent = ticket.why ? `orders off: ${ticket.why}` : "orders go through";
    for (const button of this.placing) button.disabled = Boolean(ticket.why);
    const position = ticket.position ? `position ${ticket.position[0]} at ${this.#price(ticket.position[1])}` : "flat";
    const money = ticket.money ? `, realised ${ticket.money[0].toFixed(2)}, unrealised ${ticket.money[1].toFixed(2)}` : "";
    this.state.textContent = position + money;
    this.orders.replaceChildren(...ticket.orders.map((order) => this.#working(order)));
    this.fills.replaceChildren(...ticket.fills.map(([side, size, tick]) => this.#line(`${side} ${size} filled at ${this.#price(tick)}`)));
    const note = ticket.notes.at(-1);
    if (note && note[0] !== this.noted) [this.noted, this.notes.textContent] = note;
    this.curve = ticket.curve;
    this.painter.ask();
  }

  #line(text) {
    const line = document.createElement("li");
    line.textContent = text;
    return line;
  }

  #working(order) {
    const line = this.#line(`${order.side > 0 ? "BUY" : "SELL"} ${order.size} ${order.kind} ${this.#price(order.tick)} ${order.status} `);
    this.#button(line, "cancel", () => this.#act({ do: "cancel", order: order.id }));
    return line;
  }

  #draw() {
    const { width } = this.painter;
    this.canvas.hidden = this.curve.length < 2;
    if (!width || this.canvas.hidden) return;
    const context = sharpContext(this.canvas, width, DEAL_CURVE_PX);
    const low = Math.min(0, ...this.curve);
    const span = Math.max(0, ...this.curve) - low || 1;
    const y = (value) => DEAL_CURVE_PX - 4 - ((DEAL_CURVE_PX - 8) * (value - low)) / span;
    context.fillStyle = this.looks.colours.background;
    context.fillRect(0, 0, width, DEAL_CURVE_PX);
    context.strokeStyle = this.looks.colours.accent;
    context.beginPath();
    this.curve.forEach((value, i) => context.lineTo(10 + ((width - 20) * i) / (this.curve.length - 1), y(value)));
    context.stroke();
  }

  stop() {
    this.link.stop();
    this.bond.leave();
    this.painter.stop();
    this.looks.stop();
  }
}

function render({ model, el }) {
  const view = new TicketView(model, el);
  return () => view.stop();
}

export default { render };

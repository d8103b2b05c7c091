// Blotter: a row for each order that stays itself while it changes, so that no button moves away under the hand.
import { writeText } from "./ticket_nodes.js";
import { orderCells } from "./ticket_parts.js";

const BLOTTER_COLUMNS = [
  ["time", "time"],
  ["side", "side"],
  ["size", "size"],
  ["kind", "type"],
  ["price", "price"],
  ["state", "state"],
];

export class TicketBlotter {
  /** `cancel(id)` takes an order back. */
  constructor(parent, units, cancel) {
    this.units = units;
    this.cancel = cancel;
    this.rows = new Map();
    this.box = parent.appendChild(document.createElement("div"));
    this.box.className = "ow-blotter";
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "region");
    this.box.setAttribute("aria-label", "Orders");
    const table = this.box.appendChild(document.createElement("table"));
    const head = table.appendChild(document.createElement("thead")).appendChild(document.createElement("tr"));
    for (const [name, title] of [...BLOTTER_COLUMNS, ["out", ""]]) {
      const cell = head.appendChild(document.createElement("th"));
      cell.className = `ow-${name}`;
      cell.textContent = title;
      cell.scope = "col";
    }
    this.body = table.appendChild(document.createElement("tbody"));
    this.empty = this.box.appendChild(document.createElement("div"));
    this.empty.className = "ow-none";
    this.empty.textContent = "no orders yet";
  }

  show(orders) {
    this.empty.hidden = orders.length > 0;
    const known = new Set(orders.map((order) => order.id));
    for (const [id, row] of this.rows) {
      if (known.has(id)) continue;
      row.node.remove();
      this.rows.delete(id);
    }
    orders.forEach((order, place) => {
      const row = this.rows.get(order.id) ?? this.#make(order.id);
      if (this.body.children[place] !== row.node) this.body.insertBefore(row.node, this.body.children[place] ?? null);
      this.#fill(row, order);
    });
  }

  #make(id) {
    const node = document.createElement("tr");
    const cells = {};
    for (const [name] of BLOTTER_COLUMNS) {
      cells[name] = node.appendChild(document.createElement("td"));
      cells[name].className = `ow-${name}`;
    }
    const why = cells.state.appendChild(document.createElement("span"));
    const reason = cells.state.appendChild(document.createElement("small"));
    const button = node.appendChild(document.createElement("td")).appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = "×";
    button.title = "take this order back";
    button.setAttribute("aria-label", "cancel");
    button.addEventListener("click", () => this.cancel(id));
    const row = { node, cells, state: why, reason, button };
    this.rows.set(id, row);
    return row;
  }

  #fill(row, order) {
    const texts = orderCells(order, this.units);
    for (const [name] of BLOTTER_COLUMNS) writeText(name === "state" ? row.state : row.cells[name], texts[name]);
    writeText(row.reason, order.reason);
    row.reason.hidden = !order.reason;
    row.button.hidden = !order.open;
    row.node.className = `${order.side > 0 ? "ow-buying" : "ow-selling"} ow-${order.state.replace(" ", "-")} ${order.open ? "ow-open" : "ow-ended"}`;
    row.node.title = `${order.id} · ${order.tif}${order.reason ? ` · ${order.reason}` : ""}`;
  }
}

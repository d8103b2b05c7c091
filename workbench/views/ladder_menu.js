// Menu of the ladder's columns: which are shown, and in which order.

/** Columns with one taken out or put in again where it belongs: behind the last one shown that stands before it. */
export function toggled(shown, all, name) {
  if (name === "price") return shown;
  if (shown.includes(name)) return shown.filter((one) => one !== name);
  const before = all.slice(0, all.indexOf(name)).filter((one) => shown.includes(one));
  const at = before.length ? shown.indexOf(before[before.length - 1]) + 1 : 0;
  return [...shown.slice(0, at), name, ...shown.slice(at)];
}

/** Columns with one moved a place to the left (−1) or to the right (+1). */
export function shifted(shown, name, step) {
  const at = shown.indexOf(name);
  const to = at + step;
  if (at < 0 || to < 0 || to >= shown.length) return shown;
  const moved = [...shown];
  [moved[at], moved[to]] = [moved[to], moved[at]];
  return moved;
}

const LADDER_SQUEEZE = 0.96;
const LADDER_DISPENSABLE = [["print"], ["recent_sold", "recent_bought"], ["profit"], ["sold", "bought"], ["bid_flow", "ask_flow"], ["buys", "sells"]];
const LADDER_UNTRADED = [["profit"], ["buys", "sells"], ["print"], ["recent_sold", "recent_bought"], ["bid_flow", "ask_flow"], ["sold", "bought"]];

/** Columns that are readable in a width, px: what matters least for reading, or for trading, goes first. */
export function fitting(shown, kinds, width, trades) {
  let kept = shown;
  for (const gone of trades ? LADDER_DISPENSABLE : LADDER_UNTRADED) {
    if (kept.reduce((sum, name) => sum + kinds[name][2], 0) * LADDER_SQUEEZE <= width) return kept;
    kept = kept.filter((name) => !gone.includes(name));
  }
  return kept;
}

export class LadderMenu {
  /** `choose(columns)` is called with every change. */
  constructor(parent, root, kinds, choose) {
    this.kinds = kinds;
    this.choose = choose;
    this.shown = [];
    this.button = parent.appendChild(document.createElement("button"));
    this.button.type = "button";
    this.button.textContent = "columns";
    this.button.title = "which columns, and in which order";
    this.button.setAttribute("aria-expanded", "false");
    this.button.addEventListener("click", () => (this.panel.hidden ? this.open() : this.close()));
    this.panel = root.appendChild(document.createElement("div"));
    this.panel.className = "ow-menu";
    this.panel.hidden = true;
    this.panel.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
    });
    this.outside = (event) => {
      if (!this.panel.hidden && !this.panel.contains(event.target) && !this.button.contains(event.target)) this.close();
    };
    document.addEventListener("pointerdown", this.outside);
  }

  open(event) {
    event?.preventDefault();
    this.panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.show(this.shown);
    this.panel.querySelector("input:not(:disabled)")?.focus();
  }

  close() {
    this.panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  /** Takes note of the columns chosen, and of how many of them have no room. */
  show(shown, hidden = 0) {
    this.shown = shown;
    const text = hidden ? `columns (${hidden} without room)` : "columns";
    if (this.button.textContent !== text) this.button.textContent = text;
    if (!this.panel.hidden) this.#list();
  }

  #list() {
    const all = Object.keys(this.kinds);
    const focused = document.activeElement?.getAttribute("aria-label");
    const order = [...this.shown, ...all.filter((name) => !this.shown.includes(name))];
    this.panel.replaceChildren(...order.map((name) => this.#line(name, all)));
    for (const node of this.panel.querySelectorAll("[aria-label]")) if (node.getAttribute("aria-label") === focused) node.focus();
  }

  #line(name, all) {
    const [title, meaning] = this.kinds[name];
    const line = document.createElement("div");
    const label = line.appendChild(document.createElement("label"));
    const box = label.appendChild(document.createElement("input"));
    box.type = "checkbox";
    box.checked = this.shown.includes(name);
    box.disabled = name === "price";
    box.setAttribute("aria-label", `show ${title}`);
    box.addEventListener("change", () => this.choose(toggled(this.shown, all, name)));
    label.appendChild(document.createTextNode(title));
    label.title = meaning;
    for (const [text, step, words] of [["◀", -1, "to the left"], ["▶", 1, "to the right"]]) {
      const button = line.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = text;
      button.disabled = !box.checked;
      button.setAttribute("aria-label", `${title} ${words}`);
      button.addEventListener("click", () => this.choose(shifted(this.shown, name, step)));
    }
    return line;
  }

  stop() {
    document.removeEventListener("pointerdown", this.outside);
  }
}

// Health: facts in plain words with what to do, rates of the last minute, the newest gaps.
import { FONT, Link, Looks } from "./link.js";
import { Painter, sharpContext } from "./painter.js";
import { Bond } from "./bond.js";
import { toolBar } from "./profile_controls.js";

const HEALTH_RATES_PX = 44;
const HEALTH_SECONDS = 60;
const HEALTH_ROLES = ["accent", "last", "faint"];

class HealthView {
  constructor(model, el) {
    this.options = model.get("options");
    this.rates = [];
    this.kinds = [];
    this.root = el.appendChild(document.createElement("div"));
    this.root.className = "ow-root ow-health";
    const bar = toolBar(this.root, this.options.symbol);
    this.#button(bar, "copy report", () => this.#copy());
    if (this.options.verifiable) this.#button(bar, "verify", () => this.#act({ do: "verify" }));
    this.said = bar.appendChild(document.createElement("span"));
    this.list = this.root.appendChild(document.createElement("dl"));
    this.list.className = "ow-facts";
    this.canvas = this.root.appendChild(document.createElement("canvas"));
    this.canvas.className = "ow-rates";
    this.canvas.setAttribute("role", "img");
    this.gaps = this.root.appendChild(document.createElement("ul"));
    this.gaps.className = "ow-gaps";
    this.gaps.hidden = true;
    this.gaps.tabIndex = 0;
    this.gaps.setAttribute("aria-label", "Newest gaps");
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content) => this.#take(content));
    this.looks = new Looks(this.root, this.options, this.painter);
    this.bond = new Bond(this.options.group, (topic, value) => this.looks.heard(topic, value));
    this.resize = new ResizeObserver(() => this.painter.ask());
    this.resize.observe(this.root);
  }

  #button(bar, text, pressed) {
    const button = bar.appendChild(document.createElement("button"));
    button.textContent = text;
    button.addEventListener("click", pressed);
  }

  async #act(content) {
    try {
      return await this.link.act(content);
    } catch (error) {
      this.link.fail(error);
      return null;
    }
  }

  async #copy() {
    const answer = await this.#act({ do: "report" });
    if (!answer) return;
    try {
      await navigator.clipboard.writeText(answer.text);
      this.said.textContent = "copied";
    } catch {
      this.said.textContent = "this page may not copy: use view.report() in a cell";
    }
  }

  #take(content) {
    if (content.facts) this.#list(content.facts);
    if (content.gap_list) {
      this.gaps.hidden = !content.gap_list.length;
      this.gaps.replaceChildren(...content.gap_list.map((text) => this.#text("li", text)));
    }
    if (content.rates) this.rates = content.rates;
    if (content.kinds) this.kinds = content.kinds;
    this.root.dataset.drawn = content.s;
    this.painter.ask();
  }

  #text(tag, text) {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }

  #list(facts) {
    const lines = facts.flatMap(([name, text, level, advice]) => {
      const value = this.#text("dd", "");
      const said = value.appendChild(this.#text("span", text));
      said.className = `ow-${level}`;
      if (advice) value.appendChild(this.#text("small", advice));
      return [this.#text("dt", name), value];
    });
    this.list.replaceChildren(...lines);
  }

  #draw() {
    const { width } = this.painter;
    this.root.dataset.frames = this.painter.frames;
    this.canvas.hidden = !this.rates.length;
    if (!width || !this.rates.length) return;
    const context = sharpContext(this.canvas, width, HEALTH_RATES_PX);
    context.fillStyle = this.looks.colours.background;
    context.fillRect(0, 0, width, HEALTH_RATES_PX);
    const most = Math.max(1, ...this.rates.flat());
    const step = (width - 20) / (HEALTH_SECONDS - 1);
    const newest = this.rates[this.rates.length - 1];
    context.font = FONT;
    let at = 10;
    this.kinds.forEach((kind, which) => {
      context.strokeStyle = context.fillStyle = this.looks.colours[HEALTH_ROLES[which]];
      context.setLineDash([[], [4, 2], [1, 2]][which]);
      context.beginPath();
      this.rates.forEach((rates, i) => {
        const x = width - 10 - (this.rates.length - 1 - i) * step;
        context.lineTo(x, HEALTH_RATES_PX - 3 - ((HEALTH_RATES_PX - 20) * rates[which]) / most);
      });
      context.stroke();
      const text = `${kind} ${Math.round(newest[which])}/s`;
      context.fillText(text, at, 11);
      at += context.measureText(text).width + 16;
    });
    this.canvas.setAttribute("aria-label", `Events a second: ${this.kinds.map((kind, i) => `${kind} ${newest[i]}`).join(", ")}`);
  }

  stop() {
    this.link.stop();
    this.bond.leave();
    this.painter.stop();
    this.resize.disconnect();
    this.looks.stop();
  }
}

function render({ model, el }) {
  const view = new HealthView(model, el);
  return () => view.stop();
}

export default { render };

// Head of a workspace: symbol, theme, and the hands of a clock that can be steered.
import { knownZone, timeText, zoneName } from "./geometry.js";
import { Link, dress, pageTheme } from "./link.js";
import { Bond } from "./bond.js";
import { fillSelection, selection, toolBar } from "./profile_controls.js";

const BAR_SPEEDS = [["1", "× 1"], ["5", "× 5"], ["20", "× 20"], ["max", "max"]];

class BarView {
  constructor(model, el) {
    this.options = model.get("options");
    this.zone = knownZone(this.options.zone) ? this.options.zone : "";
    this.facts = {};
    this.root = el.appendChild(document.createElement("div"));
    this.root.className = "ow-root ow-bar";
    this.bar = toolBar(this.root, this.options.symbol);
    this.#controls();
    this.link = new Link(model, this.root, (content) => this.#take(content));
    this.bond = new Bond(this.options.group, (topic, value) => this.#heard(topic, value));
    this.#remember();
    this.#restyle();
  }

  #controls() {
    this.symbol = selection(this.bar, "symbol", [[this.options.symbol, this.options.symbol]], this.options.symbol, (symbol) =>
      this.#act({ do: "symbol", symbol }),
    );
    this.symbol.parentElement.hidden = true;
    this.hands = this.bar.appendChild(document.createElement("span"));
    this.hands.className = "ow-hands";
    this.hands.hidden = true;
    this.play = this.#button(this.hands, "❚❚", "Hold or go on", () => this.#act({ do: this.facts.paused ? "resume" : "pause" }));
    this.speed = selection(this.hands, "speed", BAR_SPEEDS, "1", (speed) => this.#act({ do: "speed", speed: speed === "max" ? speed : Number(speed) }));
    this.slider = this.hands.appendChild(document.createElement("input"));
    this.slider.type = "range";
    this.slider.setAttribute("aria-label", "Moment of the replay");
    this.slider.addEventListener("change", () => this.#act({ do: "seek", ms: Number(this.slider.value) }).then(() => (this.held = false)));
    this.slider.addEventListener("input", () => {
      this.held = true;
      this.clock.textContent = timeText(Number(this.slider.value), 1000, this.zone);
    });
    this.clock = this.bar.appendChild(document.createElement("span"));
    this.clock.className = "ow-clock";
    this.theme = this.#button(this.bar, "◐ theme", "Dark or light", () => this.#switch());
  }

  #button(parent, text, title, pressed) {
    const button = parent.appendChild(document.createElement("button"));
    button.textContent = text;
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", pressed);
    return button;
  }

  async #act(content) {
    try {
      await this.link.act(content);
      this.link.well();
    } catch (error) {
      this.link.fail(error);
    }
  }

  #take(content) {
    Object.assign(this.facts, content);
    const { symbols = [], steerable, paused, speed, start, end, second } = this.facts;
    if (content.symbols) {
      fillSelection(this.symbol, symbols.map((name) => [name, name]), this.options.symbol);
      this.symbol.parentElement.hidden = symbols.length < 2;
    }
    this.hands.hidden = !steerable;
    this.slider.hidden = end === null || end === undefined;
    this.play.textContent = paused ? "▶" : "❚❚";
    if (content.speed !== undefined && document.activeElement !== this.speed) {
      fillSelection(this.speed, BAR_SPEEDS, String(speed));
    }
    const ms = second * 1000;
    if (steerable && !this.held) {
      this.slider.min = start;
      this.slider.max = end ?? ms;
      this.slider.step = 1000;
      this.slider.value = ms;
    }
    if (!this.held) this.clock.textContent = `${timeText(ms, 1000, this.zone)} ${zoneName(ms, this.zone)}`;
  }

  #switch() {
    this.themed = this.#now() === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(this.options.key, this.themed);
    } catch {
      // a page that may not remember still changes
    }
    this.#restyle();
    this.bond.tell("theme", this.themed);
  }

  #now() {
    return this.themed ?? pageTheme(this.options.theme);
  }

  /** The theme chosen before a reload; the other views are told once they stand. */
  #remember() {
    try {
      const kept = localStorage.getItem(this.options.key);
      if (kept === "dark" || kept === "light") this.themed = kept;
    } catch {
      return;
    }
    if (this.themed) this.telling = [300, 1500, 4000].map((delay) => setTimeout(() => this.bond.tell("theme", this.themed), delay));
  }

  #heard(topic, value) {
    if (topic !== "theme") return;
    this.themed = value;
    this.#restyle();
  }

  #restyle() {
    const colours = this.options.themes[this.#now()];
    dress(this.root, colours);
    const desk = this.root.closest(".ow-workspace");
    if (desk) dress(desk, colours);
    else if (!this.placing) this.placing = requestAnimationFrame(() => this.#restyle()); // not on the page yet
  }

  stop() {
    for (const timer of this.telling ?? []) clearTimeout(timer);
    if (this.placing) cancelAnimationFrame(this.placing);
    this.link.stop();
    this.bond.leave();
  }
}

function render({ model, el }) {
  const view = new BarView(model, el);
  return () => view.stop();
}

export default { render };

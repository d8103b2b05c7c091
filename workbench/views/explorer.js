// Explorer: knobs of a signal, the mean path after it, and the scorecard; what is chosen here is studied in the kernel.
import { Link, Looks } from "./link.js";
import { Painter } from "./painter.js";
import { Bond } from "./bond.js";
import { fillSelection, selection, textField, toolBar } from "./profile_controls.js";
import { KnobBoard } from "./explorer_knobs.js";
import { PathChart, pathWords } from "./explorer_path.js";
import { fillCard, fillRegimes, tookText, worthParts } from "./explorer_card.js";

const EXPLORER_NONE = "";

class ExplorerView {
  constructor(model, el) {
    this.options = model.get("options");
    this.state = {};
    this.root = el.appendChild(document.createElement("div"));
    this.root.className = "ow-root ow-explorer-panel";
    this.#bar();
    this.#body();
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content) => this.#take(content));
    this.looks = new Looks(this.root, this.options, this.painter);
    this.bond = new Bond(this.options.group, (topic, value) => this.looks.heard(topic, value));
  }

  // -- parts ---------------------------------------------------------------------------------------------------------
  #bar() {
    this.bar = toolBar(this.root, this.options.symbol);
    this.signal = selection(this.bar, "signal", [], "", (signal) => this.#choose({ signal, values: {} }));
    this.preset = selection(this.bar, "preset", [[EXPLORER_NONE, "–"]], EXPLORER_NONE, (name) => this.#load(name));
    this.costs = textField(this.bar, "costs", "spread", "spread", () => this.#settle());
    this.costs.title = "Ticks of a round trip, or “spread”: half of it at entry and exit each";
    this.latency = textField(this.bar, "latency", "0ms", "0ms", () => this.#settle());
    this.latency.title = "From when the signal is known to when an order arrives, as 5ms";
    const hands = this.bar.appendChild(document.createElement("span"));
    hands.className = "ow-explorer-hands";
    this.newer = this.#button(hands, "↻", "Take in the events that came since", () => this.#act({ do: "renew" }));
    this.copy = this.#button(hands, "copy as code", "Copy the code of a cell that makes this study again", () => this.#copied());
    this.name = hands.appendChild(document.createElement("input"));
    this.name.type = "text";
    this.name.maxLength = 80;
    this.name.placeholder = "name";
    this.name.setAttribute("aria-label", "Name to save the signal under");
    this.name.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#save();
    });
    this.#button(hands, "save", "Save signal and parameters under the name", () => this.#save());
  }

  #button(parent, text, title, pressed) {
    const button = parent.appendChild(document.createElement("button"));
    button.textContent = text;
    button.title = title;
    button.addEventListener("click", pressed);
    return button;
  }

  #body() {
    const body = this.root.appendChild(document.createElement("div"));
    body.className = "ow-explorer-body";
    this.board = new KnobBoard(body.appendChild(document.createElement("div")), (settled) =>
      settled ? this.#settle() : this.#glance(),
    );
    const right = body.appendChild(document.createElement("div"));
    right.className = "ow-explorer-path";
    this.canvas = right.appendChild(document.createElement("canvas"));
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.style.height = `${this.options.height}px`;
    this.chart = new PathChart(this.canvas, this.options.height, () => this.painter.ask());
    const below = this.root.appendChild(document.createElement("div"));
    below.className = "ow-explorer-below";
    this.card = below.appendChild(document.createElement("table"));
    this.card.className = "ow-card";
    this.regimes = below.appendChild(document.createElement("table"));
    this.regimes.className = "ow-card ow-regimes";
    this.worth = this.root.appendChild(document.createElement("div"));
    this.worth.className = "ow-worth";
  }

  // -- choosing ------------------------------------------------------------------------------------------------------
  #chosen() {
    const costs = this.costs.value.trim();
    this.count = (this.count ?? 0) + 1;
    this.token = `${this.link.name}:${this.count}`;
    return {
      token: this.token,
      signal: this.state.signal,
      values: this.board.values(),
      costs: costs === "" || Number.isNaN(Number(costs)) ? costs : Number(costs),
      latency: this.latency.value.trim(),
    };
  }

  /** A knob is being turned: only its newest position counts. A key turns and settles it at once: that is one question. */
  #glance() {
    this.asked ??= performance.now();
    this.root.classList.add("ow-busy");
    clearTimeout(this.glancing);
    this.glancing = setTimeout(() => this.link.say({ k: "look", ...this.#chosen() }), 0);
  }

  #settle() {
    return this.#choose({});
  }

  #choose(other) {
    clearTimeout(this.glancing);
    this.asked ??= performance.now();
    this.root.classList.add("ow-busy");
    return this.#act({ do: "choose", ...this.#chosen(), ...other });
  }

  async #act(content) {
    try {
      await this.link.act(content);
      this.link.well();
      return true;
    } catch (error) {
      this.asked = undefined;
      this.link.fail(error);
      this.token = this.state.token;
      this.#show(this.state); // back to what holds
      return false;
    }
  }

  #load(name) {
    if (name !== EXPLORER_NONE) this.#act({ do: "load", name });
  }

  async #save() {
    if (await this.#act({ do: "save", name: this.name.value })) this.name.value = "";
  }

  async #copied() {
    try {
      await navigator.clipboard.writeText(this.state.code ?? "");
      this.#said(this.copy, "copied ✓");
    } catch {
      this.link.fail(new Error("the browser keeps its clipboard closed: the text is in explorer.code"));
    }
  }

  /** Says something on a button for a moment. */
  #said(button, text) {
    clearTimeout(this.saying);
    button.textContent = text;
    this.saying = setTimeout(() => (button.textContent = "copy as code"), 1500);
  }

  // -- what came of it -----------------------------------------------------------------------------------------------
  #take(content) {
    if (content.k === "refused") {
      if (content.token !== this.token) return; // another page's, or one that a newer position has replaced
      this.asked = undefined;
      this.root.classList.remove("ow-busy");
      this.link.fail(new Error(content.error));
      return;
    }
    if (content.k === "explorer") this.#show(content);
  }

  #show(content) {
    this.state = content;
    const { study, busy } = content;
    fillSelection(this.signal, (content.signals ?? []).map((name) => [name, name]), content.signal);
    fillSelection(this.preset, [[EXPLORER_NONE, "–"], ...(content.presets ?? []).map((name) => [name, name])], EXPLORER_NONE);
    this.preset.parentElement.hidden = !content.presets?.length;
    for (const [field, value] of [[this.costs, content.costs], [this.latency, content.latency]]) {
      if (document.activeElement !== field) field.value = String(value);
    }
    if (!this.#isStale(content.token)) this.board.show(content.groups ?? []);
    this.newer.hidden = !(content.newer > 0);
    this.newer.textContent = `↻ ${Number(content.newer ?? 0).toLocaleString("en")} newer events`;
    this.root.classList.toggle("ow-busy", Boolean(busy));
    this.root.dataset.trials = study?.trials ?? 0;
    this.chart.take(study);
    fillCard(this.card, study);
    fillRegimes(this.regimes, study);
    this.#tell(content);
    this.canvas.setAttribute("aria-label", pathWords(study));
    this.painter.ask();
  }

  /** Whether what the kernel says was chosen here, and something newer since: hands are ahead of it. */
  #isStale(token = "") {
    return token !== this.token && token.startsWith(`${this.link.name}:`);
  }

  #tell(content) {
    const parts = worthParts(content.study);
    parts.push({ text: tookText(content), role: content.refused ? "bad" : "calm" });
    this.worth.replaceChildren(
      ...parts.map(({ text, role, title }) => {
        const span = document.createElement("span");
        span.className = `ow-worth-${role}`;
        span.textContent = text;
        if (title) span.title = title;
        return span;
      }),
    );
  }

  #draw() {
    this.chart.draw(this.looks.colours, this.root.classList.contains("ow-busy"));
    if (this.asked !== undefined && !this.state.busy) {
      this.root.dataset.latency = Math.round(performance.now() - this.asked); // from the hand to the picture, ms
      this.asked = undefined;
    }
  }

  stop() {
    clearTimeout(this.saying);
    clearTimeout(this.glancing);
    this.link.stop();
    this.painter.stop();
    this.chart.stop();
    this.looks.stop();
    this.bond.leave();
  }
}

function render({ model, el }) {
  const view = new ExplorerView(model, el);
  return () => view.stop();
}

export default { render };

// Bar above the heatmap: tools, quick choices, and a panel with every setting. Built from one table; text only, no markup.
import { knownZone } from "./geometry.js";
import { HEAT_KEYS } from "./heat_hands.js";

const choice = (...values) => ({ kind: "choice", values });
const range = (low, high, step) => ({ kind: "range", low, high, step });

/** A field that is being typed in, or holds what can't be taken, is not written over by settings that arrive. */
function unlessTyped(element, show) {
  element.addEventListener("input", () => (element.dataset.typed = "1"));
  return (settings) => {
    if (!element.dataset.typed) show(settings);
  };
}

/** Every setting by section: [name, label, kind, what it does]. */
export const HEAT_CONTROLS = [
  ["Colours", [
    ["colours", "map", choice("bookmap", "cividis", "grey"), "Colour map (C)"],
    ["cut_by", "cut-off by", choice("percentile", "size"), "Whether the cut-offs are percentiles of the sizes in view, or sizes"],
    ["lower", "lower", { kind: "cut", which: 0 }, "Sizes below get the first colour"],
    ["upper", "upper", { kind: "cut", which: 1 }, "Sizes above get the last colour"],
    ["contrast", "contrast", range(0.25, 4, 0.05), "More: only the largest sizes are bright"],
    ["dimming", "dimming", range(0, 0.9, 0.05), "Darkens the heat under lines and bubbles"],
    ["rule", "rule", choice("max", "last", "mean"), "What a column shows of a size that changed within it (R)"],
  ]],
  ["Bubbles", [
    ["bubbles", "show", { kind: "check" }, "Trades as bubbles"],
    ["bubble_style", "colour", choice("gradient", "pie", "split"), "Aggressors' mix as a colour, as a pie, or a bubble for each side"],
    ["cluster", "cluster by", choice("time", "volume"), "One bubble per slice of time, or per slice of volume"],
    ["bubble_scale", "radius", range(0.25, 4, 0.05), "Radius of all bubbles"],
    ["min_trade", "min trade", { kind: "number" }, "Leaves out single trades smaller than this"],
    ["min_volume", "min volume", { kind: "number" }, "Leaves out bubbles smaller than this"],
  ]],
  ["Lines and columns", [
    ["bbo", "best prices", choice("range", "last", "off"), "All values within a pixel, or its last one"],
    ["vwap", "VWAP and bands", { kind: "check" }, "Volume-weighted average price of the session"],
    ["profile", "profile", choice("range", "session", "off"), "Volume at price of what is in view, or of the session"],
    ["book", "book", choice("plain", "cumulative", "off"), "Resting size of this moment at the right edge"],
    ["zone", "time zone", { kind: "zone" }, "IANA name, such as America/New_York or UTC; empty: the browser's"],
    ["linked", "linked", { kind: "check" }, "Shares time range and cursor with the other views"],
  ]],
];

const quick = (values, value) => values[(values.indexOf(value) + 1) % values.length];

/** Value after this one among a setting's choices. */
export function nextChoice(name, value) {
  for (const [, items] of HEAT_CONTROLS) for (const [known, , kind] of items) if (known === name) return quick(kind.values, value);
  return value;
}

export class HeatControls {
  /** `change(settings)` is called with what a hand changed. */
  constructor(heat, change) {
    this.heat = heat;
    this.change = change;
    this.fields = [];
    this.bar = make(heat.root, "div", "ow-heat-bar");
    this.title = make(this.bar, "div", "ow-title", heat.options.symbol);
    this.tools = make(this.bar, "div", "ow-heat-tools");
    this.chips = make(this.bar, "div", "ow-chips");
    for (const [name, title] of [["rule", "What a column shows (R)"], ["colours", "Colour map (C)"]]) {
      this.#button(this.chips, "", title, () => change({ [name]: nextChoice(name, heat.settings[name]) }), name);
    }
    this.bubblesButton = this.#button(this.chips, "bubbles", "Trades as bubbles", () => change({ bubbles: !heat.settings.bubbles }));
    this.follow = this.#button(this.bar, "Follow ▸", "Back to the newest data (double-click or F)", () => heat.followAgain());
    this.follow.className = "ow-follow";
    this.gear = this.#button(this.bar, "⚙", "Settings", () => this.toggle(this.panel));
    this.gear.setAttribute("aria-label", "Settings");
    this.ask = this.#button(this.bar, "?", "Keys (?)", () => this.toggle(this.help));
    this.panel = this.#panel();
    this.help = this.#help();
  }

  #button(parent, text, title, click, setting) {
    const button = make(parent, "button", "ow-chip", text);
    button.type = "button";
    button.title = title;
    button.dataset.setting = setting ?? "";
    button.addEventListener("click", click);
    return button;
  }

  /** A button for every tool; what is in the hand is pressed. */
  showTools(tools, current) {
    this.tools.replaceChildren();
    for (const tool of tools) {
      const button = this.#button(this.tools, tool.title, `${tool.title} (${tool.key})`, () => this.heat.setTool(tool === current ? null : tool.name));
      button.setAttribute("aria-pressed", String(tool === current));
      button.dataset.tool = tool.name;
    }
  }

  #panel() {
    const panel = make(this.heat.root, "div", "ow-settings");
    panel.hidden = true;
    panel.addEventListener("keydown", (event) => this.#leave(event, panel));
    panel.dataset.lmSuppressShortcuts = "true";
    for (const [section, items] of HEAT_CONTROLS) {
      const group = make(panel, "fieldset", "");
      make(group, "legend", "", section);
      for (const item of items) this.#field(group, item);
    }
    const reset = this.#button(panel, "Defaults", "All settings as they were when the view was made", () => this.#reset());
    reset.classList.add("ow-reset");
    return panel;
  }

  #reset() {
    for (const { element } of this.fields) {
      delete element.dataset.typed;
      element.setCustomValidity("");
    }
    this.change(this.heat.options.defaults);
  }

  #field(group, [name, label, kind, title]) {
    const row = make(group, "label", "ow-field");
    row.title = title;
    make(row, "span", "", label);
    const input = FIELDS[kind.kind](row, kind, name, (value) => this.change(value), () => this.heat);
    input.element.dataset.setting = name;
    input.element.setAttribute("aria-label", `${label}: ${title}`);
    this.fields.push(input);
  }

  #help() {
    const help = make(this.heat.root, "div", "ow-help");
    help.hidden = true;
    help.tabIndex = -1;
    help.addEventListener("keydown", (event) => this.#leave(event, help));
    help.addEventListener("click", () => (help.hidden = true));
    const tools = this.heat.tools.map((tool) => [tool.key, tool.title]);
    for (const [key, text] of [...HEAT_KEYS, ...tools]) {
      make(help, "kbd", "", key);
      make(help, "span", "", text);
    }
    return help;
  }

  #leave(event, panel) {
    event.stopPropagation();
    if (event.key !== "Escape") return;
    panel.hidden = true;
    this.heat.canvas.focus({ preventScroll: true });
  }

  toggle(panel) {
    const open = panel.hidden;
    this.panel.hidden = this.help.hidden = true;
    panel.hidden = !open;
    this.gear.setAttribute("aria-expanded", String(!this.panel.hidden));
    if (open) (panel.querySelector("select, input") ?? panel).focus({ preventScroll: true });
  }

  /** Shows the settings as they are. */
  show(settings) {
    for (const button of this.chips.querySelectorAll("button")) {
      if (button.dataset.setting) button.textContent = settings[button.dataset.setting];
    }
    this.bubblesButton.setAttribute("aria-pressed", String(settings.bubbles));
    for (const field of this.fields) field.show(settings);
  }
}

function make(parent, kind, name, text) {
  const element = parent.appendChild(document.createElement(kind));
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

// One maker per kind of field: (row, kind, name, change, heat) → { element, show(settings) }.
const FIELDS = {
  choice(row, kind, name, change) {
    const element = make(row, "select");
    for (const value of kind.values) make(element, "option", "", value).value = value;
    element.addEventListener("change", () => change({ [name]: element.value }));
    return { element, show: (settings) => (element.value = settings[name]) };
  },
  check(row, kind, name, change) {
    const element = make(row, "input");
    element.type = "checkbox";
    element.addEventListener("change", () => change({ [name]: element.checked }));
    return { element, show: (settings) => (element.checked = settings[name]) };
  },
  range(row, kind, name, change) {
    const element = make(row, "input");
    Object.assign(element, { type: "range", min: kind.low, max: kind.high, step: kind.step });
    const said = make(row, "output");
    element.addEventListener("input", () => change({ [name]: Number(element.value) }));
    return {
      element,
      show(settings) {
        element.value = settings[name];
        said.textContent = String(settings[name]);
      },
    };
  },
  number(row, kind, name, change) {
    const element = make(row, "input");
    Object.assign(element, { type: "number", min: 0, step: "any" });
    element.addEventListener("change", () => {
      delete element.dataset.typed;
      change({ [name]: Math.max(0, Number(element.value) || 0) });
    });
    return { element, show: unlessTyped(element, (settings) => (element.value = settings[name])) };
  },
  zone(row, kind, name, change) {
    const element = make(row, "input");
    Object.assign(element, { type: "text", placeholder: "browser", size: 14 });
    element.addEventListener("change", () => {
      const known = !element.value || knownZone(element.value);
      element.setCustomValidity(known ? "" : "no such zone");
      if (!known) return element.reportValidity();
      delete element.dataset.typed;
      change({ [name]: element.value });
    });
    return { element, show: unlessTyped(element, (settings) => (element.value = settings[name])) };
  },
  cut(row, kind, name, change, heat) {
    const element = make(row, "input");
    const said = make(row, "output");
    element.addEventListener("input", () => {
      const cut = [...heat().settings.cut];
      cut[kind.which] = Number(element.value);
      if (cut[0] < cut[1]) change({ cut });
    });
    return {
      element,
      show(settings) {
        const percent = settings.cut_by === "percentile";
        Object.assign(element, percent ? { type: "range", min: 0, max: 100, step: 0.5 } : { type: "number", min: 0, step: "any" });
        element.value = settings.cut[kind.which];
        said.textContent = percent ? `${settings.cut[kind.which]} %` : "";
      },
    };
  },
};

// Knobs of a signal: sliders with a number beside, switches, choices. Where a slider stands is a pure function of its value.

const KNOB_STEPS = 1000;
const KNOB_KEYS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

/** Position 0 … 1000 of a value on its slider. */
export function knobPosition(knob, value) {
  const { low, high, log, zero } = knob;
  if (!(high > low)) return 0;
  if (!log) return Math.round(clampKnob((value - low) / (high - low)) * KNOB_STEPS);
  if (zero && value <= 0) return 0;
  const share = clampKnob(Math.log(Math.max(value, low) / low) / Math.log(high / low));
  return zero ? Math.round(20 + share * (KNOB_STEPS - 20)) : Math.round(share * KNOB_STEPS);
}

/** Value of a position; to three digits, for nobody can set more by hand. */
export function knobValue(knob, position) {
  const { kind, low, high, log, zero } = knob;
  let share = position / KNOB_STEPS;
  if (log && zero) {
    if (position < 10) return 0;
    share = clampKnob((position - 20) / (KNOB_STEPS - 20));
  }
  const value = log ? low * (high / low) ** share : low + share * (high - low);
  return kind === "whole" ? Math.round(value) : Number(value.toPrecision(3));
}

/** A number as it is read: three digits, no exponent in the usual range. */
export function knobText(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(6)));
}

function clampKnob(share) {
  return Math.min(1, Math.max(0, share));
}

/** Words of a parameter's name; its unit, if it ends with one. */
export function knobLabel(name) {
  const [, words, unit] = /^(.*?)(?:_(s|ms|ticks|lots))?$/.exec(name);
  return { words: words.replaceAll("_", " "), unit: unit ?? "" };
}

/** Whether two boards show the same knobs, whatever their values. */
export function sameKnobs(a, b) {
  const shape = (groups) => JSON.stringify(groups.map((g) => [g.title, g.knobs.map(({ value: _, ...rest }) => rest)]));
  return shape(a) === shape(b);
}

/** The knobs of a signal and its parts; `turned(settled)` is called while one is turned, and when it is let go. */
export class KnobBoard {
  constructor(root, turned) {
    this.root = root;
    this.root.className = "ow-knobs";
    this.root.dataset.lmSuppressShortcuts = "true";
    this.turned = turned;
    this.groups = [];
    this.knobs = new Map();
  }

  /** Every value by the id of its knob. */
  values() {
    return Object.fromEntries([...this.knobs].map(([id, { value }]) => [id, value]));
  }

  show(groups) {
    if (!sameKnobs(groups, this.groups)) this.#build(groups);
    for (const group of groups) for (const knob of group.knobs) this.#set(knob.id, knob.value);
  }

  #build(groups) {
    this.groups = groups;
    this.knobs.clear();
    this.held = undefined;
    this.root.replaceChildren();
    for (const group of groups) {
      if (groups.length > 1) {
        const title = this.root.appendChild(document.createElement("div"));
        title.className = "ow-knob-group";
        title.textContent = group.title;
      }
      for (const knob of group.knobs) this.#add(knob);
    }
    if (!groups.length) this.root.appendChild(document.createElement("em")).textContent = "no parameters";
  }

  #add(knob) {
    const row = this.root.appendChild(document.createElement("label"));
    row.className = "ow-knob";
    const { words, unit } = knobLabel(knob.name);
    const name = row.appendChild(document.createElement("span"));
    name.textContent = words;
    const entry = { knob, value: knob.value, parts: [] };
    this.knobs.set(knob.id, entry);
    if (knob.kind === "switch") this.#switch(row, entry);
    else if (knob.kind === "choice") this.#choice(row, entry);
    else this.#slider(row, entry, words);
    const last = row.appendChild(document.createElement("small"));
    last.textContent = unit;
    row.title = `${knob.id}: default ${knobText(knob.default)}; double click to go back to it`;
    row.addEventListener("dblclick", () => this.#changed(entry, knob.default, true));
  }

  #slider(row, entry, words) {
    const slider = row.appendChild(document.createElement("input"));
    const field = row.appendChild(document.createElement("input"));
    slider.type = "range";
    slider.min = 0;
    slider.max = KNOB_STEPS;
    const { knob } = entry;
    const steps = knob.kind === "whole" ? Math.max(1, Math.round(KNOB_STEPS / (knob.high - knob.low))) : 1;
    slider.step = steps;
    slider.setAttribute("aria-label", words);
    field.type = "number";
    field.step = knob.kind === "whole" ? 1 : "any";
    field.setAttribute("aria-label", `${words}, exact`);
    slider.addEventListener("input", () => {
      this.held = entry;
      this.#changed(entry, knobValue(knob, Number(slider.value)), false);
    });
    slider.addEventListener("change", () => {
      this.held = undefined;
      this.#changed(entry, knobValue(knob, Number(slider.value)), true);
    });
    slider.addEventListener("keydown", (event) => this.#pressed(event, entry));
    slider.addEventListener("keyup", (event) => {
      if (KNOB_KEYS[event.key]) this.#changed(entry, entry.value, true);
    });
    const typed = () => {
      const number = Number(field.value);
      if (field.value !== "" && Number.isFinite(number) && number !== entry.value) this.#changed(entry, number, true);
    };
    field.addEventListener("change", typed);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") typed();
    });
    entry.put = (value, everywhere = false) => {
      if (this.held !== entry) slider.value = knobPosition(knob, value);
      slider.setAttribute("aria-valuetext", knobText(value));
      if (everywhere || document.activeElement !== field) field.value = knobText(value);
    };
    entry.put(entry.value);
  }

  /** Keys move whole numbers by one and others by a hundredth of the slider; what is reached when they are let go is settled. */
  #pressed(event, entry) {
    const by = KNOB_KEYS[event.key];
    if (!by) return;
    event.preventDefault();
    const { knob } = entry;
    const next = knob.kind === "whole" ? entry.value + by : knobValue(knob, knobPosition(knob, entry.value) + 10 * by);
    this.#changed(entry, Math.min(knob.high, Math.max(knob.zero ? 0 : knob.low, next)), false);
  }

  #switch(row, entry) {
    const box = row.appendChild(document.createElement("input"));
    box.type = "checkbox";
    box.addEventListener("change", () => this.#changed(entry, box.checked, true));
    entry.put = (value) => (box.checked = Boolean(value));
    entry.put(entry.value);
  }

  #choice(row, entry) {
    const select = row.appendChild(document.createElement("select"));
    for (const choice of entry.knob.choices) {
      const option = select.appendChild(document.createElement("option"));
      option.textContent = String(choice);
    }
    select.addEventListener("change", () => this.#changed(entry, entry.knob.choices[select.selectedIndex], true));
    entry.put = (value) => (select.selectedIndex = entry.knob.choices.indexOf(value));
    entry.put(entry.value);
  }

  #changed(entry, value, settled) {
    entry.value = value;
    entry.put(value);
    this.turned(settled);
  }

  /** What the kernel says holds; a slider in a hand stays there. */
  #set(id, value) {
    const entry = this.knobs.get(id);
    if (!entry || entry === this.held || entry.value === value) return;
    entry.value = value;
    entry.put(value, true);
  }
}

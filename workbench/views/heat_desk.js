// Below the heatmap: the selection's facts and its line of code, and the form that names a region. Text only, no markup.
import { actOf } from "./heat_lines.js";

function deskNode(parent, tag, className, text = "") {
  const node = parent.appendChild(document.createElement(tag));
  node.className = className;
  node.textContent = text;
  return node;
}

export class HeatDesk {
  constructor(heat, marks) {
    this.heat = heat;
    this.marks = marks;
    this.made = false;
    marks.heard = (layers) => this.#heard(layers);
  }

  /** Built when first needed: layers and tools are made before the chart stands. */
  #make() {
    if (this.made) return;
    this.made = true;
    this.#makeSelection();
    this.#makeForm();
    this.note = deskNode(this.heat.root, "div", "ow-desk ow-desk-note");
    this.note.hidden = true;
    this.heat.canvas.addEventListener("click", (event) => this.#clicked(event));
  }

  #makeSelection() {
    this.bar = deskNode(this.heat.root, "div", "ow-desk ow-selection");
    this.bar.hidden = true;
    this.facts = deskNode(this.bar, "span", "ow-facts");
    this.copy = this.#button(this.bar, "Copy", "Copy this line of code", () => this.#copy());
    this.name = this.#button(this.bar, "Label", "Name this region (L)", () => this.ask(this.marks.selection, null));
    this.#button(this.bar, "×", "Select nothing", () => this.#act({ do: "unselect" }));
    this.code = deskNode(this.bar, "code", "ow-code");
  }

  #makeForm() {
    this.form = deskNode(this.heat.root, "form", "ow-desk ow-label-form");
    this.form.hidden = true;
    this.nameField = deskNode(this.form, "input", "ow-field");
    Object.assign(this.nameField, { placeholder: "name", maxLength: 200, required: true });
    this.nameField.setAttribute("aria-label", "Name of the label");
    this.known = deskNode(this.form, "datalist", "");
    this.known.id = `ow-names-${Math.random().toString(36).slice(2)}`;
    this.nameField.setAttribute("list", this.known.id);
    this.noteField = deskNode(this.form, "input", "ow-field ow-note-field");
    Object.assign(this.noteField, { placeholder: "note (optional)", maxLength: 10000 });
    this.noteField.setAttribute("aria-label", "Note");
    this.save = this.#button(this.form, "Save", "Keep the label (Enter)", () => {});
    this.save.type = "submit";
    this.remove = this.#button(this.form, "Delete", "Remove this label", () => this.#remove());
    this.#button(this.form, "Cancel", "Leave it (Escape)", () => this.#close());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    this.form.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.#close();
    });
  }

  #button(parent, text, title, action) {
    const button = deskNode(parent, "button", "ow-button", text);
    button.type = "button";
    button.title = title;
    button.setAttribute("aria-label", title);
    button.addEventListener("click", action);
    return button;
  }

  // -- selection -------------------------------------------------------------------------------------------------
  #heard(layers) {
    this.#make();
    if (layers.labels) {
      this.note.textContent = layers.labels.trouble;
      this.note.hidden = !layers.labels.trouble;
      this.heat.root.dataset.labels = this.marks.labels.length;
    }
    if (!("selection" in layers)) return;
    const { selection } = layers;
    this.bar.hidden = !selection;
    this.facts.textContent = selection?.facts ?? "";
    this.code.textContent = selection?.code ?? "";
    this.copy.textContent = "Copy";
    this.heat.root.dataset.selected = selection ? selection.code : "";
    const span = selection && { startMs: selection.left, endMs: selection.right, symbol: this.heat.options.symbol };
    this.heat.bond?.tell("select", span || null); // a profile of the selection sums just that span
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.code.textContent);
      this.copy.textContent = "Copied";
    } catch {
      // no permission, or no secure page: the text is selected, so that Ctrl+C takes it
      const range = document.createRange();
      range.selectNodeContents(this.code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      this.copy.textContent = "Ctrl+C";
    }
  }

  // -- labels ----------------------------------------------------------------------------------------------------
  /** Asks for the name of a region, or for another one of a label that is there. */
  ask(region, label) {
    if (!region) return;
    this.#make();
    this.asked = { region, label };
    this.marks.pending = region;
    this.heat.painter.ask();
    this.nameField.value = label?.name ?? "";
    this.noteField.value = label?.note ?? "";
    this.remove.hidden = !label;
    this.known.replaceChildren(
      ...this.marks.names.map((name) => {
        const option = document.createElement("option");
        option.value = name;
        return option;
      }),
    );
    this.form.hidden = false;
    this.nameField.focus();
  }

  #clicked(event) {
    if (this.heat.tool) return;
    const label = this.marks.tagAt(event.offsetX, event.offsetY);
    if (label) this.ask(label, label);
  }

  #save() {
    const { region, label } = this.asked;
    const words = { name: this.nameField.value, note: this.noteField.value };
    this.#act(label ? { do: "relabel", label: label.id, ...words } : { do: "label", ...actOf(region), ...words }, () => this.#close());
  }

  #remove() {
    this.#act({ do: "unlabel", label: this.asked.label.id }, () => this.#close());
  }

  #close() {
    this.form.hidden = true;
    this.marks.pending = null;
    this.heat.canvas.focus({ preventScroll: true });
  }

  #act(content, then = () => {}) {
    this.heat.link.act(content).then(then, (error) => this.heat.say(error.message, true));
  }
}

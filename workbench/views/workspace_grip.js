// Grip between two views of a row: shares their width anew, and remembers it for this layout.

const GRIP_STEP_PX = 24;
const GRIP_LEAST_PX = 120;

/** Widths of two neighbours after their border moved by `by` pixels; neither gets narrower than `least`. */
export function gripShared(left, right, by, least = GRIP_LEAST_PX) {
  const room = Math.min(least, left, right);
  const moved = Math.min(Math.max(by, room - left), right - room);
  return [left + moved, right - moved];
}

/** Widths that a page remembers for a place, as text; null where there are none that make sense. */
export function gripRemembered(text, count) {
  try {
    const widths = JSON.parse(text);
    const sound = Array.isArray(widths) && widths.length === count && widths.every((width) => Number.isFinite(width) && width > 0);
    return sound ? widths : null;
  } catch {
    return null;
  }
}

class GripView {
  constructor(model, el) {
    this.options = model.get("options");
    this.grip = el.appendChild(document.createElement("div"));
    this.grip.className = "ow-grip";
    this.grip.tabIndex = 0;
    this.grip.setAttribute("role", "separator");
    this.grip.setAttribute("aria-orientation", "vertical");
    this.grip.setAttribute("aria-label", "Width of the views on both sides");
    this.grip.title = "Drag, or ← → keys: share the width. Double-click: as at first.";
    this.grip.dataset.lmSuppressShortcuts = "true";
    this.grip.addEventListener("pointerdown", (event) => this.#down(event));
    this.grip.addEventListener("keydown", (event) => this.#key(event));
    this.grip.addEventListener("dblclick", () => this.#reset());
    this.waiting = requestAnimationFrame(() => this.#restore());
  }

  /** The row's children; the grip's own element is one of them. */
  #row() {
    return [...(this.grip.closest(".ow-row")?.children ?? [])];
  }

  #views(row = this.grip.closest(".ow-row")) {
    return [...(row?.children ?? [])].filter((child) => !child.querySelector(".ow-grip"));
  }

  #neighbours() {
    const row = this.#row();
    const at = row.findIndex((child) => child.contains(this.grip));
    return at > 0 && at + 1 < row.length ? [row[at - 1], row[at + 1]] : null;
  }

  #move(by) {
    const pair = this.#neighbours();
    if (!pair) return;
    const views = this.#views();
    const widths = views.map((view) => view.getBoundingClientRect().width);
    const shared = gripShared(...pair.map((view) => widths[views.indexOf(view)]), by);
    pair.forEach((view, i) => (widths[views.indexOf(view)] = shared[i]));
    this.#apply(widths);
    try {
      localStorage.setItem(this.options.key, JSON.stringify(widths.map((width) => Math.round(width))));
    } catch {
      // a page that may not remember still resizes
    }
  }

  /** Gives every row with as many views these widths: what stands under each other stays so. */
  #apply(widths) {
    const rows = this.grip.closest(".ow-workspace")?.querySelectorAll(".ow-row") ?? [this.grip.closest(".ow-row")];
    for (const row of rows) {
      const views = row ? this.#views(row) : [];
      if (views.length === widths.length) views.forEach((view, i) => (view.style.flex = `${widths[i]} 1 0px`));
    }
  }

  #restore() {
    let text = null;
    try {
      text = localStorage.getItem(this.options.key);
    } catch {
      return;
    }
    const widths = gripRemembered(text ?? "", this.#views().length);
    if (widths) this.#apply(widths);
  }

  #reset() {
    try {
      localStorage.removeItem(this.options.key);
    } catch {
      // nothing was remembered
    }
    this.#apply(this.options.weights);
  }

  #down(event) {
    this.grip.setPointerCapture(event.pointerId);
    let x = event.clientX;
    const move = (moved) => {
      this.#move(moved.clientX - x);
      x = moved.clientX;
    };
    this.grip.addEventListener("pointermove", move);
    this.grip.addEventListener("lostpointercapture", () => this.grip.removeEventListener("pointermove", move), { once: true });
    event.preventDefault();
    this.grip.focus();
  }

  #key(event) {
    const by = { ArrowLeft: -GRIP_STEP_PX, ArrowRight: GRIP_STEP_PX }[event.key];
    if (!by) return;
    this.#move(by);
    event.preventDefault();
    event.stopPropagation();
  }
}

function render({ model, el }) {
  const view = new GripView(model, el);
  return () => cancelAnimationFrame(view.waiting);
}

export default { render };

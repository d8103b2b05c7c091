// Grips of a workspace: between two views of a row, and under a row. The page remembers what they were set to.

const GRIP_STEP_PX = 24;
const GRIP_LEAST_PX = 120;
const GRIP_LEAST_ROW_PX = 120;

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
    this.grip = el.appendChild(gripElement("vertical", "Width of the views on both sides", "Drag, or ← → keys: share the width. Double-click: as at first."));
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
    gripKeep(this.options.key, widths);
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
    const widths = gripRemembered(gripKept(this.options.key), this.#views().length);
    if (widths) this.#apply(widths);
  }

  #reset() {
    gripKeep(this.options.key, null);
    this.#apply(this.options.weights);
  }

  #down(event) {
    gripDragged(this.grip, event, (dx) => this.#move(dx));
  }

  #key(event) {
    const by = { ArrowLeft: -GRIP_STEP_PX, ArrowRight: GRIP_STEP_PX }[event.key];
    if (!by) return;
    this.#move(by);
    event.preventDefault();
    event.stopPropagation();
  }
}

/** Grip under a row: sets its height; the views in it fit themselves. */
class SashView {
  constructor(model, el) {
    this.options = model.get("options");
    this.grip = el.appendChild(gripElement("horizontal", "Height of the views above", "Drag, or ↑ ↓ keys: height of the row above. Double-click: as at first."));
    this.grip.classList.add("ow-sash");
    this.grip.addEventListener("pointerdown", (event) => this.#down(event));
    this.grip.addEventListener("keydown", (event) => this.#key(event));
    this.grip.addEventListener("dblclick", () => this.#set(null));
    this.waiting = requestAnimationFrame(() => this.#restore());
  }

  /** The row above. */
  #row() {
    let place = this.grip;
    while (place && !place.parentElement?.classList.contains("ow-workspace")) place = place.parentElement;
    return place?.previousElementSibling ?? null;
  }

  /** Height of the row in pixels; null: what its views want. */
  #set(height) {
    const row = this.#row();
    if (!row) return;
    row.style.height = height === null ? "" : `${height}px`;
    gripKeep(this.options.key, height === null ? null : [height]);
  }

  #restore() {
    const kept = gripRemembered(gripKept(this.options.key), 1);
    if (kept) this.#set(Math.max(kept[0], GRIP_LEAST_ROW_PX));
  }

  #move(by) {
    const height = this.#row()?.getBoundingClientRect().height;
    if (height) this.#set(Math.max(Math.round(height + by), GRIP_LEAST_ROW_PX));
  }

  #down(event) {
    gripDragged(this.grip, event, (dx, dy) => this.#move(dy));
  }

  #key(event) {
    const by = { ArrowUp: -GRIP_STEP_PX, ArrowDown: GRIP_STEP_PX }[event.key];
    if (!by) return;
    this.#move(by);
    event.preventDefault();
    event.stopPropagation();
  }
}

function gripElement(orientation, label, title) {
  const grip = document.createElement("div");
  grip.className = "ow-grip";
  grip.tabIndex = 0;
  grip.setAttribute("role", "separator");
  grip.setAttribute("aria-orientation", orientation);
  grip.setAttribute("aria-label", label);
  grip.title = title;
  grip.dataset.lmSuppressShortcuts = "true";
  return grip;
}

/** Calls `moved(dx, dy)` for each step of the pointer until it lets go. */
function gripDragged(grip, event, moved) {
  grip.setPointerCapture(event.pointerId);
  let [x, y] = [event.clientX, event.clientY];
  const move = (step) => {
    moved(step.clientX - x, step.clientY - y);
    [x, y] = [step.clientX, step.clientY];
  };
  grip.addEventListener("pointermove", move);
  grip.addEventListener("lostpointercapture", () => grip.removeEventListener("pointermove", move), { once: true });
  event.preventDefault();
  grip.focus();
}

/** Remembers numbers on this page; null forgets them. A page that may not remember still resizes. */
function gripKeep(key, numbers) {
  try {
    if (numbers === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(numbers.map((number) => Math.round(number))));
  } catch {
    return;
  }
}

function gripKept(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function render({ model, el }) {
  const view = model.get("options").between === "rows" ? new SashView(model, el) : new GripView(model, el);
  return () => cancelAnimationFrame(view.waiting);
}

export default { render };

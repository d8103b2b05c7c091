// When a view is drawn: on an animation frame, while it can be seen, and not while a hand waits for another one.

// Every widget's script is a module of its own, so what they share hangs on the window.
const HUSH = "__orderflow_hush";
const HUSH_MS = 150;

/** Lets views of other groups on this page hold still until `root` has what a hand waits for: its answer comes first. */
export function hush(root) {
  globalThis[HUSH] = { group: root.dataset.group, until: performance.now() + HUSH_MS };
}

/** The hand has what it waited for. */
export function hushed(root) {
  if (globalThis[HUSH]?.group === root.dataset.group) globalThis[HUSH] = null;
}

/** Whether a view drawn at `drawnAt` lets another group go first; nobody holds still for longer than that; pure. */
export function holdsStill(hush, group, now, drawnAt) {
  return Boolean(hush) && hush.group !== group && now < hush.until && now - drawnAt < HUSH_MS;
}

/**
 * Calls `draw(asked)` on an animation frame while `root` is on the screen. Draw returns true to be called again on the
 * next one, then with `asked` false: nothing but time has changed.
 */
export class Painter {
  constructor(root, draw) {
    this.root = root;
    this.draw = draw;
    this.visible = true;
    this.asked = false;
    this.drawnAt = -Infinity;
    this.frames = 0;
    this.observer = new IntersectionObserver((entries) => {
      this.visible = entries[entries.length - 1].isIntersecting;
      if (this.visible) this.ask();
    });
    this.observer.observe(root);
    this.sizes = new ResizeObserver(([entry]) => this.#sized(Math.round(entry.contentRect.width)));
    this.sizes.observe(root);
    this.rescaled = () => {
      this.#watchScreen();
      this.ask();
    };
    root.addEventListener("ow-wake", () => this.ask());
    this.#watchScreen();
  }

  /** A window that moves to another screen keeps its size, but not the size of its pixels. */
  #watchScreen() {
    this.screen?.removeEventListener("change", this.rescaled);
    this.screen = window.matchMedia(`(resolution: ${window.devicePixelRatio || 1}dppx)`);
    this.screen.addEventListener("change", this.rescaled);
  }

  /** Width of the root inside its border, pixels; never asked of the page while it is drawn, for that lays it out anew. */
  get width() {
    return this.known || this.root.clientWidth;
  }

  #sized(width) {
    if (width === this.known) return;
    this.known = width;
    this.ask();
  }

  ask() {
    this.asked = true;
    this.#next();
  }

  #next() {
    if (this.pending || this.stopped) return;
    this.pending = requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    this.pending = 0;
    if (this.stopped || !this.visible || document.visibilityState === "hidden") return;
    const now = performance.now();
    if (holdsStill(globalThis[HUSH], this.root.dataset.group, now, this.drawnAt)) {
      this.#next();
      return;
    }
    this.drawnAt = now;
    const { asked } = this;
    this.asked = false;
    this.frames += 1;
    try {
      if (this.draw(asked)) this.#next();
    } catch (error) {
      console.error("ow-painter:", error);
      this.root.dispatchEvent(new CustomEvent("ow-fault", { detail: error }));
    }
  }

  stop() {
    this.stopped = true;
    this.observer.disconnect();
    this.sizes.disconnect();
    this.screen.removeEventListener("change", this.rescaled);
    if (this.pending) cancelAnimationFrame(this.pending);
  }
}

/** Canvas of `width` × `height` CSS pixels, sharp at any device pixel ratio; returns its context. */
export function sharpContext(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d", { alpha: false });
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

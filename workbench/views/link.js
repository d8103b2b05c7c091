// Link of a view to its kernel: two channels, sparse acknowledgements, the status strip, the theme.

const HELLO_MS = [0, 1000, 2500];
const ACK_MS = 500;
const PING_EVERY = 4;
const RATE_WINDOW_MS = 4000;

/** Sentence parts of the status strip; pure, so that it can be tested without a page. */
export function statusParts(facts) {
  const parts = [{ text: facts.state || "connecting", kind: facts.state === "live" ? "good" : "calm" }];
  if (facts.state === "stale") parts[0].kind = "bad";
  if (facts.behindMs !== null && facts.state === "live") {
    parts.push({ text: `${Math.round(facts.behindMs)} ms behind`, kind: facts.behindMs > 500 ? "bad" : "calm" });
  }
  if (facts.silentMs > 2500 && facts.state !== "closed") {
    parts.push({ text: `no word from the kernel for ${Math.round(facts.silentMs / 1000)} s`, kind: "bad" });
  } else if (facts.unheardMs > 2000) {
    parts.push({ text: "kernel busy", kind: "warn" });
  }
  if (facts.valid === false) parts.push({ text: "book not known", kind: "bad" });
  if (facts.gaps > 0) parts.push({ text: `${facts.gaps} gap${facts.gaps === 1 ? "" : "s"}`, kind: "warn" });
  if (facts.note) parts.push({ text: facts.note, kind: "warn" });
  if (facts.error) parts.push({ text: facts.error, kind: "bad" });
  return parts;
}

/** Whether the page around is light; JupyterLab says so on its body, elsewhere the system does. */
export function pageTheme(choice) {
  if (choice === "dark" || choice === "light") return choice;
  const said = document.body.dataset.jpThemeLight;
  if (said !== undefined) return said === "true" ? "light" : "dark";
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

export class Link {
  /** `onMessage(content, buffers)` returns false if it needs a full snapshot. */
  constructor(model, root, onMessage) {
    this.model = model;
    this.onMessage = onMessage;
    this.drawn = 0;
    this.sentAt = new Map();
    this.undone = new Map();
    this.facts = { state: "connecting", behindMs: null, silentMs: 0, unheardMs: 0, gaps: 0, note: "", error: "" };
    this.heardAt = performance.now();
    this.clock = { now: 0, at: performance.now(), rate: 1 };
    this.marks = [];
    this.least = Infinity;
    this.timers = [];
    this.satisfied = false;
    this.strip = root.appendChild(document.createElement("div"));
    this.strip.className = "ow-strip";
    this.strip.setAttribute("role", "status");
    this.receive = (content, buffers) => this.#receive(content, buffers);
    model.on("msg:custom", this.receive);
    this.#start();
  }

  async #start() {
    const reference = String(this.model.get("control")).replace("IPY_MODEL_", "");
    try {
      this.control = await this.model.widget_manager.get_model(reference);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.stopped) return;
    // The first word may leave before the page knows which kernel thread serves it; repeating it mends the route.
    for (const delay of HELLO_MS) this.timers.push(setTimeout(() => this.#hello(), delay));
    this.beats = 0;
    this.timers.push(setInterval(() => this.#beat(), ACK_MS));
  }

  #hello() {
    this.say(this.satisfied ? { k: "ping" } : { k: "ready" });
  }

  #beat() {
    this.beats += 1;
    if (!this.satisfied && this.beats % 6 === 0) this.say({ k: "ready" });
    else if (this.beats % PING_EVERY === 0) this.say({ k: "ping" });
    if (this.drawn !== this.acknowledged) {
      this.acknowledged = this.drawn;
      this.say({ k: "ack", s: this.drawn });
    }
    this.facts.silentMs = performance.now() - this.heardAt;
    this.#show();
  }

  say(content) {
    if (this.control && !this.stopped) this.control.send(content);
  }

  /** Milliseconds of the kernel's clock, as it was told last and has gone on here since. */
  kernelNow() {
    return this.kernelSent === undefined ? null : this.kernelSent + (performance.now() - this.heardAt);
  }

  /** Lets the kernel do something, once; resolves with what it says of it, rejects with the reason it gives. */
  act(content) {
    const id = `${Math.random().toString(36).slice(2)}${performance.now()}`;
    this.say({ k: "act", id, kernel_ms: this.kernelNow(), ...content });
    return new Promise((resolve, reject) => this.undone.set(id, { resolve, reject }));
  }

  #did(content) {
    const waiting = this.undone.get(content.id);
    this.undone.delete(content.id);
    if (!waiting) return; // another page's
    if (content.error) waiting.reject(new Error(content.error));
    else waiting.resolve(content);
  }

  #receive(content, buffers) {
    if (this.stopped) return;
    if (content.k === "did") {
      this.#did(content);
      return;
    }
    try {
      if (content.s === undefined) {
        this.onMessage(content, buffers); // the answer to a look: outside the numbered stream
        return;
      }
      this.#note(content);
      if (content.k !== "idle") {
        const taken = this.onMessage(content, buffers);
        if (taken === false && this.satisfied) {
          this.satisfied = false;
          this.say({ k: "ready" });
        } else if (taken !== false) this.satisfied = true;
      }
      this.drawn = content.s;
    } catch (error) {
      this.fail(error);
    }
  }

  #note(content) {
    const at = performance.now();
    this.heardAt = at;
    this.kernelSent = content.sent;
    const late = Date.now() - content.sent;
    this.least = Math.min(this.least, late);
    // Clocks of page and kernel may differ: on one machine `late` is the truth, elsewhere only its growth is.
    const skewed = this.least < -5 || this.least > 5000;
    this.facts.behindMs = Math.max(0, skewed ? late - this.least : late) + (content.lag_ms ?? 0);
    this.sentAt.set(content.s, at);
    for (const number of this.sentAt.keys()) if (number <= content.acked) this.sentAt.delete(number);
    const oldest = this.sentAt.values().next();
    this.facts.unheardMs = oldest.done ? 0 : at - oldest.value;
    for (const name of ["state", "gaps", "note", "error"]) if (name in content) this.facts[name] = content[name];
    if ("valid" in content) this.facts.valid = content.valid;
    this.#tellTime(content.now, at);
  }

  /** Market time runs at any speed in replays: its rate is measured over the last seconds. */
  #tellTime(now, at) {
    this.marks.push({ now, at });
    while (this.marks.length > 2 && at - this.marks[0].at > RATE_WINDOW_MS) this.marks.shift();
    const first = this.marks[0];
    const rate = at > first.at + 200 ? (now - first.now) / (at - first.at) : 1;
    this.clock = { now, at, rate: rate >= 0 && rate < 1e4 ? rate : 0 };
  }

  /** Market time now, ms since the epoch, extrapolated by at most a quarter of a second. */
  marketNow() {
    const { now, at, rate } = this.clock;
    const ahead = Math.min(performance.now() - at, 250);
    return this.facts.state === "live" ? now + ahead * rate : now;
  }

  #show() {
    const parts = statusParts(this.facts);
    const text = parts.map((part) => part.text).join(" · ");
    if (text === this.shown) return;
    this.shown = text;
    this.strip.replaceChildren(
      ...parts.map((part) => {
        const span = document.createElement("span");
        span.className = `ow-${part.kind}`;
        span.textContent = part.text;
        return span;
      }),
    );
  }

  fail(error) {
    this.facts.error = `${error?.name ?? "Error"}: ${error?.message ?? error}`;
    this.#show();
  }

  stop() {
    this.say({ k: "bye" });
    this.stopped = true;
    this.model.off("msg:custom", this.receive);
    for (const timer of this.timers) clearTimeout(timer);
  }
}

/** Calls `draw` on each animation frame while `root` is on the screen; draw returns true to be called again. */
export class Painter {
  constructor(root, draw) {
    this.draw = draw;
    this.visible = true;
    this.frames = 0;
    this.observer = new IntersectionObserver((entries) => {
      this.visible = entries[entries.length - 1].isIntersecting;
      if (this.visible) this.ask();
    });
    this.observer.observe(root);
  }

  ask() {
    if (this.pending || this.stopped) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      if (this.stopped || !this.visible || document.visibilityState === "hidden") return;
      this.frames += 1;
      if (this.draw()) this.ask();
    });
  }

  stop() {
    this.stopped = true;
    this.observer.disconnect();
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

/** Sets the theme's colours as CSS variables of the root. */
export function dress(root, colours) {
  for (const [role, colour] of Object.entries(colours)) root.style.setProperty(`--ow-${role}`, colour);
}

export const FONT = '11px "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';

// Link of a view to its kernel: two channels, sparse acknowledgements, the status strip, the theme.

const HELLO_MS = [0, 1000, 2500];
const ACK_MS = 500;
const KEEP_EVERY = 4;
const REMIND_MS = 400;
const REMIND_TIMES = 8;
const RATE_WINDOW_MS = 4000;
const QUIET_MS = 1500; // longer than the time between two heartbeats
const FAULT_MS = 10000;
const UNANSWERED_MS = 60000;
const MOST_UNHEARD = 512;
const DEEDS = ["pointerdown", "pointerup", "click", "contextmenu", "keydown"];

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
  if (facts.fault) parts.push({ text: facts.fault, kind: "bad" });
  return parts;
}

/** What is wrong, in words without the numbers that change all the time: for ears. */
export function wrongWords(parts) {
  const wrong = parts.filter((part) => part.kind === "warn" || part.kind === "bad");
  return wrong.map((part) => part.text.replace(/\d+ (?=ms|s\b)/g, "").trim()).join(", ");
}

/** Number before a page's first look: pages on one view hear each other's answers, so each counts in a range of its own. */
export function lookBase() {
  return Math.floor(Math.random() * 2 ** 30) * 2 ** 20;
}

/** Whether the page around is light; JupyterLab says so on its body, elsewhere the system does. */
export function pageTheme(choice) {
  if (choice === "dark" || choice === "light") return choice;
  const said = document.body.dataset.jpThemeLight;
  if (said !== undefined) return said === "true" ? "light" : "dark";
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/**
 * What goes between page and kernel for one view. Link and Painter meet at the root: `ow-fault` carries what went wrong
 * while drawing, `ow-wake` says that what stood still goes on.
 */
export class Link {
  /** `onMessage(content, buffers)` returns false if it needs a full snapshot. */
  constructor(model, root, onMessage) {
    this.model = model;
    this.root = root;
    root.dataset.group = model.get("options")?.group ?? "";
    this.onMessage = onMessage;
    this.name = Math.random().toString(36).slice(2); // tells this page from the others on the same view
    this.drawn = 0;
    this.unheard = []; // [number, when] of messages that the kernel does not know to be drawn
    this.undone = new Map();
    this.facts = { state: "connecting", behindMs: null, silentMs: 0, unheardMs: 0, gaps: 0, note: "", error: "", fault: "" };
    this.heardAt = performance.now();
    this.clock = { now: 0, at: performance.now(), rate: 1 };
    this.marks = [];
    this.least = Infinity;
    this.timers = [];
    this.satisfied = false;
    this.strip = root.appendChild(document.createElement("div"));
    this.strip.className = "ow-strip";
    this.strip.setAttribute("aria-live", "off"); // it changes twice a second: what is wrong is said aloud apart, once
    this.aloud = root.appendChild(document.createElement("div"));
    this.aloud.className = "ow-unseen";
    this.aloud.setAttribute("role", "status");
    // When the hand did what it did last: on a busy page the handlers come later, and a deed's age counts from the hand.
    this.handAt = performance.now();
    for (const deed of DEEDS) root.addEventListener(deed, (event) => (this.handAt = event.timeStamp), true);
    this.receive = (content, buffers) => this.#receive(content, buffers);
    model.on("msg:custom", this.receive);
    root.addEventListener("ow-fault", (event) => this.fail(event.detail));
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
    // The first word may leave before the page knows which kernel thread serves it, and wait behind a running cell.
    for (const delay of HELLO_MS) this.timers.push(setTimeout(() => this.#hello(), delay));
    this.beats = 0;
    this.timers.push(setInterval(() => this.#beat(), ACK_MS));
  }

  #hello() {
    if (!this.satisfied) this.say({ k: "ready" });
  }

  #beat() {
    this.beats += 1;
    if (!this.satisfied && this.beats % 6 === 0) this.say({ k: "ready" });
    else if (this.beats % KEEP_EVERY === 0 && this.#isForgotten()) this.say({ k: "ack", s: this.drawn });
    if (this.drawn !== this.acknowledged) {
      this.acknowledged = this.drawn;
      this.say({ k: "ack", s: this.drawn });
    }
    const now = performance.now();
    this.facts.silentMs = now - this.heardAt;
    if (this.facts.fault && now > this.faultUntil) this.facts.fault = "";
    for (const [id, act] of this.undone) this.#remind(id, act, now);
    this.#show();
  }

  /** An act that nobody answers is said again, for it may wait behind a running cell; the kernel takes it once. */
  #remind(id, act, now) {
    if (now - act.at >= UNANSWERED_MS) {
      this.undone.delete(id);
      act.reject(new Error("the kernel has not answered for a minute: whether it was done is not known"));
    } else if (now - act.at >= REMIND_MS && act.again < REMIND_TIMES) {
      act.again += 1;
      this.say(act.said);
    }
  }

  /** Another page on this view may have said good-bye for both: a word of what is drawn here brings the kernel back. */
  #isForgotten() {
    return this.satisfied && this.facts.state !== "closed" && performance.now() - this.heardAt > QUIET_MS;
  }

  say(content) {
    if (this.control && !this.stopped) this.control.send({ ...content, page: this.name });
  }

  /** Milliseconds of the kernel's clock at a time of the page's, as it was told last and has gone on here since. */
  kernelTime(at) {
    return this.kernelSent === undefined ? null : this.kernelSent + (at - this.heardAt);
  }

  /** Lets the kernel do something, once; resolves with what it says of it, rejects with the reason it gives. */
  act(content) {
    if (!this.control || this.stopped) return Promise.reject(new Error("not connected to the kernel: nothing was done"));
    const id = `${Math.random().toString(36).slice(2)}${performance.now()}`;
    const said = { k: "act", id, kernel_ms: this.kernelTime(this.handAt), ...content };
    this.say(said);
    return new Promise((resolve, reject) => this.undone.set(id, { said, again: 0, resolve, reject, at: performance.now() }));
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
      console.error("ow-link:", error);
      if (content.s !== undefined) this.satisfied = false; // taken in half: only a snapshot mends that
      this.fail(error);
    }
  }

  #note(content) {
    const at = performance.now();
    const wakes = at - this.heardAt > QUIET_MS || (content.state !== undefined && content.state !== this.facts.state);
    this.heardAt = at;
    this.kernelSent = content.sent;
    const late = Date.now() - content.sent;
    this.least = Math.min(this.least, late);
    // Clocks of page and kernel may differ: on one machine `late` is the truth, elsewhere only its growth is.
    const skewed = this.least < -5 || this.least > 5000;
    this.facts.behindMs = Math.max(0, skewed ? late - this.least : late) + (content.lag_ms ?? 0);
    if (this.unheard.length < MOST_UNHEARD) this.unheard.push([content.s, at]);
    while (this.unheard.length && this.unheard[0][0] <= content.acked) this.unheard.shift();
    this.facts.unheardMs = this.unheard.length ? at - this.unheard[0][1] : 0;
    for (const name of ["state", "gaps", "note", "error"]) if (name in content) this.facts[name] = content[name];
    if ("valid" in content) this.facts.valid = content.valid;
    this.#tellTime(content.now, at);
    if (wakes) this.root.dispatchEvent(new Event("ow-wake"));
  }

  /** Market time runs at any speed in replays: its rate is measured over the last seconds. */
  #tellTime(now, at) {
    this.marks.push({ now, at });
    while (this.marks.length > 2 && at - this.marks[0].at > RATE_WINDOW_MS) this.marks.shift();
    const first = this.marks[0];
    const rate = at > first.at + 200 ? (now - first.now) / (at - first.at) : 1;
    this.clock = { now, at, rate: rate >= 0 && rate < 1e4 ? rate : 0 };
  }

  /** Whether market time goes on: else a picture that follows it need not be drawn again. */
  get moving() {
    return this.facts.state === "live" && performance.now() - this.heardAt < QUIET_MS;
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
    const wrong = wrongWords(parts);
    if (wrong !== this.wrong) this.aloud.textContent = this.wrong = wrong;
    this.strip.replaceChildren(
      ...parts.map((part) => {
        const span = document.createElement("span");
        span.className = `ow-${part.kind}`;
        span.textContent = part.text;
        return span;
      }),
    );
  }

  /** Shows for a while what went wrong on this page; what goes wrong in the kernel comes and goes with its messages. */
  fail(error) {
    this.facts.fault = `${error?.name ?? "Error"}: ${error?.message ?? error}`;
    this.faultUntil = performance.now() + FAULT_MS;
    this.#show();
  }

  /** Takes back what `fail` said: what went wrong went well now. */
  well() {
    this.facts.fault = "";
    this.#show();
  }

  stop() {
    this.say({ k: "bye" });
    this.stopped = true;
    this.model.off("msg:custom", this.receive);
    for (const timer of this.timers) clearTimeout(timer);
    for (const { reject } of this.undone.values()) reject(new Error("the view was taken off the page"));
    this.undone.clear();
  }
}

/** Sets the theme's colours as CSS variables of the root. */
export function dress(root, colours) {
  for (const [role, colour] of Object.entries(colours)) root.style.setProperty(`--ow-${role}`, colour);
}

/** Colours of a view: those that its group has chosen, else its own; with theme "auto" they follow the page's. */
export class Looks {
  constructor(root, options, painter) {
    Object.assign(this, { root, options, painter });
    this.watch = new MutationObserver(() => this.restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.restyle();
  }

  /** What another view of the group says. */
  heard(topic, value) {
    if (topic !== "theme") return;
    this.themed = value;
    this.restyle();
  }

  restyle() {
    this.colours = this.options.themes[this.themed ?? pageTheme(this.options.theme)];
    dress(this.root, this.colours);
    this.painter.ask();
  }

  stop() {
    this.watch.disconnect();
  }
}

export const FONT = '11px "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';

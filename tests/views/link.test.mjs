import assert from "node:assert/strict";
import { test } from "node:test";
import { Link, lookBase, statusParts, wrongWords } from "../../workbench/views/link.js";
import { Painter, holdsStill } from "../../workbench/views/painter.js";

class Element extends EventTarget {
  children = [];
  dataset = {};

  appendChild(child) {
    this.children.push(child);
    return child;
  }

  replaceChildren(...children) {
    this.children = children;
  }

  setAttribute() {}
}

/** A page with a clock that stands until it is turned on: `turn(ms)`, and frames that come when called: `frame()`. */
function pageOf(t) {
  const page = { now: 1000, frames: [], screens: [], sights: [], sizes: [] };
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  t.mock.method(performance, "now", () => page.now);
  t.mock.method(console, "error", () => {});
  globalThis.document = { visibilityState: "visible", createElement: () => new Element() };
  globalThis.window = { devicePixelRatio: 1, matchMedia: (query) => page.screens[page.screens.push(Object.assign(new EventTarget(), { query })) - 1] };
  globalThis.requestAnimationFrame = (run) => page.frames.push(run);
  globalThis.cancelAnimationFrame = () => page.frames.splice(0);
  globalThis.IntersectionObserver = class {
    constructor(seen) {
      page.sights.push(seen);
    }
    observe() {}
    disconnect() {}
  };
  globalThis.ResizeObserver = class {
    constructor(sized) {
      page.sizes.push(sized);
    }
    observe() {}
    disconnect() {}
  };
  page.turn = (ms) => {
    for (const end = page.now + ms; page.now < end; t.mock.timers.tick(100)) page.now += 100;
  };
  page.frame = () => page.frames.splice(0).forEach((run) => run());
  return page;
}

/** A link to a kernel that says nothing by itself: `heard` is what it got, `tell(content)` what it says. */
async function linkOf(onMessage = () => true) {
  const heard = [];
  let receive = null;
  const control = { send: (content) => heard.push(content) };
  const model = {
    get: () => "IPY_MODEL_1",
    widget_manager: { get_model: async () => control },
    on: (_, listener) => (receive = listener),
    off: () => (receive = null),
  };
  const root = new Element();
  const link = new Link(model, root, onMessage);
  let number = 0;
  const tell = (content) => receive({ s: (number += 1), acked: 0, sent: 0, now: 0, state: "live", error: "", ...content }, []);
  const early = link.act({ do: "early" }).catch((error) => error.message);
  await Promise.resolve().then(() => {}).then(() => {});
  return { link, root, heard, tell, early, strip: () => root.children[0].children.map((span) => span.textContent).join(" · ") };
}

test("an act before there is a kernel is refused, never forgotten", async (t) => {
  pageOf(t);
  const { early, link } = await linkOf();
  assert.match(await early, /nothing was done/);
  link.stop();
});

test("an act that nobody answers ends with a reason, and so does one that outlives its view", async (t) => {
  const page = pageOf(t);
  const { link } = await linkOf();
  const lost = link.act({ do: "a" }).catch((error) => error.message);
  page.turn(61000);
  assert.match(await lost, /not known/);
  const late = link.act({ do: "b" }).catch((error) => error.message);
  link.stop();
  assert.match(await late, /taken off/);
  assert.equal(link.undone.size, 0);
});

test("an act that nobody answers is said again in the same words for a while, one that was answered is not", async (t) => {
  const page = pageOf(t);
  const { link, heard, tell } = await linkOf();
  const acts = () => heard.filter(({ k }) => k === "act");
  const lost = link.act({ do: "panic" }).catch((error) => error.message);
  page.turn(300);
  assert.equal(acts().length, 1);
  page.turn(1000);
  assert.ok(acts().length > 1);
  assert.ok(acts().every((act) => JSON.stringify(act) === JSON.stringify(acts()[0])));
  tell({ k: "did", id: acts()[0].id, error: "refused" });
  assert.equal(await lost, "refused");
  const said = acts().length;
  page.turn(3000);
  assert.equal(acts().length, said);
  const silent = link.act({ do: "panic" }).catch((error) => error.message);
  page.turn(30000);
  assert.ok(acts().length - said <= 10);
  page.turn(31000);
  assert.match(await silent, /not known/);
  link.stop();
});

test("what went wrong on the page stays readable although the kernel has no error, and goes in the end", async (t) => {
  const page = pageOf(t);
  const { link, tell, strip } = await linkOf();
  link.fail(new RangeError("no such size"));
  tell({ k: "idle" });
  page.turn(2000);
  assert.match(strip(), /RangeError: no such size/);
  page.turn(9000);
  assert.doesNotMatch(strip(), /RangeError/);
  link.stop();
});

test("a message taken in half asks for everything anew", async (t) => {
  const page = pageOf(t);
  const { link, heard, tell } = await linkOf((content) => {
    if (content.k === "broken") throw new TypeError("half");
    return true;
  });
  tell({ k: "snap" });
  page.turn(3000);
  heard.length = 0;
  tell({ k: "broken" });
  page.turn(4000);
  assert.ok(heard.some((content) => content.k === "ready"));
  tell({ k: "snap" });
  heard.length = 0;
  page.turn(4000);
  assert.ok(!heard.some((content) => content.k === "ready"));
  link.stop();
});

test("hours without an acknowledgement cost no memory, and the age of the oldest message stays known", async (t) => {
  const page = pageOf(t);
  const { link, tell } = await linkOf();
  for (let i = 0; i < 5000; i++) {
    page.now += 50;
    tell({ k: "idle" });
  }
  assert.ok(link.unheard.length <= 512);
  assert.equal(link.facts.unheardMs, 4999 * 50);
  tell({ k: "idle", acked: 5000 });
  assert.equal(link.facts.unheardMs, 0);
  link.stop();
});

test("a page that the kernel forgot, since another one left, says that it is still there", async (t) => {
  const page = pageOf(t);
  const { link, heard, tell } = await linkOf();
  tell({ k: "snap" });
  page.turn(3000);
  heard.length = 0;
  page.turn(2500);
  assert.deepEqual(heard.filter((content) => content.k === "ack"), [{ k: "ack", s: 1, page: link.name }]);
  tell({ k: "idle", state: "closed" });
  page.turn(3000);
  heard.length = 0;
  page.turn(8000);
  assert.deepEqual(heard.filter((content) => content.k === "ack"), []);
  link.stop();
});

test("what is wrong is said aloud once, however its numbers change", async (t) => {
  const page = pageOf(t);
  const { link, root, tell } = await linkOf();
  const said = (facts) => wrongWords(statusParts({ state: "live", behindMs: null, silentMs: 0, unheardMs: 0, ...facts }));
  assert.equal(said({ silentMs: 4100 }), said({ silentMs: 9100 }));
  assert.equal(said({}), "");
  assert.notEqual(said({ gaps: 1 }), said({ gaps: 2 }));
  tell({ k: "snap", gaps: 2 });
  page.turn(1000);
  assert.equal(root.children[1].textContent, "2 gaps");
  link.stop();
});

test("a kernel that fell silent moves nothing, and its next word wakes the picture", async (t) => {
  const page = pageOf(t);
  const { link, root, tell } = await linkOf();
  let woken = 0;
  tell({ k: "idle" });
  root.addEventListener("ow-wake", () => (woken += 1));
  tell({ k: "idle" });
  assert.deepEqual([link.moving, woken], [true, 0]);
  page.turn(2000);
  assert.equal(link.moving, false);
  tell({ k: "idle" });
  assert.deepEqual([link.moving, woken], [true, 1]);
  tell({ k: "idle", state: "stale" });
  assert.deepEqual([link.moving, woken], [false, 2]);
  link.stop();
});

test("drawing goes on as long as it says so, and learns whether more than time has changed", (t) => {
  const page = pageOf(t);
  const asked = [];
  const painter = new Painter(new Element(), (news) => asked.push(news) < 3);
  painter.ask();
  for (let i = 0; i < 6; i++) page.frame();
  assert.deepEqual(asked, [true, false, false]);
  painter.stop();
});

test("nothing is drawn out of sight, and everything once it comes back", (t) => {
  const page = pageOf(t);
  const asked = [];
  const painter = new Painter(new Element(), (news) => void asked.push(news));
  page.sights[0]([{ isIntersecting: false }]);
  painter.ask();
  page.frame();
  page.frame();
  assert.deepEqual(asked, []);
  page.sights[0]([{ isIntersecting: true }]);
  page.frame();
  assert.deepEqual(asked, [true]);
  painter.stop();
});

test("a width is told once and drawn anew where it changed, and nobody asks the page for it", (t) => {
  const page = pageOf(t);
  let drawn = 0;
  const painter = new Painter(new Element(), () => void (drawn += 1));
  for (const width of [800.4, 800.3, 640]) {
    page.sizes[0]([{ contentRect: { width } }]);
    page.frame();
  }
  assert.deepEqual([painter.width, drawn], [640, 2]);
  painter.stop();
});

test("another size of the screen's pixels draws anew, again and again", (t) => {
  const page = pageOf(t);
  let drawn = 0;
  const painter = new Painter(new Element(), () => void (drawn += 1));
  for (const ratio of [2, 1.5]) {
    globalThis.window.devicePixelRatio = ratio;
    page.screens.at(-1).dispatchEvent(new Event("change"));
    page.frame();
  }
  assert.equal(drawn, 2);
  assert.equal(page.screens.at(-1).query, "(resolution: 1.5dppx)");
  painter.stop();
  page.screens.at(-1).dispatchEvent(new Event("change"));
  page.frame();
  assert.equal(drawn, 2);
});

test("a fault while drawing is shown under the widget, and the next message draws again", async (t) => {
  const page = pageOf(t);
  const { link, root, strip } = await linkOf();
  let faulty = true;
  let drawn = 0;
  const painter = new Painter(root, () => {
    if (faulty) throw new TypeError("no such colour");
    drawn += 1;
  });
  painter.ask();
  page.frame();
  assert.match(strip(), /TypeError: no such colour/);
  faulty = false;
  painter.ask();
  page.frame();
  assert.equal(drawn, 1);
  painter.stop();
  link.stop();
});

test("two pages count their looks in ranges that do not meet", () => {
  const [one, other] = [lookBase(), lookBase()];
  assert.ok(Number.isSafeInteger(one + 2 ** 20));
  assert.ok(one === other || Math.abs(one - other) >= 2 ** 20);
});

test("while a hand waits for one group the others hold still, but never for long", () => {
  const hush = { group: "a", until: 1000 };
  assert.equal(holdsStill(hush, "b", 950, 940), true);
  assert.equal(holdsStill(hush, "a", 950, 940), false, "the group that waits goes on");
  assert.equal(holdsStill(hush, "b", 1000, 990), false, "it is over");
  assert.equal(holdsStill(hush, "b", 950, 700), false, "it has held still for long enough");
  assert.equal(holdsStill(hush, "b", 950, -Infinity), false, "nothing was drawn yet");
  assert.equal(holdsStill(null, "b", 950, 940), false);
});

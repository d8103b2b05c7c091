import assert from "node:assert/strict";
import { test } from "node:test";
import {
  actOf, boxOf, cornersOf, factLines, firstAtLeast, flagsInView, grownLine, isInside, nsText, shortFacts, valueAt,
} from "../../workbench/views/heat_lines.js";
import { markColour } from "../../workbench/views/heat_marks.js";
import { AnchorTool, LabelTool, SelectTool } from "../../workbench/views/heat_select.js";
import { HeatCamera } from "../../workbench/views/heat_camera.js";

const line = (from, ms, ...ticks) => ({ name: "v", colour: "accent", kind: "line", from, ms, ticks });

test("a line keeps what stays of it and takes its new tail", () => {
  const old = grownLine(undefined, line(0, [1, 2, 3], [10, 20, 30], [1, 1, 1]));
  const grown = grownLine(old, line(2, [3, 4], [31, 40], [2, 2]));
  assert.deepEqual(grown.ms, [1, 2, 3, 4]);
  assert.deepEqual(grown.ticks, [[10, 20, 31, 40], [1, 1, 2, 2]]);
  assert.deepEqual(grownLine(old, line(0, [9], [90], [9])).ms, [9], "from 0: another line altogether");
  assert.deepEqual(grownLine(undefined, line(5, [9], [90])).ms, [9], "a page that missed the beginning has the tail");
});

test("tails in any cut grow to the same line", () => {
  const whole = Array.from({ length: 30 }, (_, i) => i);
  for (let cut = 0; cut <= 30; cut++) {
    const first = grownLine(undefined, line(0, whole.slice(0, cut), whole.slice(0, cut)));
    const both = grownLine(first, line(Math.max(0, cut - 1), whole.slice(Math.max(0, cut - 1)), whole.slice(Math.max(0, cut - 1))));
    assert.deepEqual(both.ms, whole);
  }
});

test("a value at a moment is that of the point before it", () => {
  const steps = grownLine(undefined, line(0, [10, 20], [5, 6]));
  assert.deepEqual([9, 10, 19, 20, 99].map((ms) => valueAt(steps, ms)), [null, 5, 5, 6, 6]);
  assert.equal(firstAtLeast([1, 3, 3, 5], 3), 1);
});

test("more flags than may be drawn are put together, and none is lost in the count", () => {
  const n = 10_000;
  const all = (value) => Array.from({ length: n }, value);
  const set = { ms: all((_, i) => i), tick: all(() => 1), side: all((_, i) => (i % 3) - 1), text: all(() => ""), count: all(() => 1) };
  const few = flagsInView(set, 0, n, 2000, 1);
  assert.ok(few.length <= 2000 * 1.6 && few.length > 100);
  assert.equal(few.reduce((sum, flag) => sum + flag.count, 0), n);
  assert.equal(flagsInView(set, 10, 20, 2000, 1).length, 10);
  assert.equal(set.count[0], 1, "what was sent stays as it is");
});

test("times leave the page as ns in text, exact to the microsecond", () => {
  assert.equal(nsText(1723118400123.456), "1723118400123456000");
  assert.equal(nsText(-5), "0");
});

test("a rectangle that is dragged in any direction has the same corners, and comes back to its pixels", () => {
  const camera = new HeatCamera(400);
  Object.assign(camera, { width: 800, right: 1_000_000, msPerPx: 25, centre: 2000, ticksPerPx: 0.1 });
  const at = camera.at();
  const one = cornersOf({ x0: 100, y0: 50, x1: 300, y1: 150 }, at, false);
  assert.deepEqual(cornersOf({ x0: 300, y0: 150, x1: 100, y1: 50 }, at, false), one);
  const box = boxOf(one, at);
  for (const [name, wanted] of Object.entries({ left: 100, right: 300, top: 50, bottom: 150 })) assert.ok(Math.abs(box[name] - wanted) < 1e-6, name);
  const tall = cornersOf({ x0: 100, y0: 50, x1: 300, y1: 150 }, at, true);
  assert.deepEqual([tall.low, tall.high, boxOf(tall, at).top, boxOf(tall, at).bottom], [null, null, 0, 400]);
  assert.deepEqual(Object.keys(actOf(one)), ["start", "end", "low", "high"]);
  assert.ok(isInside(box, 100, 50) && !isInside(box, 99, 50) && isInside(box, 99, 50, 2));
});

test("a price is inside a rectangle exactly when the middle of its row is", () => {
  const camera = new HeatCamera(400);
  Object.assign(camera, { width: 800, right: 0, msPerPx: 1, centre: 100, ticksPerPx: 0.05 });
  const at = camera.at();
  const { low, high } = cornersOf({ x0: 0, y0: at.yAt(103.6), x1: 9, y1: at.yAt(101.4) }, at, false);
  assert.deepEqual([101, 102, 103, 104].filter((tick) => tick >= low && tick <= high), [101, 102, 103]);
});

test("facts are cut into short lines, and to the few that stand in the picture", () => {
  const facts = "1 s · 3 ticks · 9 events · buy 1 · sell 2 · delta −1 · added 5 · removed 4";
  assert.deepEqual(factLines(facts), ["1 s · 3 ticks · 9 events", "buy 1 · sell 2 · delta −1", "added 5 · removed 4"]);
  assert.equal(shortFacts(facts), "1 s · 3 ticks · delta −1");
});

test("a colour is a role of the theme or six digits, and nothing else reaches the canvas", () => {
  const colours = { accent: "#000001", warn: "#000002" };
  assert.deepEqual(["warn", "#a1B2c3", "url(x)", "red"].map((c) => markColour(c, colours)), ["#000002", "#a1B2c3", "#000001", "#000001"]);
});

/** What tools ask of the view, written down. */
function heatThatNotes() {
  const said = [];
  const note = (word) => (value) => said.push([word, value]);
  const link = { act: (content) => (said.push(["act", content]), Promise.resolve({})) };
  return { said, link, set: note("set"), setTool: note("tool"), say: note("say"), painter: { ask() {} }, root: { dataset: {} } };
}

function standingCamera() {
  const camera = new HeatCamera(400);
  return Object.assign(camera, { width: 800, right: 1_000_000, msPerPx: 1, centre: 100, ticksPerPx: 0.1 }).at();
}

test("a brush asks once for the rectangle it drew and lays itself down; a click selects nothing", () => {
  const heat = heatThatNotes();
  const tool = new SelectTool(heat);
  const at = standingCamera();
  tool.down(at, { offsetX: 100, offsetY: 50, shiftKey: false });
  tool.move(at, { offsetX: 200, offsetY: 90, shiftKey: false });
  tool.up(at, { offsetX: 300, offsetY: 150, shiftKey: true });
  assert.deepEqual(heat.said, [["act", { do: "select", start: "999300000000", end: "999500000000", low: null, high: null }], ["tool", null]]);
  tool.up(at, { offsetX: 5, offsetY: 5 });
  assert.equal(heat.said.length, 2, "nothing was begun");
  tool.down(at, { offsetX: 100, offsetY: 50 });
  tool.up(at, { offsetX: 101, offsetY: 51 });
  assert.deepEqual(heat.said[2], ["act", { do: "unselect" }]);
});

test("a corner stays at its time and price while the chart moves under the pointer", () => {
  const heat = heatThatNotes();
  const tool = new SelectTool(heat);
  const at = standingCamera();
  tool.down(at, { offsetX: 300, offsetY: 100 });
  at.view.right += 50;
  tool.up(at, { offsetX: 400, offsetY: 200 });
  assert.equal(heat.said[0][1].start, "999500000000");
});

test("the label tool asks for a name, and a click on a label for another one", () => {
  const heat = heatThatNotes();
  const asked = [];
  const at = standingCamera();
  const known = { id: "7", left: 0, right: 1, low: null, high: null };
  const tool = new LabelTool(heat, { labelAt: (x) => (x < 50 ? known : null) }, { ask: (...words) => asked.push(words) });
  tool.down(at, { offsetX: 100, offsetY: 50 });
  tool.up(at, { offsetX: 200, offsetY: 150 });
  assert.equal(asked[0][1], null);
  tool.down(at, { offsetX: 10, offsetY: 50 });
  tool.up(at, { offsetX: 10, offsetY: 50 });
  assert.deepEqual(asked[1], [known, known]);
  assert.equal(heat.said.filter(([word]) => word === "act").length, 0, "the form acts, not the tool");
});

test("the anchor tool begins the VWAP where it was clicked, with Shift at the left edge", () => {
  const heat = heatThatNotes();
  const tool = new AnchorTool(heat);
  const at = standingCamera();
  for (const shiftKey of [false, true]) {
    tool.down(at, { offsetX: 400, shiftKey });
    tool.up();
  }
  const anchors = heat.said.filter(([word]) => word === "act").map(([, act]) => act.anchor);
  assert.deepEqual(anchors, ["999600000000", "999200000000"]);
  assert.deepEqual(heat.said[1], ["set", { vwap: true }]);
});

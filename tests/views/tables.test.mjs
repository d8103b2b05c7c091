import assert from "node:assert/strict";
import { test } from "node:test";
import { ladderRows, lockedCentre } from "../../workbench/views/ladder.js";
import { statusParts } from "../../workbench/views/link.js";
import { profileSpec } from "../../workbench/views/profile.js";

const units = { tick: 0.25, lot: 1, decimals: 2 };

test("a ladder shows prices from high to low, sizes beside them and bars by the largest", () => {
  const lots = Float64Array.of(3, 6, 0, /* asks */ 0, 0, 12, /* bought */ 0, 0, 5, /* sold */ 0, 2, 0);
  const state = { lots, count: 3, lowRow: 100, rowTicks: 1, bidRow: 101, askRow: 102, lastRow: 102 };
  const rows = ladderRows(state, 101, 3, units);
  assert.deepEqual(rows.map((r) => r.price), ["25.50", "25.25", "25.00"]);
  assert.deepEqual(rows.map((r) => [r.bid, r.ask]), [["", "12"], ["6", ""], ["3", ""]]);
  assert.deepEqual(rows.map((r) => [r.sold, r.bought]), [["", "5"], ["2", ""], ["", ""]]);
  assert.deepEqual(rows.map((r) => [r.bidBar, r.askBar]), [[0, 100], [50, 0], [25, 0]]);
  assert.deepEqual(rows.map((r) => [r.touch, r.last]), [[true, true], [true, false], [false, false]]);
});

test("rows outside what was sent are empty, not wrong", () => {
  const state = { lots: new Float64Array(4), count: 1, lowRow: 0, rowTicks: 1, bidRow: null, askRow: null, lastRow: null };
  assert.equal(ladderRows(state, 50, 3, units)[0].bid, "");
});

test("the centre stays until the touch leaves the middle half", () => {
  assert.equal(lockedCentre(null, 10, 20), 10);
  assert.equal(lockedCentre(10, 14, 20), 10);
  assert.equal(lockedCentre(10, 16, 20), 16);
  assert.equal(lockedCentre(10, null, 20), null);
});

test("a profile puts low prices low, splits its bars and marks POC, VAH and VAL", () => {
  const lots = Float64Array.of(1, 5, 2, /* sold */ 1, 5, 0, /* unknown */ 0, 0, 1);
  const state = { lots, count: 3, lowRow: 10, rowTicks: 1, pocRow: 11, vahRow: 12, valRow: 11 };
  const spec = profileSpec(state, 400, 300);
  assert.ok(spec.bars[0].y > spec.bars[2].y);
  assert.equal(spec.bars[1].bought, spec.bars[1].sold);
  assert.deepEqual(spec.bars.map((bar) => bar.inside), [false, true, true]);
  assert.deepEqual(spec.lines.map((line) => [line.name, line.row]), [["VAH", 12], ["POC", 11], ["VAL", 11]]);
  assert.ok(Math.max(...spec.bars.map((bar) => bar.bought + bar.sold + bar.unknown)) <= spec.plot);
});

test("the strip says what is wrong, and nothing else", () => {
  const calm = { state: "live", behindMs: 12.4, silentMs: 0, unheardMs: 0, gaps: 0, note: "", error: "", valid: true };
  const texts = (facts) => statusParts({ ...calm, ...facts }).map((part) => part.text);
  assert.deepEqual(texts({}), ["live", "12 ms behind"]);
  assert.deepEqual(texts({ state: "paused" }), ["paused"]);
  assert.deepEqual(texts({ silentMs: 4100 }), ["live", "12 ms behind", "no word from the kernel for 4 s"]);
  assert.deepEqual(texts({ unheardMs: 2500 }), ["live", "12 ms behind", "kernel busy"]);
  assert.deepEqual(texts({ valid: false, gaps: 2 }), ["live", "12 ms behind", "book not known", "2 gaps"]);
  assert.equal(statusParts({ ...calm, error: "TypeError: x" }).at(-1).kind, "bad");
});

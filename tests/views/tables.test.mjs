import assert from "node:assert/strict";
import { test } from "node:test";
import { statusParts } from "../../workbench/views/link.js";
import { profileSpec } from "../../workbench/views/profile.js";

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

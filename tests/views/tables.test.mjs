import assert from "node:assert/strict";
import { test } from "node:test";
import { statusParts } from "../../workbench/views/link.js";

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

import assert from "node:assert/strict";
import { test } from "node:test";
import { profileState } from "../../workbench/views/profile.js";
import { fittingAxis, profilePieces, profileSpec } from "../../workbench/views/profile_paint.js";

const bytes = (array) => new DataView(array.buffer, array.byteOffset, array.byteLength);
const LOTS = Float64Array.of(1, 5, 2, /* sold */ 1, 5, 0, /* unknown */ 0, 0, 1);

function message(k, lots, steps, rows, more = {}) {
  const content = { k, count: 3, low_row: 10, row_ticks: 1, poc_row: 11, vah_row: 12, val_row: 11, naked: [], hvn: [], lvn: [], dev_from: 0, ...more };
  return [content, [lots, Float64Array.from(steps.flat()), ...(rows ? [Int32Array.from(rows)] : [])].map(bytes)];
}

test("a profile puts low prices low, splits its bars and marks POC, VAH and VAL", () => {
  const spec = profileSpec(profileState(null, ...message("rows", LOTS, [])), 400, 300);
  assert.ok(spec.bars[0].y > spec.bars[2].y);
  assert.deepEqual(spec.bars[1].pieces.map(([role]) => role), ["sell", "buy", "faint"]);
  assert.equal(spec.bars[1].pieces[0][1], spec.bars[1].pieces[1][1]);
  assert.deepEqual(spec.bars.map((bar) => bar.inside), [false, true, true]);
  assert.deepEqual(spec.lines.map((line) => [line.name, line.row]), [["VAH", 12], ["POC", 11], ["VAL", 11]]);
  assert.ok(Math.max(...spec.bars.map((bar) => bar.total)) <= spec.plot);
});

test("pieces of a row are both sides, their difference, or the sum", () => {
  const state = profileState(null, ...message("rows", LOTS, []));
  assert.deepEqual(profilePieces(state, 0, "aggressor"), [["sell", 1], ["buy", 1], ["faint", 0]]);
  assert.deepEqual(profilePieces(state, 2, "delta"), [["buy", 2]]);
  assert.deepEqual(profilePieces(state, 2, "total"), [["accent", 3]]);
});

test("a message of changed rows patches those rows and the end of the developing lines", () => {
  const first = profileState(null, ...message("rows", LOTS.slice(), [[1, 11, 11, 12], [2, 11, 11, 12]]));
  const lots = Float64Array.of(7, /* sold */ 3, /* unknown */ 0);
  const next = profileState(first, ...message("some", lots, [[2, 10, 10, 12], [3, 10, 10, 11]], [2], { dev_from: 1 }));
  assert.deepEqual([...next.lots], [1, 5, 7, 1, 5, 3, 0, 0, 0]);
  assert.deepEqual(next.steps, [[1, 11, 11, 12], [2, 10, 10, 12], [3, 10, 10, 11]]);
});

test("changed rows mean nothing to a page that holds none", () => {
  assert.equal(profileState(undefined, ...message("some", LOTS, [], [0])), null);
});

test("on a shared price axis rows lie where its prices say", () => {
  const state = profileState(null, ...message("rows", LOTS, []));
  const spec = profileSpec(state, 400, 300, { centre: 11, ticksPerPx: 0.1 });
  assert.equal(spec.rowPx, 10);
  assert.equal(spec.yOfRow(10), 150); // its upper edge is price 11, the middle
  const fitted = fittingAxis(state, 300);
  assert.equal(fitted.centre, 11.5);
});

test("developing lines stand beside the rows where there is room for them", () => {
  const state = profileState(null, ...message("rows", LOTS, [[1, 11, 11, 12], [2, 11, 11, 12]]));
  assert.equal(profileSpec(state, 320, 300).developed, false);
  const wide = profileSpec(state, 900, 300);
  assert.ok(wide.developed && wide.plot < wide.right);
});

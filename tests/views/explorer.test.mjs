// Pure helpers of the explorer: where sliders stand, how numbers read, what an interval says.
import assert from "node:assert/strict";
import test from "node:test";
import { cardNumber, cardSpan, fillCard, tookText, verdict, worthParts } from "../../workbench/views/explorer_card.js";
import { knobLabel, knobPosition, knobText, knobValue, sameKnobs } from "../../workbench/views/explorer_knobs.js";
import { knownPath, pathWords, roundSteps } from "../../workbench/views/explorer_path.js";

const even = { kind: "real", low: 0.01, high: 1, log: false, zero: false };
const wide = { kind: "real", low: 0.02, high: 50, log: true, zero: true };
const whole = { kind: "whole", low: 1, high: 20, log: false, zero: false };

test("a slider stands where its value says, and gives it back to three digits", () => {
  for (const knob of [even, wide, whole]) {
    for (const position of [0, 1, 40, 200, 500, 999, 1000]) {
      const value = knobValue(knob, position);
      const again = knobValue(knob, knobPosition(knob, value));
      assert.ok(Math.abs(again - value) <= 0.02 * Math.abs(value), `${knob.low}: ${position} gives ${value}, then ${again}`);
    }
  }
});

test("the ends of a slider are its bounds, and a logarithmic one begins at 0 where that is allowed", () => {
  assert.deepEqual([knobValue(even, 0), knobValue(even, 1000)], [0.01, 1]);
  assert.deepEqual([knobValue(wide, 0), knobValue(wide, 20), knobValue(wide, 1000)], [0, 0.02, 50]);
  assert.deepEqual([knobPosition(wide, 0), knobPosition(wide, 0.02), knobPosition(wide, 1e9)], [0, 20, 1000]);
  assert.deepEqual([knobValue(whole, 0), knobValue(whole, 500), knobValue(whole, 1000)], [1, 11, 20]);
});

test("half of a logarithmic slider is the geometric mean", () => {
  assert.equal(knobValue({ kind: "real", low: 0.01, high: 100, log: true, zero: false }, 500), 1);
});

test("a parameter's name is words and a unit", () => {
  assert.deepEqual(knobLabel("depth_half_life_s"), { words: "depth half life", unit: "s" });
  assert.deepEqual(knobLabel("levels"), { words: "levels", unit: "" });
  assert.deepEqual(knobLabel("move_ticks"), { words: "move", unit: "ticks" });
  assert.equal(knobText(0.1 + 0.2), "0.3");
});

test("a board is built anew for other knobs only, not for other values", () => {
  const board = (value, high = 1) => [{ title: "A", knobs: [{ id: "enter", value, high }] }];
  assert.ok(sameKnobs(board(0.1), board(0.2)));
  assert.ok(!sameKnobs(board(0.1), board(0.1, 2)));
});

test("numbers read with three digits and a sign that can be seen", () => {
  assert.equal(cardNumber(-0.98765, { signed: true }), "−0.988");
  assert.equal(cardNumber(12.34, { signed: true }), "+12.3");
  assert.equal(cardNumber(1234.5), "1235");
  assert.equal(cardNumber(0.644, { percent: true }), "64.4 %");
  assert.equal(cardNumber(null), "–");
  assert.equal(cardNumber(0, { signed: true }), "0.000");
});

test("an interval speaks only where it does not hold its zero", () => {
  assert.equal(verdict(0.1, 0.4, 0), 1);
  assert.equal(verdict(-0.4, -0.1, 0), -1);
  assert.equal(verdict(-0.1, 0.4, 0), 0);
  assert.equal(verdict(0.51, 0.6, 0.5), 1);
  assert.equal(verdict(null, 0.4, 0), 0);
});

test("all rows of a column share one scale with its zero inside", () => {
  const rows = [{ net: 1, net_low: 0.5, net_high: 2 }, { net: null, net_low: null, net_high: null }];
  const [low, high] = cardSpan(rows, "net", 0);
  assert.ok(low < 0 && high > 2 && high < 2.2);
});

test("the number of trials always comes first", () => {
  const parts = worthParts({ trials: 1234, dsr: 0.2, psr: 0.97, pbo: null, half_life: 2.5 });
  assert.equal(parts[0].text, "1,234 trials on these data");
  assert.deepEqual(parts.slice(1).map((part) => part.text), ["DSR 0.20", "PSR 0.97 ✓", "PBO –", "IC half-life 2.5 s"]);
  assert.equal(worthParts({ trials: 1, dsr: null, psr: null, pbo: 0, half_life: null })[0].text, "1 trial on these data");
  assert.deepEqual(worthParts(undefined), []);
});

test("it says that it computes, how long it took, or why it cannot", () => {
  assert.equal(tookText({ busy: true, took_ms: 3 }), "computing …");
  assert.equal(tookText({ took_ms: 17.4, count: 5000000 }), "17 ms · 5,000,000 events read");
  assert.equal(tookText({ took_ms: 900, read: true, count: 1 }), "900 ms, reading included · 1 events read");
  assert.equal(tookText({ refused: "enter 3; expected less", took_ms: 3 }), "enter 3; expected less");
});

test("round steps lie inside of the span", () => {
  assert.deepEqual(roundSteps(-0.21, 0.64, 5), [-0.2, 0, 0.2, 0.4, 0.6]);
  assert.deepEqual(roundSteps(-15, 60, 4), [0, 20, 40, 60]);
  assert.deepEqual(roundSteps(0, 0, 4), []);
});

test("a path is what is known of it, and can be said in words", () => {
  const study = { events: 3, path: { after: [-1, 0, 1], mean: [null, 0, 0.5], low: [null, null, 0.25], high: [null, null, 0.75] } };
  assert.deepEqual(knownPath(study), [[0, 0, 0, 0], [1, 0.5, 0.25, 0.75]]);
  assert.equal(pathWords(study), "Event study of 3 events: mean move 0.50 ticks after 1 s, interval 0.25 to 0.75");
  assert.deepEqual(knownPath(undefined), []);
});

test("a card without a study is empty", () => {
  const calls = [];
  fillCard({ replaceChildren: () => calls.push("emptied") }, undefined);
  assert.deepEqual(calls, ["emptied"]);
});

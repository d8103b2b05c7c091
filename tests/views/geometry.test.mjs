import assert from "node:assert/strict";
import { test } from "node:test";
import * as g from "../../workbench/views/geometry.js";

const view = { width: 800, height: 400, right: 1_000_000, msPerPx: 100, centre: 500, ticksPerPx: 0.25 };

test("pixels and prices, pixels and moments are inverse", () => {
  for (const x of [0, 13, 799.5]) assert.ok(Math.abs(g.xOf(g.msAt(x, view), view) - x) < 1e-9);
  for (const y of [0, 200, 399]) assert.ok(Math.abs(g.yOf(g.tickAt(y, view), view) - y) < 1e-9);
  assert.equal(g.yOf(500, view), 200);
  assert.ok(g.yOf(501, view) < 200, "prices grow upwards");
});

test("a ring is read in at most two pieces per length, in order, also before column 0", () => {
  assert.deepEqual(g.ringPieces(5, 8, 10), [{ slot: 5, column: 5, count: 3 }]);
  assert.deepEqual(g.ringPieces(8, 13, 10), [{ slot: 8, column: 8, count: 2 }, { slot: 0, column: 10, count: 3 }]);
  assert.deepEqual(g.ringPieces(-2, 1, 10), [{ slot: 8, column: -2, count: 2 }, { slot: 0, column: 0, count: 1 }]);
  assert.deepEqual(g.ringPieces(4, 4, 10), []);
});

test("labels are round multiples inside the range", () => {
  assert.deepEqual(g.priceTicks(19, 61, 5), [20, 30, 40, 50, 60]);
  assert.deepEqual(g.priceTicks(-3, 1, 10), [-3, -2, -1, 0, 1], "never finer than a tick");
  assert.deepEqual(g.priceTicks(0, 20, 5, 0.25), [0, 4, 8, 12, 16, 20], "whole prices, where ticks allow");
  assert.deepEqual(g.priceTicks(0, 20, 5, 0.3), [0, 5, 10, 15, 20]);
  assert.deepEqual(g.timeTicks(1000, 61_000, 6).at, [10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  assert.equal(g.timeTicks(0, 3_600_000, 6).step, 600_000);
});

test("time labels are aligned to the viewer's midnight", () => {
  const day = 86_400_000;
  assert.deepEqual(g.timeTicks(0, 2 * day, 2, 5.5 * 3_600_000).at, [day - 5.5 * 3_600_000, 2 * day - 5.5 * 3_600_000]);
});

test("prices have the decimals of their tick", () => {
  assert.equal(g.decimalsOf("0.25"), 2);
  assert.equal(g.decimalsOf("0.10"), 1);
  assert.equal(g.decimalsOf("10"), 0);
  assert.equal(g.priceText(616_607, 0.1, 1), "61660.7");
  assert.equal(g.priceText(-3, 0.25, 2), "-0.75");
});

test("sizes have about four signs", () => {
  const texts = [0.0123456, 3.4, 128, 1234, 12_500, 3_140_000, 2e9].map(g.sizeText);
  assert.deepEqual(texts, ["0.0123", "3.4", "128", "1234", "12.5k", "3.14M", "2B"]);
});

test("resolutions are round and near what the zoom wants", () => {
  assert.equal(g.niceTicks(30), 25);
  assert.equal(g.niceTicks(0.3), 1);
  assert.equal(g.niceColumnMs(125, 2), 200);
  assert.equal(g.niceColumnMs(2000, 2), 5000);
});

test("the price axis stays while the mid is in the middle part", () => {
  assert.equal(g.centreFor(510, view), null);
  assert.equal(g.centreFor(545, view), 545);
});

test("clocks are those of the zone, on both sides of a change to summer time", () => {
  const winter = Date.UTC(2026, 10, 22, 17, 5, 9, 42);
  assert.equal(g.timeText(winter, 1, "America/New_York"), "12:05:09.042");
  assert.equal(g.timeText(winter, 1, "Asia/Kolkata"), "22:35:09.042");
  assert.equal(g.timeText(Date.UTC(2026, 6, 1, 12), 60000, "Europe/Berlin"), "14:00");
  const change = Date.UTC(2026, 2, 29, 1);
  assert.deepEqual([change - 1, change].map((ms) => g.zoneOffsetMs(ms, "Europe/Berlin") / 3.6e6), [1, 2]);
});

test("a new day shows its date, in the zone", () => {
  assert.equal(g.axisText(Date.UTC(2026, 10, 22, 5), 3.6e6, "America/New_York"), "22 Nov");
  assert.equal(g.axisText(Date.UTC(2026, 10, 22, 6), 3.6e6, "America/New_York"), "01:00");
  assert.equal(g.axisText(Date.UTC(2026, 10, 22), 1000, "UTC"), "00:00:00");
});

test("unknown zones are told", () => {
  assert.deepEqual(["UTC", "Europe/London", "Mars/Olympus"].map(g.knownZone), [true, true, false]);
  assert.equal(g.zoneName(0, "UTC"), "UTC");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { COLOUR_POWER, codeTable, cutDrift, faded, lotsOf, percentileCut, ramp, rgbOf } from "../../workbench/views/colour.js";
import { HeatSheet, HeatStore, NO_TICK, typed } from "../../workbench/views/heat_store.js";

const ROWS = 4;
const COLUMNS = 8;

function message(k, first, last, { epoch = 1, fill = 7, trades = [] } = {}) {
  const count = last - first + 1;
  const content = { k, epoch, first, last, valid: true, columns: COLUMNS, rows: ROWS, column_ms: 100, origin_ms: 5000, row_ticks: 2, low_tick: 10, auto: true };
  const codes = new Uint16Array(count * ROWS).fill(fill);
  const edges = Int32Array.from({ length: count * 3 }, (_, i) => [11, 13, 0][i % 3]);
  const buffers = [codes, edges, Float32Array.from(trades.flat()), new Uint16Array(2 * ROWS)];
  // a message packs its parts back to back: views that start at an odd byte
  return [content, buffers.map((array) => shifted(array))];
}

function shifted(array) {
  const bytes = new Uint8Array(array.byteLength + 1);
  bytes.set(new Uint8Array(array.buffer), 1);
  return new DataView(bytes.buffer, 1, array.byteLength);
}

test("parts of a message at odd bytes become arrays", () => {
  assert.deepEqual([...typed(Int32Array, shifted(Int32Array.of(1, -2)))], [1, -2]);
});

test("columns before a snapshot, of another epoch, or behind a hole ask for a snapshot", () => {
  const store = new HeatStore();
  assert.equal(store.apply(...message("cols", 0, 1)), null);
  assert.deepEqual(store.apply(...message("snap", 0, 3)), [0, 4]);
  assert.equal(store.apply(...message("cols", 9, 9)), null);
  assert.equal(store.apply(...message("cols", 4, 4, { epoch: 2 })), null);
  assert.deepEqual(store.apply(...message("cols", 3, 4)), [3, 5]);
});

test("the ring keeps the newest columns and knows nothing of older ones", () => {
  const store = new HeatStore();
  store.apply(...message("snap", 0, 5));
  store.apply(...message("cols", 5, 11, { fill: 9 }));
  assert.deepEqual([store.first, store.last], [4, 11]);
  assert.equal(store.code(4, 0), 7);
  assert.equal(store.code(11, 3), 9);
  assert.equal(store.code(3, 0), 0);
  assert.equal(store.code(11, ROWS), 0);
  assert.equal(store.edge(11, 1), 13);
  assert.equal(store.mid(), 12);
});

test("trades of columns that are sent again replace the old ones", () => {
  const store = new HeatStore();
  store.apply(...message("snap", 0, 2, { trades: [[1, 0, 5, 1], [2, 1, 3, -1]] }));
  store.apply(...message("cols", 2, 3, { trades: [[0, 1, 4, -1], [1, 1, 1, 1]] }));
  assert.deepEqual(store.trades.map((t) => [t.column, t.tick, t.lots, t.side]), [[1, 10, 5, 1], [2, 11, 4, -1], [3, 11, 1, 1]]);
  assert.equal(store.lastTrade().lots, 1);
});

test("an empty side has no mid: the market is where the last trade was, and nowhere before there is one", () => {
  const store = new HeatStore();
  store.apply(...message("snap", 0, 0));
  store.edges.fill(NO_TICK);
  assert.equal(store.mid(), null);
  store.apply(...message("snap", 0, 0, { trades: [[0, 1, 4, -1]] }));
  store.edges.fill(NO_TICK);
  assert.equal(store.mid(), 11);
});

test("codes are logarithms of lots", () => {
  assert.equal(lotsOf(0), 0);
  assert.equal(lotsOf(1), 1);
  assert.equal(lotsOf(1 + 10 * 1024), 1024);
});

test("colours run from the first anchor to the last between the cut-offs", () => {
  const words = ramp(["#000000", "#0000ff", "#ff0000"]);
  const table = codeTable(words, [2, 1024]);
  assert.equal(table[0], 0xff000000);
  assert.equal(table[1], words[1], "below the lower cut-off");
  assert.equal(table[1 + 10 * 1024], 0xff0000ff, "red at the upper one");
  assert.equal(table[65535], 0xff0000ff);
  for (let code = 2; code < 10 * 1024; code += 97) assert.ok(words.indexOf(table[code]) >= words.indexOf(table[code - 1]));
  assert.deepEqual(rgbOf("#0a10ff"), [10, 16, 255]);
  assert.equal(faded("#0a10ff", 0.5), "rgba(10,16,255,0.5)");
});

test("the table of colours is the formula's, also far below and above the cut", () => {
  const words = ramp(["#000000", "#0000ff", "#ff0000"]);
  for (const [low, high] of [[2, 1024], [1e-12, 1], [1, 1], [3.7, 1e18], [1e15, 1e19]]) {
    const table = codeTable(words, [low, high]);
    const power = COLOUR_POWER;
    for (let code = 1; code < 65536; code += 97) {
      const lots = 2 ** ((code - 1) / 1024);
      const share = (lots ** power - low ** power) / Math.max(high ** power - low ** power, 1e-9);
      assert.equal(table[code], words[1 + Math.round(Math.min(Math.max(share, 0), 1) * 254)], `${low} ${high} ${code}`);
    }
  }
});

test("more contrast darkens what is ordinary; dimming mixes the ground into every colour", () => {
  const words = ramp(["#000000", "#0000ff", "#ff0000"]);
  const middle = 1 + 5 * 1024;
  const place = (contrast) => words.indexOf(codeTable(words, [1, 1024], contrast)[middle]);
  assert.ok(place(2) < place(1) && place(1) < place(0.5));
  assert.equal(ramp(["#000000", "#0000ff"], 0.5)[255], 0xff800000, "half of blue");
});

test("percentiles are those of what rests in the part in view, a huge wall apart", () => {
  const sheet = new HeatSheet();
  sheet.scaled({ columns: 10, rows: 10, column_ms: 100, origin_ms: 0, row_ticks: 1, low_tick: 0 });
  Object.assign(sheet, { first: 0, last: 9, codes: Uint16Array.from({ length: 100 }, (_, i) => 1 + 1024 * (i % 10)) });
  assert.deepEqual(percentileCut(sheet, [0, 10], [0, 10], [10, 80]), [1, 128]);
  sheet.codes[0] = 1 + 1024 * 30;
  assert.deepEqual(percentileCut(sheet, [0, 10], [0, 10], [10, 100]), [2, 25 * 32], "25 medians");
  assert.equal(percentileCut(sheet, [50, 60], [0, 10], [10, 90]), null);
  assert.equal(cutDrift([1, 8], [2, 8]), 1);
});

test("columns told as what changed are whole again; a message that was missed asks for a snapshot", () => {
  const store = new HeatStore();
  const [snap, buffers] = message("snap", 0, 6);
  store.apply({ ...snap, n: 1 }, buffers);
  const told = (n, first, last, codes, now = []) => {
    const [content, parts] = message("cols", first, last);
    return [{ ...content, n, sparse: true, sparse_now: true }, [shifted(Uint16Array.from(codes)), parts[1], parts[2], shifted(Uint16Array.from(now))]];
  };
  // places 1 and 6: row 1 of column 6, and row 2 of column 7, which begins as column 6 ends
  assert.deepEqual(store.apply(...told(2, 6, 8, [1, 6, 50, 60], [3, 9])), [6, 9]);
  const column = (c) => [0, 1, 2, 3].map((row) => store.code(c, row));
  assert.deepEqual([6, 7, 8].map(column), [[7, 50, 7, 7], [7, 50, 60, 7], [7, 50, 60, 7]]);
  assert.deepEqual([...store.now], [0, 0, 0, 9, 0, 0, 0, 0]);
  assert.equal(store.apply(...told(4, 8, 8, [])), null);
  assert.deepEqual(store.apply(...told(3, 8, 8, [])), [8, 9], "nothing changed");
});

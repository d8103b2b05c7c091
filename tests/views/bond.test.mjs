import assert from "node:assert/strict";
import { test } from "node:test";

import { Bond } from "../../workbench/views/bond.js";

test("what one view says the others of its group hear, and nobody else", () => {
  const heard = [];
  const speaker = new Bond("a", (topic) => heard.push(["speaker", topic]));
  const other = new Bond("a", (topic, value) => heard.push(["other", topic, value]));
  const stranger = new Bond("b", () => heard.push(["stranger"]));
  speaker.tell("cursor", { ms: 1, price: 2 });
  assert.deepEqual(heard, [["other", "cursor", { ms: 1, price: 2 }]]);
  for (const bond of [speaker, other, stranger]) bond.leave();
});

test("a view that left hears nothing, and an empty group is forgotten", () => {
  const heard = [];
  const speaker = new Bond("c", () => {});
  const gone = new Bond("c", () => heard.push(1));
  assert.equal(speaker.shared, true);
  gone.leave();
  assert.equal(speaker.shared, false);
  speaker.tell("cursor", null);
  speaker.leave();
  assert.deepEqual(heard, []);
  assert.equal(globalThis.__orderflow_bonds.has("c"), false);
});

test("a view that fails does not silence the others", (t) => {
  t.mock.method(console, "error", () => {});
  const heard = [];
  const speaker = new Bond("d", () => {});
  const broken = new Bond("d", () => { throw new Error("broken"); });
  const sound = new Bond("d", (topic) => heard.push(topic));
  speaker.tell("range", {});
  assert.deepEqual(heard, ["range"]);
  for (const bond of [speaker, broken, sound]) bond.leave();
});

// What the tape's page holds: rows by order, newest last, bounded; pure, so that it can be tested without a page.

export const TAPE_FIELDS = ["order", "ms", "price", "lots", "side", "prints", "levels", "flags", "low", "high"];
export const TAPE_HELD = 400;
export const TAPE_MOST = 4000;

/** Rows of a message's numbers. */
export function tapeRows(numbers) {
  const wide = TAPE_FIELDS.length;
  return Array.from({ length: numbers.length / wide }, (_, i) =>
    Object.fromEntries(TAPE_FIELDS.map((name, at) => [name, numbers[i * wide + at]])),
  );
}

/** Held rows after new ones: an order that went on is replaced; after a leap only the new ones are held. */
export function tapeTaken(held, fresh, leap, most = TAPE_HELD) {
  if (!fresh.length) return held;
  const kept = leap ? [] : held.filter((row) => row.order < fresh[0].order);
  return [...kept, ...fresh].slice(-most);
}

/** Held rows with older ones before them. */
export function tapeJoined(held, older, most = TAPE_MOST) {
  const first = held.length ? held[0].order : Infinity;
  return [...older.filter((row) => row.order < first), ...held].slice(0, most);
}

/**
 * Running sums of lots up to each row, by order: back from what is known of the newest (`known` = {order, sum}), so that
 * rows which this page never had count too. Rows up to `torn` have none: some between them and the others were let go.
 */
export function tapeRunning(rows, known, kind, torn = null) {
  const sums = new Map();
  let { sum } = known;
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at];
    if (row.order > known.order) continue;
    if (torn !== null && row.order <= torn) break;
    sums.set(row.order, sum);
    sum -= kind === "delta" ? row.lots * row.side : row.lots;
  }
  return sums;
}

/** Takes out of a Map by order what belongs to orders that are no longer held. */
export function tapeForget(kept, rows) {
  if (!kept.size) return;
  const held = new Set(rows.map((row) => row.order));
  for (const order of kept.keys()) if (!held.has(order)) kept.delete(order);
}

/** What is special about an order, in words. */
export function tapeRemark(row, big) {
  const parts = [];
  if (row.prints > 1) parts.push(`${row.prints} prints`);
  if (row.levels > 1) parts.push(`${row.levels} levels, sweep`);
  if (row.flags & 16) parts.push("hidden");
  if (row.flags & 2) parts.push("off-book");
  if (row.flags & 32) parts.push("implied");
  if (big !== null && big !== undefined && row.lots >= big) parts.push("block");
  return parts.join(", ");
}

/** How many of `rows` are newer than order `seen`. */
export function tapeNewer(rows, seen) {
  return rows.reduce((count, row) => count + (row.order > seen), 0);
}

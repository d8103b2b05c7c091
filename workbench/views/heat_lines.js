// What lies over the heatmap, as arithmetic: lines that grow by their tails, flags put together, rectangles, hits. No DOM.

/** A line after news of it: the first `from` points of `old` stay where they are, not copied; the tail comes behind them. */
export function grownLine(old, news) {
  const { name, colour, kind, from, ms, ticks } = news;
  const keep = old && old.ticks.length === ticks.length ? Math.min(from, old.ms.length) : 0;
  if (!keep) return { name, colour, kind, ms, ticks };
  cutAndPush(old.ms, keep, ms);
  ticks.forEach((column, k) => cutAndPush(old.ticks[k], keep, column));
  return Object.assign(old, { name, colour, kind });
}

function cutAndPush(values, keep, tail) {
  values.length = keep;
  for (const value of tail) values.push(value);
}

/** Index of the first value not below `wanted` in a rising array. */
export function firstAtLeast(values, wanted) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Flags of a set in [leftMs, rightMs], put together by `cellMs` and side so that at most `most` are left. */
export function flagsInView(set, leftMs, rightMs, most, cellMs) {
  const [first, stop] = [firstAtLeast(set.ms, leftMs), firstAtLeast(set.ms, rightMs)];
  const flag = (i) => ({ ms: set.ms[i], tick: set.tick[i], side: set.side[i], text: set.text[i], count: set.count[i] });
  if (stop - first <= most) return Array.from({ length: stop - first }, (_, k) => flag(first + k));
  const cells = new Map();
  const width = Math.max(cellMs, (2 * (rightMs - leftMs)) / most);
  for (let i = first; i < stop; i++) {
    const key = `${Math.floor(set.ms[i] / width)}:${set.side[i]}`;
    const cell = cells.get(key);
    if (cell) cell.count += set.count[i];
    else cells.set(key, flag(i));
  }
  return [...cells.values()];
}

/** Pixels of a rectangle of ms and ticks; a tick is drawn half a row above its lower edge. Open sides reach the border. */
export function boxOf(region, at) {
  const [left, right] = [at.xAt(region.left), at.xAt(region.right)];
  const top = region.high === null ? 0 : at.yAt(region.high + 0.5);
  const bottom = region.low === null ? at.view.height : at.yAt(region.low + 0.5);
  return { left, right, top, bottom };
}

/** Whether a point lies in a box, `slack` pixels wider on every side. */
export function isInside(box, x, y, slack = 0) {
  return x >= box.left - slack && x <= box.right + slack && y >= box.top - slack && y <= box.bottom + slack;
}

/** ns of a time in ms, as decimal text: numbers of this language lose ns beyond 2⁵³. */
export function nsText(ms) {
  const micros = Math.max(0, Math.round(ms * 1000));
  return String(BigInt(micros) * 1000n);
}

/** Corners of a drag from (x0, y0) to (x1, y1) in ms and ticks; `tall` takes all prices. */
export function cornersOf(drag, at, tall) {
  const [left, right] = [Math.min(drag.x0, drag.x1), Math.max(drag.x0, drag.x1)];
  const [top, bottom] = [Math.min(drag.y0, drag.y1), Math.max(drag.y0, drag.y1)];
  return {
    left: at.msAt(left),
    right: at.msAt(right),
    low: tall ? null : at.tickAt(bottom) - 0.5,
    high: tall ? null : at.tickAt(top) - 0.5,
  };
}

/** What an act carries of a region. */
export function actOf(region) {
  return { start: nsText(region.left), end: nsText(region.right), low: region.low, high: region.high };
}

/** Duration, ticks and delta: what is written into the rectangle itself. */
export function shortFacts(facts) {
  const parts = facts.split(" · ");
  return [...parts.slice(0, 2), ...parts.filter((part) => part.startsWith("delta"))].join(" · ");
}

/** Facts in a few short lines: three of them to a line. */
export function factLines(facts) {
  const parts = facts.split(" · ");
  const lines = [];
  for (let i = 0; i < parts.length; i += 3) lines.push(parts.slice(i, i + 3).join(" · "));
  return lines;
}

/** Value of a line at a moment, by the point before it; null before the first. */
export function valueAt(line, ms, column = 0) {
  const index = firstAtLeast(line.ms, ms + 1e-9) - 1;
  return index < 0 ? null : line.ticks[column][index];
}

// Pure arithmetic of the views: axis steps, pixels, ring pieces, texts. No DOM, so that `node --test` reads it as it is.

const TIME_STEPS_S = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400,
  172800, 604800, 2592000,
];
const QUARTER_MS = 900000; // zones change their offset at whole quarters of an hour
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Smallest of 1, 2, 5, 10, … times a power of ten that cuts `span` into at most `most` parts. */
export function niceStep(span, most) {
  const rough = span / Math.max(most, 1);
  const decade = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10, 20].map((s) => s * decade).find((s) => s >= rough * (1 - 1e-9));
}

/** Ticks between labels: a round price if `tickSize` is given and divides it, else a round number of ticks. */
function labelStep(span, most, tickSize) {
  const ticks = tickSize ? niceStep(span * tickSize, most) / tickSize : 0;
  const whole = ticks >= 1 && Math.abs(ticks - Math.round(ticks)) < 1e-6;
  return Math.max(1, Math.round(whole ? ticks : niceStep(span, most)));
}

/** Ticks that get a label: multiples of a round step within [low, high]. */
export function priceTicks(low, high, most, tickSize = 0) {
  const step = labelStep(Math.max(high - low, 1), most, tickSize);
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) found.push(tick);
  return found;
}

/** Times (ms) that get a label, and the step between them; aligned to the viewer's own midnight. */
export function timeTicks(startMs, stopMs, most, offsetMs = 0) {
  const rough = (stopMs - startMs) / 1000 / Math.max(most, 1);
  const step = (TIME_STEPS_S.find((s) => s >= rough) ?? 86400) * 1000;
  const found = [];
  for (let t = Math.ceil((startMs + offsetMs) / step) * step - offsetMs; t <= stopMs; t += step) found.push(t);
  return { step, at: found };
}

const zoneOffsets = new Map();
const zoneNames = new Map();
const zoneFormats = new Map();

/** Milliseconds east of UTC at a moment in an IANA zone ("America/New_York"); the browser's own zone if none is given. */
export function zoneOffsetMs(ms, zone = "") {
  if (!zone) return -new Date(ms).getTimezoneOffset() * 60000;
  const quarter = Math.floor(ms / QUARTER_MS);
  const key = `${zone}|${quarter}`;
  if (!zoneOffsets.has(key)) {
    if (zoneOffsets.size > 500) zoneOffsets.clear();
    zoneOffsets.set(key, zoneWallMs(quarter * QUARTER_MS, zone) - quarter * QUARTER_MS);
  }
  return zoneOffsets.get(key);
}

/** What the clocks of a zone show at a moment, as if it were UTC, ms. */
function zoneWallMs(ms, zone) {
  if (!zoneFormats.has(zone)) {
    const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    zoneFormats.set(zone, new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...fields }));
  }
  const part = Object.fromEntries(zoneFormats.get(zone).formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
}

/** Date whose UTC fields are what the clocks of the zone show. */
function zoned(ms, zone) {
  return new Date(ms + zoneOffsetMs(ms, zone));
}

const twoDigits = (n) => String(n).padStart(2, "0");

/** Clock text of a moment in a zone (default: the viewer's), as exact as the step between labels asks for. */
export function timeText(ms, stepMs, zone = "") {
  const d = zoned(ms, zone);
  const hm = `${twoDigits(d.getUTCHours())}:${twoDigits(d.getUTCMinutes())}`;
  if (stepMs >= 60000) return hm;
  const s = `${hm}:${twoDigits(d.getUTCSeconds())}`;
  if (stepMs >= 1000) return s;
  return `${s}.${String(d.getUTCMilliseconds()).padStart(3, "0").slice(0, stepMs >= 100 ? 1 : 3)}`;
}

/** Day of a moment in a zone: "8 Aug". */
export function dayText(ms, zone = "") {
  const d = zoned(ms, zone);
  return `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
}

/** Label on a time axis: the clock, or the day where a new one begins. */
export function axisText(ms, stepMs, zone = "") {
  const midnight = (((ms + zoneOffsetMs(ms, zone)) % 86400000) + 86400000) % 86400000 === 0;
  return midnight && stepMs >= 60000 ? dayText(ms, zone) : timeText(ms, stepMs, zone);
}

/** Short name of a zone at a moment: "UTC", "GMT+2", "EST". Asked for with every frame, looked up once a quarter of an hour. */
export function zoneName(ms, zone = "") {
  const key = `${zone}|${Math.floor(ms / QUARTER_MS)}`;
  if (!zoneNames.has(key)) {
    if (zoneNames.size > 500) zoneNames.clear();
    const options = { timeZoneName: "short", hour: "numeric" };
    const parts = new Intl.DateTimeFormat("en-US", zone ? { ...options, timeZone: zone } : options).formatToParts(ms);
    zoneNames.set(key, parts.find((part) => part.type === "timeZoneName")?.value ?? "");
  }
  return zoneNames.get(key);
}

/** Whether the browser knows a zone by this name. */
export function knownZone(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat("en-US", { timeZone: zone }));
  } catch {
    return false;
  }
}

/** Decimals a decimal text carries: "0.25" → 2, "10" → 0. */
export function decimalsOf(text) {
  const trimmed = text.includes(".") ? text.replace(/0+$/, "") : text;
  const dot = trimmed.indexOf(".");
  return dot < 0 ? 0 : trimmed.length - dot - 1;
}

/** Price text of a number of ticks. */
export function priceText(tick, tickSize, decimals) {
  return (tick * tickSize).toFixed(decimals);
}

/** Size in about four signs: 0.012, 3.4, 128, 12.5k, 3.1M. */
export function sizeText(size) {
  for (const [limit, divisor, unit] of [[1e9, 1e9, "B"], [1e6, 1e6, "M"], [1e4, 1e3, "k"]]) {
    if (size >= limit) return `${Number((size / divisor).toPrecision(3))}${unit}`;
  }
  return size >= 1000 ? size.toFixed(0) : String(Number(size.toPrecision(3)));
}

/**
 * Pieces of a ring that show columns [first, stop): each is {slot, column, count}, at most two as long as
 * stop − first ≤ length. Negative columns are fine.
 */
export function ringPieces(first, stop, length) {
  const pieces = [];
  let column = first;
  while (column < stop) {
    const slot = ((column % length) + length) % length;
    const count = Math.min(stop - column, length - slot);
    pieces.push({ slot, column, count });
    column += count;
  }
  return pieces;
}

/** x in pixels of a moment; `right` is the moment at the plot's right edge. */
export function xOf(ms, view) {
  return view.width - (view.right - ms) / view.msPerPx;
}

/** Moment of a pixel. */
export function msAt(x, view) {
  return view.right - (view.width - x) * view.msPerPx;
}

/** y in pixels of a price in ticks; `centre` is the price at half height, prices grow upwards. */
export function yOf(tick, view) {
  return view.height / 2 - (tick - view.centre) / view.ticksPerPx;
}

/** Price in ticks (a fraction) of a pixel. */
export function tickAt(y, view) {
  return view.centre + (view.height / 2 - y) * view.ticksPerPx;
}

/** Round number of ticks nearest by ratio to `wanted`: 1, 2, 5, 10, 20, 25, 50, 100, … */
export function niceTicks(wanted) {
  if (wanted <= 1) return 1;
  const decade = 10 ** Math.max(0, Math.floor(Math.log10(wanted)) - 1);
  const choices = [1, 2, 5, 10, 20, 25, 50, 100].map((s) => s * decade);
  const distance = (s) => Math.abs(Math.log(s / wanted));
  return choices.reduce((best, s) => (distance(s) < distance(best) ? s : best));
}

const COLUMN_STEPS_MS = [1, 10, 100, 1000, 10000, 100000, 1000000].flatMap((decade) => [decade, 2 * decade, 5 * decade]);

/** Column length whose columns are nearest to `px` pixels wide at this zoom. */
export function niceColumnMs(msPerPx, px) {
  const wanted = msPerPx * px;
  const distance = (s) => Math.abs(Math.log(s / wanted));
  return COLUMN_STEPS_MS.reduce((best, s) => (distance(s) < distance(best) ? s : best));
}

/** Where the price axis should drift so that `tick` stays in the middle part of the view; null while it is there. */
export function centreFor(tick, view, margin = 0.28) {
  const y = yOf(tick, view) / view.height;
  return y < margin || y > 1 - margin ? tick : null;
}

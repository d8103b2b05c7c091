// Colours of the heat: 16-bit logarithmic sizes → RGBA words. Pure, read by `node --test` as it is.

const STEPS_PER_OCTAVE = 1024;
export const COLOUR_POWER = 0.4;

/** Lots of a 16-bit code; 0 is nothing. */
export function lotsOf(code) {
  return code === 0 ? 0 : 2 ** ((code - 1) / STEPS_PER_OCTAVE);
}

/** [r, g, b] of "#rrggbb". */
export function rgbOf(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** Opaque RGBA word as a little-endian Uint32 of ImageData. */
function word([r, g, b]) {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** 256 RGBA words from anchor colours; entry 0 is the first anchor, the background, and `dim` mixes it into the others. */
export function ramp(anchors, dim = 0) {
  const ground = rgbOf(anchors[0]);
  const colours = anchors.map((anchor) => rgbOf(anchor).map((c, k) => c + (ground[k] - c) * dim));
  const words = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (colours.length - 1);
    const low = Math.min(Math.floor(at), colours.length - 2);
    const share = at - low;
    words[i] = word(colours[low].map((c, k) => Math.round(c + (colours[low + 1][k] - c) * share)));
  }
  return words;
}

/**
 * Table over all 16-bit codes. Sizes up to cut[0] lots get the first colour after the background, from cut[1] the last;
 * between them a power of the size decides: a wall stands out, and ordinary size still shows. More contrast is a larger
 * power: only the largest sizes are bright.
 */
export function codeTable(words, cut, contrast = 1, out = new Uint32Array(65536)) {
  const power = COLOUR_POWER * contrast;
  const [low, high] = cut.map((lots) => lots ** power);
  const span = Math.max(high - low, 1e-9);
  out[0] = words[0];
  // one colour below the lower and above the upper size: only what lies between is worked out
  const [from, to] = cut.map((lots) => Math.min(Math.max(Math.round(1 + STEPS_PER_OCTAVE * Math.log2(lots)), 2), 65534));
  out.fill(words[1], 1, from - 1);
  out.fill(words[255], to + 2);
  for (let code = from - 1; code < Math.min(to + 2, 65536); code++) {
    const position = Math.min(Math.max((2 ** (((code - 1) * power) / STEPS_PER_OCTAVE) - low) / span, 0), 1);
    out[code] = words[1 + Math.round(position * 254)];
  }
  return out;
}

const fadedColours = new Map();

/** "#rrggbb" with an opacity, as CSS; a theme has few of them, and every frame asks for all. */
export function faded(colour, alpha) {
  const key = `${colour}${alpha}`;
  if (!fadedColours.has(key)) {
    if (fadedColours.size > 500) fadedColours.clear();
    fadedColours.set(key, `rgba(${rgbOf(colour).join(",")},${alpha})`);
  }
  return fadedColours.get(key);
}

const OUTLIER = 25;
const MOST_SAMPLES = 60000;

/**
 * Lots at two percentiles of the cells of a sheet within columns [first, stop) and rows [low, high) that hold something;
 * the upper one at most 25 times the median, for one huge wall must not darken the rest. Null where nothing rests.
 */
export function percentileCut(sheet, [first, stop], [low, high], [lower, upper]) {
  const counts = new Uint32Array(65536);
  const [left, right] = [Math.max(first, sheet.first), Math.min(stop, sheet.last + 1)];
  const [bottom, top] = [Math.max(low, 0), Math.min(high, sheet.rows)];
  const stride = Math.max(1, Math.floor(((right - left) * (top - bottom)) / MOST_SAMPLES));
  let total = 0;
  for (let column = left; column < right; column++) {
    const base = sheet.slot(column) * sheet.rows;
    for (let row = bottom + (column % stride); row < top; row += stride) {
      const code = sheet.codes[base + row];
      counts[code] += 1;
      if (code) total += 1;
    }
  }
  if (!total) return null;
  const [least, middle, most] = codesAt(counts, [lower, 50, upper].map((percent) => (percent / 100) * total)).map(lotsOf);
  return [least, Math.max(Math.min(most, OUTLIER * middle), 2 * least)];
}

/** Codes that stand at these ranks of what is counted, in one pass. */
function codesAt(counts, ranks) {
  const found = ranks.map(() => 65535);
  const order = ranks.map((_, i) => i).sort((a, b) => ranks[a] - ranks[b]);
  let [seen, next] = [0, 0];
  for (let code = 1; code < 65536 && next < order.length; code++) {
    if (!counts[code]) continue;
    seen += counts[code];
    while (next < order.length && seen >= ranks[order[next]]) found[order[next++]] = code;
  }
  return found;
}

/** Whether two pairs of cut-offs differ so much that repainting is worth the flicker, in octaves. */
export function cutDrift(a, b) {
  return Math.max(Math.abs(Math.log2(a[0] / b[0])), Math.abs(Math.log2(a[1] / b[1])));
}

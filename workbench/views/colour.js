// Colours of the heat: 16-bit logarithmic sizes → RGBA words. Pure, read by `node --test` as it is.

const STEPS_PER_OCTAVE = 1024;
const COLOUR_POWER = 0.4;

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

/** 256 RGBA words from anchor colours; entry 0 is the first anchor, the background. */
export function ramp(anchors) {
  const colours = anchors.map(rgbOf);
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
 * between them a power of the size decides: a wall stands out, and ordinary size still shows.
 */
export function codeTable(words, cut, out = new Uint32Array(65536)) {
  const [low, high] = cut.map((lots) => lots ** COLOUR_POWER);
  const span = Math.max(high - low, 1e-9);
  out[0] = words[0];
  for (let code = 1; code < 65536; code++) {
    const position = Math.min(Math.max((2 ** (((code - 1) * COLOUR_POWER) / STEPS_PER_OCTAVE) - low) / span, 0), 1);
    out[code] = words[1 + Math.round(position * 254)];
  }
  return out;
}

/** "#rrggbb" with an opacity, as CSS. */
export function faded(colour, alpha) {
  return `rgba(${rgbOf(colour).join(",")},${alpha})`;
}

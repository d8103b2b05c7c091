// What is drawn over the heatmap and what hands can do on it besides moving: layers and tools, made for one view.

/** Layers drawn over the market: `{ take?(layers), draw(context, at), hit?(x, y, at) → {text} | null }`. */
export function heatLayers(heat) {
  return heat ? [] : [];
}

/** Tools: `{ name, title, key, down(at, event) → bool, move(at, event), up(at, event), cancel(), draw(context, at) }`. */
export function heatTools(heat) {
  return heat ? [] : [];
}

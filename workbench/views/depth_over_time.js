// Depth over time: spread, resting size near the touch on both sides, and its imbalance.
import { TimePanel } from "./panel.js";

function render({ model, el }) {
  const panel = new TimePanel(model, el, { title: "Depth", className: "ow-depth-over-time" });
  return () => panel.stop();
}

export default { render };

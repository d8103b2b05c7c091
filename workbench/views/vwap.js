// VWAP: price with its averages and their bands; a click puts another anchor.
import { TimePanel } from "./panel.js";

const VWAP_ANCHOR = {
  label: "Anchor here …",
  title: "Then click: another average begins there; Escape leaves it",
  key: "a",
  run: (panel) => aim(panel, !panel.aiming),
};

const VWAP_FORGET = {
  label: "Clear anchors",
  title: "Takes away the averages that were added",
  key: "x",
  run: (panel) => panel.act({ do: "forget" }),
};

/** Lets the next click put an anchor, or not. */
function aim(panel, aiming) {
  panel.aiming = aiming;
  panel.root.dataset.aiming = aiming ? "true" : "";
  panel.buttons[0].button.setAttribute("aria-pressed", String(aiming));
  panel.say(aiming ? "click where the average begins" : "");
}

function render({ model, el }) {
  const click = async (panel, ms) => {
    if (!panel.aiming) return;
    aim(panel, false);
    await panel.act({ do: "anchor", ms });
  };
  const more = { title: "VWAP", className: "ow-vwap", price: true, buttons: [VWAP_ANCHOR, VWAP_FORGET], click };
  const panel = new TimePanel(model, el, { ...more, cancel: (one) => aim(one, false) });
  return () => panel.stop();
}

export default { render };

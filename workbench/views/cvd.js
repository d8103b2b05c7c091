// CVD: running delta of aggressors by size filter, delta bars, buyers and sellers apart; begun again with a click.
import { TimePanel } from "./panel.js";

const CVD_RESET = {
  label: "Reset now",
  title: "The delta begins again at 0 from this moment on",
  key: "r",
  run: async (panel) => {
    const done = await panel.act({ do: "reset" });
    if (done) panel.say("CVD begins again now");
  },
};

const CVD_FORGET = {
  label: "Undo resets",
  title: "Takes away all resets that were asked for",
  key: "u",
  run: (panel) => panel.act({ do: "forget" }),
};

const CVD_MODE = {
  label: "",
  title: "Running delta, delta of each bar, or buyers and sellers apart",
  key: "m",
  begin: (panel, button) => {
    panel.mode = panel.options.mode;
    button.textContent = `show: ${panel.mode}`;
  },
  run: async (panel, button) => {
    const { modes } = panel.options;
    const done = await panel.act({ do: "mode", mode: modes[(modes.indexOf(panel.mode) + 1) % modes.length] });
    if (!done) return;
    panel.mode = done.mode;
    button.textContent = `show: ${panel.mode}`;
  },
};

function render({ model, el }) {
  const panel = new TimePanel(model, el, { title: "CVD", className: "ow-cvd", buttons: [CVD_RESET, CVD_FORGET, CVD_MODE] });
  return () => panel.stop();
}

export default { render };

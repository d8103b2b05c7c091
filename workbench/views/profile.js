// Profile: traded volume by price, sold and bought, with point of control and value area.
import { decimalsOf, priceText, priceTicks, sizeText } from "./geometry.js";
import { faded } from "./colour.js";
import { typed } from "./heat_store.js";
import { FONT, Link, Painter, dress, pageTheme, sharpContext } from "./link.js";

const AXIS_PX = 74;
const LABEL_PX = 40;
const TOP_PX = 28;

/** Boxes and labels of a profile in a picture of width × height; pure, so that it can be tested without a page. */
export function profileSpec(state, width, height) {
  const plot = width - AXIS_PX;
  const rowPx = (height - TOP_PX) / Math.max(state.count, 12);
  const totals = Array.from({ length: state.count }, (_, i) => state.lots[i] + state.lots[state.count + i] + state.lots[2 * state.count + i]);
  const unit = (plot - 90) / Math.max(1, ...totals);
  const yOfRow = (row) => height - (row - state.lowRow + 1) * rowPx - (height - TOP_PX - state.count * rowPx) / 2;
  const bars = totals.map((total, i) => ({
    y: yOfRow(state.lowRow + i),
    bought: state.lots[i] * unit,
    sold: state.lots[state.count + i] * unit,
    unknown: state.lots[2 * state.count + i] * unit,
    inside: state.valRow !== null && state.lowRow + i >= state.valRow && state.lowRow + i <= state.vahRow,
  }));
  const lines = [["VAH", state.vahRow], ["POC", state.pocRow], ["VAL", state.valRow]]
    .filter(([, row]) => row !== null)
    .map(([name, row]) => ({ name, row, y: yOfRow(row) + rowPx / 2 }));
  return { plot, rowPx, bars, lines, yOfRow };
}

class ProfileView {
  constructor(model, el) {
    this.options = model.get("options");
    this.units = { tick: Number(this.options.tick), lot: Number(this.options.lot), decimals: decimalsOf(this.options.tick) };
    this.#build(el);
    this.painter = new Painter(this.root, () => this.#draw());
    this.link = new Link(model, this.root, (content, buffers) => this.#take(content, buffers));
    this.resize = new ResizeObserver(() => this.painter.ask());
    this.resize.observe(this.root);
    this.watch = new MutationObserver(() => this.#restyle());
    this.watch.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
    this.#restyle();
  }

  #build(el) {
    this.root = el.appendChild(document.createElement("div"));
    this.root.className = "ow-root ow-profile";
    this.canvas = this.root.appendChild(document.createElement("canvas"));
    this.canvas.style.height = `${this.options.height}px`;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `Volume profile of ${this.options.symbol}`);
    this.canvas.addEventListener("pointermove", (event) => this.#hover(event.offsetY));
    this.canvas.addEventListener("pointerleave", () => this.#hover(null));
    const title = this.root.appendChild(document.createElement("div"));
    title.className = "ow-title";
    title.textContent = this.options.symbol;
  }

  #restyle() {
    this.colours = this.options.themes[pageTheme(this.options.theme)];
    dress(this.root, this.colours);
    this.painter.ask();
  }

  #hover(y) {
    this.cursor = y;
    this.painter.ask();
  }

  #take(content, buffers) {
    this.state = {
      lots: typed(Float64Array, buffers[0]),
      count: content.count,
      lowRow: content.low_row,
      rowTicks: content.row_ticks,
      pocRow: content.poc_row,
      vahRow: content.vah_row,
      valRow: content.val_row,
    };
    this.root.dataset.drawn = content.s;
    this.root.dataset.rows = content.count;
    this.painter.ask();
    return true;
  }

  #draw() {
    const { colours, state } = this;
    const [width, height] = [Math.max(this.root.clientWidth, 320), this.options.height];
    const context = sharpContext(this.canvas, width, height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.fillStyle = colours.background;
    context.fillRect(0, 0, width, height);
    this.root.dataset.frames = this.painter.frames;
    if (!state || !state.count) {
      context.fillStyle = colours.faint;
      context.textAlign = "center";
      context.fillText("waiting for trades …", width / 2, height / 2);
      return false;
    }
    const spec = profileSpec(state, width, height);
    this.#bars(context, spec);
    this.#axis(context, spec, width, height);
    this.#lines(context, spec, width);
    if (this.cursor !== null && this.cursor !== undefined) this.#readout(context, spec);
    return false;
  }

  #bars(context, spec) {
    const { colours } = this;
    const height = Math.max(spec.rowPx - (spec.rowPx > 3 ? 1 : 0), 0.7);
    const inside = spec.bars.filter((bar) => bar.inside);
    if (inside.length) {
      context.fillStyle = faded(colours.area, 0.6);
      context.fillRect(0, inside[inside.length - 1].y, spec.plot, inside[0].y + spec.rowPx - inside[inside.length - 1].y);
    }
    for (const bar of spec.bars) {
      const alpha = bar.inside ? 0.9 : 0.5;
      let x = 0;
      for (const [part, role] of [["sold", "sell"], ["bought", "buy"], ["unknown", "faint"]]) {
        context.fillStyle = faded(colours[role], alpha);
        context.fillRect(x, bar.y, bar[part], height);
        x += bar[part];
      }
    }
  }

  #axis(context, spec, width, height) {
    const { colours, state, units } = this;
    context.fillStyle = colours.panel;
    context.fillRect(spec.plot, 0, AXIS_PX, height);
    context.fillStyle = colours.text;
    context.textAlign = "right";
    const low = state.lowRow * state.rowTicks;
    for (const tick of priceTicks(low, low + state.count * state.rowTicks - 1, height / LABEL_PX)) {
      const y = spec.yOfRow(Math.floor(tick / state.rowTicks)) + spec.rowPx / 2;
      if (spec.lines.some((line) => Math.abs(line.y - y) < 14)) continue;
      context.fillText(priceText(tick, units.tick, units.decimals), width - 6, y);
    }
  }

  #lines(context, spec, width) {
    const { colours, state, units } = this;
    for (const line of spec.lines) {
      const colour = line.name === "POC" ? colours.last : colours.accent;
      context.strokeStyle = colour;
      context.setLineDash(line.name === "POC" ? [] : [5, 4]);
      context.beginPath();
      context.moveTo(0, Math.round(line.y) + 0.5);
      context.lineTo(spec.plot, Math.round(line.y) + 0.5);
      context.stroke();
      context.setLineDash([]);
      context.fillStyle = colour;
      context.fillRect(spec.plot + 1, line.y - 8, AXIS_PX - 1, 16);
      context.textAlign = "right";
      // names stay apart where two lines fall together: VAL below its line, POC further in
      context.fillText(line.name, spec.plot - (line.name === "POC" ? 48 : 8), line.y + (line.name === "VAL" ? 9 : -8));
      context.fillStyle = colours.background;
      context.fillText(priceText(line.row * state.rowTicks, units.tick, units.decimals), width - 6, line.y + 0.5);
    }
  }

  #readout(context, spec) {
    const { colours, state, units } = this;
    const index = spec.bars.findIndex((bar) => this.cursor >= bar.y && this.cursor < bar.y + spec.rowPx);
    if (index < 0) return;
    const [bought, sold] = [state.lots[index] * units.lot, state.lots[state.count + index] * units.lot];
    const price = priceText((state.lowRow + index) * state.rowTicks, units.tick, units.decimals);
    const text = `${price}  bought ${sizeText(bought)}  sold ${sizeText(sold)}  Δ ${sizeText(Math.abs(bought - sold)) === "0" ? "" : bought < sold ? "−" : "+"}${sizeText(Math.abs(bought - sold))}`;
    const wide = context.measureText(text).width + 14;
    const y = Math.min(Math.max(this.cursor - 24, 4), this.options.height - 26);
    context.fillStyle = faded(colours.panel, 0.95);
    context.fillRect(spec.plot - wide - 8, y, wide, 20);
    context.fillStyle = colours.text;
    context.textAlign = "left";
    context.fillText(text, spec.plot - wide - 1, y + 10);
  }

  stop() {
    this.link.stop();
    this.painter.stop();
    this.resize.disconnect();
    this.watch.disconnect();
  }
}

function render({ model, el }) {
  const view = new ProfileView(model, el);
  return () => view.stop();
}

export default { render };

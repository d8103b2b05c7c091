// Tools of the heatmap that draw a rectangle: one selects its events, the other names it.
import { actOf, cornersOf, nsText } from "./heat_lines.js";
import { drawRegion } from "./heat_marks.js";

const BRUSH_LEAST_PX = 4;

class HeatBrush {
  constructor(heat) {
    this.heat = heat;
    this.drag = null;
  }

  down(at, event) {
    this.drag = { x0: event.offsetX, y0: event.offsetY, x1: event.offsetX, y1: event.offsetY, at: frozenAt(at) };
    this.tall = event.shiftKey;
    return true;
  }

  move(at, event) {
    if (!this.drag) return;
    // a chart that follows the market moves under the pointer: the corner stays at its time and price
    const { x0, y0, at: begun } = this.drag;
    Object.assign(this.drag, { x0: at.xAt(begun.msAt(x0)), y0: at.yAt(begun.tickAt(y0)), x1: event.offsetX, y1: event.offsetY, at: frozenAt(at) });
    this.tall = event.shiftKey;
    this.heat.painter.ask();
  }

  up(at, event) {
    const { drag } = this;
    if (!drag) return;
    this.move(at, event);
    const last = this.drag;
    this.drag = null;
    const wide = Math.abs(last.x1 - last.x0) >= BRUSH_LEAST_PX && (this.tall || Math.abs(last.y1 - last.y0) >= BRUSH_LEAST_PX);
    if (wide) this.done(cornersOf(last, at, this.tall));
    else this.clicked(at, event);
  }

  cancel() {
    this.drag = null;
  }

  clicked() {}

  draw(context, at) {
    if (!this.drag) return;
    const { x0, y0, x1, y1 } = this.drag;
    const box = { left: Math.min(x0, x1), right: Math.max(x0, x1), top: Math.min(y0, y1), bottom: Math.max(y0, y1) };
    if (this.tall) Object.assign(box, { top: 0, bottom: at.view.height });
    drawRegion(context, box, this.brushColour(at.colours), 0.14, [4, 3]);
  }
}

/** The camera's arithmetic as it is now, for a moment later when it has moved on. */
function frozenAt(at) {
  const { right, width, msPerPx, height, centre, ticksPerPx } = at.view;
  return {
    msAt: (x) => right - (width - x) * msPerPx,
    tickAt: (y) => centre + (height / 2 - y) * ticksPerPx,
  };
}

export class SelectTool extends HeatBrush {
  name = "select";
  title = "Select";
  key = "B";

  brushColour(colours) {
    return colours.accent;
  }

  done(region) {
    this.heat.root.dataset.selecting = "1";
    this.heat.link
      .act({ do: "select", ...actOf(region) })
      .catch((error) => this.heat.say(error.message, true))
      .finally(() => delete this.heat.root.dataset.selecting);
    this.heat.setTool(null);
  }

  /** A click on nothing selects nothing. */
  clicked() {
    this.heat.link.act({ do: "unselect" }).catch((error) => this.heat.say(error.message, true));
    this.heat.setTool(null);
  }
}

export class LabelTool extends HeatBrush {
  name = "label";
  title = "Label";
  key = "L";

  constructor(heat, marks, desk) {
    super(heat);
    this.marks = marks;
    this.desk = desk;
  }

  brushColour(colours) {
    return colours.last;
  }

  done(region) {
    this.desk.ask(region, null);
    this.heat.setTool(null);
  }

  /** A click on a label changes it. */
  clicked(at, event) {
    const label = this.marks.labelAt(event.offsetX, event.offsetY, at);
    if (!label) return;
    this.desk.ask(label, label);
    this.heat.setTool(null);
  }
}

/** A click begins the VWAP there; with Shift at the left edge; left of the first trade that is the session's. */
export class AnchorTool {
  name = "anchor";
  title = "VWAP from";
  key = "V";

  constructor(heat) {
    this.heat = heat;
  }

  down(at, event) {
    this.anchor = nsText(at.msAt(event.shiftKey ? 0 : event.offsetX));
    return true;
  }

  move() {}

  up() {
    if (this.anchor === null) return;
    const { heat, anchor } = this;
    this.cancel();
    heat.link.act({ do: "vwap", anchor }).catch((error) => heat.say(error.message, true));
    heat.set({ vwap: true });
    heat.setTool(null);
  }

  cancel() {
    this.anchor = null;
  }

  draw() {}
}

// Hands on the heatmap: pointer, wheel, touch and keys, turned into moves of the camera. A tool in use goes first.

const HAND_SLACK_PX = 3;
const WHEEL_STEP = 0.16;
const STRETCH_PER_PX = 0.006;
const KEY_PAN_PX = 60;

export const HEAT_KEYS = [
  ["← → ↑ ↓", "pan; with Shift: a screen, or zoom price"],
  ["+ −", "zoom time"],
  ["Home End", "the beginning, the newest"],
  ["F", "follow the market"],
  ["R", "rule: max, last, mean"],
  ["C", "colour map"],
  ["?", "this list"],
  ["wheel", "zoom time; with Shift or on the price axis: zoom price"],
  ["drag", "pan; on an axis: stretch it"],
  ["double-click", "follow; on an axis: refit it"],
];

/** Part of the chart a point is in. */
export function regionOf(x, y, view, axisLeft) {
  if (y >= view.height) return "time";
  if (x >= axisLeft) return "price";
  return x < view.width ? "plot" : "columns";
}

export class HeatHands {
  /** `heat` is the view: its `camera`, `canvas`, `tool`, and what keys do. */
  constructor(heat) {
    this.heat = heat;
    this.camera = heat.camera;
    this.pointers = new Map();
    const on = (name, handler, options) => heat.canvas.addEventListener(name, handler, options);
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#up(event));
    on("pointerleave", () => this.heat.hover(null));
    on("dblclick", (event) => this.#again(event));
    on("keydown", (event) => this.#key(event));
  }

  #region(event) {
    return regionOf(event.offsetX, event.offsetY, this.camera, this.heat.axisLeft);
  }

  #wheel(event) {
    event.preventDefault();
    const factor = Math.exp(Math.sign(event.deltaY || event.deltaX) * WHEEL_STEP);
    if (event.shiftKey || this.#region(event) === "price") this.camera.zoomPrice(factor, event.offsetY);
    else this.camera.zoomTime(factor, event.offsetX);
  }

  #down(event) {
    const { heat } = this;
    heat.canvas.setPointerCapture(event.pointerId);
    heat.canvas.focus({ preventScroll: true });
    this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (this.pointers.size === 2) {
      this.#pinchFrom();
      return;
    }
    const region = this.#region(event);
    this.inTool = region === "plot" && Boolean(heat.tool?.down(heat.at(), event));
    if (this.inTool) {
      heat.painter.ask();
      return;
    }
    const { right, centre } = this.camera;
    this.grabbed = { x: event.offsetX, y: event.offsetY, lastX: event.offsetX, lastY: event.offsetY, right, centre, region };
  }

  #move(event) {
    const { heat } = this;
    const pointer = this.pointers.get(event.pointerId);
    if (pointer) Object.assign(pointer, { x: event.offsetX, y: event.offsetY });
    heat.hover({ x: event.offsetX, y: event.offsetY });
    heat.canvas.style.cursor = { time: "ew-resize", price: "ns-resize", columns: "default" }[this.#region(event)] ?? "crosshair";
    if (this.pinch && this.pointers.size === 2) this.#pinchTo();
    else if (this.inTool) heat.tool?.move(heat.at(), event);
    else if (this.grabbed) this.#drag(event);
  }

  #drag(event) {
    const { grabbed, camera } = this;
    const [dx, dy] = [event.offsetX - grabbed.x, event.offsetY - grabbed.y];
    if (grabbed.region === "time") camera.zoomTime(Math.exp((event.offsetX - grabbed.lastX) * STRETCH_PER_PX), camera.width);
    else if (grabbed.region === "price") camera.zoomPrice(Math.exp((event.offsetY - grabbed.lastY) * STRETCH_PER_PX), camera.height / 2);
    else {
      grabbed.wide ||= Math.abs(dx) > HAND_SLACK_PX;
      grabbed.high ||= Math.abs(dy) > HAND_SLACK_PX;
      if (grabbed.wide || grabbed.high) {
        camera.panTo(grabbed.wide ? grabbed.right - dx * camera.msPerPx : null, grabbed.high ? grabbed.centre + dy * camera.ticksPerPx : null);
      }
    }
    Object.assign(grabbed, { lastX: event.offsetX, lastY: event.offsetY });
  }

  #up(event) {
    this.pointers.delete(event.pointerId);
    if (this.inTool) this.heat.tool?.up(this.heat.at(), event);
    this.inTool = false;
    this.grabbed = this.pinch = null;
    this.heat.painter.ask();
  }

  // -- touch ---------------------------------------------------------------------------------------------------
  #spread() {
    const [a, b] = [...this.pointers.values()];
    return { dx: Math.max(Math.abs(a.x - b.x), 20), dy: Math.max(Math.abs(a.y - b.y), 20), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  }

  #pinchFrom() {
    if (this.inTool) this.heat.tool?.cancel();
    this.inTool = false;
    this.grabbed = null;
    this.pinch = this.#spread();
  }

  #pinchTo() {
    const now = this.#spread();
    const { camera, pinch } = this;
    camera.zoomTime(pinch.dx / now.dx, now.x);
    if (now.dy > 40) camera.zoomPrice(pinch.dy / now.dy, now.y);
    if (now.x !== pinch.x) camera.panTo(camera.right - (now.x - pinch.x) * camera.msPerPx, null);
    this.pinch = now;
  }

  // -- keys ----------------------------------------------------------------------------------------------------
  #again(event) {
    const region = this.#region(event);
    if (region === "price") this.heat.refitPrice();
    else if (region === "time") this.heat.refitTime();
    else if (!this.heat.tool) this.heat.followAgain();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = this.#actions(event.shiftKey)[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  #actions(shift) {
    const { camera, heat } = this;
    const far = shift ? camera.width * 0.9 : KEY_PAN_PX;
    const vertical = (way) =>
      shift ? camera.zoomPrice(way > 0 ? 0.8 : 1.25, camera.height / 2) : camera.panTo(null, camera.centre + way * KEY_PAN_PX * 0.5 * camera.ticksPerPx);
    const around = heat.cursor?.x ?? camera.width;
    return {
      ArrowLeft: () => camera.panTo(camera.right - far * camera.msPerPx, null),
      ArrowRight: () => camera.panTo(camera.right + far * camera.msPerPx, null),
      ArrowUp: () => vertical(1),
      ArrowDown: () => vertical(-1),
      "+": () => camera.zoomTime(0.8, around),
      "=": () => camera.zoomTime(0.8, around),
      "-": () => camera.zoomTime(1.25, around),
      Home: () => camera.panTo(camera.beginMs + camera.width * camera.msPerPx, null),
      End: () => heat.followAgain(),
      f: () => heat.followAgain(),
      Escape: () => heat.escape(),
      ...heat.keys(),
    };
  }
}

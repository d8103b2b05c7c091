// Where a footprint looks, and the hands that move it: bars at the right edge, their width, the rows in the middle.

const FOOT_BAR_PX = [3, 260];
const FOOT_CELL_PX = [1.5, 44];
const FOOT_MARGIN = 0.22;
const FOOT_AHEAD_BARS = 0.7;

export class FootCamera {
  constructor(barPx) {
    Object.assign(this, { width: 600, height: 400, right: 0, barPx, rowPx: 15, centre: 0, followTime: true, followPrice: true });
  }

  xOfBar(index) {
    return this.width - (this.right - index) * this.barPx;
  }

  barAt(x) {
    return this.right - (this.width - x) / this.barPx;
  }

  /** Upper edge of a row. */
  yOfRow(row) {
    return this.height / 2 - (row + 1 - this.centre) * this.rowPx;
  }

  rowAt(y) {
    return this.centre + (this.height / 2 - y) / this.rowPx;
  }

  get firstBar() {
    return Math.max(0, Math.floor(this.barAt(0)));
  }

  zoomTime(factor, x) {
    const anchor = this.followTime ? this.right : this.barAt(x);
    const barPx = Math.min(Math.max(this.barPx / factor, FOOT_BAR_PX[0]), FOOT_BAR_PX[1]);
    this.right = anchor + ((this.right - anchor) * this.barPx) / barPx;
    this.barPx = barPx;
  }

  zoomPrice(factor, y) {
    const anchor = this.followPrice ? this.centre : this.rowAt(y);
    const rowPx = Math.min(Math.max(this.rowPx / factor, FOOT_CELL_PX[0]), FOOT_CELL_PX[1]);
    this.centre = anchor + ((this.centre - anchor) * this.rowPx) / rowPx;
    this.rowPx = rowPx;
  }

  panTo(right, centre, count) {
    if (right !== null) {
      const newest = count + FOOT_AHEAD_BARS;
      this.right = Math.min(Math.max(right, this.width / this.barPx), newest); // the first bar stays at the left edge
      this.followTime = this.right >= newest;
    }
    if (centre !== null) {
      this.centre = centre;
      this.followPrice = false;
    }
  }

  /** Looks at bars `left` to `right`. */
  show(left, right) {
    this.followTime = false;
    this.right = right;
    this.barPx = Math.min(Math.max(this.width / Math.max(right - left, 1), FOOT_BAR_PX[0]), FOOT_BAR_PX[1]);
  }

  /** Follows the newest bar and the last price; true while it is still gliding there. */
  step(count, row) {
    const newest = count + FOOT_AHEAD_BARS;
    // the first bar stays at the left edge, also while the bars become narrower
    this.right = this.followTime ? newest : Math.min(Math.max(this.right, this.width / this.barPx), newest);
    if (!this.followPrice || row === null) return false;
    const at = 0.5 - ((row - this.centre) * this.rowPx) / this.height;
    if (Math.abs(at - 0.5) > 1) this.centre = row; // far away: at once
    if (at < FOOT_MARGIN || at > 1 - FOOT_MARGIN) this.target = row;
    if (this.target === undefined) return false;
    this.centre += (this.target - this.centre) * 0.15;
    if (Math.abs(this.target - this.centre) * this.rowPx < 1) this.target = undefined;
    return true;
  }
}

export class FootHands {
  /** `view` has `canvas`, `camera`, `store` and the verbs `changed`, `hover`, `followAgain`, `nextMode`. */
  constructor(view) {
    this.view = view;
    const on = (name, handler, options) => view.canvas.addEventListener(name, handler, options);
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("pointerdown", (event) => this.#grab(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", () => (this.grabbed = null));
    on("pointercancel", () => (this.grabbed = null));
    on("pointerleave", () => view.hover(null));
    on("dblclick", () => view.followAgain());
    on("keydown", (event) => this.#key(event));
  }

  #wheel(event) {
    event.preventDefault();
    const { camera } = this.view;
    const factor = Math.exp(Math.sign(event.deltaY || event.deltaX) * 0.14);
    if (event.shiftKey || event.offsetX > camera.width) camera.zoomPrice(factor, event.offsetY);
    else camera.zoomTime(factor, event.offsetX);
    this.view.changed();
  }

  #grab(event) {
    const { camera, canvas } = this.view;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    this.grabbed = { x: event.offsetX, y: event.offsetY, right: camera.right, centre: camera.centre };
  }

  #move(event) {
    this.view.hover({ x: event.offsetX, y: event.offsetY });
    if (!this.grabbed) return;
    const { camera, store } = this.view;
    const [dx, dy] = [event.offsetX - this.grabbed.x, event.offsetY - this.grabbed.y];
    this.grabbed.wide ||= Math.abs(dx) > 3;
    this.grabbed.high ||= Math.abs(dy) > 3;
    if (!this.grabbed.wide && !this.grabbed.high) return;
    const right = this.grabbed.wide ? this.grabbed.right - dx / camera.barPx : null;
    camera.panTo(right, this.grabbed.high ? this.grabbed.centre + dy / camera.rowPx : null, store.count);
    this.view.changed();
  }

  #key(event) {
    const { view } = this;
    const { camera, store } = view;
    const actions = {
      ArrowLeft: () => camera.panTo(camera.right - 1, null, store.count),
      ArrowRight: () => camera.panTo(camera.right + 1, null, store.count),
      ArrowUp: () => camera.panTo(null, camera.centre + 3, store.count),
      ArrowDown: () => camera.panTo(null, camera.centre - 3, store.count),
      "+": () => camera.zoomTime(0.8, camera.width),
      "-": () => camera.zoomTime(1.25, camera.width),
      "*": () => camera.zoomPrice(0.8, camera.height / 2),
      "/": () => camera.zoomPrice(1.25, camera.height / 2),
      Home: () => camera.panTo(0, null, store.count),
      End: () => view.followAgain(),
      f: () => view.followAgain(),
      m: () => view.nextMode(),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    action();
    view.changed();
  }
}

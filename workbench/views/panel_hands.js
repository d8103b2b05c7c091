// Pointer and keys of a panel.

const PANEL_DRAG_PX = 3;

export class PanelHands {
  constructor(panel) {
    this.panel = panel;
    const on = (name, handler, options) => panel.canvas.addEventListener(name, handler, options);
    on("wheel", (event) => this.#wheel(event), { passive: false });
    on("pointerdown", (event) => this.#grab(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#drop(event));
    on("pointercancel", () => (this.grabbed = null));
    on("pointerleave", () => panel.hover(null));
    on("dblclick", () => panel.followAgain());
    on("keydown", (event) => this.#key(event));
  }

  #wheel(event) {
    event.preventDefault();
    const { panel } = this;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      panel.panTo(panel.view.right + (event.deltaX || event.deltaY) * panel.view.msPerPx);
    } else panel.zoom(Math.exp(Math.sign(event.deltaY) * 0.16), event.offsetX);
  }

  #grab(event) {
    this.panel.canvas.setPointerCapture(event.pointerId);
    this.panel.canvas.focus({ preventScroll: true });
    this.grabbed = { x: event.offsetX, right: this.panel.view.right, moved: false };
  }

  #move(event) {
    const { panel, grabbed } = this;
    panel.hover({ x: event.offsetX, y: event.offsetY });
    if (!grabbed) return;
    const dx = event.offsetX - grabbed.x;
    grabbed.moved ||= Math.abs(dx) > PANEL_DRAG_PX;
    if (grabbed.moved) panel.panTo(grabbed.right - dx * panel.view.msPerPx);
  }

  #drop(event) {
    const { panel, grabbed } = this;
    this.grabbed = null;
    if (!grabbed || grabbed.moved || event.offsetX >= panel.view.width) return;
    panel.more.click?.(panel, panel.view.right - (panel.view.width - event.offsetX) * panel.view.msPerPx);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { panel } = this;
    const { view } = panel;
    const actions = {
      ArrowLeft: () => panel.panTo(view.right - 60 * view.msPerPx),
      ArrowRight: () => panel.panTo(view.right + 60 * view.msPerPx),
      Home: () => panel.panTo(-Infinity),
      End: () => panel.followAgain(),
      "+": () => panel.zoom(0.8, view.width),
      "=": () => panel.zoom(0.8, view.width),
      "-": () => panel.zoom(1.25, view.width),
      f: () => panel.followAgain(),
      Escape: () => panel.more.cancel?.(panel),
    };
    const own = panel.buttons.find(({ key }) => key === event.key.toLowerCase());
    const action = own ? () => own.run(panel, own.button) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}

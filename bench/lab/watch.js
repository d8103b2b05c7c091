// Runs in the page: counts frames and notes, for every message of the kernel, when it was sent and when it was drawn.
// Nothing of a view is touched. JupyterLab tells of each message; a view's `data-drawn` names the message it has taken,
// its `data-frames` changes in the frame that draws it, and `data-tile` names the tile that has come.
() => {
  const now = () => performance.timeOrigin + performance.now();
  const watch = { now, frames: 0, latencies: [], bytes: [], wire: 0, tiles: [], looks: new Map(), sent: new Map(), rows: 0 };
  const taken = new Map();
  const arrived = new Map();

  const tick = () => {
    watch.frames += 1;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);

  const size = (part) => JSON.stringify(part ?? {}).length;
  const told = (msg) => {
    const content = msg.content?.data?.content;
    if (msg.header.msg_type !== "comm_msg" || !content) return;
    const buffers = (msg.buffers ?? []).reduce((sum, buffer) => sum + buffer.byteLength, 0);
    watch.wire += size(msg.header) + size(msg.parent_header) + size(msg.metadata) + size(msg.content) + buffers;
    if (content.s === undefined) return;
    watch.sent.set(content.s, content.sent);
    if (watch.sent.size > 2000) watch.sent.delete(watch.sent.keys().next().value);
    if (content.rows) watch.rows = content.rows;
    if (content.k !== "snap" && content.k !== "idle") watch.bytes.push(size(content) + buffers);
  };
  const asked = (msg) => {
    const content = msg.content?.data?.content;
    if (content?.k === "look") watch.looks.set(content.id, { at: now(), gesture: watch.gestureAt });
  };
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  kernel.anyMessage.connect((_, { msg, direction }) => (direction === "recv" ? told(msg) : asked(msg)));

  const queue = (map, root, value) => (map.get(root) ?? map.set(root, []).get(root)).push(value);
  const painted = (root, at) => {
    for (const sent of taken.get(root) ?? []) watch.latencies.push(at - sent);
    taken.delete(root);
    for (const [id, stage] of arrived.get(root) ?? []) {
      const look = watch.looks.get(Number(id));
      if (look) watch.tiles.push({ id: Number(id), stage, request: at - look.at, gesture: at - look.gesture });
    }
    arrived.delete(root);
    if (watch.gestureAt && watch.first === null && root === watch.root) watch.first = at - watch.gestureAt;
  };
  new MutationObserver((records) => {
    const at = now();
    for (const { target, attributeName } of records) {
      if (attributeName === "data-frames") painted(target, at);
      else if (attributeName === "data-tile") queue(arrived, target, target.dataset.tile.split(":"));
      else if (watch.sent.has(Number(target.dataset.drawn))) queue(taken, target, watch.sent.get(Number(target.dataset.drawn)));
    }
  }).observe(document.body, { subtree: true, attributeFilter: ["data-drawn", "data-frames", "data-tile"] });

  watch.clear = () => Object.assign(watch, { frames: 0, latencies: [], bytes: [], wire: 0, tiles: [], since: performance.now() });
  watch.read = () => {
    const { frames, latencies, bytes, wire, rows } = watch;
    const seconds = (performance.now() - watch.since) / 1000;
    return { frames, latencies, bytes, wire, rows, seconds };
  };

  const keys = (canvas, key, shiftKey = false) => canvas.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
  const wheel = (canvas, steps, where) => {
    const box = canvas.getBoundingClientRect();
    const at = { clientX: box.left + box.width * where, clientY: box.top + box.height / 2, bubbles: true, cancelable: true };
    for (let i = 0; i < Math.abs(steps); i += 1) canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: Math.sign(steps) * 120, ...at }));
  };
  const rest = (ms) => new Promise((done) => setTimeout(done, ms));
  const until = async (condition, ms) => {
    const end = performance.now() + ms;
    while (performance.now() < end && !condition()) await rest(5);
    return condition();
  };

  /** One gesture on the n-th heatmap: `{ key }` or `{ steps, where }`. Resolves with what it took, once the full tile is drawn. */
  watch.gesture = async (number, { key, steps, where }) => {
    const root = document.querySelectorAll(".ow-heatmap")[number];
    const canvas = root.querySelector("canvas");
    const before = watch.tiles.length;
    Object.assign(watch, { root, first: null, gestureAt: now() });
    const looks = watch.looks.size;
    if (key) keys(canvas, key, true);
    else wheel(canvas, steps, where);
    // What the page holds already is sharp enough for some gestures: they ask for nothing.
    if (!(await until(() => watch.looks.size > looks, 400))) return { first: watch.first, asked: false, full: false, tiles: [] };
    const id = [...watch.looks.keys()].pop();
    const full = await until(() => watch.tiles.slice(before).some((tile) => tile.id === id && tile.stage === "full"), 3000);
    await rest(250);
    return { first: watch.first, asked: true, full, tiles: watch.tiles.slice(before) };
  };
  window.benchWatch = watch;
}

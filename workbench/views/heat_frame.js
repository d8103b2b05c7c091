// One frame of the heatmap: which sheets speak for which time, their colours, and the order of what is drawn.
import { niceTicks, priceText } from "./geometry.js";
import { codeTable, cutDrift, percentileCut, ramp } from "./colour.js";
import { coverage, unhidden } from "./heat_tiles.js";
import { largestBubbles, volumeCuts } from "./heat_trades.js";
import { HeatImage, drawBest, drawGaps, drawHeat, drawStale } from "./heat_paint.js";
import { BubbleStamps, drawBubbles } from "./heat_bubbles.js";
import { drawBook, drawVolume } from "./heat_columns.js";
import { drawAxes, drawCrosshair, drawGhost, drawTag, prepare, readout } from "./heat_axes.js";
import { sharpContext } from "./painter.js";

export const HEAT_TIME_PX = 20;
const AXIS_PX = 74;
const BOOK_PX = 78;
const PROFILE_PX = 62;
const NARROW_PX = 560;
const LEAST_PX = 160;
const MOST_BUBBLES = 2000;
const SLOT_PX = 7;
const DRIFT_OCTAVES = 0.3;
const VOLUME_SLICES = 60;

export class HeatFrame {
  constructor(heat) {
    this.heat = heat;
    this.stamps = new BubbleStamps();
    this.images = new WeakMap();
    this.tables = new Map();
    this.cut = null;
    this.paints = 0;
  }

  get profilePx() {
    return this.heat.settings.profile === "off" || this.narrow ? 0 : PROFILE_PX;
  }

  get bookPx() {
    return this.heat.settings.book === "off" || this.narrow ? 0 : BOOK_PX;
  }

  get axisLeft() {
    return this.heat.camera.width + this.profilePx + this.bookPx;
  }

  /** Where on the page the time axis lies: panels under it obey. */
  get plot() {
    return { left: this.heat.root.getBoundingClientRect().left, width: this.heat.camera.width };
  }

  // -- colours -------------------------------------------------------------------------------------------------
  restyle() {
    const { heat } = this;
    const { colours, dimming } = heat.settings;
    this.words = ramp(heat.options.maps[colours][heat.theme], dimming);
    this.stamps.clear();
    this.cut = null;
    this.judge();
  }

  /** Cut-offs for what is in view; they change only when it is worth a repaint. */
  judge() {
    const { settings, units, store, camera } = this.heat;
    if (!store.ready) return;
    let cut = settings.cut.map((size) => Math.max(size, 1e-12) / units.lot);
    if (settings.cut_by === "percentile") {
      const [sheet] = this.#sheets();
      const columns = sheet.between(camera.left, camera.right);
      const rows = [Math.max(0, sheet.rowAt(camera.lowTick)), Math.min(sheet.rows, sheet.rowAt(camera.highTick) + 1)];
      cut = percentileCut(sheet, columns, rows, settings.cut) ?? this.cut ?? [1, 2];
    }
    if (this.cut && cutDrift(cut, this.cut) <= (settings.cut_by === "percentile" ? DRIFT_OCTAVES : 0)) return;
    this.cut = cut;
    this.tables.clear();
    this.paints += 1;
  }

  /** Colours of all codes, under the settings of now. */
  #table() {
    if (!this.tables.has("all")) this.tables.set("all", codeTable(this.words, this.cut, this.heat.settings.contrast));
    return this.tables.get("all");
  }

  /** Picture of a sheet in the colours of now. */
  #image(sheet) {
    let image = this.images.get(sheet);
    if (!image) this.images.set(sheet, (image = new HeatImage()));
    if (image.tableKey !== this.paints || image.version !== sheet.version || image.epoch !== sheet.epoch) {
      const [first, stop] = this.dirty && sheet === this.heat.store ? this.dirty : [0, 0];
      image.paint(sheet, this.#table(), this.paints, first, stop);
      image.version = sheet.version;
      image.epoch = sheet.epoch;
      if (sheet === this.heat.store) this.dirty = null;
    }
    return image;
  }

  /** The live sheet changed in columns [first, stop). */
  changed(content, [first, stop]) {
    if (content.k === "snap") this.dirty = null;
    if (stop > first) this.dirty = this.dirty ? [Math.min(this.dirty[0], first), stop] : [first, stop];
    this.judged = (this.judged ?? 0) + 1;
    if (content.k === "snap" || this.judged % 40 === 0) this.judge();
  }

  // -- what is in view -----------------------------------------------------------------------------------------
  #sheets() {
    const { heat } = this;
    return heat.shelf.sheets(heat.camera, heat.store, heat.settings.rule);
  }

  /** Widths and the camera's step; returns whether the picture glides. */
  place(holdMs) {
    const { heat } = this;
    const { camera, store, link } = heat;
    this.total = Math.max(heat.painter.width, LEAST_PX);
    this.narrow = this.total < NARROW_PX;
    camera.width = this.total - AXIS_PX - this.profilePx - this.bookPx;
    if (!store.ready) return false;
    const newest = link.marketNow();
    camera.holdMs = link.facts.state === "live" ? holdMs : Math.max(0, newest - store.rightMs);
    return camera.step(newest, store.mid());
  }

  draw(holdMs) {
    const { heat } = this;
    const gliding = this.place(holdMs);
    const height = heat.options.height;
    const context = sharpContext(heat.canvas, this.total, height);
    prepare(context);
    context.fillStyle = heat.colours.background;
    context.fillRect(0, 0, this.total, height);
    heat.root.dataset.frames = heat.painter.frames;
    if (!heat.store.ready) {
      context.fillStyle = heat.colours.faint;
      context.textAlign = "center";
      context.fillText("waiting for market data …", this.total / 2, height / 2);
      return false;
    }
    if (!this.cut) this.judge();
    this.#picture(context);
    return gliding;
  }

  #picture(context) {
    const { heat } = this;
    const { camera, store, colours, units, settings, link } = heat;
    const sheets = this.#sheets();
    const parts = coverage(sheets, camera.left, camera.right);
    this.#clipped(context, 0, camera.width, () => {
      for (const sheet of this.#seen(sheets).reverse()) drawHeat(context, this.#image(sheet), sheet, camera, sheet === store);
      drawGaps(context, parts, camera, colours);
      if (settings.bbo !== "off") drawBest(context, parts, camera, colours, settings.bbo, store);
      if (settings.bubbles) drawBubbles(context, this.stamps, this.#bubbles(parts), camera, colours, settings);
      const at = heat.at();
      for (const layer of heat.layers) layer.draw(context, at);
      heat.tool?.draw(context, at);
      if (link.facts.state === "stale") drawStale(context, camera, colours, "stale: nothing new arrives");
    });
    this.#columns(context, parts);
    const axis = { left: this.axisLeft, width: AXIS_PX, bottom: HEAT_TIME_PX };
    drawAxes(context, camera, axis, colours, units, heat.zone);
    this.#tags(context, axis);
    this.#cursor(context, sheets, axis);
  }

  /** Sheets that are drawn: stretching pictures that others hide is most of a frame's work. */
  #seen(sheets) {
    const { camera, store } = this.heat;
    const left = Math.max(camera.left, camera.beginMs);
    const right = Math.min(camera.right, store.rightMs + camera.holdMs); // the column that is not over reaches to the present
    return unhidden(sheets, left, right, camera.lowTick, camera.highTick).slice();
  }

  #clipped(context, left, width, draw) {
    context.save();
    context.beginPath();
    context.rect(left, 0, width, this.heat.camera.height);
    context.clip();
    draw();
    context.restore();
  }

  #columns(context, parts) {
    const { camera, store, colours, units, settings } = this.heat;
    this.volume = settings.profile === "session" && store.session ? store.session : this.#volume(parts);
    this.#clipped(context, camera.width, this.profilePx + this.bookPx, () => {
      const profile = { left: camera.width, width: this.profilePx };
      if (this.profilePx) drawVolume(context, this.volume, store.rowTicks, camera, profile, colours, units, settings.profile);
      const book = { left: camera.width + this.profilePx, width: this.bookPx };
      if (this.bookPx) drawBook(context, store, camera, book, colours, units, settings.book);
    });
  }

  #tags(context, axis) {
    const { camera, store, colours, units } = this.heat;
    const touch = store.touch();
    const price = (tick) => priceText(Math.floor(tick), units.tick, units.decimals);
    const far = 17 * camera.ticksPerPx; // tags that would lie over one another are left out
    const last = store.lastTrade();
    for (const [side, role] of [[0, "bid"], [1, "ask"]]) {
      if (touch && (!last || Math.abs(touch[side] - last.tick) > far)) drawTag(context, touch[side] + 0.5, camera, axis, price(touch[side]), colours[role], colours.background, true);
    }
    if (last) drawTag(context, last.tick + 0.5, camera, axis, price(last.tick), colours.last, colours.background, true);
  }

  #cursor(context, sheets, axis) {
    const { heat } = this;
    const { camera, colours, units, cursor, settings, zone, store } = heat;
    if (heat.ghost && !cursor) drawGhost(context, heat.ghost, camera, axis, colours, units, heat.options.symbol);
    if (!cursor) return;
    const at = heat.at();
    const [ms, tick] = [at.msAt(cursor.x), at.tickAt(cursor.y)];
    const sheet = sheets.find((one) => one.leftMs <= ms && (ms < one.rightMs || one === store) && one.rowAt(tick) >= 0 && one.rowAt(tick) < one.rows);
    const hit = heat.layers.map((layer) => layer.hit?.(cursor.x, cursor.y, at)).find(Boolean);
    const lines = readout({ sheet, rule: settings.rule, volume: this.volume.get(Math.floor(tick / store.rowTicks)), touch: store.touch() }, ms, tick, units, zone);
    if (hit?.text) lines.push(...String(hit.text).split("\n"));
    drawCrosshair(context, cursor, lines, camera, axis, colours, units, zone);
  }

  // -- trades --------------------------------------------------------------------------------------------------
  /** Volume at price of the time in view, counted again when trades or the view change. */
  #volume(parts) {
    const { camera, store } = this.heat;
    const key = `${store.rowTicks}:${this.#tradesKey(parts)}`;
    if (key !== this.volumeKey) {
      this.volumeKey = key;
      this.volumeRows = new Map();
      for (const { sheet, leftMs, rightMs } of parts) {
        sheet.cells.volume(...sheet.between(Math.max(leftMs, camera.left), rightMs), store.rowTicks, this.volumeRows);
      }
    }
    return this.volumeRows;
  }

  #tradesKey(parts) {
    return parts.map(({ sheet, leftMs, rightMs }) => `${sheet.epoch ?? sheet.id}:${sheet.cells.version}:${sheet.between(leftMs, rightMs)}`).join();
  }

  #bubbles(parts) {
    const { camera, settings, units } = this.heat;
    const perRow = niceTicks(camera.ticksPerPx * 4);
    const key = `${perRow}:${camera.msPerPx}:${settings.cluster}:${settings.bubble_style}:${settings.min_volume}:${this.#tradesKey(parts)}`;
    if (key === this.bubblesKey) return this.largest;
    this.bubblesKey = key;
    const all = parts.flatMap(({ sheet, leftMs, rightMs }) => {
      const found = this.#clustered(sheet, sheet.between(leftMs, rightMs), perRow);
      return found.map((bubble) => ({ ...bubble, ms: sheet.startMs(bubble.column) }));
    });
    this.largest = largestBubbles(all, MOST_BUBBLES, settings.min_volume / units.lot);
    return this.largest;
  }

  #clustered(sheet, [first, stop], perRow) {
    const { camera, settings } = this.heat;
    if (settings.cluster === "volume") {
      const inView = (camera.width * camera.msPerPx) / sheet.columnMs;
      return sheet.cells.byVolume(first, stop, ...volumeCuts(sheet.cells.rate, inView, VOLUME_SLICES));
    }
    const perSlot = Math.max(1, Math.round((SLOT_PX * camera.msPerPx) / sheet.columnMs));
    return sheet.cells.bubbles(first, stop, perSlot, Math.max(perRow, sheet.rowTicks), settings.bubble_style === "split");
  }
}

// Drawing of a panel: its panes with grid and axes, the time axis, the crosshair, the legend.
import { axisText, msAt, timeText, timeTicks, xOf, zoneOffsetMs } from "./geometry.js";
import { faded } from "./colour.js";
import { FONT } from "./link.js";
import { sharpContext } from "./painter.js";
import { drawPane } from "./panel_paint.js";
import { PANEL_AXIS_PX, extremesOf, newestNumber, paneRows, shownNumber, valueAxis, valueText, valueTicks } from "./panel_scale.js";

const PANEL_TIME_PX = 20;
const PANEL_TOP_PX = 6;
const PANEL_LABEL_PX = 34;
const PANEL_LEGEND_LEAST_PX = 100;
const PANEL_LEGEND_MOST_PX = 180;

export class PanelFrame {
  constructor(panel) {
    this.panel = panel;
    this.rows = [];
  }

  /** The pane row at a pixel, or null. */
  rowAt(y) {
    return this.rows.find((row) => y >= row.top && y <= row.top + row.tall) ?? null;
  }

  /** Whether there is room for the legend beside the axis; else it stands on the lines. */
  #hasLegend(total) {
    return total - this.panel.view.width - PANEL_AXIS_PX >= PANEL_LEGEND_LEAST_PX;
  }

  /** Value at a pixel, by the axis of the pane there; null outside. */
  valueAt(y) {
    const row = this.rowAt(y);
    return row && row.axis[0] + (1 - (y - row.top) / row.tall) * (row.axis[1] - row.axis[0]);
  }

  paint(total) {
    const { colours, options, store } = this.panel;
    const context = sharpContext(this.panel.canvas, total, options.height);
    context.font = FONT;
    context.textBaseline = "middle";
    context.fillStyle = colours.background;
    context.fillRect(0, 0, total, options.height);
    if (!store.ready) {
      context.fillStyle = colours.faint;
      context.textAlign = "center";
      context.fillText(this.panel.link.facts.state === "recorded" ? "nothing of it read so far" : "waiting for market data …", total / 2, options.height / 2);
      return;
    }
    this.#panes(context, total);
    this.#timeAxis(context, total);
    this.#crosshair(context);
    this.#legend(context, total);
  }

  #panes(context, total) {
    const { store, view, colours } = this.panel;
    const pieces = store.pieces(this.panel.leftMs, view.right);
    const gaps = store.gapsWithin(this.panel.leftMs - view.msPerPx, view.right);
    const xAt = (ms) => xOf(ms, view);
    const height = this.panel.options.height - PANEL_TIME_PX - PANEL_TOP_PX;
    this.rows = paneRows(store.panes, PANEL_TOP_PX, height).map((row, index) => {
      const pane = store.panes[index];
      const series = store.series.filter((one) => one.pane === index);
      const main = series.filter((one) => !one.own);
      const axis = valueAxis(main.map((one) => extremesOf(pieces, one)), pane, this.panel.scaling);
      return { ...row, index, pane, series, axis, unit: (main[0] ?? series[0]).unit };
    });
    const newest = pieces.length ? Math.min(xAt(this.panel.newestMs), view.width) : undefined;
    for (const row of this.rows) {
      this.#grid(context, row, total);
      const bars = row.series.filter((one) => one.kind === "bars");
      const barShare = (one) => [bars.indexOf(one), bars.length];
      const at = { ...row, row, store, pieces, gaps, xAt, colours, width: view.width, perMs: 1 / view.msPerPx, newestX: newest, barShare };
      drawPane(context, at);
    }
  }

  #grid(context, row, total) {
    const { colours, view } = this.panel;
    context.fillStyle = colours.panel;
    context.fillRect(view.width, row.top, PANEL_AXIS_PX, row.tall);
    context.textAlign = "left";
    for (const value of valueTicks(row.axis, row.tall / PANEL_LABEL_PX)) {
      const y = Math.round(row.top + row.tall - ((value - row.axis[0]) / (row.axis[1] - row.axis[0])) * row.tall) + 0.5;
      context.strokeStyle = value === 0 ? faded(colours.faint, 0.7) : faded(colours.grid, 0.8);
      context.beginPath();
      context.moveTo(0, y);
      context.lineTo(view.width, y);
      context.stroke();
      context.fillStyle = colours.faint;
      if (y > row.top + 5 && y < row.top + row.tall - 5) context.fillText(valueText(value, row.unit, this.panel.units), view.width + 6, y);
    }
    if (row.index > 0) {
      context.strokeStyle = colours.grid;
      context.strokeRect(-1, Math.round(row.top - 3) + 0.5, total + 2, 0);
    }
  }

  #timeAxis(context, total) {
    const { view, colours, zone } = this.panel;
    const top = this.panel.options.height - PANEL_TIME_PX;
    context.fillStyle = colours.panel;
    context.fillRect(0, top, total, PANEL_TIME_PX);
    context.textAlign = "center";
    context.fillStyle = colours.faint;
    const { step, at } = timeTicks(this.panel.leftMs, view.right, Math.max(view.width / 90, 1), zoneOffsetMs(view.right, zone));
    for (const ms of at) {
      const x = xOf(ms, view);
      if (x > 30 && x < view.width - 20) context.fillText(axisText(ms, step, zone), x, top + PANEL_TIME_PX / 2);
    }
  }

  #crosshair(context) {
    const { view, colours } = this.panel;
    const ghost = this.panel.cursor ? null : this.panel.ghost;
    const ms = this.panel.cursor ? msAt(this.panel.cursor.x, view) : ghost?.ms;
    if (ms === undefined || ms === null) return;
    const x = Math.round(xOf(ms, view)) + 0.5;
    if (x < 0 || x > view.width) return;
    context.strokeStyle = faded(colours.text, 0.55);
    context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, this.panel.options.height - PANEL_TIME_PX);
    const row = this.panel.cursor ? this.rowAt(this.panel.cursor.y) : this.#ghostRow(ghost);
    if (row) {
      context.moveTo(0, row.y ?? this.panel.cursor.y);
      context.lineTo(view.width, row.y ?? this.panel.cursor.y);
    }
    context.stroke();
    context.setLineDash([]);
    this.#tag(context, x, this.panel.options.height - PANEL_TIME_PX / 2, timeText(ms, 1, this.panel.zone), "center");
    if (!row) return;
    const y = row.y ?? this.panel.cursor.y;
    const value = row.axis[0] + ((row.top + row.tall - y) / row.tall) * (row.axis[1] - row.axis[0]);
    this.#tag(context, view.width + 6, y, valueText(value, row.unit, this.panel.units), "left");
  }

  /** Row in which another view's price stands, with its pixel. */
  #ghostRow(ghost) {
    const known = this.panel.more.price && ghost?.price !== null && ghost?.price !== undefined && ghost.symbol === this.panel.options.symbol;
    if (!known) return null;
    const row = this.rows[0];
    const y = row.top + row.tall - ((ghost.price - row.axis[0]) / (row.axis[1] - row.axis[0])) * row.tall;
    return y > row.top && y < row.top + row.tall ? { ...row, y } : null;
  }

  #tag(context, x, y, text, align) {
    const { colours } = this.panel;
    const wide = context.measureText(text).width + 8;
    const left = align === "center" ? x - wide / 2 : x - 4;
    context.fillStyle = colours.text;
    context.fillRect(left, y - 8, wide, 16);
    context.fillStyle = colours.background;
    context.textAlign = align;
    context.fillText(text, x, y + 0.5);
  }

  #barSample(context, left, y) {
    context.fillStyle = this.panel.colours.buy;
    context.fillRect(left + 2, y - 6, 5, 6);
    context.fillStyle = this.panel.colours.sell;
    context.fillRect(left + 9, y, 5, 6);
  }

  /** Names with a sample of their line and the value at the cursor, else the newest one. */
  #legend(context, total) {
    const { store, view, colours } = this.panel;
    const moment = this.panel.cursor ? msAt(this.panel.cursor.x, view) : (this.panel.ghost?.ms ?? null);
    const found = store.columnAt(moment ?? Infinity);
    this.wide = this.#hasLegend(total);
    const left = this.wide ? view.width + PANEL_AXIS_PX + 8 : 8;
    context.textAlign = "left";
    for (const row of this.rows) {
      let y = row.top + 8;
      context.fillStyle = colours.faint;
      if (this.wide) context.fillText(row.pane.name, left, y);
      for (const series of [...row.series].reverse()) {
        y += 14;
        if (y > row.top + row.tall + 2) break;
        const number = found ? (moment === null ? newestNumber : shownNumber)(found[0], found[1], series) : NaN;
        this.#legendLine(context, series, valueText(number, series.unit, this.panel.units, series.signed || series.kind === "bars"), left, y, total);
      }
    }
  }

  #legendLine(context, series, text, left, y, total) {
    const colour = series.kind === "bars" ? this.panel.colours.text : this.panel.colours[series.role];
    if (!this.wide) {
      context.fillStyle = faded(this.panel.colours.background, 0.7);
      context.fillRect(left - 3, y - 7, 24 + context.measureText(`${series.name} ${text}`).width + 12, 14);
    }
    if (series.kind === "bars") this.#barSample(context, left, y);
    else lineSample(context, colour, series.dash, left, y);
    context.fillStyle = colour;
    const free = this.wide ? Math.min(total - 8, left + PANEL_LEGEND_MOST_PX) - left - 27 - context.measureText(text).width : undefined;
    context.fillText(series.name, left + 21, y, free);
    context.fillStyle = this.panel.colours.text;
    const right = this.wide ? Math.min(total - 8, left + PANEL_LEGEND_MOST_PX) : left + 27 + context.measureText(series.name).width;
    context.textAlign = this.wide ? "right" : "left";
    context.fillText(text, right, y);
    context.textAlign = "left";
  }
}

function lineSample(context, colour, dash, left, y) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(left + 16, y);
  context.stroke();
  context.setLineDash([]);
  context.lineWidth = 1;
}

// Money over time: a stepped line, the zero, and shaded what is missing to the peak.
import { FONT } from "./link.js";
import { sharpContext } from "./painter.js";
import { faded } from "./colour.js";
import { curvePoints, moneyText, peaks } from "./ticket_parts.js";

const MONEY_PX = 64;
const MONEY_EDGE_PX = 12;

/** Traces a stepped line: a value stands until the next one is told. */
function steps(context, points) {
  context.moveTo(...points[0]);
  for (let i = 1; i < points.length; i++) {
    context.lineTo(points[i][0], points[i - 1][1]);
    context.lineTo(...points[i]);
  }
}

/** Draws a curve of [ms, money] into a canvas as wide as the panel. */
export function drawMoney(canvas, width, curve, colours) {
  const context = sharpContext(canvas, width, MONEY_PX);
  context.fillStyle = colours.background;
  context.fillRect(0, 0, width, MONEY_PX);
  const room = [width - 2 * MONEY_EDGE_PX - 66, MONEY_PX - 2 * MONEY_EDGE_PX];
  const { points, zero, low, high } = curvePoints(curve, ...room);
  const top = peaks(curve);
  const scale = high - low || 1;
  const peakPoints = points.map(([x], i) => [x, (room[1] * (high - top[i][1])) / scale]);
  context.save();
  context.translate(MONEY_EDGE_PX, MONEY_EDGE_PX);
  context.beginPath();
  steps(context, peakPoints);
  for (let i = points.length - 1; i >= 0; i--) {
    context.lineTo(...points[i]);
    if (i) context.lineTo(points[i][0], points[i - 1][1]);
  }
  context.closePath();
  context.fillStyle = faded(colours.sell, 0.16);
  context.fill();
  context.strokeStyle = colours.gap;
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(0, zero);
  context.lineTo(room[0], zero);
  context.stroke();
  context.setLineDash([]);
  const last = curve[curve.length - 1][1];
  const colour = last < 0 ? colours.sell : last > 0 ? colours.buy : colours.text;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  steps(context, points);
  context.stroke();
  const [x, y] = points[points.length - 1];
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, 2.5, 0, 7);
  context.fill();
  context.font = FONT;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillText(moneyText(last), x + 8, Math.min(Math.max(y, 2), room[1] - 2));
  context.restore();
}

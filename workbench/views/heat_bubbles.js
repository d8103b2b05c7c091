// Volume bubbles: area ∝ volume, the mix of aggressors as colour, a soft light from above. Drawn once per kind, then stamped.
import { rgbOf } from "./colour.js";
import { xOf, yOf } from "./geometry.js";

const BUBBLE_STEPS = 10; // shares of buyers that differ in colour
const BUBBLE_PX = [1, 26];
const TYPICAL_PX = 9;
const DOT_PX = 2; // so small that no light shows: plain dots, all of a colour in one path, are drawn in a fraction of the time
const SPECK_PX = 1.2;

const mixed = (a, b, share) => a.map((c, k) => Math.round(c + (b[k] - c) * share));
const rgba = (c, alpha) => `rgba(${c.join(",")},${alpha})`;

/** Radius in pixels of so many lots when `large` lots (a large bubble of this picture) are typical; pure. */
export function bubbleRadius(lots, large, scale) {
  const px = (TYPICAL_PX * scale * Math.sqrt(lots)) / Math.sqrt(Math.max(large, 1e-9));
  return Math.min(Math.max(px, BUBBLE_PX[0]), BUBBLE_PX[1] * Math.max(scale, 0.5));
}

/** Stamps of bubbles by style, share and radius, kept until the theme or the screen changes. */
export class BubbleStamps {
  constructor() {
    this.stamps = new Map();
  }

  clear() {
    this.stamps.clear();
  }

  /** Canvas of one kind of bubble; `ratio` device pixels per pixel. */
  stamp(style, bubble, radius, colours, ratio) {
    const share = stepOf(bubble);
    const half = Math.ceil(radius * 2) / 2;
    const key = `${style}:${share}:${half}:${ratio}`;
    if (!this.stamps.has(key)) {
      if (this.stamps.size > 1500) this.stamps.clear();
      this.stamps.set(key, paintStamp(style, share / BUBBLE_STEPS, half, colours, ratio));
    }
    return this.stamps.get(key);
  }
}

const stepOf = (bubble) => (bubble.known ? Math.round(bubble.share * BUBBLE_STEPS) : -1);

/** Colour of a share of buyers, below 0 of one that nobody knows. */
function bodyOf(share, colours) {
  return share < 0 ? rgbOf(colours.faint) : mixed(rgbOf(colours.sell), rgbOf(colours.buy), share);
}

function paintStamp(style, share, radius, colours, ratio) {
  const size = Math.ceil(2 * radius + 3);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.ceil(size * ratio);
  const context = canvas.getContext("2d");
  context.scale(canvas.width / size, canvas.width / size);
  context.translate(size / 2, size / 2);
  const [buy, sell, dark] = ["buy", "sell", "background"].map((role) => rgbOf(colours[role]));
  const body = bodyOf(share, colours);
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
  context.fillStyle = radius > 2.5 ? litFrom(context, body, radius) : rgba(body, 0.95);
  context.fill();
  if (style === "pie" && share > 0 && share < 1 && radius > 3) paintPie(context, share, radius, buy, sell);
  if (radius > 2) {
    context.lineWidth = 1;
    context.strokeStyle = rgba(dark, 0.75);
    context.stroke();
    context.beginPath();
    context.arc(0, 0, radius - 0.75, 0, 2 * Math.PI);
    context.lineWidth = 0.75;
    context.strokeStyle = rgba(mixed(body, [255, 255, 255], 0.45), 0.65);
    context.stroke();
  }
  return { canvas, size };
}

function litFrom(context, body, radius) {
  const light = context.createRadialGradient(-radius * 0.35, -radius * 0.4, radius * 0.08, 0, 0, radius * 1.05);
  light.addColorStop(0, rgba(mixed(body, [255, 255, 255], 0.55), 0.95));
  light.addColorStop(0.45, rgba(body, 0.86));
  light.addColorStop(1, rgba(mixed(body, [0, 0, 0], 0.4), 0.8));
  return light;
}

/** Buyers' part as a slice from twelve o'clock on, clockwise. */
function paintPie(context, share, radius, buy, sell) {
  for (const [colour, from, to] of [[buy, 0, share], [sell, share, 1]]) {
    context.beginPath();
    context.moveTo(0, 0);
    context.arc(0, 0, radius, (from - 0.25) * 2 * Math.PI, (to - 0.25) * 2 * Math.PI);
    context.fillStyle = rgba(colour, 0.9);
    context.fill();
  }
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
}

/** Largest first, so that small ones stay in sight. `bubbles` carry their moment as `ms`. */
export function drawBubbles(context, stamps, bubbles, view, colours, settings) {
  if (!bubbles.length) return;
  const large = bubbles[Math.floor(bubbles.length * 0.02)].lots;
  const ratio = window.devicePixelRatio || 1;
  const dots = new Map();
  for (const bubble of bubbles) {
    const [x, y] = [xOf(bubble.ms, view), yOf(bubble.tick + 0.5, view)];
    if (x < -20 || y < -20 || y > view.height + 20) continue;
    const radius = bubbleRadius(bubble.lots, large, settings.bubble_scale);
    if (radius <= DOT_PX) {
      const step = stepOf(bubble);
      if (!dots.has(step)) dots.set(step, []);
      dots.get(step).push(x, y, radius);
      continue;
    }
    const { canvas, size } = stamps.stamp(settings.bubble_style, bubble, radius, colours, ratio);
    context.drawImage(canvas, x - size / 2, y - size / 2, size, size);
  }
  for (const [step, places] of dots) drawDots(context, places, rgba(bodyOf(step / BUBBLE_STEPS, colours), 0.95));
}

/** Dots of one colour; `places` holds x, y and radius of each. */
function drawDots(context, places, colour) {
  context.fillStyle = colour;
  context.beginPath();
  for (let i = 0; i < places.length; i += 3) {
    const [x, y, radius] = [places[i], places[i + 1], places[i + 2]];
    if (radius <= SPECK_PX) context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    else {
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
  }
  context.fill();
}

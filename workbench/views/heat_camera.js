// Where the heatmap looks: time and price range, what moves it, whether it follows the market. No DOM.
import { centreFor, msAt, tickAt, xOf, yOf } from "./geometry.js";

const CAMERA_MS_PER_PX = [0.02, 7.2e6];
const CAMERA_TICKS_PER_PX = [0.002, 1e6];
const GLIDE = 0.12;
const KEEP_PX = 60; // of the data stay on the screen, however far it is pushed

const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);

export class HeatCamera {
  constructor(height) {
    Object.assign(this, { width: 600, height, right: 0, msPerPx: 125, centre: 0, ticksPerPx: 1, holdMs: 0 });
    this.followTime = true;
    this.followPrice = true;
    this.ownPriceZoom = false;
    this.beginMs = -Infinity;
    this.newestMs = 0;
    this.moved = () => {};
  }

  get left() {
    return this.right - this.width * this.msPerPx;
  }

  get lowTick() {
    return tickAt(this.height, this);
  }

  get highTick() {
    return tickAt(0, this);
  }

  get following() {
    return this.followTime && this.followPrice;
  }

  /** One animation frame: follow time and, gently, price. Returns whether it still glides. */
  step(newestMs, mid) {
    this.newestMs = newestMs;
    if (this.followTime) this.right = newestMs;
    if (!this.followPrice || mid === null) return false;
    const target = centreFor(mid, this) ?? this.target ?? null;
    this.target = target !== null && Math.abs(target - this.centre) > this.ticksPerPx ? mid : null;
    if (this.target === null) return false;
    const far = Math.abs(this.target - this.centre) > 3 * this.height * this.ticksPerPx;
    this.centre += (this.target - this.centre) * (far ? 1 : GLIDE);
    return true;
  }

  /** Zooms time; the moment at pixel `x` stays, or the newest one while following. */
  zoomTime(factor, x) {
    const anchor = this.followTime ? this.right : msAt(x, this);
    const msPerPx = clamp(this.msPerPx * factor, CAMERA_MS_PER_PX);
    this.right = anchor + ((this.right - anchor) * msPerPx) / this.msPerPx;
    this.msPerPx = msPerPx;
    this.#bound();
  }

  /** Zooms price; the price at pixel `y` stays, or the middle while following. */
  zoomPrice(factor, y) {
    const anchor = this.followPrice ? this.centre : tickAt(y, this);
    const ticksPerPx = clamp(this.ticksPerPx * factor, CAMERA_TICKS_PER_PX);
    this.centre = anchor + ((this.centre - anchor) * ticksPerPx) / this.ticksPerPx;
    this.ticksPerPx = ticksPerPx;
    this.ownPriceZoom = true;
    this.moved();
  }

  /** Moves to a right edge and a middle price; null leaves that axis alone. */
  panTo(right, centre) {
    if (right !== null) {
      this.right = right;
      this.followTime = right >= this.newestMs;
    }
    if (centre !== null) {
      this.centre = clamp(centre, [-(2 ** 31), 2 ** 31]);
      this.followPrice = false;
    }
    this.#bound();
  }

  /** Shows a time range, and a price range in ticks if given. */
  show(leftMs, rightMs, lowTick = null, highTick = null, follow = false) {
    this.msPerPx = clamp((rightMs - leftMs) / Math.max(this.width, 1), CAMERA_MS_PER_PX);
    this.right = follow ? this.newestMs : rightMs;
    this.followTime = follow;
    if (lowTick !== null && highTick > lowTick) {
      this.ticksPerPx = clamp((highTick - lowTick) / this.height, CAMERA_TICKS_PER_PX);
      this.centre = (lowTick + highTick) / 2;
      this.followPrice = false;
      this.ownPriceZoom = true;
    }
    this.moved();
  }

  followAgain(mid) {
    this.followTime = this.followPrice = true;
    this.right = this.newestMs;
    if (mid !== null) this.centre = mid;
    this.moved();
  }

  #bound() {
    const keep = Math.min(KEEP_PX, this.width / 2) * this.msPerPx;
    this.right = Math.max(this.right, this.beginMs + keep);
    if (this.right >= this.newestMs) this.right = this.newestMs;
    this.moved();
  }

  /** What layers and tools get: the camera's arithmetic bound to itself. */
  at(more) {
    return {
      view: this,
      xAt: (ms) => xOf(ms, this),
      yAt: (tick) => yOf(tick, this),
      msAt: (x) => msAt(x, this),
      tickAt: (y) => tickAt(y, this),
      ...more,
    };
  }
}

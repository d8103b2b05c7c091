// What is drawn over the heatmap and what hands can do on it besides moving: layers and tools, made for one view.
import { HeatMarks } from "./heat_marks.js";
import { HeatOrders } from "./heat_orders.js";
import { OrderTool } from "./heat_trade.js";
import { HeatDesk } from "./heat_desk.js";
import { AnchorTool, LabelTool, SelectTool } from "./heat_select.js";

/** Layers drawn over the market: `{ take?(layers), draw(context, at), hit?(x, y, at) → {text} | null, hears?(topic, value) }`. */
export function heatLayers(heat) {
  heat.marks = new HeatMarks(heat);
  heat.desk = new HeatDesk(heat, heat.marks);
  heat.orders = new HeatOrders(heat);
  return [heat.marks, heat.orders];
}

/** Tools: `{ name, title, key, down(at, event) → bool, move(at, event), up(at, event), cancel(), draw(context, at) }`. */
export function heatTools(heat) {
  return [new SelectTool(heat), new LabelTool(heat, heat.marks, heat.desk), new AnchorTool(heat), new OrderTool(heat, heat.orders)];
}

"""The official client: ``official.py PORT EVENTS [HANDLER_US [ORDERS_PER_S]]``.

Its own reader and queue; handlers append to a list, and stay in it for HANDLER_US if that is given. With ORDERS_PER_S,
a thread sends orders through the package's ``send_order`` as soon as the instrument is there. Prints ``done`` when all
events have come, then what they were, or each order's name and the monotonic time of the call.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

import bookmap as bm
from bookmap.dto import OrderSendParameters

COUNT = int(sys.argv[2])
HANDLER_NS = int(float(sys.argv[3]) * 1000) if len(sys.argv) > 3 else 0
ORDERS_PER_S = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0

events: list[tuple[object, ...]] = []
done = threading.Event()


def kept(event: tuple[object, ...]) -> None:
    """What every handler does."""
    events.append(event)
    if len(events) == COUNT:
        done.set()
    if HANDLER_NS:
        until = time.perf_counter_ns() + HANDLER_NS
        while time.perf_counter_ns() < until:
            pass


def on_depth(addon: object, alias: str, is_bid: bool, price: int, size: int) -> None:
    kept((is_bid, price, size))


def on_trade(
    addon: object, alias: str, price: float, size: int, is_otc: bool, is_buy: bool, *rest: object
) -> None:
    kept((is_buy, price, size))


def on_interval(addon: object, alias: str) -> None:
    kept((alias,))


def attach(addon: dict[str, object], alias: str, *facts: object) -> None:
    if ORDERS_PER_S:
        threading.Thread(target=send_orders, args=(addon, alias), daemon=True).start()


def send_orders(addon: dict[str, object], alias: str) -> None:
    """Orders at a steady rate, each told with the time of the call."""
    for number in range(1_000_000):
        time.sleep(1 / ORDERS_PER_S)
        order = OrderSendParameters(alias, True, 1)
        order.limit_price, order.client_id = 1.0, f"o{number}"
        now = time.monotonic_ns()
        bm.send_order(addon, order)
        print(json.dumps({"client": f"o{number}", "at": now}), flush=True)


addon = bm.create_addon()
bm.add_depth_handler(addon, on_depth)
bm.add_trades_handler(addon, on_trade)
bm.add_on_interval_handler(addon, on_interval)
bm.start_addon(addon, attach, lambda *_: None)
done.wait()
print("done", flush=True)
sums = [sum(event[k] for event in events if len(event) == 3) for k in range(3)]  # type: ignore[misc]
print(json.dumps({"events": len(events), "sums": sums}), flush=True)
os._exit(0)

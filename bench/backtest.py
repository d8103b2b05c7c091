"""Backtest: the matching engine against hftbacktest, the same strategies on the same rows.

Rows are a real BTCUSDT futures feed, with one clock (an event happens when it is received), repeated with removals
between that empty the book. Before measuring, orders and fills of both engines are compared one by one.
"""

from __future__ import annotations

import functools
import tempfile
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from bench.harness import BINANCE_BTC, Context, goal

TILES = 40
LATENCY_NS = 1_000_000
CLOCK_NS = 100_000_000
FOREVER_NS = 10**15
BINANCE_ETH = ("binance/spot/ethusdt_20240808.gz", "binance/spot/ethusdt_20240809.gz")
MOST = 10  # orders that a position may be large
UNBOUND = 10**6
MAKING, TAKING, JOINING = range(3)
STRATEGIES = ("market making", "imbalance taking", "join and cancel")
QUEUES = ("risk_averse", "power", "power2", "power3", "log", "log2")


class Setting(NamedTuple):
    """One way to run both engines."""

    strategy: int
    every_ns: int | None
    queue: str = "risk_averse"
    fills: str = "whole"
    most: int = MOST

    def __str__(self) -> str:
        clock = "every message" if self.every_ns is None else f"{self.every_ns // 1_000_000} ms"
        return f"{STRATEGIES[self.strategy]}, {clock}, {self.queue}, {self.fills}"


class Feed(NamedTuple):
    """A real feed: the engine's rows, the steps of its prices and sizes, and the lots of an order."""

    rows: Any
    tick: float
    lot: float
    size: int

    @property
    def roof(self) -> float:
        """A price above all of them, for the peer's array of levels."""
        return float(self.rows.price.max() + 1) * self.tick * 1.05


class Outcome(NamedTuple):
    """What both engines must agree on; fills as rows of order, venue time, price, size, maker."""

    steps: int
    submits: int
    cancels: int
    position: int
    fills: np.ndarray


def grid() -> list[Setting]:
    """All settings that are compared.

    With partial fills hftbacktest loses all fills of an order but the last from the strategy's position (docs/matching.md),
    so strategies that never reach their bound are compared there; of quoting ones some runs end with its error.
    """
    clocks = (CLOCK_NS, None)
    whole = [Setting(s, every, queue) for s in range(3) for every in clocks for queue in QUEUES]
    free = [Setting(s, CLOCK_NS, q, "partial", UNBOUND) for s in (TAKING, JOINING) for q in QUEUES]
    return whole + free


MORE_THAN_PRINTED = [Setting(JOINING, CLOCK_NS, q, "partial", UNBOUND) for q in ("power", "power2", "log")]
"""Settings of the ETHUSDT feed in which hftbacktest gives orders more lots than were printed (docs/matching.md)."""


def run(context: Context) -> dict:
    """Check that all fills agree, then measure."""
    feed = recorded([context.require(BINANCE_BTC)], "binance-futures", "0.001", 10)
    spot = recorded([context.require(path) for path in BINANCE_ETH], "binance-spot", "0.00000001", 50_000_000)
    agreed = [
        sum(check_equal(each, peer_rows(each), setting) for setting in grid() if setting not in without)
        for each, without in ((feed, []), (spot, MORE_THAN_PRINTED))
    ]
    rows, events = feed.rows, peer_rows(feed)
    big = tiled(rows, TILES)
    big_feed = feed._replace(rows=big)
    big_events = peer_rows(big_feed)
    cases: dict[str, Any] = {}
    for every in (CLOCK_NS, None):
        s = Setting(MAKING, every)
        cases[f"workbench, {s}"] = (lambda s=s: matcher(s, feed), lambda m, s=s: ours(big, m, s))
        cases[f"hftbacktest ROIVector, {s}"] = (
            lambda s=s: peer(big_events, s, feed),
            lambda h, s=s: start(h, s, feed),
        )
    s = Setting(MAKING, CLOCK_NS)
    small = (lambda: peer(events, s, feed, False), lambda h: start(h, s, feed, play_map))
    timings = context.measure({**cases, "hftbacktest HashMap, one session": small})
    counts = {name: len(big.ts) for name in cases} | {"hftbacktest HashMap, one session": len(rows.ts)}
    return report({name: timing.rate(counts[name]) for name, timing in timings.items()}, agreed, len(big.ts))


def recorded(paths: list[Any], form: str, lot: str, size: int) -> Feed:
    """A feed as the engine's rows."""
    import workbench as wb
    from workbench.events import EventBatch
    from workbench.trading.rows import Rows

    with tempfile.TemporaryDirectory() as out:
        recording = wb.import_recording(paths, format=form, out=out, lot_size=lot)
        instrument, rows = recording.instrument, Rows.of(EventBatch.concatenate(recording.batches()))
    return Feed(rows, float(instrument.tick_size), float(instrument.lot_size), size)


def tiled(rows: Any, times: int) -> Any:
    """The rows again and again, each time closed by the removal of every level, best first."""
    last = {}
    depth = rows.kind == 1
    for side, price, size in zip(
        rows.side[depth].tolist(), rows.price[depth].tolist(), rows.size[depth].tolist()
    ):
        last[side, price] = size
    left = sorted((level for level, size in last.items() if size), key=lambda level: -level[0] * level[1])
    ends = {"ts": rows.ts[-1] + 10**6, "kind": 1, "size": 0, "flags": 0, "order_id": 0}
    ends |= {"side": [side for side, _ in left], "price": [price for _, price in left]}
    tile = {
        name: np.concatenate([column, np.broadcast_to(np.asarray(ends[name], column.dtype), len(left))])
        for name, column in zip(rows._fields, rows)
    }
    span = int(tile["ts"][-1] - tile["ts"][0]) + 10**6
    ts = np.concatenate([tile["ts"] + i * span for i in range(times)])
    return type(rows)(ts, *(np.tile(tile[name], times) for name in rows._fields[1:]))


def check_equal(feed: Feed, events: np.ndarray, setting: Setting) -> int:
    """Compare both engines; the number of fills that are equal."""
    mine = outcome_of_ours(ours(feed.rows, matcher(setting, feed), setting))
    theirs = outcome_of_peer(events, setting, feed)
    counted = 4
    if setting.fills == "partial":
        mine, counted = mine._replace(fills=completing(mine.fills, feed.size)), 3
    fills = [table[np.lexsort((table[:, 0], table[:, 1]))] for table in (mine.fills, theirs.fills)]
    if mine[:counted] != theirs[:counted] or not np.array_equal(*fills):
        raise AssertionError(f"{setting}: {mine[:4]} against {theirs[:4]}")
    return len(mine.fills)


def completing(fills: np.ndarray, size: int) -> np.ndarray:
    """The fills that complete their orders: all that hftbacktest tells of them."""
    filled = np.bincount(fills[:, 0], weights=fills[:, 3])
    newest_first = fills[::-1]
    last = newest_first[np.unique(newest_first[:, 0], return_index=True)[1]]
    return last[filled[last[:, 0]] == size]


def start(hbt: Any, setting: Setting, feed: Feed, play: Any = None) -> Any:
    """Run hftbacktest without noting its fills."""
    none = np.zeros((0, 5), np.int64)
    return (play or play_roi)(
        hbt,
        setting.strategy,
        setting.every_ns or 0,
        setting.most * feed.size,
        feed.size,
        feed.tick,
        feed.lot,
        none,
    )


def report(rates: dict[str, tuple[float, float]], agreed: list[int], rows: int) -> dict:
    """Goals by the median rates, and all cases."""
    clock, roi_clock, moments, roi_moments, _ = (median for _, median in rates.values())
    table = [[name, best / 1e6, median / 1e6] for name, (best, median) in rates.items()]
    return {
        "title": "Backtest",
        "text": f"Three strategies under {len(QUEUES)} queue models at two clocks over a real BTCUSDT futures and an ETHUSDT spot feed: both "
        f"engines send the same orders and make the same {agreed[0]:,} and {agreed[1]:,} fills (order, time, price, size, maker or taker), and with partial fills the same orders and last fills, but for {len(MORE_THAN_PRINTED)} settings of the "
        "spot feed in which hftbacktest fills more than was printed (docs/matching.md). "
        f"Speed: market making over {rows:,} rows, the futures feed {TILES} times.",
        "goals": [
            goal("100 ms clock against ROIVectorMarketDepth", measured=clock / roi_clock, floor=4.5),
            goal("every message against ROIVectorMarketDepth", measured=moments / roi_moments, floor=3.0),
        ],
        "tables": [
            {
                "caption": "Rows per CPU second",
                "columns": ["case", "M rows/s best", "M rows/s median"],
                "rows": table,
            }
        ],
    }


# ------------------------------------------------------------------ ours


def matcher(setting: Setting, feed: Feed) -> Any:
    """A matcher, not started."""
    from workbench.trading.matcher import Matcher, QueueModel

    model = QueueModel(setting.queue, 3.0, feed.lot)
    m = Matcher(
        model,
        entry_ns=LATENCY_NS,
        response_ns=LATENCY_NS,
        fills=setting.fills,
        params=[setting.most * feed.size, feed.size],
    )
    m.step_every(setting.every_ns)
    return m


def ours(rows: Any, m: Any, setting: Setting) -> Any:
    """A matcher that has run over the rows."""
    m.advance(rows, int(rows.ts[-1]) - 1, strategy=compiled()[setting.strategy])
    return m


@functools.cache
def compiled() -> list:
    """The three strategies as kernels."""
    from workbench.trading.strategies import (
        ask_size,
        best_ask,
        best_bid,
        bid_size,
        cancel,
        is_open,
        kernel_strategy,
        position,
        quoted,
        submit,
    )

    @njit
    def decide(d, kind):
        """The three strategies, for the workbench."""
        most, size = int(d.params[0]), int(d.params[1])
        if not quoted(d):
            return
        bid, ask, held = best_bid(d), best_ask(d), position(d)
        if kind == TAKING:
            share = (bid_size(d) - ask_size(d)) / (bid_size(d) + ask_size(d))
            side = 1 if share > 0.9 else (-1 if share < -0.9 else 0)
            if side != 0 and side * held < most and not is_open(d, int(d.memory[0]) - 1):
                d.memory[0] = submit(d, side, ask if side > 0 else bid, size, 2, 0) + 1
            return
        depth = 3 if kind == JOINING else 0
        for k in range(2):
            side, price = (1, bid - depth) if k == 0 else (-1, ask + depth)
            number = int(d.memory[k]) - 1
            if is_open(d, number):
                d.memory[k + 2] += 1
                if (d.orders[number, 1] != price) if kind == MAKING else d.memory[k + 2] >= 5:
                    cancel(d, number)
            elif side * held < most:
                d.memory[k] = submit(d, side, price, size, 1 if kind == MAKING else 0, 0) + 1
                d.memory[k + 2] = 0

    return [
        kernel_strategy(lambda d: decide(d, MAKING)),
        kernel_strategy(lambda d: decide(d, TAKING)),
        kernel_strategy(lambda d: decide(d, JOINING)),
    ]


def outcome_of_ours(m: Any) -> Outcome:
    """What the matcher did."""
    from workbench.trading import slots

    f = m.fills
    fills = f[:, [slots.FILL_ORDER, slots.FILL_TS, slots.FILL_PRICE, slots.FILL_SIZE, slots.FILL_MAKER]]
    counts = [m.count(s) for s in (slots.STEPS, slots.SUBMITS, slots.CANCELS, slots.POSITION)]
    return Outcome(*counts, fills)


# ------------------------------------------------------------------ hftbacktest


def peer_rows(feed: Feed) -> np.ndarray:
    """The same rows for hftbacktest, both of its clocks alike."""
    import hftbacktest as hft

    rows = feed.rows

    kept = ((rows.kind == 1) | (rows.kind == 2)) & (rows.side != 0)
    events = np.zeros(int(kept.sum()), hft.event_dtype)
    kind, side = rows.kind[kept], rows.side[kept]
    sides = np.where(side == 1, np.uint64(hft.BUY_EVENT), np.uint64(hft.SELL_EVENT))
    kinds = np.where(kind == 1, np.uint64(hft.DEPTH_EVENT), np.uint64(hft.TRADE_EVENT))
    events["ev"] = kinds | sides | np.uint64(hft.EXCH_EVENT | hft.LOCAL_EVENT)
    events["local_ts"] = events["exch_ts"] = rows.ts[kept]
    events["px"], events["qty"] = rows.price[kept] * feed.tick, rows.size[kept] * feed.lot
    return events


def peer(events: np.ndarray, setting: Setting, feed: Feed, roi: bool = True) -> Any:
    """A backtest of hftbacktest over the rows, not started."""
    import hftbacktest as hft

    asset = hft.BacktestAsset().data(events).linear_asset(1.0).constant_order_latency(LATENCY_NS, LATENCY_NS)
    asset = {
        "risk_averse": lambda a: a.risk_adverse_queue_model(),
        "power": lambda a: a.power_prob_queue_model(3.0),
        "power2": lambda a: a.power_prob_queue_model2(3.0),
        "power3": lambda a: a.power_prob_queue_model3(3.0),
        "log": lambda a: a.log_prob_queue_model(),
        "log2": lambda a: a.log_prob_queue_model2(),
    }[setting.queue](asset)
    asset = asset.no_partial_fill_exchange() if setting.fills == "whole" else asset.partial_fill_exchange()
    asset = asset.trading_value_fee_model(0.0, 0.0).tick_size(feed.tick).lot_size(feed.lot)
    if not roi:
        return hft.HashMapMarketDepthBacktest([asset])
    return hft.ROIVectorMarketDepthBacktest([asset.roi_lb(0.0).roi_ub(feed.roof)])


def _play(hbt, kind, every, most, size, tick, lot, fills):
    """The three strategies, for hftbacktest; fills are noted before closed orders are forgotten."""
    numbers, ages = np.zeros(2, np.int64), np.zeros(2, np.int64)
    steps = submits = cancels = count = 0
    while True:
        if every > 0:
            if hbt.elapse(every) != 0:
                break
        elif hbt.wait_next_feed(False, FOREVER_NS) != 2:
            break
        steps += 1
        orders = hbt.orders(0)
        count = _note(orders, lot, fills, count)
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if (
            depth.best_bid_qty <= 0
            or depth.best_ask_qty <= 0
            or np.isnan(depth.best_bid)
            or np.isnan(depth.best_ask)
        ):
            continue
        held = round(hbt.position(0) / lot)
        if kind == TAKING:
            # ROIVectorMarketDepth's best_bid_qty and best_ask_qty give prices in 2.4.4
            bids, asks = round(depth.bid_qty_at_tick(bid) / lot), round(depth.ask_qty_at_tick(ask) / lot)
            share = (bids - asks) / (bids + asks)
            side = 1 if share > 0.9 else (-1 if share < -0.9 else 0)
            if side != 0 and side * held < most and numbers[0] not in orders:
                submits += 1
                numbers[0] = submits
                if side > 0:
                    hbt.submit_buy_order(0, submits, ask * tick, size * lot, 3, 0, False)
                else:
                    hbt.submit_sell_order(0, submits, bid * tick, size * lot, 3, 0, False)
            continue
        away = 3 if kind == JOINING else 0
        for k in range(2):
            side, price = (1, bid - away) if k == 0 else (-1, ask + away)
            if numbers[k] in orders:
                order = orders.get(numbers[k])
                ages[k] += 1
                if ((order.price_tick != price) if kind == MAKING else ages[k] >= 5) and order.cancellable:
                    cancels += 1
                    hbt.cancel(0, numbers[k], False)
            elif side * held < most:
                submits += 1
                numbers[k], ages[k] = submits, 0
                tif = 1 if kind == MAKING else 0
                if side > 0:
                    hbt.submit_buy_order(0, submits, price * tick, size * lot, tif, 0, False)
                else:
                    hbt.submit_sell_order(0, submits, price * tick, size * lot, tif, 0, False)
    return steps, submits, cancels, round(hbt.position(0) / lot), _note(hbt.orders(0), lot, fills, count)


@njit
def _note(orders, lot, fills, count):
    values = orders.values()
    while values.has_next():
        order = values.get()
        if order.status == 3 and count < len(fills):
            row = fills[count]
            record = order.arr[0]
            row[0], row[1] = record.order_id - 1, record.exch_timestamp
            row[2], row[3], row[4] = record.exec_price_tick, round(record.exec_qty / lot), record.maker
            count += 1
    return count


# One compiled function per type of backtest, as its users write them.
play_roi = njit(_play)
play_map = njit(_play)


def outcome_of_peer(events: np.ndarray, setting: Setting, feed: Feed) -> Outcome:
    """What hftbacktest did."""
    table = np.zeros((100_000, 5), np.int64)
    every = setting.every_ns or 0
    *counts, count = play_roi(
        peer(events, setting, feed),
        setting.strategy,
        every,
        setting.most * feed.size,
        feed.size,
        feed.tick,
        feed.lot,
        table,
    )
    return Outcome(*counts, table[:count])

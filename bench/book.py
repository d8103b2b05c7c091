"""Order book: level updates per second with the best prices after each, against hftbacktest and the bookmap package.

Rows are the depth updates of a real BTCUSDT futures feed, repeated with removals between that empty the book. hftbacktest
gets them as its own event rows, carrying only the local flag so that it keeps one book, not two.
"""

from __future__ import annotations

import gzip
import json
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from bench.harness import BINANCE_BTC, Context, goal

TILES = 10
SINGLE_ROWS = 100_000
"""Rows of the cases that work event by event in Python."""
TICK, LOT = 0.1, 0.001
BATCH = 65_536
FOREVER_NS = 10**15


class Rows(NamedTuple):
    """Depth updates as columns."""

    ts: np.ndarray
    side: np.ndarray
    price: np.ndarray
    size: np.ndarray


def run(context: Context) -> dict:
    """Check that all books agree, then measure them."""
    session = decode(context.require(BINANCE_BTC))
    tile = closed(session)
    rows = tiled(tile, TILES)
    agreed = check_equal(tile)
    single = Rows(*(column[:SINGLE_ROWS] for column in tile))
    counts, cases = {}, {}
    for name, (case, count) in all_cases(rows, session, single).items():
        cases[name], counts[name] = case, count
    timings = context.measure(cases)
    rates = {name: timings[name].rate(counts[name]) for name in cases}
    return report(context, rates, agreed, len(rows.ts))


def decode(path: Any) -> Rows:
    """Snapshot and valid diffs of the raw feed, in ticks and lots."""
    found: list[tuple[int, int, int, int]] = []
    waiting, last = [], None
    with gzip.open(path, "rt") as lines:
        for line in lines:
            stamp, text = line.split(" ", 1)
            message = json.loads(text)
            if "lastUpdateId" in message:
                last = message["lastUpdateId"]
                found += levels(int(stamp), message["bids"], message["asks"])
                for ts, diff in waiting:
                    found += levels(ts, diff["b"], diff["a"]) if diff["u"] >= last else []
            elif message["data"]["e"] == "depthUpdate":
                diff = message["data"]
                if last is None:
                    waiting.append((int(stamp), diff))
                else:
                    found += levels(int(stamp), diff["b"], diff["a"]) if diff["u"] >= last else []
    table = np.array(found, np.int64)
    stamps = np.maximum.accumulate(table[:, 0])
    return Rows(stamps, table[:, 1].astype(np.int8), table[:, 2].astype(np.int32), table[:, 3].copy())


def levels(ts: int, bids: list, asks: list) -> list[tuple[int, int, int, int]]:
    """Rows of one message, bids first as the venue lists them."""
    return [
        (ts, side, round(float(price) * 10), round(float(size) * 1000))
        for side, part in ((1, bids), (-1, asks))
        for price, size in part
    ]


def closed(rows: Rows) -> Rows:
    """The rows, followed by the removal of every level that is left, best first as books are listed."""
    last = {}
    for side, price, size in zip(rows.side.tolist(), rows.price.tolist(), rows.size.tolist()):
        last[side, price] = size
    left = sorted(
        ((side, price) for (side, price), size in last.items() if size),
        key=lambda level: -level[0] * level[1],
    )
    ends = np.full(len(left), rows.ts[-1] + 10**6)
    sides, prices = np.array([s for s, _ in left], np.int8), np.array([p for _, p in left], np.int32)
    return Rows(
        *(np.concatenate(pair) for pair in zip(rows, (ends, sides, prices, np.zeros(len(left), np.int64))))
    )


def tiled(tile: Rows, times: int) -> Rows:
    """The rows again and again, with time going on."""
    span = tile.ts[-1] - tile.ts[0] + 10**6
    ts = np.concatenate([tile.ts + i * span for i in range(times)])
    return Rows(ts, *(np.tile(column, times) for column in tile[1:]))


def batches(rows: Rows, cuts: np.ndarray) -> list:
    """Batches of events between the cuts."""
    from workbench.events import EventBatch, EventKind

    whole = EventBatch.of(ts=rows.ts, kind=EventKind.DEPTH, side=rows.side, price=rows.price, size=rows.size)
    return [whole[a:b] for a, b in zip(cuts[:-1].tolist(), cuts[1:].tolist())]


def every(rows: Rows, size: int) -> np.ndarray:
    """Cuts after every ``size`` rows."""
    return np.append(np.arange(0, len(rows.ts), size), len(rows.ts))


def messages(rows: Rows) -> np.ndarray:
    """Cuts between messages, which share one stamp."""
    return np.concatenate([[0], np.flatnonzero(np.diff(rows.ts)) + 1, [len(rows.ts)]])


def all_cases(rows: Rows, session: Rows, single: Rows) -> dict[str, tuple[Any, int]]:
    """Every case with the number of rows it handles."""
    count, events = len(rows.ts), list(zip(single.side.tolist(), single.price.tolist(), single.size.tolist()))
    big, small = batches(rows, every(rows, BATCH)), batches(rows, messages(rows))
    per_message, per_row = peer_rows(rows), peer_rows(rows, unique=True)
    once, once_count = peer_rows(session), len(session.ts)
    bids = np.empty(count, np.int64)
    asks = np.empty_like(bids)
    keep = (rows.side, rows.price, rows.size)
    return {
        "LevelBook, batches of 65,536": (lambda: feed_batches(big), count),
        "LevelBook, a message a call (70 rows)": (lambda: feed_batches(small), count),
        "PyBook, event by event": (lambda: feed_live(events), len(events)),
        "hftbacktest ROIVector, a message at a time": ((lambda: peer(per_message, True), lambda b: watch_roi(b, bids, asks)), count),
        "hftbacktest ROIVector, row by row": ((lambda: peer(per_row, True), lambda b: watch_roi(b, bids, asks)), count),
        "hftbacktest HashMap, a message at a time": ((lambda: peer(per_message, False), lambda b: watch_map(b, bids, asks)), count),
        "the same, one session left open": ((lambda: peer(once, False), lambda b: watch_map(b, bids, asks)), once_count),
        "bookmap package, on_depth + get_bbo": (lambda: feed_bookmap(events), len(events)),
        "bound: one random store per row, no book": (lambda: store(*keep, SCRATCH), count),
        "bound: streaming the columns": (lambda: stream(*keep), count),
    }  # fmt: skip


SCRATCH = np.zeros(1 << 24, np.int64)


def feed_batches(parts: list) -> Any:
    """Our compiled book; best prices after every row come out as arrays."""
    from workbench.book.levels import LevelBook

    book = LevelBook()
    for part in parts:
        best = book.apply_with_best(part)
    return best


def feed_live(events: list) -> Any:
    """Our plain book: update, look at the best prices, next."""
    from workbench.book.live import PyBook

    book = PyBook()
    for side, price, size in events:
        book.set_level(side, price, size)
        best = book.best_bid, book.best_bid_size, book.best_ask, book.best_ask_size
    return best


def feed_bookmap(events: list) -> Any:
    """The package's book: update, look at the best prices, next."""
    import bookmap

    book = bookmap.create_order_book()
    for side, price, size in events:
        bookmap.on_depth(book, side == 1, price, size)
        best = bookmap.get_bbo(book)
    return best


@njit
def stream(side: np.ndarray, price: np.ndarray, size: np.ndarray) -> int:
    """Read every column once."""
    total = 0
    for i in range(len(side)):
        total += side[i] * size[i] + price[i]
    return total


@njit
def store(side: np.ndarray, price: np.ndarray, size: np.ndarray, book: np.ndarray) -> int:
    """Put every size where its price says, and read what stood there: the memory traffic of a book."""
    total = 0
    for i in range(len(side)):
        at = 2 * np.int64(price[i]) + (side[i] > 0)
        total += book[at]
        book[at] = size[i]
    return total


def peer_rows(rows: Rows, unique: bool = False) -> np.ndarray:
    """Rows as hftbacktest wants them; with ``unique`` every row is a message of its own."""
    import hftbacktest as hft

    events = np.zeros(len(rows.ts), hft.event_dtype)
    sides = np.where(rows.side == 1, np.uint64(hft.BUY_EVENT), np.uint64(hft.SELL_EVENT))
    events["ev"] = np.uint64(hft.DEPTH_EVENT | hft.LOCAL_EVENT) | sides
    events["local_ts"] = rows.ts[0] + 1000 * np.arange(len(rows.ts)) if unique else rows.ts
    events["exch_ts"] = events["local_ts"]
    events["px"], events["qty"] = rows.price * TICK, rows.size * LOT
    return events


def peer(events: np.ndarray, roi: bool) -> Any:
    """A backtest of hftbacktest over the rows, not started."""
    import hftbacktest as hft

    asset = hft.BacktestAsset().data(events).linear_asset(1.0).constant_order_latency(0, 0)
    asset = asset.risk_adverse_queue_model().no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0)
    asset = asset.tick_size(TICK).lot_size(LOT)
    if not roi:
        return hft.HashMapMarketDepthBacktest([asset])
    return hft.ROIVectorMarketDepthBacktest([asset.roi_lb(0.0).roi_ub(640_000.0)])


def _watch(hbt, bids, asks):
    """Wait for message after message and note the best prices."""
    depth = hbt.depth(0)
    i = 0
    while hbt.wait_next_feed(False, FOREVER_NS) == 2:
        bids[i], asks[i] = depth.best_bid_tick, depth.best_ask_tick
        i += 1
    if i < len(bids):  # the last message ends the data
        bids[i], asks[i] = depth.best_bid_tick, depth.best_ask_tick
        i += 1
    return i


# One compiled function per type of backtest, as its users write them.
watch_roi = njit(_watch)
watch_map = njit(_watch)


def check_equal(tile: Rows) -> dict[str, int]:
    """Best prices after every row against all peers; raises where they differ without a reason."""
    import bookmap

    ours = feed_batches(batches(tile, np.array([0, len(tile.ts)])))
    book, different = bookmap.create_order_book(), 0
    quotes = zip(*(column.tolist() for column in (ours.bid, ours.bid_size, ours.ask, ours.ask_size)))
    updates = zip(tile.side.tolist(), tile.price.tolist(), tile.size.tolist())
    for (side, price, size), (bid, bid_size, ask, ask_size) in zip(updates, quotes):
        bookmap.on_depth(book, side == 1, price, size)
        expected = ((bid, bid_size) if bid_size else None, (ask, ask_size) if ask_size else None)
        different += bookmap.get_bbo(book) != expected
    if different:
        raise AssertionError(f"{different} best prices differ from the bookmap package")
    both = (ours.bid_size > 0) & (ours.ask_size > 0)
    crossed = both & (ours.bid >= ours.ask)
    # hftbacktest takes crossed levels out of sight until the message is over, so only those rows may differ.
    for roi, watch in ((True, watch_roi), (False, watch_map)):
        events = peer_rows(tile, unique=True)  # the backtest reads this memory and does not own it
        bids, asks = np.zeros((2, len(tile.ts)), np.int64)
        watch(peer(events, roi), bids, asks)
        unexplained = (both & ~crossed) & ((bids != ours.bid) | (asks != ours.ask))
        if unexplained.any():
            raise AssertionError(f"{int(unexplained.sum())} best prices differ from hftbacktest")
    return {"rows": len(tile.ts), "crossed": int(crossed.sum())}


def report(
    context: Context, rates: dict[str, tuple[float, float]], agreed: dict[str, int], rows: int
) -> dict:
    """Goals by the median rates, and all cases."""
    medians = {name: median for name, (_, median) in rates.items()}
    ours, message, live, roi, _, hashed, _, package = list(medians.values())[:8]
    bandwidth = context.copy_bandwidth() / 1e9
    table = [
        [name, best / 1e6, median / 1e6, f"{median / roi:.3g} ×"] for name, (best, median) in rates.items()
    ]
    return {
        "title": "Order book",
        "text": f"{rows:,} depth updates of a real BTCUSDT futures feed ({TILES} times the same {agreed['rows']:,}, closed with "
        "removals), best prices after each. Checked before measuring: after every row the best prices and sizes equal those "
        "of the bookmap package's sorted book, and those of both books of hftbacktest wherever the book is not crossed "
        f"({agreed['crossed']:,} rows inside messages are; hftbacktest hides the crossed levels there). What empties the book "
        "weighs heavily on hftbacktest's HashMap, which looks for the next best price tick by tick through levels up to ten "
        "times the market; a row shows it on one session left open. The cases in plain "
        f"Python handle the first {SINGLE_ROWS:,} rows. This core copies {bandwidth:.1f} GB/s.",
        "goals": [
            goal("batch against hftbacktest's ROIVectorMarketDepth", measured=ours / roi, floor=5.0),
            goal("batch against hftbacktest's HashMapMarketDepth", measured=ours / hashed, floor=25.0),
            goal(
                "plain per-event book against the bookmap package",
                measured=live / package,
                floor=12.0,
            ),
            goal("a message a call against the bookmap package", measured=message / package, floor=50.0),
        ],
        "tables": [
            {
                "caption": "Updates per CPU second",
                "columns": ["case", "M/s best", "M/s median", "of ROIVector"],
                "rows": table,
            }
        ],
    }

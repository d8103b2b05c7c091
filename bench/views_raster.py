"""Heatmap: resting size over time × price from depth updates, against datashader; looks into 20 million events.

Rows are the depth updates of a real BTCUSDT futures feed. datashader draws a line segment for every size that rested,
from the update that set it to the one that changed it, and keeps the largest per cell: the rule ``max``. One tick is
one row, so that its answer is ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.book import Rows, closed, decode, tiled
from bench.harness import BINANCE_BTC, Context, goal

SIZES = ((1600, 800), (1000, 400))
TILES = 10
"""Repetitions of the session in the larger comparison; segments of 20 million updates take a minute to sort."""
EVENTS = 20_000_000
LOOKS = 60
PEER_ROUNDS = 3


def run(context: Context) -> dict:
    """Check that the cells agree, measure both, then look around in a long recording."""
    session = closed(decode(context.require(BINANCE_BTC)))
    ratios: list[dict[str, float]] = []
    table, shares = [], []
    for rows in (session, tiled(session, TILES)):
        for columns, height in SIZES:
            line, ratio, share = compare(context, rows, columns, height)
            table.append(line)
            ratios.append(ratio)
            shares.append(share)
    looks = look_around(context, session)
    return report(ratios, table, min(shares), looks)


# -- the picture of everything, from updates ---------------------------------------------------------------------
def scale_of(rows: Rows, columns: int, height: int) -> Any:
    """Scale that shows all updates, a tick a row, round the middle."""
    from workbench.views.raster import Scale

    span = int(rows.ts[-1]) - int(rows.ts[0])
    column_ns = span // (columns - 2) + 1
    low = int(np.median(rows.price)) - height // 2
    return Scale(column_ns, 1, low, int(rows.ts[0]) // column_ns, columns, height)


def events_of(rows: Rows) -> tuple[np.ndarray, ...]:
    """The updates as event columns."""
    from workbench.events import EventBatch, EventKind

    return EventBatch.of(
        ts=rows.ts, kind=EventKind.DEPTH, side=rows.side, price=rows.price, size=rows.size
    ).columns


def ours(columns: tuple[np.ndarray, ...], scale: Any) -> np.ndarray:
    """Our picture: one pass over the updates, as a look at so many events is answered."""
    from workbench.views.drawn import drawn

    return drawn(scale, [columns]).heat


def segments(rows: Rows, scale: Any) -> Any:
    """What datashader needs: from when to when a size rested where."""
    import pandas as pd

    order = np.lexsort((rows.price, rows.side))
    ts, side, price, size = (column[order] for column in (rows.ts, rows.side, rows.price, rows.size))
    following = np.append((side[1:] == side[:-1]) & (price[1:] == price[:-1]), False)
    until = np.where(following, np.append(ts[1:], 0), rows.ts[-1])
    kept = size > 0
    start = (ts[kept] - scale.start_ns(0)).astype(np.float64)
    return pd.DataFrame(
        {
            "start": start,
            "until": (until[kept] - scale.start_ns(0)).astype(np.float64),
            "price": price[kept].astype(np.float64),
            "size": size[kept].astype(np.float32),
        }
    )


def shaded(frame: Any, scale: Any) -> Any:
    """datashader's picture of the segments."""
    import datashader

    canvas = datashader.Canvas(
        scale.columns,
        scale.rows,
        x_range=(0.0, float(scale.columns * scale.column_ns)),
        y_range=(scale.low_tick - 0.5, scale.high_tick - 0.5),
    )
    return canvas.line(frame, x=["start", "until"], y=["price", "price"], axis=1, agg=datashader.max("size"))


def sides(rows: Rows) -> list[Rows]:
    """Bids and asks alone: within a message a tick may hold both for a moment, which we add up."""
    return [Rows(*(column[rows.side == side] for column in rows)) for side in (1, -1)]


def compare(
    context: Context, rows: Rows, columns: int, height: int
) -> tuple[list[Any], dict[str, float], float]:
    """One line of the table, the ratios, and the share of equal cells."""
    scale, updates = scale_of(rows, columns, height), events_of(rows)
    frame = segments(rows, scale)
    picture, heat = shaded(frame, scale), ours(updates, scale)
    share = float(np.mean(np.nan_to_num(picture.values) == heat.T))
    apart = np.maximum(*(ours(events_of(part), scale) for part in sides(rows)))
    assert np.array_equal(np.nan_to_num(picture.values), apart.T), "the pictures of the sides differ"
    cases: dict[str, Callable[[], object]] = {
        "workbench": lambda: ours(updates, scale),
        "datashader": lambda: shaded(frame, scale),
        "with segments": lambda: shaded(segments(rows, scale), scale),
        "our colours": lambda: coloured(heat),
        "tf.shade": lambda: shade(picture),
    }
    rounds = context.rounds if len(rows.ts) < 10**6 else min(context.rounds, PEER_ROUNDS)
    best = {name: timing.best for name, timing in context.measure(cases, rounds).items()}
    ratio = {
        "segments": best["datashader"] / best["workbench"],
        "building": best["with segments"] / best["workbench"],
        "colours": best["tf.shade"] / best["our colours"],
    }
    line = [f"{len(rows.ts) / 1e6:.2f} M → {columns} × {height}", *(round(1e3 * s, 2) for s in best.values())]
    return line, ratio, share


def coloured(heat: np.ndarray) -> np.ndarray:
    """Our colours: sizes to logarithmic codes as they are sent, codes to RGBA by a table as the page does."""
    from workbench.views.size_codes import quantise

    return np.take(_TABLE, quantise(heat))


_TABLE = np.arange(1 << 16, dtype=np.uint32) * np.uint32(2654435761)


def shade(picture: Any) -> Any:
    """datashader's colours, logarithmic."""
    from datashader import transfer_functions

    return transfer_functions.shade(picture, cmap=["#000020", "#0060ff", "#ffe060", "#ffffff"], how="log")


# -- looks into a long recording ---------------------------------------------------------------------------------
def look_around(context: Context, session: Rows) -> dict[str, Any]:
    """CPU milliseconds of half and full tiles anywhere in a recording of 20 million events."""
    from workbench.views.exhibit import StoredCapture
    from workbench.views.scenery import Scenery

    recording = recorded(context, session)
    scenery = Scenery(StoredCapture(recording))
    started = time.process_time()
    middle = int(np.median(session.price))
    for row_ticks in (10, 20):
        while not scenery.tile(_look(recording, 10_000, row_ticks, middle, 0.0, 1600, 800)).exact:
            time.sleep(0.02)
    built = time.process_time() - started
    rng = np.random.default_rng(1)
    times: dict[str, list[float]] = {"half": [], "full": []}
    for _ in range(LOOKS):
        column_ms = int(rng.choice([100, 200, 500, 1000, 2000, 5000, 10_000]))
        at, up = rng.random(), int(rng.integers(-3000, 3000))
        for stage, coarser in (("half", 2), ("full", 1)):
            length = {200: 500, 2000: 5000}.get(column_ms, column_ms * 2)
            scale = _look(
                recording, length if coarser == 2 else column_ms, 10 * coarser, middle + up, at,
                1600 // coarser, 800 // coarser,
            )  # fmt: skip
            began = time.process_time()
            assert scenery.tile(scale).exact
            times[stage].append(1e3 * (time.process_time() - began))
    return {"built": built, "megabytes": scenery.nbytes / 1e6, "events": recording.count, **times}


def recorded(context: Context, session: Rows) -> Any:
    """A recording of the session again and again."""
    from workbench.events import EventBatch, EventKind, Instrument
    from workbench.frames.recording import write_recording

    span, count = int(session.ts[-1] - session.ts[0]) + 10**6, len(session.ts)

    def batches() -> Any:
        for number in range(-(-EVENTS // count)):
            first = number * (count + 1)
            yield EventBatch.of(
                first, ts=session.ts + number * span, kind=EventKind.DEPTH, side=session.side,
                price=session.price, size=session.size,
            )  # fmt: skip
            end = int(session.ts[-1]) + number * span
            yield EventBatch.of(first + count, ts=end, kind=EventKind.SNAPSHOT_END)

    return write_recording(context.scratch, Instrument("BTCUSDT", "0.1", "0.001"), batches(), source={})


def _look(
    recording: Any, column_ms: int, row_ticks: int, middle: int, at: float, columns: int, rows: int
) -> Any:
    from workbench.views.raster import Scale

    column_ns = column_ms * 10**6
    room = max(recording.end_ns - recording.start_ns - columns * column_ns, 0)
    origin = (recording.start_ns + int(at * room)) // column_ns
    return Scale(column_ns, row_ticks, middle // row_ticks - rows // 2, origin, columns, rows)


def report(
    ratios: list[dict[str, float]], table: list[list[Any]], share: float, looks: dict[str, Any]
) -> dict[str, Any]:
    """Goals and tables for the document."""
    worst = {name: min(ratio[name] for ratio in ratios) for name in ratios[0]}
    stages = [
        [stage, round(float(np.median(looks[stage])), 2), round(float(np.percentile(looks[stage], 95)), 2)]
        for stage in ("half", "full")
    ]
    return {
        "title": "Heatmap raster",
        "text": (
            "Depth updates of a real BTCUSDT feed drawn at one tick a row, rule max. Side by side all cells equal "
            f"datashader's; together {100 * share:.3f} % do, for we add up a tick that holds both sides for a moment. Colours: size to RGBA on a logarithmic scale. Looks: tiles of 1600 × 800 "
            f"cells (half: 800 × 400) at random places and zooms of a recording of {looks['events'] / 1e6:.1f} M "
            f"events, on the kernel's side only; pyramids of rows of 10 and 20 ticks took {looks['built']:.1f} s of "
            f"CPU to build, once, and {looks['megabytes']:.0f} MB."
        ),
        "goals": [
            goal(
                "raster against datashader with building its segments", measured=worst["building"], floor=6.0
            ),
            goal("raster against datashader's segments alone", measured=worst["segments"], floor=3.0),
            goal("colour mapping against tf.shade", measured=worst["colours"], floor=8.0),
            goal("half tile, median", measured=stages[0][1], floor=60.0, unit="ms", at_most=True),
            goal("full tile, median", measured=stages[1][1], floor=100.0, unit="ms", at_most=True),
        ],
        "tables": [
            {
                "caption": "CPU milliseconds, best round",
                "columns": ["picture", "workbench", "datashader", "with segments", "our colours", "tf.shade"],
                "rows": table,
            },
            {
                "caption": "Looks into 20 million events, CPU milliseconds",
                "columns": ["tile", "median", "p95"],
                "rows": stages,
            },
        ],
    }

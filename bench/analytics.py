"""Profile, VWAP, CVD, bars and OFI over 20 million events, against Polars, pandas and DuckDB doing the same.

Columns are in memory before anything is measured, in the form that each peer likes best: Polars and pandas hold them as
frames, DuckDB as a table of its own. All use one thread. Answers are compared before they are timed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.harness import Context, Timing, goal

EVENTS = 20_000_000
SLOW_ROUNDS = 1  # DuckDB's running windows sort everything and take several seconds each
Cases = dict[str, Callable[[], Any]]
PEERS = ("polars", "pandas", "duckdb")


def run(context: Context) -> dict:
    """Measure one indicator after the other; each frees its columns before the next."""
    results = []
    for study in (profile, running, bars, flow):
        results += study(context)
    goals, rows = [], []
    for name, floor, times in results:
        best = {case: timing.best for case, timing in times.items()}
        peer = min((case for case in PEERS if case in best), key=lambda case: best[case])
        ratio = best[peer] / best["workbench"]
        if floor:
            goals.append(goal(f"{name} against {peer}, the best peer", measured=ratio, floor=floor))
        cells = [best["workbench"], *(best.get(case) for case in PEERS), best["bound"]]
        rows.append([name, *("–" if cell is None else round(cell, 3) for cell in cells), f"{ratio:.1f} ×"])
    return {
        "title": "Analytics",
        "text": (
            "Indicators over 20 million events: trades and quotes of a seeded random walk on the grid of BTCUSDT (tick "
            "0.1, lot 0.001), about 100 trades a second. Volume profile by side, running VWAP, CVD and 1 s bars take "
            "columns of time, price, size and aggressor; OFI takes best bid and ask with their sizes. Peers compute the "
            "same from the same columns in memory, with one thread, and their answers are equal. Our bars always hold "
            "volume by aggressor, extremes of delta, prints and VWAP: peers work out the same, and in the row below "
            "it nothing but prices and volume. The bound is a copy of the same columns. VWAP is exact (whole numbers, rounded once); the peers' is not."
        ),
        "goals": goals,
        "tables": [
            {
                "caption": "CPU seconds for 20 million events, best round",
                "columns": ["indicator", "workbench", *PEERS, "copying the columns", "best peer / workbench"],
                "rows": rows,
            }
        ],
    }


# -- data ----------------------------------------------------------------------------------------------------------
def instrument() -> Any:
    """The grid of BTCUSDT."""
    from workbench.events import Instrument

    return Instrument("BTCUSDT", "0.1", "0.001")


def tape() -> Any:
    """Trades of a random walk between a bid and an ask, as the formulas take them."""
    from workbench.flow.prints import Prints

    rng = np.random.default_rng(5)
    mid = 600_000 + np.cumsum(rng.integers(-1, 2, EVENTS, np.int8), dtype=np.int64)
    side = (rng.integers(0, 2, EVENTS, np.int8) * 2 - 1).astype(np.int8)
    ts = 1_700_000_000 * 10**9 + np.cumsum(rng.integers(0, 20_000_000, EVENTS), dtype=np.int64)
    size = rng.integers(1, 2000, EVENTS)
    return Prints(ts, (mid + (side > 0)) * 1000, size, side)


def copying(columns: tuple[np.ndarray, ...]) -> Callable[[], None]:
    """The bound: the same columns read and written once."""
    targets = [np.empty_like(column) for column in columns]

    def copy() -> None:
        for target, column in zip(targets, columns):
            np.copyto(target, column)

    return copy


def frames(columns: dict[str, np.ndarray]) -> tuple[Any, Any, Any]:
    """The columns as Polars frame, pandas frame and DuckDB table."""
    import duckdb
    import pandas as pd
    import polars as pl

    pandas_frame = pd.DataFrame(columns, copy=False)
    base = duckdb.connect(config={"threads": 1})
    base.execute("CREATE TABLE t AS SELECT *, row_number() OVER () AS i FROM pandas_frame")
    return pl.DataFrame(columns), pandas_frame, base


def timed(context: Context, cases: Cases, slow: Cases | None = None) -> dict[str, Timing]:
    """Measure; slow peers fewer times."""
    times = context.measure(cases, min(context.rounds, 5))
    if slow:
        times |= context.measure(slow, SLOW_ROUNDS)
    return times


# -- profile -------------------------------------------------------------------------------------------------------
def profile(context: Context) -> list[tuple[str, float, dict[str, Timing]]]:
    """Volume by price and side."""
    import polars as pl

    from workbench.flow.profile import ProfileBuilder

    trades = tape()
    frame, pandas_frame, base = frames({"price": trades.price, "size": trades.size, "side": trades.side})
    grid = instrument()

    def ours() -> np.ndarray:
        builder = ProfileBuilder(grid)
        builder.update(trades)
        return builder.rows()

    def pandas() -> Any:
        return pandas_frame.groupby(["price", "side"], sort=False)["size"].sum()

    cases: Cases = {
        "workbench": ours,
        "polars": lambda: frame.group_by("price", "side").agg(pl.col("size").sum()),
        "pandas": pandas,
        "duckdb": lambda: base.execute(
            "SELECT price, side, sum(size)::BIGINT AS size FROM t GROUP BY price, side"
        ).fetchnumpy(),
        "bound": copying((trades.price, trades.size, trades.side)),
    }
    rows = ours()
    expected = sorted(
        (row * 1000, side, lots)
        for row, bought, sold, _ in rows.tolist()
        for side, lots in ((1, bought), (-1, sold))
        if lots
    )
    assert sorted(cases["polars"]().rows()) == expected, "polars"
    found = cases["duckdb"]()
    assert sorted(zip(*(found[name].tolist() for name in ("price", "side", "size")))) == expected, "duckdb"
    assert sorted((*key, lots) for key, lots in pandas().items()) == expected
    return [("volume profile by side", 5.0, timed(context, cases))]


# -- running values ------------------------------------------------------------------------------------------------
def running(context: Context) -> list[tuple[str, float, dict[str, Timing]]]:
    """VWAP and CVD after each trade."""
    trades = tape()
    # Ticks, not thousandths: in those the peers' sums of price · size leave 64 bits.
    peers = frames({"price": trades.price // 1000, "size": trades.size, "side": trades.side})
    return [
        ("VWAP after each trade", 2.0, vwap(context, trades, *peers)),
        ("CVD after each trade", 2.0, cvd(context, trades, *peers)),
    ]


def vwap(context: Context, trades: Any, frame: Any, pandas_frame: Any, base: Any) -> dict[str, Timing]:
    """Running VWAP in real units, beside ours with σ."""
    import polars as pl

    from workbench.flow.vwap import Vwap

    grid = instrument()
    price, size = pl.col("price"), pl.col("size")

    def pandas() -> np.ndarray:
        value = (pandas_frame["price"] * pandas_frame["size"]).cumsum()
        return (value / pandas_frame["size"].cumsum() * 0.1).to_numpy()

    cases: Cases = {
        "workbench": lambda: Vwap(grid, deviation=False).update(trades)[0],
        "polars": lambda: (
            frame.select((price * size).cum_sum() / size.cum_sum() * 0.1).to_series().to_numpy()
        ),
        "pandas": pandas,
        "bound": copying((trades.price, trades.size)),
    }
    window = "(ORDER BY i ROWS UNBOUNDED PRECEDING)"
    query = f"SELECT sum(price * size) OVER {window} / (sum(size) OVER {window}) * 0.1 AS v FROM t"
    slow: Cases = {"duckdb": lambda: base.execute(query).fetchnumpy()["v"]}
    expected = cases["workbench"]()
    for case in ("polars", "pandas"):
        assert np.allclose(cases[case](), expected, rtol=1e-12, atol=0), case
    assert np.allclose(np.asarray(slow["duckdb"](), np.float64), expected, rtol=1e-9, atol=0), "duckdb"
    return timed(context, cases, slow)


def cvd(context: Context, trades: Any, frame: Any, pandas_frame: Any, base: Any) -> dict[str, Timing]:
    """Running delta in real units."""
    import polars as pl

    from workbench.flow.cvd import Cvd

    grid = instrument()
    cases: Cases = {
        "workbench": lambda: Cvd(grid).update(trades),
        "polars": lambda: (
            frame.select((pl.col("size") * pl.col("side")).cum_sum() / 1000).to_series().to_numpy()
        ),
        "pandas": lambda: ((pandas_frame["size"] * pandas_frame["side"]).cumsum() / 1000).to_numpy(),
        "bound": copying((trades.size, trades.side)),
    }
    query = "SELECT sum(size * side) OVER (ORDER BY i ROWS UNBOUNDED PRECEDING) / 1000 AS v FROM t"
    slow: Cases = {"duckdb": lambda: base.execute(query).fetchnumpy()["v"]}
    expected = cases["workbench"]()
    for case in ("polars", "pandas"):
        assert np.allclose(cases[case](), expected, rtol=1e-14, atol=1e-9), case
    assert np.allclose(np.asarray(slow["duckdb"](), np.float64), expected, rtol=1e-12, atol=1e-9), "duckdb"
    return timed(context, cases, slow)


# -- bars ----------------------------------------------------------------------------------------------------------
EVERYTHING = (  # the delta itself is buy − sell
    "open", "high", "low", "close", "volume", "buy", "sell", "unknown", "trades", "vwap", "delta_low", "delta_high"
)  # fmt: skip
PRICES_ONLY = EVERYTHING[:5]
TO_PRICE, TO_SIZE = 1e-4, 1e-3
UNITS = [TO_PRICE] * 4 + [TO_SIZE] * 4 + [1.0, TO_PRICE, TO_SIZE, TO_SIZE]


def bars(context: Context) -> list[tuple[str, float, dict[str, Timing]]]:
    """Bars of a second: everything that ours hold, and beside it what peers need for prices and volume alone."""
    from workbench.flow.bars import Bars

    trades = tape()
    columns = {"ts": trades.ts, "price": trades.price, "size": trades.size, "side": trades.side}
    frame, pandas_frame, base = frames(columns)
    grid = instrument()

    def ours() -> Any:
        built = Bars(grid, "1s")
        built.update(trades)
        return built.frame

    found = []
    for name, wanted, floor in (
        ("1 s bars with delta", EVERYTHING, 2.0),
        ("the same, peers without delta", PRICES_ONLY, 0.0),
    ):
        cases: Cases = {
            "workbench": ours,
            "polars": polars_bars(frame, wanted),
            "pandas": pandas_bars(pandas_frame, wanted),
            "bound": copying(tuple(trades)),
        }
        slow: Cases = {"duckdb": duckdb_bars(base, wanted)}
        expected = ours().select(wanted).to_numpy()
        for case, answer in {**cases, **slow}.items():
            if case in PEERS:
                assert np.allclose(answer(), expected, rtol=1e-9, atol=1e-9), case
        found.append((name, floor, timed(context, cases, slow)))
    return found


def polars_bars(frame: Any, wanted: tuple[str, ...]) -> Callable[[], np.ndarray]:
    """Groups of a sorted time."""
    import polars as pl

    price, size, side = (pl.col(name) for name in ("price", "size", "side"))
    running = (size * side).cum_sum()
    of = {
        "open": price.first(), "high": price.max(), "low": price.min(), "close": price.last(), "volume": size.sum(),
        "buy": size.filter(side > 0).sum(), "sell": size.filter(side < 0).sum(), "unknown": size.filter(side == 0).sum(),
        "trades": pl.len(), "vwap": (price * size).sum() / size.sum(),
        "delta_low": pl.min_horizontal(running.min(), 0), "delta_high": pl.max_horizontal(running.max(), 0),
    }  # fmt: skip
    timed_frame = frame.with_columns(pl.col("ts").cast(pl.Datetime("ns")).set_sorted())
    parts = [of[name].alias(name) for name in wanted]
    real = [pl.col(name) * unit for name, unit in zip(EVERYTHING, UNITS) if name in wanted]
    return lambda: timed_frame.group_by_dynamic("ts", every="1s").agg(parts).select(real).to_numpy()


def pandas_bars(frame: Any, wanted: tuple[str, ...]) -> Callable[[], np.ndarray]:
    """Groups by the number of the second; running delta is a grouped cumulative sum."""
    import pandas as pd

    def answer() -> np.ndarray:
        seconds = frame["ts"].to_numpy() // 10**9
        summed = frame.groupby(seconds, sort=False).agg(
            {"price": ["first", "max", "min", "last"], "size": "sum"}
        )
        if wanted == PRICES_ONLY:
            return (summed * np.array(UNITS[:5])).to_numpy()
        size, side = frame["size"], frame["side"]
        signed = size * side
        more = pd.DataFrame(
            {
                "buy": size.where(side > 0, 0), "sell": size.where(side < 0, 0), "unknown": size.where(side == 0, 0),
                "trades": 1, "value": frame["price"] * size, "running": signed.groupby(seconds, sort=False).cumsum(),
            }
        )  # fmt: skip
        by = more.groupby(seconds, sort=False)
        sums, running = by[["buy", "sell", "unknown", "trades", "value"]].sum(), by["running"]
        vwap = sums["value"] / summed[("size", "sum")]
        lows, highs = running.min().clip(upper=0), running.max().clip(lower=0)
        counts = sums[["buy", "sell", "unknown", "trades"]]
        return np.column_stack([summed, counts, vwap, lows, highs]) * np.array(UNITS)

    return answer


def duckdb_bars(base: Any, wanted: tuple[str, ...]) -> Callable[[], np.ndarray]:
    """SQL: first and last by row number, running delta by a window over each second."""
    window = "sum(size * side) OVER (PARTITION BY ts // 1000000000 ORDER BY i ROWS UNBOUNDED PRECEDING)"
    of = {
        "open": "arg_min(price, i)", "high": "max(price)", "low": "min(price)", "close": "arg_max(price, i)",
        "volume": "sum(size)", "buy": "sum(size) FILTER (side > 0)", "sell": "sum(size) FILTER (side < 0)",
        "unknown": "coalesce(sum(size) FILTER (side = 0), 0)", "trades": "count(*)",
        "vwap": "sum(price * size) / sum(size)", "delta_low": "least(min(running), 0)",
        "delta_high": "greatest(max(running), 0)",
    }  # fmt: skip
    source = "t" if wanted == PRICES_ONLY else f"(SELECT *, {window} AS running FROM t)"
    parts = ", ".join(
        f"{of[name]} * {unit} AS {name}" for name, unit in zip(EVERYTHING, UNITS) if name in wanted
    )
    query = f"SELECT ts // 1000000000 AS s, {parts} FROM {source} GROUP BY s ORDER BY s"

    def answer() -> np.ndarray:
        found = base.execute(query).fetchnumpy()
        return np.column_stack([np.asarray(found[name], np.float64) for name in wanted])

    return answer


# -- order flow imbalance ------------------------------------------------------------------------------------------
def quotes() -> dict[str, np.ndarray]:
    """States of the best levels, one for each of the events."""
    rng = np.random.default_rng(6)
    bid = 600_000 + np.cumsum(
        rng.integers(0, 8, EVENTS) // 7 - rng.integers(0, 8, EVENTS) // 7, dtype=np.int64
    )
    return {
        "bid": bid,
        "bid_size": rng.integers(1, 5000, EVENTS),
        "ask": bid + rng.integers(1, 3, EVENTS),
        "ask_size": rng.integers(1, 5000, EVENTS),
    }


def flow(context: Context) -> list[tuple[str, float, dict[str, Timing]]]:
    """Contribution of each state of the best levels."""
    import pandas as pd
    import polars as pl

    from workbench.flow.ofi import OfiStream
    from workbench.flow.touch import Moments

    columns = quotes()
    frame, pandas_frame, base = frames(columns)
    number = np.arange(EVENTS)
    shaped = {name: column.reshape(-1, 1) for name, column in columns.items()}
    states = Moments(number, number, np.ones(EVENTS, np.bool_), **shaped)

    def ours() -> np.ndarray:
        return OfiStream().follow(states).e[1:, 0]

    def polars() -> np.ndarray:
        bid, qb, ask, qa = (pl.col(name) for name in columns)
        e = (
            pl.when(bid >= bid.shift(1)).then(qb).otherwise(0)
            - pl.when(bid <= bid.shift(1)).then(qb.shift(1)).otherwise(0)
            - pl.when(ask <= ask.shift(1)).then(qa).otherwise(0)
            + pl.when(ask >= ask.shift(1)).then(qa.shift(1)).otherwise(0)
        )
        return frame.select(e=e).to_series()[1:].to_numpy()

    def pandas() -> np.ndarray:
        f: pd.DataFrame = pandas_frame
        before = f.shift(1)
        e = (
            f["bid_size"].where(f["bid"] >= before["bid"], 0)
            - before["bid_size"].where(f["bid"] <= before["bid"], 0)
            - f["ask_size"].where(f["ask"] <= before["ask"], 0)
            + before["ask_size"].where(f["ask"] >= before["ask"], 0)
        )
        return e.to_numpy()[1:]

    cases: Cases = {
        "workbench": ours,
        "polars": polars,
        "pandas": pandas,
        "bound": copying(tuple(columns.values())),
    }
    query = (
        "SELECT CASE WHEN bid >= lag(bid) OVER w THEN bid_size ELSE 0 END"
        " - CASE WHEN bid <= lag(bid) OVER w THEN lag(bid_size) OVER w ELSE 0 END"
        " - CASE WHEN ask <= lag(ask) OVER w THEN ask_size ELSE 0 END"
        " + CASE WHEN ask >= lag(ask) OVER w THEN lag(ask_size) OVER w ELSE 0 END AS e FROM t WINDOW w AS (ORDER BY i)"
    )
    slow: Cases = {"duckdb": lambda: base.execute(query).fetchnumpy()["e"]}
    expected = ours()
    for case in ("polars", "pandas"):
        assert np.array_equal(cases[case](), expected), case
    assert np.array_equal(np.asarray(slow["duckdb"](), np.float64)[1:], expected), "duckdb"
    return [("order flow imbalance", 2.0, timed(context, cases, slow))]

"""Prints of real recordings, and what the package's formulas make of them, against a plain program's figures."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.support.truth import Case, Trades
from workbench.events import Instrument
from workbench.flow.bars import bars
from workbench.flow.cvd import cvd
from workbench.flow.prints import prints_of
from workbench.flow.profile import volume_profile
from workbench.flow.vwap import Vwap, vwap
from workbench.frames.recording import Recording

SETS = (
    ("usdm", "trades"),
    ("spot", "trades"),
    ("esh4", "trades"),
    ("esu4", "trades"),
    ("amzn", "trades_all"),
    ("amzn", "trades_visible"),
    ("amzn", "trades_hidden"),
    ("msft", "trades_all"),
    ("msft", "trades_visible"),
    ("msft", "trades_hidden"),
)
METHODS = ("two_row", "one_row", "traded_only")


@dataclass
class Chosen:
    """Trades of a recording, all or only those (not) hidden."""

    recording: Recording
    hidden: bool | None

    @property
    def instrument(self) -> Instrument:
        return self.recording.instrument

    def trades(self) -> pl.LazyFrame:
        frame = self.recording.trades()
        return frame if self.hidden is None else frame.filter(pl.col("hidden") == self.hidden)


@dataclass
class Traded:
    """One set of prints beside its figures."""

    case: Case
    source: Chosen
    truth: dict[str, Any]
    prints: Trades


@pytest.fixture(scope="session", params=SETS, ids="-".join)
def traded(request: pytest.FixtureRequest) -> Traded:
    """Each set of trades."""
    name, key = request.param
    case: Case = request.getfixturevalue(name)
    hidden = {"trades_visible": False, "trades_hidden": True}.get(key)
    prints = case.trades if hidden is None else case.trades.where(case.trades.hidden == hidden)
    return Traded(case, Chosen(case.recording, hidden), case.truth[key], prints)


def decimal(value: float) -> Decimal:
    """Exact decimal of the shortest spelling of a float."""
    return Decimal(repr(value))


def test_numbers_and_volumes(traded: Traded) -> None:
    """Number and volume of all, buying, selling and unsigned prints, and the largest one."""
    truth, prints, case = traded.truth, traded.prints, traded.case
    by_side = {s: prints.where(prints.side == s) for s in (1, -1, 0)}
    assert len(prints.ts) == truth["n"] == len(traded.source.trades().collect())
    assert [len(by_side[s].ts) for s in (1, -1, 0)] == [truth[k] for k in ("n_buy", "n_sell", "n_none")]
    assert int(prints.size.sum()) == case.size(truth["volume"])
    names = {1: "buy_volume", -1: "sell_volume", 0: "none_volume"}
    for side, name in names.items():
        assert int(by_side[side].size.sum()) == case.size(truth[name])
    assert int(prints.size.max()) == case.size(truth["max_trade"])


def test_first_last_high_low(traded: Traded) -> None:
    """Time, price, size and aggressor of the first and last print, and the highest and lowest price."""
    truth, prints, case = traded.truth, traded.prints, traded.case
    letters = {1: "B", -1: "S", 0: "N"}
    for row, name in ((0, "first"), (-1, "last")):
        ts, price, size, side = truth[name]
        assert int(prints.ts[row]) == ts + case.midnight
        assert (int(prints.price[row]), int(prints.size[row])) == (case.price(price), case.size(size))
        assert letters[int(prints.side[row])] == side or side not in letters.values()
    assert int(prints.price.max()) == case.price(truth["high"])
    assert int(prints.price.min()) == case.price(truth["low"])


def test_vwap_is_the_exact_fraction(traded: Traded) -> None:
    """Σp·q and Σq are exact, sub-tick prices included; the last row of the frame is the nearest double."""
    truth, case = traded.truth, traded.case
    money, volume = truth["vwap_fraction_units"]
    prints = traded.prints
    assert sum(p * q for p, q in zip(prints.price.tolist(), prints.size.tolist())) == money
    assert int(prints.size.sum()) == volume
    streaming = Vwap(traded.source.instrument)
    streaming.update(prints_of(traded.source))
    exact = Fraction(money, volume) * Fraction(case.price_unit)
    fraction = streaming.fraction
    assert fraction is not None
    assert fraction in (exact, exact / Fraction(traded.source.instrument.tick_size))
    assert vwap(traded.source)["vwap"][-1] == pytest.approx(truth["vwap"], rel=1e-13)


def test_cvd_path(traded: Traded) -> None:
    """End, lowest and highest of the cumulative delta, the start at 0 included."""
    truth = traded.truth
    path = cvd(traded.source)["cvd"]
    low, high = min(0.0, path.min()), max(0.0, path.max())  # type: ignore[type-var]
    assert [decimal(v) for v in (path[-1], low, high)] == [
        Decimal(truth[k]) for k in ("cvd_end", "cvd_min", "cvd_max")
    ]


def test_profiles(traded: Traded) -> None:
    """Every row size by every method: rows, point of control, value area and its volume."""
    tick = traded.source.instrument.tick_size
    for row, expected in traded.truth["profile"].items():
        ticks = Decimal(row) / tick
        assert ticks == int(ticks)
        for method in METHODS:
            found = volume_profile(traded.source, method=method, row_ticks=int(ticks))
            area = expected[method]
            assert (found.val, found.vah) == (float(area["val"]), float(area["vah"]))
            assert decimal(found.value_area_volume) == Decimal(area["volume"])
        frame = found.frame
        assert len(frame) == expected["rows_traded"]
        span = (decimal(frame["price"].max()) - decimal(frame["price"].min())) / Decimal(row) + 1  # type: ignore[arg-type]
        assert span == expected["rows_span"]
        assert (found.poc, found.poc_volume) == (float(expected["poc"]), float(expected["poc_volume"]))
        assert int((frame["volume"] == frame["volume"].max()).sum()) == expected["poc_ties"]
        assert decimal(found.volume) == Decimal(traded.truth["volume"])


def test_minute_bars(traded: Traded) -> None:
    """Open, high, low, close, volumes by aggressor and number of trades of every minute."""
    if "bars_60s" not in traded.truth:
        assert traded.source.hidden is not None  # LOBSTER's truth has bars of all prints only
        return
    found = bars(traded.source, "60s")
    columns = ("open", "high", "low", "close", "buy", "sell", "unknown")
    shown = [
        [int(ts), *(decimal(v) for v in values), int(trades)]
        for ts, trades, *values in zip(
            found["ts"].to_physical(), found["trades"], *(found[c] for c in columns)
        )
    ]
    expected = [
        [row[0] + traded.case.midnight, *(Decimal(v) for v in row[1:8]), row[8]]
        for row in traded.truth["bars_60s"]
    ]
    assert shown == expected


def test_edge_frame_shows_exact_prices(traded: Traded) -> None:
    """Prices and sizes of the frame of trades are the nearest doubles of the exact decimals, hidden ones too."""
    frame = traded.source.trades().collect()
    unit, size_unit = traded.case.price_unit, traded.case.size_unit
    prices = [float(p * unit) for p in traded.prints.price.tolist()]
    sizes = [float(q * size_unit) for q in traded.prints.size.tolist()]
    assert np.array_equal(frame["price"].to_numpy(), prices)
    assert np.array_equal(frame["size"].to_numpy(), sizes)

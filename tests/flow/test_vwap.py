"""VWAP and bands: exact, streaming like batch."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, FINE, Trades, plain_prints, prints, real, trade_streams
from workbench.events import EventBatch, Instrument
from workbench.flow.prints import prints_of_batch
from workbench.flow.vwap import Vwap, vwap

CUTS = st.lists(st.integers(0, 90), max_size=5)
INSTRUMENTS = st.sampled_from([COARSE, FINE])


@given(batch=trade_streams(), cuts=CUTS, instrument=INSTRUMENTS)
def test_the_exact_fraction_is_that_of_whole_numbers(
    batch: EventBatch, cuts: list[int], instrument: Instrument
) -> None:
    """Σ price·size over Σ size in Python's integers equals the kernel's limbs, in any chunking."""
    streaming = Vwap(instrument)
    for part in chunks(batch, cuts):
        streaming.apply(part)
    trades = plain_prints(batch)
    volume = sum(t[2] for t in trades)
    assert streaming.volume_lots == volume
    expected = real(Fraction(sum(p * s for _, p, s, _ in trades), volume), instrument) if volume else None
    assert streaming.fraction == expected


@given(batch=trade_streams(), cuts=CUTS, instrument=INSTRUMENTS)
def test_streaming_equals_batch_to_the_last_bit(
    batch: EventBatch, cuts: list[int], instrument: Instrument
) -> None:
    """Cut anywhere, every value of VWAP and σ is the same double."""
    frame = vwap(Trades(batch, instrument))
    streaming = Vwap(instrument)
    parts = [streaming.update(prints_of_batch(part)) for part in chunks(batch, cuts)]
    for i, name in enumerate(("vwap", "sigma")):
        joined = np.concatenate([np.empty(0), *(part[i] for part in parts)])
        assert joined.tobytes() == frame[name].to_numpy().tobytes()
    if len(frame):
        assert (streaming.value, streaming.sigma) == frame.select("vwap", "sigma").row(-1)


@given(batch=trade_streams(), instrument=INSTRUMENTS)
def test_every_value_is_the_double_nearest_to_the_exact_one(
    batch: EventBatch, instrument: Instrument
) -> None:
    """Running VWAP after each trade equals the fraction of whole numbers, rounded once."""
    found = vwap(Trades(batch, instrument))["vwap"].to_list()
    moved = volume = 0
    for value, (_, price, size, _) in zip(found, plain_prints(batch), strict=True):
        moved, volume = moved + price * size, volume + size
        assert value == float(real(Fraction(moved, volume), instrument))


def test_the_oracle_of_the_definitions() -> None:
    """Prices 100, 101, 99, 102, sizes 10, 20, 5, 5: 4025 / 40 = 100.625; σ² = 29.375 / 40, σ = 0.856957."""
    points = Instrument("X", 1)
    frame = vwap(Trades(prints([100, 101, 99, 102], [10, 20, 5, 5]), points), bands=[1, 2])
    last = frame.row(-1, named=True)
    assert last["vwap"] == 100.625
    assert math.isclose(last["sigma"], 0.856957, abs_tol=1e-6)
    assert last["upper_2"] == last["vwap"] + 2 * last["sigma"]
    assert last["lower_1"] == last["vwap"] - last["sigma"]
    assert last["volume"] == 40


def test_subtick_prices_count_exactly() -> None:
    """One lot at 100 and one at 100.5 ticks of 0.25: (25 + 25.125) / 2 = 25.0625."""
    streaming = Vwap(COARSE)
    streaming.apply(prints([100, 100.5], [1, 1]))
    assert streaming.fraction == Fraction("25.0625")
    assert streaming.value == 25.0625


def test_without_trades_there_is_no_price() -> None:
    """None before the first trade, and an empty frame with all columns."""
    assert (Vwap(COARSE).value, Vwap(COARSE).sigma, Vwap(COARSE).fraction) == (None, None, None)
    assert vwap(Trades(EventBatch.empty(), COARSE)).columns == ["ts", "vwap", "sigma", "volume"]


@given(batch=trade_streams(), row=st.integers(0, 90))
def test_an_anchor_leaves_out_what_was_before(batch: EventBatch, row: int) -> None:
    """The rows of an anchored average are those of the trades at or after the anchor alone."""
    if not len(batch):
        return
    anchor = int(batch.ts[row % len(batch)])
    found = vwap(Trades(batch, COARSE), anchor=anchor, bands=[1])
    assert found.equals(vwap(Trades(batch[int(np.searchsorted(batch.ts, anchor)) :], COARSE), bands=[1]))

"""Instruments: exact grids, refused nonsense."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InstrumentError, OffGridError
from workbench.events import SUBTICK_SHIFT, Instrument

TICKS = st.sampled_from(["0.25", "0.1", "0.01", "1E-8", "0.5", "5", "0.03125", "0.0001", "2.5"])


@given(tick=TICKS, ticks=st.integers(-(2**31), 2**31 - 1))
def test_price_and_ticks_are_inverse(tick: str, ticks: int) -> None:
    """Integer ticks survive the way to a decimal price, to its text and to a float, and back."""
    instrument = Instrument("X", tick)
    price = instrument.price(ticks)
    assert instrument.ticks(price) == instrument.ticks(str(price)) == ticks


@given(tick=TICKS, ticks=st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1))
def test_float_prices_are_the_nearest_doubles(tick: str, ticks: list[int]) -> None:
    """The vectorised float price equals Python's own conversion of the exact decimal."""
    instrument = Instrument("X", tick)
    floats = instrument.prices(np.array(ticks, dtype=np.int32))
    assert floats.tolist() == [float(instrument.price(t)) for t in ticks]


@given(lots=st.lists(st.integers(0, 2**53 - 1), min_size=1))
def test_float_sizes_are_the_nearest_doubles(lots: list[int]) -> None:
    """Sizes of 1e-8 lots, as spot venues have them, are the nearest doubles too."""
    instrument = Instrument("X", "0.01", lot_size="0.00000001")
    assert instrument.sizes(np.array(lots, dtype=np.int64)).tolist() == [
        float(instrument.size(n)) for n in lots
    ]


def test_subtick_prices_of_trades_are_exact() -> None:
    """A hidden execution at 223.5575 on a one-cent grid keeps its price: 22355 ticks + 750 thousandths."""
    instrument = Instrument("AMZN", "0.01")
    flags = np.array([750 << SUBTICK_SHIFT, 0], dtype=np.uint16)
    assert instrument.prices(np.array([22355, 22355], dtype=np.int32), flags).tolist() == [223.5575, 223.55]


def test_off_grid_price_names_the_nearest_valid_ones() -> None:
    """The refusal carries both neighbours, as text and as fields."""
    with pytest.raises(
        OffGridError, match=r"1\.09455 .* multiple of 0\.0001; expected nearest 1\.0945 or 1\.0946"
    ) as e:
        Instrument("EURUSD", "0.0001").ticks("1.09455")
    assert e.value.fields["nearest"] == (Decimal("1.0945"), Decimal("1.0946"))


def test_negative_off_grid_price_has_its_neighbours_in_order() -> None:
    """Calendar spreads trade below zero; neighbours are below and above there too."""
    with pytest.raises(OffGridError) as e:
        Instrument("SPREAD", "0.25").ticks("-0.3")
    assert e.value.fields["nearest"] == (Decimal("-0.50"), Decimal("-0.25"))


def test_float_noise_is_on_the_grid_and_a_real_offset_is_not() -> None:
    """0.1 + 0.2 is the price 0.3; 0.301 is off a grid of 0.1."""
    instrument = Instrument("X", "0.1")
    assert instrument.ticks(0.1 + 0.2) == 3
    assert instrument.ticks(np.float64(0.7)) == 7
    with pytest.raises(OffGridError):
        instrument.ticks(0.301)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True, None, "abc", ""])
def test_prices_that_are_no_numbers_are_refused(value: object) -> None:
    """NaN, infinity, booleans and text are refused, not rounded."""
    with pytest.raises(OffGridError, match="finite number"):
        Instrument("X", "0.1").ticks(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf"), "x", True])
@pytest.mark.parametrize("field", ["tick_size", "lot_size", "multiplier"])
def test_impossible_grids_are_refused(field: str, bad: object) -> None:
    """A tick, lot or multiplier must be finite and positive; the message names instrument, field and value."""
    with pytest.raises(InstrumentError, match=f"instrument 'X' has {field}={bad}: refused"):
        Instrument("X", **({"tick_size": 1} | {field: bad}))  # type: ignore[arg-type]


@pytest.mark.parametrize("symbol", ["", "  ", "a\nb", "a\x00", "x\ue000y", "tab\t", "\u2028"])
def test_names_that_could_break_a_line_are_refused(symbol: str) -> None:
    """Control characters and the bridge's separator never get into a name."""
    with pytest.raises(InstrumentError):
        Instrument(symbol, 1)


@pytest.mark.parametrize("symbol", ["ESZ6.CME@RITHMIC", "BTC/USD", "../../x", "<img src=x>", "Ärger 日本 🙂"])
def test_hostile_but_printable_names_are_data(symbol: str) -> None:
    """Any printable name is kept as it is and survives the plain form."""
    instrument = Instrument(symbol, "0.25", full_name=symbol, features={"mbo": True})
    assert Instrument.from_dict(instrument.to_dict()) == instrument


def test_plain_form_ignores_what_a_newer_peer_adds() -> None:
    """Unknown keys do not break an older reader."""
    plain = Instrument("X", "0.25").to_dict() | {"venue": "CME"}
    assert Instrument.from_dict(plain) == Instrument("X", "0.25")

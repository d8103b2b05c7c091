"""Ticks and lots are the decimals that Bookmap's doubles stand for."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.bridge.grid import exact_step, instrument_of
from workbench.bridge.wire import InstrumentInfo
from workbench.errors import InstrumentError
from workbench.events import Instrument


def instrument(**known: Any) -> Instrument:
    """The instrument of an otherwise plain announcement."""
    fields: dict[str, Any] = {
        "alias": "ES",
        "full_name": "E-mini",
        "is_crypto": False,
        "pips": 0.25,
        "size_multiplier": 1.0,
        "instrument_multiplier": 50.0,
        "features": {"mbo": True},
    }
    return instrument_of(InstrumentInfo(**{**fields, **known}))


def test_a_lot_is_one_over_the_size_multiplier() -> None:
    """The package divides sizes by it: with 1000, a size of 1 is 0.001 coins."""
    assert instrument(size_multiplier=1000.0).lot_size == Decimal("0.001")
    assert instrument(size_multiplier=1e8).lot_size == Decimal("1E-8")
    assert instrument(size_multiplier=0.01).lot_size == 100


@pytest.mark.parametrize(
    ("sent", "meant"),
    [(0.009999999999999998, "0.01"), (0.25, "0.25"), (1e-05, "0.00001"), (100.0, "100"), (0.1 + 0.2, "0.3")],
)
def test_binary_noise_is_dropped(sent: float, meant: str) -> None:
    """A tick is the short decimal next to the double."""
    assert str(exact_step("X", "pips", sent)) == meant or exact_step("X", "pips", sent) == Decimal(meant)


@given(st.integers(1, 10**9), st.integers(0, 9))
def test_short_decimals_stay_as_they_are(units: int, places: int) -> None:
    """Every tick that people write is exact."""
    tick = Decimal(units).scaleb(-places)
    assert exact_step("X", "pips", float(tick)) == tick


def test_true_doubles_are_not_rounded() -> None:
    """1/128 has seven digits and keeps them; a third of something keeps all it has."""
    assert exact_step("X", "pips", 1 / 128) == Decimal("0.0078125")
    assert exact_step("X", "pips", 1 / 3) == Decimal("0.3333333333333333")


@pytest.mark.parametrize("value", [0.0, -0.25, math.nan, math.inf, 1e-300, 1e300])
@pytest.mark.parametrize("field", ["pips", "size_multiplier"])
def test_a_grid_that_cannot_be_is_refused(field: str, value: float) -> None:
    """Without a tick or a lot there are no prices or sizes."""
    with pytest.raises(InstrumentError, match=r"'ES' has"):
        instrument(**{field: value})


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_multiplier_that_cannot_be_is_one(value: float) -> None:
    """It only scales money, so the data are served all the same."""
    assert instrument(instrument_multiplier=value).multiplier == 1


def test_features_and_names_are_kept() -> None:
    """What Bookmap says of an instrument reaches the notebook."""
    made = instrument(is_crypto=True)
    assert made.features == {"mbo": True, "is_crypto": True}
    assert (made.symbol, made.full_name, made.multiplier) == ("ES", "E-mini", 50)


def test_names_of_control_characters_are_refused() -> None:
    """A name is hostile input."""
    with pytest.raises(InstrumentError, match="control character"):
        instrument(alias="E\x1bS")

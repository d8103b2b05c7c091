"""Drawings: each name registered once, the newest value first, prices as levels, nothing that mutes Bookmap."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bookmap_wire import ALIAS, SEPARATOR
from workbench.bridge.indicators import MAX_INDICATORS, POINT_INTERVAL_NS, Indicators
from workbench.bridge.lines import Lines
from workbench.errors import ProtocolError, WorkbenchError
from workbench.instruments import Instrument
from workbench.protocol.messages import Publish

FIRST = 7
NUMBER = 42


def make() -> Indicators:
    """Drawings of an attached instrument; request numbers count from FIRST."""
    lines = Lines()
    lines.attach(ALIAS)
    return Indicators(ALIAS, lines, itertools.count(FIRST).__next__)


def value(number: float, name: str = "vwap", **look: str) -> Publish:
    return Publish(symbol=ALIAS, indicator=name, value=number, **look)  # type: ignore[arg-type]


def instrument(tick: str = "0.25") -> Instrument:
    return Instrument(ALIAS, Decimal(tick))


def fields(line: bytes) -> list[str]:
    return line.decode().removesuffix("\n").split(SEPARATOR)


def drawn(indicators: Indicators, mono: int = 0) -> list[tuple[str, float]]:
    """Indicator number and value of every point that leaves."""
    return [(fields(p.line)[2], float(fields(p.line)[3])) for p in indicators.points(mono)]


def test_the_first_value_registers_its_indicator_and_waits_for_its_number() -> None:
    """Bookmap names the indicator first; until then nothing is drawn."""
    indicators = make()
    (line,) = indicators.publish(value(100.5, colour="#ff8000", style="dot"), instrument())
    assert fields(line) == [
        "9",
        ALIAS,
        str(FIRST),
        "vwap",
        "PRIMARY",
        "402.0",
        "1",
        "1",
        "255,128,0",
        "DOT",
        "0",
    ]
    assert drawn(indicators) == []
    indicators.made(FIRST, NUMBER)
    assert drawn(indicators) == [(str(NUMBER), 402.0)]


def test_a_name_is_registered_once() -> None:
    """Further values need no further indicator, answered or not."""
    indicators = make()
    indicators.publish(value(1.0), instrument())
    assert indicators.publish(value(2.0), instrument()) == []
    indicators.made(FIRST, NUMBER)
    assert indicators.publish(value(3.0), instrument()) == []


def test_the_newest_value_wins_while_it_cannot_be_drawn() -> None:
    """Bookmap draws at its current time: what is outdated is not drawn at all."""
    indicators = make()
    for price in (1.0, 2.0, 3.0):
        indicators.publish(value(price), instrument())
    indicators.made(FIRST, NUMBER)
    assert drawn(indicators) == [(str(NUMBER), 12.0)]
    assert drawn(indicators, POINT_INTERVAL_NS) == []


def test_one_point_per_data_interval() -> None:
    """A second value waits for the next interval, or for a tenth of a second without one."""
    indicators = make()
    indicators.publish(value(1.0), instrument())
    indicators.made(FIRST, NUMBER)
    assert len(drawn(indicators)) == 1
    indicators.publish(value(2.0), instrument())
    assert drawn(indicators) == []
    assert indicators.deadline() == POINT_INTERVAL_NS
    indicators.interval_passed()
    assert drawn(indicators) == [(str(NUMBER), 8.0)]
    indicators.publish(value(3.0), instrument())
    assert drawn(indicators, POINT_INTERVAL_NS) == [(str(NUMBER), 12.0)]
    assert indicators.deadline() is None


def test_values_of_a_panel_are_no_prices() -> None:
    """Only the price chart counts in levels."""
    indicators = make()
    (line,) = indicators.publish(value(-3.5, where="panel"), instrument())
    assert fields(line)[4:6] == ["BOTTOM", "-3.5"]
    indicators.made(FIRST, NUMBER)
    assert drawn(indicators) == [(str(NUMBER), -3.5)]


def test_a_name_stays_where_it_was_drawn_first() -> None:
    """The same name elsewhere would draw prices as levels or the reverse."""
    indicators = make()
    indicators.publish(value(1.0), instrument())
    with pytest.raises(ProtocolError, match="drawn in the chart already"):
        indicators.publish(value(1.0, where="panel"), instrument())


@pytest.mark.parametrize("look", [{"colour": "#0000ff"}, {"style": "dot"}])
def test_a_name_keeps_the_look_it_was_drawn_with_first(look: dict[str, str]) -> None:
    """Another look is refused: nothing on the chart would change. None is no other one."""
    indicators = make()
    indicators.publish(value(100.0, colour="#FF0000"), instrument())
    assert indicators.publish(value(100.25, colour="#ff0000"), instrument()) == []
    assert indicators.publish(value(100.25), instrument()) == []
    with pytest.raises(ProtocolError, match="is drawn in #FF0000 solid already"):
        indicators.publish(value(100.5, **look), instrument())


def test_after_a_new_attachment_the_next_value_registers_the_same_look_anew() -> None:
    """Numbers die with the attachment; the look is the one the name was given first, the levels follow the new tick."""
    indicators = make()
    indicators.publish(value(100.0, colour="#010203"), instrument())
    indicators.made(FIRST, NUMBER)
    indicators.forget_numbers()
    assert drawn(indicators) == []
    (line,) = indicators.publish(value(100.0), instrument("0.5"))
    assert fields(line)[2:9] == [str(FIRST + 1), "vwap", "PRIMARY", "200.0", "1", "1", "1,2,3"]
    indicators.made(FIRST, NUMBER)
    assert drawn(indicators) == [], "an answer to the old request names nothing"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    """One `nan` on the wire would make Bookmap deaf."""
    with pytest.raises(ProtocolError, match="finite"):
        make().publish(value(bad), instrument())


def test_a_price_too_large_to_be_counted_in_levels_is_refused() -> None:
    """The quotient must be finite, too."""
    with pytest.raises(ProtocolError, match="finite"):
        make().publish(value(1e308), instrument("0.00001"))


def test_the_number_of_indicators_is_bounded() -> None:
    """A loop over names must not fill the trader's chart."""
    indicators = make()
    for number in range(MAX_INDICATORS):
        indicators.publish(value(1.0, f"n{number}"), instrument())
    with pytest.raises(ProtocolError, match="64 indicators"):
        indicators.publish(value(1.0, "one more"), instrument())
    assert indicators.publish(value(2.0, "n1"), instrument()) == []


def test_a_name_that_fits_on_no_line_leaves_nothing_behind() -> None:
    """A refused name takes no room and no number."""
    indicators = make()
    with pytest.raises(WorkbenchError):
        indicators.publish(value(1.0, "two\nlines"), instrument())
    assert indicators.names == []


@given(
    price=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9),
    tick=st.sampled_from(["0.25", "0.01", "0.00001", "5", "0.1"]),
)
def test_the_level_drawn_is_the_double_nearest_to_the_price(price: float, tick: str) -> None:
    """No error but the rounding of one quotient, so that what is drawn is what was computed."""
    indicators = make()
    indicators.publish(value(price), instrument(tick))
    indicators.made(FIRST, NUMBER)
    ((_, level),) = drawn(indicators)
    assert level == pytest.approx(float(Decimal(price) / Decimal(tick)), rel=1e-15, abs=0)


@given(name=st.text(max_size=40))
def test_no_name_ever_makes_a_second_line(name: str) -> None:
    """Either one line whose fields are the given ones, or a refusal."""
    indicators = make()
    try:
        (line,) = indicators.publish(value(1.0, name), instrument())
    except WorkbenchError:
        return
    assert line.count(b"\n") == 1 and len(fields(line)) == 11 and fields(line)[3] == name

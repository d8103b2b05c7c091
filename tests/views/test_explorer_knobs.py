"""Sliders of a signal's parameters: what they range over, and the signal they make."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.views.explorer_knobs import knob_groups, rebuilt, values_of
from workbench.views.explorer_panel import SEEDS

SEED_SIGNALS = [getattr(wb.signals, name)() for name in SEEDS]


def knobs_of(signal: wb.signals.Signal) -> dict[str, dict]:
    return {knob["id"]: knob for group in knob_groups(signal) for knob in group["knobs"]}


@pytest.mark.parametrize("signal", SEED_SIGNALS, ids=SEEDS)
def test_both_ends_of_every_slider_make_a_signal(signal):
    """No position of a slider is out of the bounds of its parameter, and the default lies on it."""
    for name, knob in knobs_of(signal).items():
        for value in knob.get("choices") or (knob["low"], knob["high"], knob["default"]):
            assert values_of(rebuilt(signal, {name: value}))[name] == value
        if "low" in knob:
            assert knob["zero"] or knob["low"] <= knob["default"] <= knob["high"]
            if knob["zero"]:
                rebuilt(signal, {name: 0})


def test_bounds_draw_the_range_of_a_slider():
    """BookImbalance: levels 1 … 50 end at 20, enter in (0, 1] begins above 0, a half-life of 0 … 3600 s is logarithmic."""
    knobs = knobs_of(wb.signals.BookImbalance())
    assert (knobs["levels"]["low"], knobs["levels"]["high"], knobs["levels"]["kind"]) == (1, 20, "whole")
    assert (knobs["enter"]["low"], knobs["enter"]["high"]) == (0.01, 1.0)
    assert (knobs["half_life_s"]["log"], knobs["half_life_s"]["zero"]) == (True, True)


@given(enter=st.floats(0.01, 1.0), levels=st.integers(1, 50))
def test_values_that_go_in_come_out(enter, levels):
    """The signal that is made has the values that were given; the others stay."""
    signal = rebuilt(wb.signals.BookImbalance(leave=0.2), {"enter": enter, "levels": levels})
    assert signal == wb.signals.BookImbalance(levels=levels, enter=enter, leave=0.2)


def test_parts_have_knobs_of_their_own():
    """A signal put together is made again from the inside out; one that did not change is the same object."""
    signal = wb.signals.Cooldown(wb.signals.BookImbalance() & ~wb.signals.OfiMomentum(), rest_s=2)
    assert [group["title"] for group in knob_groups(signal)] == ["Cooldown", "BookImbalance", "OfiMomentum"]
    changed = rebuilt(signal, {"rest_s": 3.0, "0.1.0.enter": 4.0})
    assert changed == wb.signals.Cooldown(
        wb.signals.BookImbalance() & ~wb.signals.OfiMomentum(enter=4.0), rest_s=3
    )
    assert rebuilt(signal, values_of(signal)) is signal


@pytest.mark.parametrize(
    "values",
    [
        {"enter": 2.0},
        {"enter": "<b>"},
        {"enter": None},
        {"levels": 1.5},
        {"levels": True},
        {"__class__": 1},
        {"0.enter": 0.5},
        {"enter": float("nan")},
        {"enter": {"a": []}},
    ],
)
def test_values_that_mean_nothing_are_refused(values):
    """Unknown names, other types, values out of bounds: the reason says what is expected."""
    with pytest.raises(WorkbenchError, match="expected"):
        rebuilt(wb.signals.BookImbalance(levels=2), values)


class OddParameters(wb.signals.Parameters, frozen=True):
    below: Annotated[float, msgspec.Meta(ge=-3, le=3)] = 0.0
    free: float = 2.0
    on: bool = True
    word: str = "x"


class Odd(wb.signals.BookImbalance):
    """A signal with parameters of every kind."""

    record: ClassVar = OddParameters


def test_every_kind_of_parameter_has_its_knob_or_none():
    """A range below 0 is even, a free number goes around its default, a switch is one; text has no knob."""
    knobs = knobs_of(Odd())
    assert sorted(knobs) == ["below", "free", "on"]
    assert (knobs["below"]["low"], knobs["below"]["high"], knobs["below"]["log"]) == (-3, 3, False)
    assert knobs["free"]["low"] < 2 < knobs["free"]["high"]
    assert knobs["on"]["kind"] == "switch"
    assert rebuilt(Odd(), {"on": False}).params == OddParameters(on=False)

"""Arguments that mean nothing are refused with what was found and what was expected, not with an error of Python's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import workbench as wb
from workbench.errors import WorkbenchError


@pytest.fixture(scope="module")
def market() -> Any:
    """Some seconds of the simulator."""
    session = wb.simulate(seed=7, inline=True)
    session.advance("5s")
    return session


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda s: wb.vwap(s, bands=2), "bands 2; expected multiples"),
        (lambda s: wb.vwap(s, bands=[-1]), r"bands \[-1\]"),
        (lambda s: wb.vwap(s, bands=[float("nan")]), r"bands \[nan\]"),
        (lambda s: wb.vwap(s, bands="12"), "bands '12'"),
        (lambda s: wb.kyle_lambda(s, window="60"), "window='60'; expected a whole number"),
        (lambda s: wb.check_lookahead(wb.signals.BookImbalance(), s, cuts="a"), "cuts 'a'; expected a whole"),
        (lambda s: wb.signals.from_frame(lambda frame: 1.0).over(s), "1.0 from .*; expected one for each"),
        (lambda s: wb.study(wb.signals.BookImbalance(), None), "events of None; expected a session"),
        (lambda s: wb.markouts(s, "soon"), "soon"),
    ],
)
def test_what_means_nothing_is_refused(market: Any, asked: Callable[[Any], Any], said: str) -> None:
    """One error, with the value."""
    with pytest.raises(WorkbenchError, match=said):
        asked(market)


def test_one_horizon_may_be_a_text(market: Any) -> None:
    """As a sequence of one."""
    assert wb.markouts(market, "1s").equals(wb.markouts(market, ["1s"]))


READERS = (
    wb.absorption,
    wb.amihud,
    wb.bars,
    wb.cliffs,
    wb.cvd,
    wb.degradation,
    wb.divergence,
    wb.exhaustion,
    wb.footprint,
    wb.hidden,
    wb.icebergs,
    wb.kyle_lambda,
    wb.large_lots,
    wb.layering_like,
    wb.markouts,
    wb.microprice,
    wb.ofi,
    wb.profile_nodes,
    wb.pulling,
    wb.resiliency,
    wb.spoof_like,
    wb.spreads,
    wb.stop_runs,
    wb.sweeps,
    wb.touches,
    wb.tpo,
    wb.trade_imbalance,
    wb.volatility,
    wb.volume_profile,
    wb.vwap,
    wb.walls,
)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_a_path_is_no_recording(read: Callable[[Any], Any]) -> None:
    """What reads events says so of anything else, and of a path how it is opened."""
    for wrong, said in (("sessions/a", "open_recording"), (3, "events of 3; expected a session")):
        with pytest.raises(WorkbenchError, match=said) as refused:
            read(wrong)
        assert refused.value.code == "bad_source"

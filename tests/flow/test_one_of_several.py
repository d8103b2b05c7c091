"""A session of several instruments: ``s["BB"]`` goes wherever a session goes, and says what a recording of it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

import workbench as wb
from tests.flow.test_bad_arguments import READERS
from tests.support.quoting import QuoteBothSides
from workbench.frames.recording import Recording
from workbench.session import Session


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, dict[str, Recording]]:
    """Some seconds of two markets, and what was recorded of them."""
    plants = wb.plants("stop_run", "iceberg", "sweep", "absorption", every="5s")
    session = wb.simulate(seed=5, inline=True, symbols=["AA", "BB"], plants=plants)
    handle = session.record(tmp_path_factory.mktemp("both"))
    session.advance("15s")
    handle.stop()
    return session, handle.recordings


def told(found: Any) -> Any:
    return found if isinstance(found, pl.DataFrame) else repr(found)


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
def test_the_second_instrument_is_read_like_the_first(
    both: tuple[Session, dict[str, Recording]], read: Callable[[Any], Any]
) -> None:
    """Equal to its recording; and the session itself is its first instrument."""
    session, recordings = both
    for x, name in ((session["BB"], "BB"), (session["AA"], "AA"), (session, "AA")):
        ours, recorded = told(read(x)), told(read(recordings[name]))
        assert ours.equals(recorded) if isinstance(ours, pl.DataFrame) else ours == recorded


def test_studies_and_backtests_take_it_too(both: tuple[Session, dict[str, Recording]]) -> None:
    """Of the instrument that was named."""
    session, recordings = both
    signal = wb.signals.BookImbalance()
    for name in ("AA", "BB"):
        one, recorded = session[name], recordings[name]
        assert wb.study(signal, one).frame.equals(wb.study(signal, recorded).frame)
        late, told = (wb.study(signal, x, window="10s").frame for x in (one, recorded))
        assert late.equals(told) and not late.equals(wb.study(signal, one).frame)
        fills = wb.backtest(QuoteBothSides(), one).fills
        assert fills.equals(wb.backtest(QuoteBothSides(), recorded).fills) and len(fills) > 10

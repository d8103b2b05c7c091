"""How wrong the queue models are: probes against the truth, by hand and on a simulated market."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.session import Session

SECOND = 1_000_000_000
DEPTH, TRADE, NEW, CANCEL, CLEAR, TOLD = 1, 2, 3, 5, 6, 7


class Written:
    """A market written down row by row: seconds, kind, side, price, size, order."""

    def __init__(self, session: Session, rows: list[tuple[int, int, int, int, int, int]]):
        self.instrument = session.instrument
        ts, kind, side, price, size, order = zip(*rows)
        self._batch = wb.EventBatch.of(
            ts=[SECOND * t for t in ts], kind=kind, side=side, price=price, size=size, order_id=order
        )

    def batches(self) -> list[wb.EventBatch]:
        """All events."""
        return [self._batch]


@pytest.fixture(scope="module")
def session() -> Session:
    """A minute of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("60s")
    return s


def test_who_was_pulled_ahead_is_what_a_level_does_not_tell(session: Session) -> None:
    """The nine lots ahead of a bid are pulled: the next print fills it, and in a model that cannot know it a later one.

    Nine lots at 99; a bid joins at 2, the time of the first print, and three lots stand behind it. At 5 the nine go. The
    print of one at 6 is the bid's in truth. Risk-averse has min(9, 3) = 3 ahead, then 2; the print of nine at 10 fills it,
    4 s late. At the ask five stand ahead: a print of one fills it where nobody is ever ahead.
    """
    rows = [
        (1, CLEAR, 0, 0, 0, 0),
        (1, NEW, 1, 99, 9, 1),
        (1, NEW, -1, 101, 5, 2),
        (1, DEPTH, 1, 99, 9, 0),
        (1, DEPTH, -1, 101, 5, 0),
        (1, TOLD, 0, 0, 0, 0),
        (2, TRADE, 1, 101, 1, 2),
        (3, NEW, 1, 99, 3, 3),
        (3, DEPTH, 1, 99, 12, 0),
        (5, CANCEL, 0, 99, 0, 1),
        (5, DEPTH, 1, 99, 3, 0),
        (6, TRADE, -1, 99, 1, 3),
        (10, TRADE, -1, 99, 9, 0),
        (12, TRADE, 1, 101, 1, 0),
        (19, TRADE, 0, 100, 1, 0),
    ]
    found = wb.queue_error(Written(session, rows), every="10s", hold="15s", models=["risk_averse", "touch"])
    truth, averse, touch = found.iter_rows(named=True)
    assert (truth["orders"], truth["filled"], truth["wait_s"]) == (2, 0.5, 4)
    assert (averse["filled"], averse["extra"], averse["missed"], averse["wait_error_s"]) == (0.5, 0, 0, 4)
    assert (touch["filled"], touch["extra"], touch["wait_error_s"]) == (1, 0.5, 0)


def test_models_err_on_their_side(session: Session) -> None:
    """The optimistic end misses nothing, the pessimistic ones fill nothing that was not; all have the same orders."""
    found = wb.queue_error(session, hold="10s")
    at = {row["model"]: row for row in found.iter_rows(named=True)}
    assert len({row["orders"] for row in at.values()}) == 1
    assert at["by_order"]["extra"] == at["by_order"]["missed"] == at["by_order"]["wait_off_s"] == 0
    assert at["touch"]["missed"] == at["trade_through"]["extra"] == at["risk_averse"]["extra"] == 0
    for row in at.values():
        difference = row["filled"] - at["by_order"]["filled"]
        assert difference == pytest.approx(row["extra"] - row["missed"])


def test_a_model_may_stand_alone(session: Session) -> None:
    """One text is one model, and no models are refused."""
    assert wb.queue_error(session, hold="5s", models="touch")["model"].to_list() == ["by_order", "touch"]
    with pytest.raises(WorkbenchError, match=r"models=5; expected one or more of"):
        wb.queue_error(session, models=5)  # type: ignore[arg-type]


def test_where_levels_alone_are_told_nothing_is_known(session: Session) -> None:
    """No orders, no truth; no lots, no probe."""
    levels = Written(session, [(1, DEPTH, 1, 99, 9, 0), (1, TOLD, 0, 0, 0, 0)])
    with pytest.raises(WorkbenchError, match="levels, not orders"):
        wb.queue_error(levels)
    with pytest.raises(WorkbenchError, match="1 lot"):
        wb.queue_error(session, lots=0)

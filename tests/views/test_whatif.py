"""What-if: every choice is the backtest of its conditions, the newest wish wins, and what cannot be is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import workbench as wb
from tests.support.gapped import Gapped
from tests.support.sweeping import BuyEvery, quote_away
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind
from workbench.flow.batches import event_batches
from workbench.lab.whatif_desk import Conditions, WhatIfDesk
from workbench.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    """Twenty seconds of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("20s")
    return s


def test_a_choice_is_the_backtest_of_its_conditions(session: Session) -> None:
    """Orders, fills and equity equal those of wb.backtest with the same latency, queue and fees."""
    whatif = wb.WhatIf(quote_away, session, params=[0, 3])
    whatif.choose(latency_ms=20, queue="touch", maker=-0.5, taker=2.0)
    alone = wb.backtest(
        quote_away, session, latency="20ms", queue="touch", fees=("-0.00005", "0.0002"), params=[0, 3]
    )
    assert whatif.result.fills.equals(alone.fills)
    assert whatif.result.orders.equals(alone.orders)
    assert whatif.result.equity.equals(alone.equity)
    assert len(alone.fills) > 0
    whatif.close()


class Levels:
    """The session without its single orders."""

    def __init__(self, session: Session):
        self.instrument = session.instrument
        self._batch = EventBatch.concatenate(event_batches(session))

    def batches(self) -> Iterator[EventBatch]:
        named = np.isin(self._batch.kind, (EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL))
        yield EventBatch.trusted(tuple(column[~named] for column in self._batch.columns), 0)


def test_the_exact_queue_is_offered_where_single_orders_are_told(session: Session) -> None:
    """It is the backtest of that name; where levels alone are told it is no choice."""
    whatif = wb.WhatIf(quote_away, session, params=[0, 3])
    whatif.choose(queue="by_order")
    alone = wb.backtest(quote_away, session, queue="by_order", params=[0, 3])
    assert whatif.result.fills.equals(alone.fills) and len(alone.fills) > 0
    whatif.close()
    levels = wb.WhatIf(quote_away, Levels(session), params=[0, 3])
    assert "by_order" not in levels.queue.options
    with pytest.raises(WorkbenchError, match="'by_order'; expected one of risk_averse"):
        levels.choose(queue="by_order")
    levels.close()


def test_a_hand_on_the_controls_does_the_same(session: Session) -> None:
    """Moving a slider leads to its result and to another picture; the facts follow."""
    whatif = wb.WhatIf(quote_away, session, params=[0, 3])
    before, facts = whatif.picture(), whatif._facts.value
    whatif.latency.value = 100_000
    outcome = whatif.finished()
    assert outcome.conditions == whatif.conditions == Conditions(100_000)
    assert whatif.picture() != before
    assert whatif._facts.value != facts
    assert whatif._picture.value == whatif.picture()


def test_only_the_newest_of_many_wishes_counts(session: Session) -> None:
    """However fast a slider is dragged, the result is that of its last place."""
    whatif = wb.WhatIf(quote_away, session, params=[0, 3])
    for step in range(50):
        whatif.taker.value = step / 10
    assert whatif.finished().conditions.taker == 4.9


def test_any_latency_can_be_chosen(session: Session) -> None:
    """One that the slider has not becomes one of its stops."""
    whatif = wb.WhatIf(quote_away, session, latency_ms=3, params=[0, 3])
    assert whatif.latency.value == 3000
    whatif.choose(latency_ms=7.5)
    assert whatif.finished().conditions.latency_us == 7500
    assert [us for _, us in whatif.latency.options] == sorted({us for _, us in whatif.latency.options})


def test_it_leaves_a_picture_and_a_twin(session: Session) -> None:
    """Pages without a kernel show a PNG; the Plotly twin ends at the profit."""
    whatif = wb.WhatIf(quote_away, session, params=[0, 3])
    data, _ = whatif._repr_mimebundle_()  # type: ignore[misc]
    assert data["text/plain"] == "WhatIf('ES-SIM')"
    assert whatif.picture().startswith(b"\x89PNG")
    assert whatif.figure().data[1].y[-1] == whatif.result.summary()["profit"].item()


class Moody:
    """Raises once its desk shows any latency: its first order is not known at the next step."""

    def on_timer(self, desk: Any) -> None:
        """Send one and look for it."""
        if not desk.orders:
            desk.buy(1)
        elif desk.orders[0] == "PENDING_NEW":
            raise ValueError("where is <b>my</b> order?")


def test_what_a_strategy_raises_is_shown(session: Session) -> None:
    """The page says it, as text; asking for the result raises; other conditions bring it back."""
    whatif = wb.WhatIf(Moody, session, latency_ms=0)
    whatif.choose(latency_ms=500)
    assert "&lt;b&gt;my" in whatif._facts.value
    with pytest.raises(WorkbenchError, match="where is"):
        _ = whatif.result
    whatif.choose(latency_ms=0)
    assert whatif.result.summary()["fills"].item() == 1


def test_runs_share_what_depends_on_the_day_alone(session: Session) -> None:
    """Best prices are read once."""
    desk = WhatIfDesk(quote_away, session, params=[0, 3])
    one, other = desk.result(Conditions()), desk.result(Conditions(latency_us=5))
    assert one.touch is other.touch
    assert one.events is other.events


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"queue": "fifo"}, "risk_averse"),
        ({"latency_ms": -1}, "0 or more"),
        ({"taker": 99}, "basis points"),
        ({"theme": "pink"}, "dark, light"),
        ({"latency": "2ms"}, "the setting 'latency'; expected latency_ms=…"),
        ({"fees": (0, 0)}, "the setting 'fees'; expected maker=… and taker=…"),
        ({"quee": "touch"}, "Did you mean 'queue'"),
        ({"latency_ms": "a"}, "latency_ms='a'; expected a number"),
        ({"latency_ms": float("inf")}, "latency_ms=inf; expected a number"),
        ({"latency_ms": 1e9}, "an hour at most"),
        ({"maker": "x"}, "maker='x'; expected a number"),
    ],
)
def test_conditions_that_mean_nothing_are_refused(session: Session, wrong: dict[str, Any], said: str) -> None:
    """At once, with what is known."""
    with pytest.raises(WorkbenchError, match=said):
        wb.WhatIf(quote_away, session, params=[0, 3], **wrong)


def test_a_choice_that_means_nothing_changes_nothing(session: Session) -> None:
    """What is no number is refused, and the conditions stay."""
    whatif = wb.WhatIf(quote_away, session, params=[0, 3])
    for wrong in ({"latency_ms": "a"}, {"latency_ms": float("inf")}, {"maker": "x"}, {"taker": float("nan")}):
        with pytest.raises(WorkbenchError, match=r"=.*; expected a number"):
            whatif.choose(**wrong)  # type: ignore[arg-type]
    assert whatif.finished().conditions == whatif.conditions == Conditions()
    whatif.close()


def test_a_recording_that_skips_numbers_is_run_whole() -> None:
    """What happened behind the hole counts as in a backtest."""
    whatif = wb.WhatIf(lambda: BuyEvery(10), Gapped(), every="500ms")
    alone = wb.backtest(BuyEvery(10), Gapped(), every="500ms")
    assert whatif.result.fills.equals(alone.fills)
    assert alone.fills["price"].to_list()[-1] == 113.0
    whatif.close()


def test_an_object_is_no_strategy_to_repeat(session: Session) -> None:
    """A second run would begin with the state of the first."""
    with pytest.raises(WorkbenchError, match="Moody itself"):
        wb.WhatIf(Moody(), session)

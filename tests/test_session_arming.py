"""The two locks before orders, and the way out of everything at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.eventually import eventually
from tests.support.scripted_engine import ScriptedEngine, order, trading
from workbench.errors import EngineError, WorkbenchError
from workbench.protocol import messages
from workbench.session import Session, arming


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    with ScriptedEngine() as scripted:
        yield scripted


@pytest.fixture
def session(engine: ScriptedEngine) -> Iterator[Session]:
    with engine.session() as opened:
        yield opened


def test_arming_tells_its_bounds(engine: ScriptedEngine, session: Session) -> None:
    """They are sent as given, and what is left of them is told."""
    state = session.arm(minutes=30, max_orders=20, max_size=2, symbol="SYN")
    (sent,) = engine.of_type(messages.Arm)
    assert (sent.minutes, sent.max_orders, sent.max_size, sent.symbol) == (30, 20, 2, "SYN")
    assert sent.max_per_second == 5
    assert state.ready and state.orders_left == 20
    assert repr(state) == "TradingState(SYN, platform=open, notebook=open, 20 orders left, each of at most 2)"


def test_a_higher_rate_is_asked_for_by_name(engine: ScriptedEngine, session: Session) -> None:
    """Five orders a second unless somebody says otherwise, within reason."""
    session.arm(minutes=30, max_orders=20, max_size=2, max_per_second=50)
    assert engine.of_type(messages.Arm)[0].max_per_second == 50
    for rate in (0, 101):
        with pytest.raises(WorkbenchError, match="max_per_second"):
            session.arm(minutes=30, max_orders=20, max_size=2, max_per_second=rate)


def test_the_locks_are_opened_in_either_order(engine: ScriptedEngine, session: Session) -> None:
    """Armed first, the platform's lock is all that is missing: the advice does not ask to arm again."""
    state = session.arm(minutes=30, max_orders=20, max_size=2)
    bounds = {"orders_left": 20, "max_size": 2.0}
    engine.tell(trading(possible=True, armed=True, reason="orders are switched off in Bookmap", **bounds))
    eventually(lambda: not state.ready)
    assert "this side is armed" in state.advice and "arm()" not in state.advice
    engine.tell(trading(possible=True, permitted=True, armed=True, **bounds))
    eventually(lambda: state.ready)
    assert state.advice == ""
    engine.tell(trading(possible=True))
    eventually(lambda: not state.ready)
    assert state.advice.endswith(", and arm()")


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"orders_left": 3, "reason": "RECONCILING: look in Bookmap"}, "look in Bookmap"),
        ({"orders_left": 0}, "arm() again"),
    ],
)
def test_open_locks_are_not_enough_to_be_ready(
    engine: ScriptedEngine, session: Session, told: dict[str, object], says: str
) -> None:
    """Ready means that an order would go through: not while the desk refuses, not when all are used."""
    state = session.arm(minutes=30, max_orders=20, max_size=2)
    engine.tell(trading(possible=True, permitted=True, armed=True, max_size=2.0, **told))
    eventually(lambda: not state.ready)
    assert says in repr(state)


def test_the_state_is_the_newest(engine: ScriptedEngine, session: Session) -> None:
    """Whoever closes a lock, the object shows it, and says why and what to do."""
    state = session.arm(minutes=30, max_orders=20, max_size=2)
    engine.tell(trading(possible=True, permitted=False, reason="the setting was turned off"))
    eventually(lambda: not state.ready)
    assert not state.permitted and not state.armed
    assert "platform=closed" in repr(state) and 'tick "Allow orders from notebooks"' in repr(state)
    assert "the setting was turned off" in repr(state) and state.until is None
    engine.tell(trading(possible=False))
    eventually(lambda: not state.possible)
    assert "cannot trade" in state.advice


def test_a_lost_line_is_not_ready(engine: ScriptedEngine, session: Session) -> None:
    """What was told before it broke holds no more: whatever was armed is disarmed by then."""
    state = session.arm(minutes=30, max_orders=20, max_size=2)
    engine.stop()
    eventually(lambda: not state.ready)
    assert "the session is stale" in repr(state)


def test_zero_minutes_disarm(engine: ScriptedEngine, session: Session) -> None:
    """All instruments, or the one named."""
    state = session.arm(minutes=30, max_orders=20, max_size=2)
    session.arm(minutes=0)
    session.arm(minutes=0, symbol="SYN")
    assert [command.symbol for command in engine.of_type(messages.Disarm)] == ["", "SYN"]
    eventually(lambda: not state.armed)
    assert state.reason == "disarmed" and state.advice == "arm() opens it"


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ({"minutes": -1, "max_orders": 1, "max_size": 1}, "minutes=0 disarms"),
        ({"minutes": float("nan"), "max_orders": 1, "max_size": 1}, "minutes=0 disarms"),
        ({"minutes": 5, "max_orders": 1, "max_size": 0}, "minutes=0 disarms"),
        ({"minutes": 5}, "all three: how long, how many orders, and of what size"),
        ({}, "all three"),
    ],
)
def test_bounds_must_be_given(
    engine: ScriptedEngine, session: Session, bounds: dict[str, float], says: str
) -> None:
    """Nothing is armed without saying how far."""
    with pytest.raises(WorkbenchError, match=says):
        session.arm(**bounds)
    assert not engine.of_type(messages.Arm)


def test_an_engine_that_takes_no_orders_says_so() -> None:
    """A foreign feed of virtual time without a paper desk: every way of trading is refused, and a panic is no error."""
    with ScriptedEngine(live=False) as engine, engine.session() as session:
        for attempt in (
            lambda: session.arm(minutes=5, max_orders=1, max_size=1),
            lambda: session.orders.buy(1),
        ):
            with pytest.raises(WorkbenchError, match="no orders can be placed on") as caught:
                attempt()
            assert caught.value.code == "read_only"
        assert not session.panic().canceled and "read_only" in repr(session.panic())
        assert "nobody takes orders on" in session.orders.trading().advice
        assert not engine.heard


def test_panic_cancels_everything_and_then_disarms(engine: ScriptedEngine, session: Session) -> None:
    """In this order: a closed lock would let no cancellation through."""
    session.arm(minutes=30, max_orders=20, max_size=2)
    bought = session.orders.buy(1, limit=99.75)

    def cancel_all(command: messages.Command) -> messages.Message:
        engine.server.tell(order(bought.client_order_id, status="CANCELED", leaves=0.0))
        return messages.Done()

    engine.answers[messages.CancelAll] = cancel_all
    report = session.panic()
    assert [type(command) for command in engine.heard[-2:]] == [messages.CancelAll, messages.Disarm]
    assert engine.of_type(messages.CancelAll)[0].symbol == engine.of_type(messages.Disarm)[0].symbol == ""
    assert report.canceled and report.disarmed and report.working == 0 and not report.problems
    assert repr(report) == "PanicReport(every order taken back, disarmed)"
    assert bought.status == "CANCELED"
    with pytest.raises(EngineError, match="not_armed"):
        session.orders.buy(1)


def test_panic_says_what_still_works(engine: ScriptedEngine, session: Session) -> None:
    """Confirmed as asked for is not confirmed as gone."""
    session.arm(minutes=30, max_orders=20, max_size=2)
    session.orders.buy(1, limit=99.75)
    report = session.panic()
    assert report.working == 1 and "all asked to be taken back, 1 still open" in repr(report)
    assert "every order taken back" not in repr(report)


def test_panic_says_for_what_nothing_was_sent(engine: ScriptedEngine, session: Session) -> None:
    """A bridge that was started anew cannot take back what it never heard of: confirmed is not sent."""
    session.arm(minutes=30, max_orders=20, max_size=2)
    name = session.orders.buy(1, limit=99.75).client_order_id
    engine.tell(order(name, unknown=True))
    eventually(lambda: session.orders[name].unknown)
    report = session.panic()
    assert (report.canceled, report.working, report.unknown, report.unsent) == (False, 1, 1, 1)
    assert "NO cancel was sent for 1 of 1 open orders (unknown since the bridge restarted" in repr(report)
    assert "taken back" not in repr(report) and "look in Bookmap" in repr(report)


def test_panic_tells_an_unknown_order_that_is_being_cancelled(
    engine: ScriptedEngine, session: Session
) -> None:
    """One that the bridge knows and asked to be taken back is only in doubt."""
    session.arm(minutes=30, max_orders=20, max_size=2)
    name = session.orders.buy(1, limit=99.75).client_order_id
    engine.tell(order(name, unknown=True))
    eventually(lambda: session.orders[name].unknown)

    def cancel_all(command: messages.Command) -> messages.Message:
        engine.server.tell(order(name, status="PENDING_CANCEL", unknown=True))
        return messages.Done()

    engine.answers[messages.CancelAll] = cancel_all
    report = session.panic()
    assert (report.canceled, report.unknown, report.unsent) == (True, 1, 0)
    assert "all asked to be taken back, 1 still open, 1 of them unknown" in repr(report)


def test_panic_says_which_cancel_could_not_be_sent(engine: ScriptedEngine, session: Session) -> None:
    """The bridge gives the reason with the order."""
    session.arm(minutes=30, max_orders=20, max_size=2)
    name = session.orders.buy(1, limit=99.75).client_order_id

    def cancel_all(command: messages.Command) -> messages.Message:
        engine.server.tell(order(name, reason="NOT_CANCELED: Bookmap's id of it cannot be sent"))
        return messages.Done()

    engine.answers[messages.CancelAll] = cancel_all
    report = session.panic()
    assert (report.canceled, report.unsent) == (False, 1)
    assert "NOT_CANCELED: Bookmap's id" in repr(report)


def test_panic_of_a_stale_session_claims_nothing() -> None:
    """Its orders are not known: none open is not every one taken back."""
    report = arming.PanicReport(canceled=True, disarmed=True, state="stale")
    assert repr(report) == (
        "PanicReport(no open order is known, but the session is stale: look in the platform, disarmed)"
    )


def test_panic_without_being_armed_says_that_nothing_was_cancelled(
    engine: ScriptedEngine, session: Session
) -> None:
    """After a new start of the kernel: the orders work on, and the report says what to do."""
    engine.tell(order("of-before"))
    eventually(lambda: "of-before" in session.orders)
    engine.answers[messages.CancelAll] = lambda _: messages.Error(code="not_armed", message="not armed")
    report = session.panic()
    assert (report.canceled, report.unsent) == (False, 1)
    assert "NO cancel was sent for 1 of 1 open orders (not armed: arm() and panic() again" in repr(report)


def test_panic_waits_for_no_answer_before_it_disarms(engine: ScriptedEngine, session: Session) -> None:
    """The disarming is on its way before the cancels are confirmed: here they are only after it."""
    engine.answers[messages.CancelAll] = lambda _: None

    def confirm_both(command: messages.Command) -> messages.Message:
        (cancel,) = engine.of_type(messages.CancelAll)
        for client in engine.server.clients:
            client.send(messages.Done(request_id=cancel.request_id))
        return messages.Done()

    engine.answers[messages.Disarm] = confirm_both
    report = session.panic()
    assert [type(command) for command in engine.heard[-2:]] == [messages.CancelAll, messages.Disarm]
    assert report.canceled and report.disarmed


def test_panic_disarms_also_when_nothing_could_be_cancelled(engine: ScriptedEngine, session: Session) -> None:
    """One refusal does not keep the other half from being done."""
    engine.answers[messages.CancelAll] = lambda _: messages.Error(code="not_armed", message="not armed")
    report = session.panic()
    assert not report.canceled and report.disarmed and report.problems == ("not armed",)


def test_panic_with_a_silent_platform_comes_back(
    engine: ScriptedEngine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says that nobody confirmed, and that it may have happened all the same."""
    monkeypatch.setattr(arming, "PANIC_S", 0.05)
    engine.answers[messages.CancelAll] = engine.answers[messages.Disarm] = lambda _: None
    report = session.panic()
    assert not report.canceled and not report.disarmed
    assert all("look in the platform" in problem for problem in report.problems)


def test_panic_with_a_dead_engine_never_raises(engine: ScriptedEngine, session: Session) -> None:
    """Nothing is there to be told; the report says so, also after closing."""
    engine.stop()
    report = session.panic()
    assert not report.canceled and not report.disarmed and report.problems
    session.close()
    assert "the session is closed" in repr(session.panic())


def test_orders_say_whether_one_would_go_through(engine: ScriptedEngine, session: Session) -> None:
    """The same state that arm() gives, without arming; and the count of what was told tells when to look again."""
    before = session.orders.version
    assert not session.orders.trading().ready
    session.arm(minutes=30, max_orders=20, max_size=2)
    state = session.orders.trading("SYN")
    assert state.ready and state.max_size == 2 and session.orders.version > before
    with pytest.raises(WorkbenchError, match="unknown instrument"):
        session.orders.trading("NQ")

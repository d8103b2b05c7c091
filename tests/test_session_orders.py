"""Orders of a session, through the real feed server to a platform worked by hand."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.scripted_engine import ScriptedEngine, fill, order
from workbench.errors import EngineError, FeedError, OffGridError, WorkbenchError
from workbench.protocol import messages
from workbench.session import Session
from workbench.session import orders as orders_module
from workbench.session.account_frames import ORDERS


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    with ScriptedEngine() as scripted:
        yield scripted


@pytest.fixture
def session(engine: ScriptedEngine) -> Iterator[Session]:
    with engine.session() as opened:
        opened.arm(minutes=5, max_orders=10, max_size=5)
        yield opened


def test_an_order_is_sent_once_and_lives_on(engine: ScriptedEngine, session: Session) -> None:
    """What is told of it shows at once in the object that placing it gave."""
    bought = session.orders.buy(2, limit=99.75)
    assert bought.status == "NEW" and bought.is_open and not bought.unknown
    assert len(engine.of_type(messages.PlaceOrder)) == 1
    name = bought.client_order_id
    engine.tell(order(name, status="PARTIALLY_FILLED", filled=1.0, leaves=1.0, avg_price=99.75))
    engine.tell(fill(name, "e1"))
    assert bought.wait(lambda o: o.filled == 1 and len(o.fills) == 1) is bought
    engine.tell(order(name, status="FILLED", filled=2.0, leaves=0.0, avg_price=99.75))
    assert bought.wait("filled").avg_price == 99.75 and not bought.is_open
    assert session.orders[name] is bought and list(session.orders) == [bought] and name in session.orders


def test_names_are_made_before_sending_and_never_come_again(engine: ScriptedEngine, session: Session) -> None:
    """Up to 32 letters, digits and dashes, another for each order and each session."""
    with engine.session() as other:
        names = [s.orders.sell(1, limit=100.25).client_order_id for s in (session, session, other)]
    assert len(set(names)) == 3
    assert all(len(name) <= 32 and name.replace("-", "").isalnum() and name.isascii() for name in names)
    assert [command.client_order_id for command in engine.of_type(messages.PlaceOrder)] == names


@pytest.mark.parametrize(
    ("prices", "kind"),
    [
        ({}, "MARKET"),
        ({"limit": 99.75}, "LIMIT"),
        ({"stop": 101}, "STOP"),
        ({"limit": 101.25, "stop": 101}, "STOP_LIMIT"),
    ],
)
def test_prices_say_which_kind_of_order_it_is(
    engine: ScriptedEngine, session: Session, prices: dict[str, float], kind: str
) -> None:
    """Market, limit, stop or both; the command carries what was asked for."""
    session.orders.buy(1, tif="day", post_only=kind == "LIMIT", **prices)
    sent = engine.of_type(messages.PlaceOrder)[0]
    assert sent.order_type == kind and sent.time_in_force == "DAY" and sent.quantity == 1
    assert (sent.price, sent.stop_price) == (prices.get("limit"), prices.get("stop"))
    assert sent.post_only == (kind == "LIMIT")


def test_brackets_are_ticks_here_and_distances_on_the_wire(engine: ScriptedEngine, session: Session) -> None:
    """Eight ticks of a quarter are two points."""
    session.orders.buy(1, stop_loss=8, take_profit=16, trailing=4)
    sent = engine.of_type(messages.PlaceOrder)[0]
    assert (sent.stop_loss, sent.take_profit, sent.trailing) == (2.0, 4.0, 1.0)


def test_open_orders_of_a_lost_engine_are_unknown(engine: ScriptedEngine, session: Session) -> None:
    """Nobody knows what becomes of them; what has ended is what it was, and who comes back is told what is so."""
    working, done = session.orders.buy(1, limit=99.75), session.orders.buy(1, limit=99.5)
    for name, facts in ((working.client_order_id, {}), (done.client_order_id, {"status": "FILLED"})):
        engine.tell(order(name, order_id=name, leaves=0.0 if facts else 1.0, **facts))
    eventually(lambda: done.status == "FILLED" and working.order_id)
    engine.drop()
    eventually(lambda: any(told.unknown for told in session._line.account.order_log()))
    eventually(lambda: not working.unknown)
    engine.stop()
    eventually(lambda: working.unknown)
    assert "connection to the engine is lost" in working.reason
    assert (working.status, done.status, done.unknown) == ("NEW", "FILLED", False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"limit": 99.8}, "nearest 99.75 or 100.00"),
        ({"stop": 99.8}, "nearest 99.75 or 100.00"),
        ({"limit": float("nan")}, "finite"),
        ({"size": 1.5}, "nearest 1 or 2"),
        ({"size": 0}, "at least 1"),
        ({"size": -1}, "at least 1"),
        ({"size": True}, "size"),
        ({"stop_loss": 1.5}, "whole number of ticks"),
        ({"take_profit": 0}, "whole number of ticks"),
        ({"client_order_id": "a b"}, "INVALID_CLIENT_ORDER_ID"),
        ({"size": "1"}, "size '1'"),
        ({"size": True}, "size True"),
        ({"limit": "99.75"}, "price '99.75'"),
        ({"client_order_id": "x" * 33}, "INVALID_CLIENT_ORDER_ID"),
        ({"client_order_id": ""}, "INVALID_CLIENT_ORDER_ID"),
        ({"symbol": "OTHER"}, "unknown instrument"),
    ],
)
def test_what_cannot_be_an_order_is_refused_before_it_leaves(
    engine: ScriptedEngine, session: Session, wrong: dict[str, object], message: str
) -> None:
    """The message names what would be right, nothing is sent, and no order exists."""
    with pytest.raises(WorkbenchError, match=message):
        session.orders.buy(**({"size": 1} | wrong))
    assert not engine.of_type(messages.PlaceOrder) and len(session.orders) == 0


def test_an_off_grid_price_names_its_neighbours(session: Session) -> None:
    """They are numbers, for programs that want to choose."""
    with pytest.raises(OffGridError) as caught:
        session.orders.buy(1, limit=100.1)
    assert [float(price) for price in caught.value.fields["nearest"]] == [100.0, 100.25]


def test_a_refusal_is_an_order_with_a_reason(engine: ScriptedEngine, session: Session) -> None:
    """Risk and venue say no by a state, not by an exception."""
    engine.answers[messages.PlaceOrder] = lambda c: order(
        c.client_order_id, status="REJECTED", leaves=0.0, reason="MAX_SIZE 9 > 5"
    )
    refused = session.orders.buy(9, limit=99.75)
    assert refused.status == "REJECTED" and refused.reason == "MAX_SIZE 9 > 5" and not refused.is_open
    with pytest.raises(FeedError, match="MAX_SIZE") as caught:
        refused.wait("FILLED")
    assert caught.value.code == "ended"


def test_an_unarmed_order_is_misuse_and_told_so(engine: ScriptedEngine) -> None:
    """It raises with the code, and stays behind as refused: nobody waits for it."""
    with engine.session() as session:
        with pytest.raises(EngineError, match=r"arm\(\) first") as caught:
            session.orders.buy(1, limit=99.75)
        assert caught.value.code == "not_armed"
        (refused,) = session.orders
        assert refused.status == "REJECTED" and refused.reason.startswith("not_armed")
        assert refused.reason.count("not_armed") == 1  # the bridge may begin with it, too


def test_silence_is_neither_yes_nor_no(
    engine: ScriptedEngine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer: the order says that its fate is unknown and what to do, and nothing raises or is sent again."""
    monkeypatch.setattr(orders_module, "ANSWER_S", 0.05)
    engine.answers[messages.PlaceOrder] = lambda _: None
    silent = session.orders.buy(2, limit=99.75)
    assert silent.unknown and silent.is_open and silent.status == "PENDING_NEW"
    assert "retry" in silent.reason and len(engine.of_type(messages.PlaceOrder)) == 1
    engine.tell(order(silent.client_order_id))
    eventually(lambda: silent.status == "NEW")
    assert not silent.unknown


def test_a_link_lost_before_the_answer_leaves_it_unknown(engine: ScriptedEngine, session: Session) -> None:
    """It may have been carried out: the same as silence."""

    def cut(command: messages.Command) -> None:
        for client in engine.server.clients:
            client.abort()

    engine.answers[messages.PlaceOrder] = cut
    lost = session.orders.buy(2, limit=99.75)
    assert lost.unknown and lost.status == "PENDING_NEW"


def test_a_retry_is_the_same_order(
    engine: ScriptedEngine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under its own name, with the same content, and the answer clears the doubt."""
    monkeypatch.setattr(orders_module, "ANSWER_S", 0.05)
    engine.answers[messages.PlaceOrder] = lambda _: None
    silent = session.orders.buy(2, limit=99.75)
    engine.answers[messages.PlaceOrder] = engine.accept
    monkeypatch.setattr(orders_module, "ANSWER_S", 30.0)
    assert session.orders.retry(silent) is silent and silent.status == "NEW" and not silent.unknown
    first, second = engine.of_type(messages.PlaceOrder)
    assert (first.client_order_id, first.price, first.quantity) == (
        second.client_order_id,
        second.price,
        second.quantity,
    )
    assert len(session.orders) == 1


def test_a_refused_retry_does_not_kill_a_working_order(engine: ScriptedEngine, session: Session) -> None:
    """What others told of it stands."""
    working = session.orders.buy(2, limit=99.75)
    session.arm(minutes=0)
    with pytest.raises(EngineError, match="not_armed"):
        session.orders.retry(working)
    assert working.status == "NEW" and working.is_open


def test_the_same_name_twice_is_one_order(engine: ScriptedEngine, session: Session) -> None:
    """A cell that runs again asks again under the same name; another order under it is refused here already."""
    first = session.orders.buy(2, limit=99.75, client_order_id="mine-1")
    assert session.orders.buy(2, limit=99.75, client_order_id="mine-1") is first
    with pytest.raises(WorkbenchError, match="belongs to another order") as caught:
        session.orders.buy(1, limit=99.75, client_order_id="mine-1")
    assert caught.value.code == "duplicate_id" and len(session.orders) == 1


def test_messages_that_come_twice_change_nothing(engine: ScriptedEngine, session: Session) -> None:
    """Fills count once by their number, states once by their content."""
    bought = session.orders.buy(2, limit=99.75)
    states = len(session.orders.history)
    for _ in range(3):
        engine.say(order(bought.client_order_id, status="FILLED", filled=2.0, leaves=0.0))
        engine.say(fill(bought.client_order_id, "e1", 2.0))
    engine.say(fill(bought.client_order_id, "e2"))
    eventually(lambda: len(session.fills) >= 2)
    assert session.fills["execution_id"].to_list() == ["e1", "e2"]
    assert len(session.orders.history) == states + 1


def test_a_fill_may_come_before_its_order(engine: ScriptedEngine, session: Session) -> None:
    """Platforms report the execution first; it is kept and belongs to the order once that is known."""
    engine.tell(fill("", "e1", order_id="77"))
    engine.tell(order("", order_id="77", status="FILLED", filled=2.0, leaves=0.0))
    eventually(lambda: "#77" in session.orders)
    assert session.orders["#77"].fills["size"].to_list() == [1.0]


def test_a_lost_connection_tells_nothing_twice(engine: ScriptedEngine, session: Session) -> None:
    """Everything is told anew: fills without a number and equal broadcasts too stay as many as they were."""
    said = messages.Broadcast(symbol="SYN", ts=5, provider="p", generator="g", data={"v": 1})
    for message in (fill("x", "e1"), fill("x", ""), fill("x", ""), said, said, order("x")):
        engine.tell(message)
    eventually(lambda: "x" in session.orders)
    before = session.fills, session.broadcasts, session.orders.frame
    assert before[0].height == 3 and before[1].height == 2
    engine.drop()
    engine_line = session._line
    eventually(lambda: engine_line.health().reconnects == 1 and session.state == "live")
    engine.tell(order("last"))
    eventually(lambda: "last" in session.orders)
    assert session.fills.equals(before[0]) and session.broadcasts.equals(before[1])
    assert session.orders.frame.head(1).equals(before[2])


def test_cancel_and_replace_go_by_name(engine: ScriptedEngine, session: Session) -> None:
    """By the object or by its name; an order that has ended is left alone."""
    bought = session.orders.buy(2, limit=99.75)
    bought.replace(3, limit=99.5)
    asked = engine.of_type(messages.ReplaceOrder)[0]
    assert (asked.client_order_id, asked.quantity, asked.price) == (bought.client_order_id, 3.0, 99.5)
    with pytest.raises(OffGridError):
        bought.replace(limit=99.6)
    with pytest.raises(WorkbenchError, match="nothing new"):
        bought.replace()
    assert session.orders.cancel(bought.client_order_id) is bought and bought.status == "CANCELED"
    bought.cancel()
    assert len(engine.of_type(messages.CancelOrder)) == 1


def test_a_cancel_that_comes_too_late_is_no_error_and_a_change_is(
    engine: ScriptedEngine, session: Session
) -> None:
    """Taking back wants it gone, and it is; a change wants something that cannot be any more."""
    bought = session.orders.buy(2, limit=99.75)
    late = messages.Error(code="too_late", message="too_late (FILLED 12:03:04.123)")
    engine.answers[messages.CancelOrder] = engine.answers[messages.ReplaceOrder] = lambda _: late
    assert bought.cancel() is bought
    with pytest.raises(EngineError, match="too_late"):
        bought.replace(limit=99.5)
    unknown = messages.Error(code="unknown_order", message="unknown_order")
    engine.answers[messages.CancelOrder] = lambda _: unknown
    with pytest.raises(EngineError, match="unknown_order"):
        bought.cancel()


def test_a_change_without_answer_is_in_doubt(
    engine: ScriptedEngine, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order says so, and keeps what is known of it."""
    bought = session.orders.buy(2, limit=99.75)
    monkeypatch.setattr(orders_module, "ANSWER_S", 0.05)
    engine.answers[messages.CancelOrder] = lambda _: None
    assert bought.cancel().unknown and bought.status == "NEW" and bought.is_open


def test_cancel_all_names_what_it_means(engine: ScriptedEngine, session: Session) -> None:
    """Without a name all; with a wrong one, nothing."""
    session.orders.cancel_all()
    session.orders.cancel_all("SYN")
    with pytest.raises(WorkbenchError, match="unknown instrument"):
        session.orders.cancel_all("SIN")
    assert [command.symbol for command in engine.of_type(messages.CancelAll)] == ["", "SYN"]


def test_waiting_for_an_order_has_an_end(session: Session) -> None:
    """The message says where it stands."""
    bought = session.orders.buy(2, limit=99.75)
    with pytest.raises(FeedError, match="still NEW") as caught:
        bought.wait("FILLED", timeout=0.01)
    assert caught.value.code == "timeout"


def test_reprs_are_the_same_in_every_run(session: Session) -> None:
    """No made-up name, no time: notebooks compare equal."""
    bought = session.orders.buy(2, limit=99.75)
    assert repr(bought) == (
        "Order(symbol='SYN', side='BUY', size=2.0, limit=99.75, tif='GTC', status='NEW', filled=0.0)"
    )
    assert repr(session.orders) == "Orders(1 order, 1 open)"


def test_hostile_texts_stay_texts(engine: ScriptedEngine, session: Session) -> None:
    """Reasons and names come from elsewhere: nothing of them is HTML."""
    evil = "<img src=x onerror=alert(1)>"
    engine.tell(order(evil, reason=evil))
    eventually(lambda: evil in session.orders)
    for shown in (session.orders, session.orders[evil]):
        assert "<img" not in shown._repr_html_() and "&lt;img" in shown._repr_html_()


def test_frames_have_their_columns_also_without_rows(tmp_path: object) -> None:
    """An account on which nothing was traded has frames of the same schema: one flat position, one balance."""
    with wb.simulate(seed=1, inline=True) as session:
        assert dict(session.orders.frame.schema) == ORDERS and session.orders.history.is_empty()
        for frame in (session.fills, session.positions, session.balances, session.broadcasts):
            assert frame.schema["ts"] == pl.Datetime("ns", "UTC") and frame.columns[0] == "ts"
        assert session.fills.is_empty() and session.broadcasts.is_empty()
        assert session.positions["position"].to_list() == [0.0] and len(session.balances) == 1


def test_frames_are_in_real_units_with_utc_times(engine: ScriptedEngine, session: Session) -> None:
    """One row per order, fill, position, balance and broadcast."""
    engine.tell(order("a", account="A1"))
    engine.tell(messages.Position(symbol="SYN", position=-2.0, ts=3, avg_price=99.75, currency="USD"))
    engine.tell(messages.Position(symbol="SYN", position=-3.0, ts=4, avg_price=99.75, currency="USD"))
    engine.tell(messages.Balance(currency="USD", cash=10.0, equity=11.0, ts=4))
    engine.tell(messages.Broadcast(symbol="SYN", ts=5, provider="p", generator="g", data={"v": [1, None]}))
    eventually(lambda: not session.broadcasts.is_empty())
    assert session.orders.frame.select("client_order_id", "price", "account").rows() == [("a", 99.75, "A1")]
    assert session.positions["position"].to_list() == [-3.0]
    assert session.balances.select("currency", "equity").rows() == [("USD", 11.0)]
    assert session.broadcasts.select("provider", "data").rows() == [("p", '{"v":[1,null]}')]
    assert session.orders.frame["ts"].dtype == pl.Datetime("ns", "UTC")


def test_an_answer_that_was_overtaken_changes_nothing(engine: ScriptedEngine, session: Session) -> None:
    """What everybody is told may pass the answer on the way: the order is what it was told to be since."""

    def overtaken(command: messages.Command) -> messages.Message:
        assert isinstance(command, messages.CancelOrder)
        engine.server.tell(order(command.client_order_id, status="CANCELED", leaves=0.0))
        return order(command.client_order_id, status="PENDING_CANCEL")

    bought = session.orders.buy(2, limit=99.75)
    engine.answers[messages.CancelOrder] = overtaken
    assert bought.cancel().status == "CANCELED"
    assert session.orders.history["status"].to_list() == ["PENDING_NEW", "NEW", "CANCELED"]


def test_without_connection_nothing_is_sent_or_kept_for_later(
    engine: ScriptedEngine, session: Session
) -> None:
    """It raises, and the order stays behind as refused, not as unknown: it never left."""
    engine.stop()
    eventually(lambda: session.state == "stale")
    with pytest.raises(FeedError) as caught:
        session.orders.buy(1, limit=99.75)
    assert caught.value.code == "not_connected"
    (refused,) = session.orders
    assert refused.status == "REJECTED" and not refused.unknown

"""Orders and drawings through the engine: carried, answered, disarmed, and never sent twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.bridges import ServedBridge
from tests.support.collecting import Collected
from tests.support.eventually import eventually
from tests.support.running_engine import RunningEngine
from tests.support.synthetic import SyntheticSource
from workbench.errors import EngineError
from workbench.feeds import discovery
from workbench.feeds.bookmap import BookmapSource
from workbench.feeds.client import FeedClient
from workbench.feeds.server import Client
from workbench.frames.recording import open_recording
from workbench.protocol import messages

ACCOUNT = ("FULL_ORDER_BOOK", "ACCOUNT")


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "run"
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
    return folder


class Desk:
    """Answers as a bridge would; the tests say where it is deaf."""

    def __init__(self) -> None:
        self.deaf_to: tuple[type, ...] = ()

    def answer(self, client: Client, command: messages.Command) -> None:
        number = command.request_id
        match command:
            case _ if isinstance(command, self.deaf_to):
                return
            case messages.PlaceOrder():
                client.send(order(command.client_order_id, request_id=number, symbol=command.symbol))
            case messages.Arm():
                client.send(trading(armed=True, request_id=number, symbol=command.symbol))
            case messages.CancelOrder():
                client.connection.send_error("unknown_order", "no such order", number)
            case _:
                client.send(messages.Done(request_id=number))


def order(client_order_id: str = "a-1", **fields: object) -> messages.Order:
    usual = {"symbol": "ES", "status": "NEW", "side": "BUY", "order_type": "LIMIT"}
    sizes = {"quantity": 2.0, "filled": 0.0, "leaves": 2.0, "ts": 5}
    return messages.Order(client_order_id=client_order_id, **(usual | sizes | fields))  # type: ignore[arg-type]


def trading(**fields: object) -> messages.Trading:
    return messages.Trading(**({"symbol": "ES", "ts": 1, "possible": True} | fields))  # type: ignore[arg-type]


def place(client_order_id: str = "a-1", symbol: str = "ES") -> messages.PlaceOrder:
    return messages.PlaceOrder(
        symbol=symbol,
        side="BUY",
        order_type="LIMIT",
        quantity=2.0,
        price=100.0,
        client_order_id=client_order_id,
    )


def arm(symbol: str = "ES") -> messages.Arm:
    return messages.Arm(symbol=symbol, minutes=1.0, max_orders=5, max_size=3.0)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def bridge(desk) -> Iterator[ServedBridge]:
    with ServedBridge("ES", trading=True, mortal=True, answering=desk.answer) as served:
        yield served


@pytest.fixture
def engine(bridge) -> Iterator[RunningEngine]:
    with RunningEngine(BookmapSource.connect()) as running:
        eventually(lambda: running.engine.state == "live")
        yield running


@contextmanager
def session(engine: RunningEngine, collected: Collected | None = None) -> Iterator[FeedClient]:
    with engine.client(collected) as client:
        client.subscribe("ES", ACCOUNT)
        yield client


def refused(client: FeedClient, command: messages.Message) -> EngineError:
    with pytest.raises(EngineError) as caught:
        client.request(command)
    return caught.value


def test_a_command_reaches_the_bridge_and_its_answer_comes_back(engine, bridge):
    """As it was sent, with the number of the session's own request."""
    with session(engine) as client:
        assert client.request(arm()) == trading(armed=True, request_id=1)
        answer = client.request(place())
        assert isinstance(answer, messages.Order)
        assert (answer.client_order_id, answer.status) == ("a-1", "NEW")
        for command in (
            messages.ReplaceOrder(symbol="ES", client_order_id="a-1", price=99.0),
            messages.Publish(symbol="ES", indicator="vwap", value=1.5),
            messages.Notify(symbol="ES", text="hello"),
            messages.Listen(provider="Market Pulse"),
            messages.CancelAll(symbol="ES", client_order_ids=["a-1"]),
        ):
            assert isinstance(client.request(command), messages.Done)
    kinds = [type(command).__name__ for command in bridge.commands]
    assert kinds[:7] == ["Arm", "PlaceOrder", "ReplaceOrder", "Publish", "Notify", "Listen", "CancelAll"]
    assert bridge.heard(messages.PlaceOrder)[0].price == 100.0


def test_refusals_keep_their_code(engine):
    """What the bridge answers is what the session gets."""
    with session(engine) as client:
        problem = refused(client, messages.CancelOrder(symbol="ES", client_order_id="x"))
        assert (problem.code, problem.message) == ("unknown_order", "no such order")
        assert refused(client, place(symbol="XX")).code == "unknown_instrument"


def test_every_client_is_told_of_the_account(engine, bridge):
    """Now, or when it subscribes; an answer that tells a state is news to the others too."""
    early, late = Collected(), Collected()
    fill = messages.Fill(
        symbol="ES", client_order_id="a-1", execution_id="e", side="BUY", price=1.0, size=1.0, ts=6
    )
    with session(engine, early), session(engine) as client:
        client.request(arm())
        client.request(place())
        bridge.tell(fill)
        eventually(lambda: has(early, order(), fill))
        with session(engine, late):
            eventually(lambda: has(late, order(), fill))


def has(collected: Collected, *expected: object) -> bool:
    told = collected.messages()
    return all(message in told for message in expected)


def test_no_order_leaves_for_a_bridge_that_is_away(engine, bridge):
    """Refused, and not sent when it is back."""
    with session(engine) as client:
        bridge.crash()
        eventually(lambda: engine.engine.state == "stale")
        problem = refused(client, place())
        assert problem.code == "disconnected"
        assert "Nothing was sent" in problem.message
        with ServedBridge("ES", trading=True) as again:
            eventually(lambda: engine.engine.state == "live")
            assert not again.heard(messages.PlaceOrder)


def test_an_order_without_an_answer_is_unknown(engine, bridge, desk, monkeypatch):
    """Not rejected, not sent again; its late answer tells what became of it."""
    monkeypatch.setattr("workbench.feeds.relay.ANSWER_S", 0.2)
    desk.deaf_to = (messages.PlaceOrder,)
    collected = Collected()
    with session(engine, collected) as client:
        problem = refused(client, place())
        assert problem.code == "unknown_outcome"
        assert "not sent again" in problem.message
        [unknown] = eventually(lambda: orders(collected))
        assert (unknown.client_order_id, unknown.status, unknown.unknown) == ("a-1", "PENDING_NEW", True)
        assert len(bridge.heard(messages.PlaceOrder)) == 1
        late = order(request_id=bridge.heard(messages.PlaceOrder)[0].request_id)
        bridge.call(lambda: [client.send(late) for client in bridge.server.clients])
        eventually(lambda: orders(collected)[-1] == order())


def orders(collected: Collected) -> list[messages.Order]:
    return [m for m in collected.messages() if isinstance(m, messages.Order)]


def test_an_order_whose_connection_is_lost_is_unknown(engine, bridge, desk):
    """In the middle of an order: the outcome is not known, and told so."""
    desk.deaf_to = (messages.PlaceOrder,)
    collected = Collected()
    with session(engine, collected) as client:
        asked = client.ask(place())
        eventually(lambda: bridge.heard(messages.PlaceOrder))
        bridge.crash()
        answer = asked.result(30)
        assert isinstance(answer, messages.Error)
        assert answer.code == "unknown_outcome"
        assert eventually(lambda: orders(collected))[-1].unknown


def test_the_same_order_again_goes_to_the_bridge_which_knows_it(engine, bridge, desk, monkeypatch):
    """The retry under the same id is how a session learns what became of it."""
    monkeypatch.setattr("workbench.feeds.relay.ANSWER_S", 0.2)
    desk.deaf_to = (messages.PlaceOrder,)
    collected = Collected()
    with session(engine, collected) as client:
        assert refused(client, place()).code == "unknown_outcome"
        desk.deaf_to = ()
        answer = client.request(place())
        assert isinstance(answer, messages.Order)
        assert not answer.unknown
        eventually(lambda: not orders(collected)[-1].unknown)


def test_what_a_session_armed_is_disarmed_when_it_goes(engine, bridge):
    """However it goes."""
    with session(engine) as client:
        client.request(arm())
    [disarm] = eventually(lambda: bridge.heard(messages.Disarm))
    assert disarm.symbol == "ES"


def test_an_arming_that_nobody_confirmed_is_taken_back(engine, bridge, desk, monkeypatch):
    """It may have been carried out late, and nobody would disarm it when its session goes."""
    monkeypatch.setattr("workbench.feeds.relay.ANSWER_S", 0.2)
    desk.deaf_to = (messages.Arm,)
    with session(engine) as client:
        assert refused(client, arm()).code == "unknown_outcome"
        [disarm] = eventually(lambda: bridge.heard(messages.Disarm))
        assert disarm.symbol == "ES"


def test_open_orders_of_a_lost_bridge_are_unknown(engine, bridge):
    """They may work, be filled or be gone; what has ended stays as it was, and a report says what is so."""
    collected = Collected()
    with session(engine, collected) as client:
        bridge.tell(order("a-1", order_id="7"))
        bridge.tell(order("a-2", order_id="8", status="FILLED", filled=2.0, leaves=0.0))
        eventually(lambda: len(orders(collected)) == 2)
        bridge.crash()
        eventually(lambda: newest(collected, "a-1").unknown)
        assert "look in Bookmap" in newest(collected, "a-1").reason
        assert not newest(collected, "a-2").unknown
        with ServedBridge("ES", trading=True) as again:
            again.tell(order("a-1", order_id="7", status="CANCELED", leaves=0.0))
            eventually(lambda: newest(collected, "a-1").status == "CANCELED")
            assert not newest(collected, "a-1").unknown
        assert client.state


def newest(collected: Collected, name: str) -> messages.Order:
    return [order for order in orders(collected) if order.client_order_id == name][-1]


def test_a_bridge_that_another_one_replaces_is_disarmed(engine, bridge):
    """Were it used again, it would still be armed by nobody knows whom."""
    with session(engine) as client:
        client.request(arm())
        with ServedBridge("ES", trading=True, started_ns=0):
            [disarm] = eventually(lambda: bridge.heard(messages.Disarm))
            assert disarm.symbol == "ES"


def test_only_the_session_that_armed_sends_orders(engine, bridge):
    """The other lock is a notebook's own; taking back needs none."""
    with session(engine) as one, session(engine) as other:
        one.request(arm())
        problem = refused(other, place())
        assert problem.code == "not_armed"
        assert "another session armed 'ES'" in problem.message
        other.request(messages.CancelAll())
        other.request(arm())
        other.request(place())
        assert refused(one, place("a-2")).code == "not_armed"
    assert [order.client_order_id for order in bridge.heard(messages.PlaceOrder)] == ["a-1"]


def test_what_is_disarmed_belongs_to_nobody(engine, bridge):
    """Its minutes are over: then the bridge says so to whoever asks."""
    with session(engine) as one, session(engine) as other:
        one.request(arm())
        bridge.tell(trading(armed=False))
        eventually(lambda: not engine.engine.relay._armed_by)
        assert isinstance(other.request(place()), messages.Order)


def test_an_engine_that_ends_disarms(bridge):
    """Before it finishes its recordings."""
    with RunningEngine(BookmapSource.connect()) as running:
        eventually(lambda: running.engine.state == "live")
        with session(running) as client:
            client.request(arm())
            client.request(messages.Shutdown())
            eventually(lambda: bridge.heard(messages.Disarm))


def test_a_lost_bridge_cannot_trade(engine, bridge):
    """Sessions are told that orders would not go through."""
    collected = Collected()
    with session(engine, collected) as client:
        client.request(arm())
        bridge.crash()
        eventually(lambda: any(is_closed(message) for message in collected.messages()))


def is_closed(message: object) -> bool:
    return isinstance(message, messages.Trading) and not message.possible and bool(message.reason)


def test_a_command_for_all_goes_to_every_bridge(engine, bridge):
    """CANCEL_ALL and DISARM without instrument; ARM needs one, for its bounds would count twice."""
    with ServedBridge("NQ", trading=True) as other, session(engine) as client:
        eventually(lambda: "NQ" in engine.engine.markets)
        assert isinstance(client.request(messages.CancelAll()), messages.Done)
        assert isinstance(client.request(messages.Disarm(reason="panic")), messages.Done)
        assert [c.symbol for c in bridge.heard(messages.CancelAll)] == ["ES"]
        assert [c.symbol for c in other.heard(messages.CancelAll)] == ["NQ"]
        assert len(bridge.heard(messages.Disarm)) == len(other.heard(messages.Disarm)) == 1
        problem = refused(client, arm(symbol=""))
        assert (problem.code, "['ES', 'NQ']" in problem.message) == ("bad_value", True)


def test_bridges_that_never_trade_do_not_spoil_a_panic(engine, bridge):
    """What they refuse could not be done there anyway."""
    with ServedBridge("NQ") as other, session(engine) as client:
        eventually(lambda: "NQ" in engine.engine.markets)
        assert isinstance(client.request(messages.CancelAll()), messages.Done)
        assert not other.heard(messages.CancelAll)


def test_a_bridge_that_cannot_be_reached_does_spoil_it(engine, bridge):
    """Nobody knows what still works there; the others are taken back all the same."""
    with ServedBridge("NQ", trading=True, mortal=True) as other, session(engine) as client:
        eventually(lambda: "NQ" in engine.engine.markets)
        other.crash()
        eventually(lambda: "NQ" in engine.engine.source.facts["reason"])
        assert refused(client, messages.CancelAll()).code == "disconnected"
        assert bridge.heard(messages.CancelAll)


def test_an_order_is_found_by_its_name(engine, bridge):
    """CANCEL_ORDER without instrument goes where the order lives."""
    with ServedBridge("NQ", trading=True) as other, session(engine) as client:
        eventually(lambda: "NQ" in engine.engine.markets)
        other.tell(order("b-7", symbol="NQ"))
        eventually(lambda: engine.engine.server.account.orders())
        client.request(messages.CancelOrder(client_order_id="b-7"))
        assert other.heard(messages.CancelOrder)
        assert refused(client, messages.CancelOrder(client_order_id="nowhere")).code == "bad_value"


def test_the_account_is_recorded(engine, bridge, tmp_path):
    """What held when the recording began, and everything from then on."""
    drawn = messages.Drawn(symbol="ES", ts=7, indicator="vwap", value=1.5)
    bridge.tell(order())
    eventually(lambda: engine.engine.server.account.orders())
    with session(engine) as client:
        started = client.request(messages.Record(out=str(tmp_path / "rec")))
        assert isinstance(started, messages.Recording)
        bridge.tell(order(status="FILLED", filled=2.0, leaves=0.0, ts=6))
        bridge.tell(drawn)
        eventually(lambda: drawn in engine.engine.server.account.known())
        client.request(messages.StopRecording())
    recording = open_recording(started.paths["ES"])
    assert recording.table("orders").collect()["kind"].to_list() == ["ORDER", "ORDER"]
    assert recording.table("annotations").collect()["kind"].to_list() == ["DRAWN"]


def test_an_instrument_that_appears_is_told_and_recorded(engine, bridge, tmp_path):
    """Everyone is told the new list; a recording of all instruments takes it in from its first row."""
    collected = Collected()
    with session(engine, collected) as client:
        client.request(messages.Record(out=str(tmp_path / "rec")))
        with ServedBridge("NQ") as other:
            [listed] = eventually(lambda: told(collected, messages.Instruments))
            assert [plain["symbol"] for plain in listed.instruments] == ["ES", "NQ"]
            [recording] = eventually(lambda: told(collected, messages.Recording))
            other.publish(50)
            eventually(lambda: engine.engine.markets["NQ"].events >= 50)
            client.request(messages.StopRecording())
        assert discovery.read(engine.endpoint.path).symbols == ("ES", "NQ")
    assert sum(map(len, open_recording(recording.paths["NQ"]).batches())) >= 50


def told(collected: Collected, kind: type[object]) -> list[object]:
    return [message for message in collected.messages() if isinstance(message, kind)]


def test_a_feed_without_a_platform_draws_nothing():
    """A simulated or replayed market has a paper desk, and no chart."""
    with RunningEngine(SyntheticSource(("ES",))) as engine, session(engine) as client:
        assert refused(client, messages.Notify(symbol="ES", text="x")).code == "not_supported"

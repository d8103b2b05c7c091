"""Instruments that come while a session runs, and what other add-ons say."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.support.eventually import eventually
from tests.support.scripted_engine import ScriptedEngine, fill, order
from tests.support.synthetic import reference
from workbench.errors import EngineError, WorkbenchError
from workbench.events import Instrument
from workbench.feeds import discovery
from workbench.protocol import messages
from workbench.protocol.account import MAX_KEPT
from workbench.session import Session
from workbench.session.account import MAX_POSITIONS, Account
from workbench.session.account_frames import FILLS, ORDERS, account_frame


@pytest.fixture
def engine() -> Iterator[ScriptedEngine]:
    with ScriptedEngine() as scripted:
        yield scripted


@pytest.fixture
def session(engine: ScriptedEngine) -> Iterator[Session]:
    with engine.session() as opened:
        yield opened


@pytest.fixture
def uri(engine: ScriptedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The engine as others find it."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path))
    told = engine.announce()
    yield told.uri
    discovery.withdraw(told)


def test_an_instrument_that_appears_is_there(engine: ScriptedEngine, session: Session) -> None:
    """It is listed, its events come from the first on, and its orders go to it."""
    engine.appear(Instrument("NQ", "0.25"), reference(50))
    eventually(lambda: session.symbols == ("SYN", "NQ"))
    eventually(lambda: len(session["NQ"].events) == 62)
    assert session["NQ"].gaps.is_empty() and session["NQ"] is session["NQ"]
    assert session.instrument.symbol == "SYN" and "2 symbols" in repr(session)
    session.arm(minutes=1, max_orders=1, max_size=1, symbol="NQ")
    session.orders.buy(1, symbol="NQ")
    assert engine.of_type(messages.PlaceOrder)[0].symbol == "NQ"


def test_an_instrument_that_vanishes_keeps_its_data(engine: ScriptedEngine, session: Session) -> None:
    """A list without it takes nothing away."""
    engine.say(messages.Instruments(instruments=[]))
    engine.appear(Instrument("NQ", "0.25"), reference(5))
    eventually(lambda: "NQ" in session.symbols)
    assert session.symbols == ("SYN", "NQ") and len(session.events) == 12


def test_opening_waits_for_a_book_that_is_on_its_way(engine: ScriptedEngine) -> None:
    """What a cell sees first is no empty book."""
    book = reference(5)
    engine.call(lambda: engine.appear_quietly(Instrument("NQ", "0.25"), book[:3]))
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(engine.session)
        eventually(lambda: any("NQ" in client.subscriptions for client in engine.server.clients))
        engine.call(lambda: engine.hand_on("NQ", book[3:]))
        with opening.result(60) as session:
            assert session.capture("NQ").book.valid and not session.health.note


def test_a_book_that_does_not_come_is_named(
    engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The session opens all the same: it may be a market without one."""
    monkeypatch.setattr("workbench.session.remote.LIVE_BOOK_S", 0.05)
    engine.call(lambda: engine.appear_quietly(Instrument("NQ", "0.25"), reference(5)[:3]))
    with engine.session() as session:
        assert session.health.note == "no book of 'NQ': the source has sent none"
        assert session.health.note in caplog.text


def test_nonsense_in_the_list_is_left_out(engine: ScriptedEngine, session: Session) -> None:
    """A grid of zero or a name with control characters is no instrument; the session goes on."""
    wrong = [
        {"symbol": "A", "tick_size": "0"},
        {"symbol": "B\n", "tick_size": "1"},
        {"tick_size": "1"},
        {"symbol": 7, "tick_size": []},
    ]
    engine.say(messages.Instruments(instruments=wrong))
    engine.appear(Instrument("NQ", "0.25"), reference(5))
    eventually(lambda: "NQ" in session.symbols)
    assert session.symbols == ("SYN", "NQ") and session.state == "live"


def test_what_came_while_the_line_was_down_is_found_on_coming_back(
    engine: ScriptedEngine, session: Session
) -> None:
    """A session asks for the list again whenever it was cut off."""
    engine.call(lambda: engine.appear_quietly(Instrument("NQ", "0.25"), reference(5)))
    assert session.symbols == ("SYN",)
    engine.drop()
    eventually(lambda: session.symbols == ("SYN", "NQ"))
    eventually(lambda: len(session["NQ"].events) == 17)


def test_an_unknown_name_tells_the_known_ones(session: Session) -> None:
    """So does everything that takes a symbol."""
    for ask in (lambda: session["NO"], lambda: session.bars(symbol="NO"), lambda: session.capture("NO")):
        with pytest.raises(WorkbenchError, match=r"unknown instrument 'NO'; have \['SYN'\]"):
            ask()


def test_listening_is_asked_for_at_opening(engine: ScriptedEngine, uri: str) -> None:
    """Each generator by its name; an empty list asks what a provider has; what they say arrives labelled."""
    with wb.connect(uri, listen={"Market Pulse": ["volume", "speed"], "Other": [], "One": "just"}) as session:
        asked = [(c.provider, c.generator) for c in engine.of_type(messages.Listen)]
        assert asked == [
            ("Market Pulse", "volume"),
            ("Market Pulse", "speed"),
            ("Other", ""),
            ("One", "just"),
        ]
        engine.tell(
            messages.Broadcast(symbol="SYN", ts=9, provider="Market Pulse", generator="volume", data=1.5)
        )
        eventually(lambda: not session.broadcasts.is_empty())
        row = session.broadcasts.row(0, named=True)
        assert (row["provider"], row["generator"], row["kind"], row["data"]) == (
            "Market Pulse",
            "volume",
            "event",
            "1.5",
        )


def test_listening_that_is_refused_opens_nothing(engine: ScriptedEngine, uri: str) -> None:
    """The reason is the platform's, and the connection is let go."""
    engine.answers[messages.Listen] = lambda _: messages.Error(code="not_supported", message="no add-ons")
    with pytest.raises(EngineError, match="no add-ons"):
        wb.connect(uri, listen={"Market Pulse": ["volume"]})
    eventually(lambda: not engine.call(lambda: engine.server.clients))


STORY = [
    order("a", status="PENDING_NEW"),
    fill("a", "e1"),
    order("a", status="PARTIALLY_FILLED", filled=1.0, leaves=1.0),
    fill("a", "e2"),
    order("a", status="FILLED", filled=2.0, leaves=0.0),
    order("", order_id="9"),
]


@given(echoes=st.lists(st.integers(1, 4), min_size=len(STORY), max_size=len(STORY)))
def test_echoes_change_nothing(echoes: list[int]) -> None:
    """However often each message comes in a row, states, their history and executions are as if it came once."""
    once, often = Account(), Account()
    for message, times in zip(STORY, echoes, strict=True):
        once.take(message)
        for _ in range(times):
            often.take(message)
    for known in (Account.orders, Account.order_log, Account.fills):
        assert known(often) == known(once)  # type: ignore[operator]


@given(
    order_of_fills=st.permutations([fill("a", f"e{n}", float(n)) for n in range(1, 5)]),
    lost=st.integers(0, 4),
)
def test_executions_told_again_after_a_loss_count_once(
    order_of_fills: list[messages.Fill], lost: int
) -> None:
    """Wherever the connection was cut: all of them, each once."""
    account = Account()
    for message in order_of_fills[:lost]:
        account.take(message)
    account.expect_again("SYN")
    for message in order_of_fills:
        account.take(message)
    assert account.fills() == order_of_fills


def test_frames_of_nothing_have_their_schema() -> None:
    """The same columns with and without rows."""
    assert dict(account_frame([], ORDERS).schema) == ORDERS
    assert account_frame([fill("a", "e1")], FILLS).schema == account_frame([], FILLS).schema


def test_a_day_of_drawings_and_broadcasts_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is remembered than an engine tells again, and of broadcasts the newest are shown."""
    monkeypatch.setattr("workbench.session.account.MAX_BROADCASTS", 10)
    account = Account()
    for ts in range(MAX_KEPT + 100):
        account.take(messages.Drawn(symbol="SYN", ts=ts, indicator="i", value=1.0))
    said = [
        messages.Broadcast(symbol="SYN", ts=ts, provider="p", generator="g", data=None) for ts in range(100)
    ]
    for message in said:
        account.take(message)
    assert len(account._happened["SYN"]) == MAX_KEPT
    assert account.broadcasts() == said[-10:]
    account.expect_again("SYN")
    account.take(said[-1])
    assert account.broadcasts() == said[-10:]


def test_the_money_of_long_ago_is_kept_thinner() -> None:
    """First and newest position stay, order stays, and never more than the bound are kept."""
    account = Account()
    for ts in range(MAX_POSITIONS + 5000):
        account.take(messages.Position(symbol="SYN", position=1.0, ts=ts, unrealized=float(ts)))
    kept = [told.ts for told in account.position_log("SYN")]
    assert len(kept) <= MAX_POSITIONS
    assert kept == sorted(kept)
    assert (kept[0], kept[-1]) == (0, MAX_POSITIONS + 4999)
    assert account.position_log("OTHER") == []

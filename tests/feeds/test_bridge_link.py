"""The connection to one bridge: what it tells its owner, and what it keeps to itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bridges import ServedBridge
from tests.support.eventually import eventually
from workbench.events import EventBatch
from workbench.feeds import discovery
from workbench.feeds.bridge_link import MAX_REMEMBERED, BridgeLink
from workbench.feeds.discovery import BRIDGE_KEY, Endpoint
from workbench.feeds.processes import process_start
from workbench.protocol import messages
from workbench.protocol.notices import Received


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "run"
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
    return folder


class Owner:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.rows: list[EventBatch] = []
        self.account: list[messages.AccountMessage] = []
        self.lists = 0
        self.states: list[str] = []

    def take_rows(self, link: BridgeLink, symbol: str, batch: EventBatch) -> None:
        self.rows.append(batch)

    def take_account(self, link: BridgeLink, message: messages.AccountMessage) -> None:
        self.account.append(message)

    def instruments_told(self, link: BridgeLink) -> None:
        self.lists += 1

    def state_changed(self, link: BridgeLink) -> None:
        self.states.append(link.state)


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
def link(owner) -> Iterator[BridgeLink]:
    """A link that was never started; what a bridge would send is handed to it."""
    pid = os.getpid()
    link = BridgeLink(endpoint(pid, process_start(pid) or ""), owner)
    yield link
    link.close()


def endpoint(pid: int, start: str, source: str = "bookmap bridge ES") -> Endpoint:
    return Endpoint("id", "ws://127.0.0.1:1/v1", "secret", pid, start, source, BRIDGE_KEY, ("ES",), 1)


def test_it_asks_what_there_is_and_hands_on_what_was_subscribed(owner):
    """As soon as it is let in; instruments first, rows after they were asked for."""
    with ServedBridge("ES") as bridge:
        link = BridgeLink(bridge.endpoint, owner)
        link.start()
        try:
            eventually(lambda: owner.lists)
            assert list(link.instruments or {}) == ["ES"]
            assert owner.rows == []
            link.subscribe("ES")
            eventually(lambda: owner.rows)
            link.ask_health()
            eventually(lambda: link.report)
        finally:
            link.close()
    assert link.describe()["backlog"] == 3
    assert owner.states[-1] == "closed"


def test_another_file_of_the_same_bridge_makes_it_ask_again(owner):
    """It says that an instrument came or went."""
    with ServedBridge("ES") as bridge:
        link = BridgeLink(bridge.endpoint, owner)
        link.start()
        try:
            eventually(lambda: owner.lists == 1)
            bridge.renew(symbols=("ES", "NQ"))
            link.follow(bridge.endpoint)
            eventually(lambda: owner.lists == 2)
        finally:
            link.close()


def test_a_process_that_has_ended_does_not_come_back(link, owner):
    """One that runs may: its connection is tried again."""
    assert not link.is_gone
    link.follow(endpoint(os.getpid(), "another start"))
    assert link.is_gone


def test_instruments_that_cannot_be_read_are_told_as_a_problem(link, owner):
    """Hostile or newer than us: counted for nothing, and the reason is in the facts."""
    for plain in ({}, {"symbol": 7}, {"symbol": "X", "tick_size": "0"}, {"symbol": "a\nb", "tick_size": "1"}):
        link._take(Received(messages.Instruments(instruments=[plain])))
        assert link.instruments is None
        assert "instruments that cannot be read" in link.describe()["reason"]
    assert owner.lists == 0


def test_an_answer_is_news_without_its_number(link, owner):
    """Numbers belong to whoever asked; to another client the same one means something else."""
    link._take(Received(messages.Trading(symbol="ES", ts=1, request_id=7)))
    assert owner.account == [messages.Trading(symbol="ES", ts=1)]


def test_what_happened_is_told_once_as_long_as_it_is_remembered(link, owner):
    """States may be told again: they replace one another."""
    for _ in range(3):
        link._take(Received(messages.Drawn(symbol="ES", ts=1, indicator="i", value=0.5)))
        link._take(Received(messages.Position(symbol="ES", position=1.0, ts=1)))
    assert [type(m).__name__ for m in owner.account].count("Drawn") == 1
    for ts in range(MAX_REMEMBERED + 10):
        link._take(Received(messages.Drawn(symbol="ES", ts=ts, indicator="i", value=0.5)))
    assert len(link._happened) == MAX_REMEMBERED


def test_one_that_trades_goes_before_older_ones(owner):
    """Then age decides, then the name, so that two engines choose alike."""
    sources = ["bookmap bridge ES", "bookmap bridge ES (trading)"]
    plain, trading = (BridgeLink(endpoint(1, "", source), owner) for source in sources)
    try:
        assert trading.trades
        assert min([plain, trading], key=lambda link: link.rank) is trading
    finally:
        plain.close()
        trading.close()

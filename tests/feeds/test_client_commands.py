"""Commands over real sockets: each gets its own answer, a refusal, or the word that nobody knows."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.support.collecting import Collected
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.serving import ServedFeed, proxied_feed
from workbench.errors import EngineError, FeedError
from workbench.protocol import messages


@pytest.fixture
def feed() -> Iterator[ServedFeed]:
    with ServedFeed() as served:
        yield served


@pytest.fixture
def proxied() -> Iterator[tuple[ServedFeed, FaultProxy]]:
    with proxied_feed() as both:
        yield both


def test_a_command_gets_its_own_answer(feed):
    """Many at once from several threads: each its own."""
    answers: list[messages.Message] = []
    with Collected().client(feed) as client:
        threads = [
            threading.Thread(target=lambda: answers.append(client.request(messages.EngineQuery())))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert sorted(a.request_id for a in answers) == list(range(1, 9))


def test_a_command_that_is_refused_raises(feed):
    """With the code of the other side."""
    with Collected().client(feed) as client, pytest.raises(EngineError) as caught:
        client.request(messages.CancelAll())
    assert caught.value.code == "read_only"


def test_no_answer_in_time_raises(feed):
    """A time-out names the command."""
    feed.server._on_command = lambda client, command: None
    with (
        Collected().client(feed) as client,
        pytest.raises(EngineError, match=r"no answer to ENGINE within 0\.05 s"),
    ):
        client.request(messages.EngineQuery(), timeout=0.05)


def test_a_command_without_connection_is_refused_and_not_kept(proxied):
    """Whether it was carried out is never left open when it never left."""
    feed, proxy = proxied
    with Collected().client(feed, proxy.uri) as client:
        proxy.faults.refuse = True
        proxy.cut()
        eventually(lambda: client.state == "offline")
        for ask in (client.request, client.send):
            with pytest.raises(FeedError, match="not connected") as caught:
                ask(messages.EngineQuery())
            assert caught.value.code == "not_connected"
        proxy.faults.refuse = False
        eventually(lambda: client.state == "ready")
    assert feed.commands == []


def test_an_answer_that_a_lost_connection_swallowed_is_an_unknown_outcome(proxied):
    """FeedError says that it is not known."""
    feed, proxy = proxied
    feed.server._on_command = lambda client, command: proxy._loop.call_soon_threadsafe(
        lambda: proxy._loop.create_task(proxy._cut())
    )
    with (
        Collected().client(feed, proxy.uri) as client,
        pytest.raises(FeedError, match="outcome is not known"),
    ):
        client.request(messages.EngineQuery())


def test_an_answer_can_be_waited_for_elsewhere(feed):
    """``ask`` returns at once, and an ERROR is an answer too."""
    with Collected().client(feed) as client:
        refused = client.ask(messages.CancelAll()).result(30)
        assert isinstance(refused, messages.Error)
        assert refused.code == "read_only"
        assert isinstance(client.ask(messages.Notify(symbol="SYN", text="x")).result(30), messages.Done)


def test_what_a_lost_connection_refused_never_leaves_with_the_next(feed):
    """The one who asked was told that nobody knows; a command that comes later would belie that."""
    with Collected().client(feed) as client:
        message, answer = client._requests.register(messages.Notify(symbol="SYN", text="late"))
        client._requests.refuse_all(FeedError("lost", code="lost"))
        client._do(lambda connection: client._send_request(connection, message, answer))
        client.request(messages.Notify(symbol="SYN", text="next"))
    assert [command.text for command in feed.commands if isinstance(command, messages.Notify)] == ["next"]

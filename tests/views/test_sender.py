"""The thread that feeds views, and the bell that wakes it."""

from __future__ import annotations

import gc
import threading

import pytest

from tests.support.eventually import eventually
from tests.support.view_events import shown
from workbench.views.ladder import Ladder
from workbench.views.sender import Bell, Sender


def test_a_bell_that_rang_before_ends_the_next_wait_once():
    """What rings while nobody waits is not lost, and ringing twice is ringing once."""
    bell = Bell()
    bell.ring()
    bell.ring()
    assert bell.wait(60)
    assert not bell.wait(0)


def test_a_bell_wakes_who_waits():
    """A wait of a minute ends when another thread rings."""
    bell, woken = Bell(), []
    thread = threading.Thread(target=lambda: woken.append(bell.wait(600)))
    thread.start()
    bell.ring()
    thread.join(60)
    assert woken == [True]


def test_a_view_leaves_while_another_thread_holds_the_sender():
    """Closing waits for no lock: the collector closes views in the middle of lines that hold one."""
    market = shown()
    view = Ladder(market)
    sender = Sender.of(market)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with sender._lock:
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)
    closing = threading.Thread(target=view.close)
    closing.start()
    closing.join(30)
    left = not closing.is_alive()
    done.set()
    thread.join(60)
    sender.join(60)
    assert left


class Leaving:
    """A member of a cycle that takes its view along when it is collected."""

    def __init__(self, view: Ladder):
        self.view, self.cycle = view, self

    def __del__(self) -> None:
        self.view.close()


@pytest.fixture
def eager_collector():
    """A collector that runs at every chance."""
    usual = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*usual)


def test_views_may_leave_while_the_sender_looks_at_them(eager_collector):
    """Views that the collector closes in the middle of a look at all of them end neither the look nor the thread."""
    market = shown()
    stays, sender = Ladder(market), Sender.of(market)
    for _ in range(20):
        Leaving(Ladder(market))
        assert len(sender.modes()) in (1, 2)
    gc.collect()
    assert [reference() for reference in list(sender._views)] == [stays]
    assert sender._thread is not None
    stays.close()
    assert eventually(lambda: sender._thread is None)

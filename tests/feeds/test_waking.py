"""The bell between threads: no ring is lost, and it never blocks who rings."""

from __future__ import annotations

import selectors
from collections.abc import Iterator

import pytest

from workbench.feeds.waking import Bell


@pytest.fixture
def bell() -> Iterator[Bell]:
    bell = Bell()
    yield bell
    bell.close()


def is_heard(bell: Bell) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(bell, selectors.EVENT_READ)
        return bool(selector.select(0))


def test_a_ring_before_anybody_listens_is_heard(bell):
    """And once silenced not again."""
    assert not is_heard(bell)
    bell.ring()
    assert is_heard(bell)
    bell.silence()
    assert not is_heard(bell)


def test_any_number_of_rings_neither_blocks_nor_fails(bell):
    """Its buffer is full: it is awake already."""
    for _ in range(100_000):
        bell.ring()
    bell.wait(60)
    assert not is_heard(bell)


def test_a_ring_after_the_end_does_nothing():
    """Whoever rings need not know that nobody listens any more."""
    bell = Bell()
    bell.close()
    bell.ring()

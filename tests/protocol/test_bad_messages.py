"""When malformed messages are too many."""

from __future__ import annotations

from workbench.protocol.bad_messages import BadMessages

SECOND = 1_000_000_000


def test_eleventh_within_a_second_is_a_flood() -> None:
    """Ten within a second are borne."""
    bad = BadMessages()
    assert [bad.is_flood(n) for n in range(11)] == [False] * 10 + [True]


def test_ten_a_second_are_borne_for_ever() -> None:
    """Only the density counts, not the sum."""
    bad = BadMessages()
    assert not any(bad.is_flood(n * SECOND // 10) for n in range(100))

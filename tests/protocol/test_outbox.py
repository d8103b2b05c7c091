"""The bounded queue of one client."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.protocol.limits import OUTBOX_BYTES, SECOND_NS
from workbench.protocol.outbox import Outbox


@given(st.lists(st.tuples(st.sampled_from(["put", "latest", "take"]), st.text("ab", max_size=30))))
def test_bytes_never_exceed_the_limit_and_are_counted_right(steps: list[tuple[str, str]]) -> None:
    """Whatever is put and taken, the count is the sum of what waits, within the limit."""
    outbox = Outbox(max_bytes=100)
    for verb, text in steps:
        if verb == "put":
            outbox.put(text)
        elif verb == "latest":
            outbox.put_latest(text[:1], text)
        else:
            outbox.take(20)
        assert 0 <= outbox.bytes <= 100
    waiting = outbox.bytes
    assert sum(map(len, outbox.take(10_000))) == waiting
    assert outbox.bytes == 0 and not outbox


def test_order_is_kept_and_only_the_newest_state() -> None:
    """Messages leave in order; of a key only the last one put."""
    outbox = Outbox()
    outbox.put("1")
    outbox.put_latest("k", "old")
    outbox.put("2")
    outbox.put_latest("k", "new")
    assert outbox.take(100) == ["1", "2", "new"]


def test_one_message_is_taken_even_if_it_is_large() -> None:
    """A limit smaller than the first message does not block for ever."""
    outbox = Outbox()
    outbox.put("x" * 50)
    outbox.put("y")
    assert outbox.take(10) == ["x" * 50]


def test_more_than_eight_mebibytes_gives_up() -> None:
    """A client that reads nothing while answers pile up is given up at 8 MiB."""
    outbox = Outbox()
    for _ in range(9):
        outbox.put("x" * (1 << 20))
    assert outbox.bytes == OUTBOX_BYTES and outbox.is_stuck(0)


def test_no_progress_for_five_seconds_gives_up() -> None:
    """Handed out and not asked again for 5 s means stalled; asking again is progress."""
    outbox = Outbox()
    outbox.handed_out(0, True)
    assert outbox.stalls_at == 5 * SECOND_NS
    assert not outbox.is_stuck(5 * SECOND_NS - 1) and outbox.is_stuck(5 * SECOND_NS)
    outbox.handed_out(4 * SECOND_NS, True)
    assert not outbox.is_stuck(5 * SECOND_NS)
    outbox.handed_out(6 * SECOND_NS, False)
    assert outbox.stalls_at is None

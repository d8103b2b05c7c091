"""Bookmap's bytes become streams and messages, whatever Bookmap does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bookmap_lines import (
    ALIAS,
    chunkings,
    depth,
    info,
    interval,
    line,
    mbo,
    pieces,
    streams,
    trade,
)
from workbench.book.levels import LevelBook
from workbench.bridge import reader, wire
from workbench.bridge.translation import Translator
from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Flag, Status

SECOND_NS = 1_000_000_000


def batches(out: list[tuple[str, EventBatch] | wire.Message], alias: str = ALIAS) -> EventBatch:
    """All events of one instrument."""
    return EventBatch.concatenate(piece[1] for piece in out if isinstance(piece, tuple) and piece[0] == alias)


def messages(out: list[tuple[str, EventBatch] | wire.Message]) -> list[wire.Message]:
    """All messages."""
    return [piece for piece in out if not isinstance(piece, tuple)]


def test_an_instrument_is_announced_before_its_events() -> None:
    """Whoever serves the stream knows what it is of."""
    translator = Translator()
    out = translator.receive(line(1) + info() + depth(True, 100, 5), 7, 0)
    assert [type(piece) for piece in out] == [wire.ServerInit, wire.InstrumentInfo, tuple, tuple]
    assert translator.markets[ALIAS].instrument.symbol == ALIAS
    assert batches(out).ts.tolist() == [7, 7]
    assert batches(out).ts_source.tolist() == [0, 0]


def test_an_instrument_that_cannot_be_is_refused_and_the_next_is_served() -> None:
    """Bookmap waits for an answer about it, so it is told."""
    translator = Translator()
    out = translator.receive(info(pips="NaN") + depth(True, 1, 1) + info("good"), 1, 1)
    assert isinstance(out[0], wire.Refused)
    assert out[0].alias == ALIAS
    assert "pips" in out[0].reason
    assert list(translator.markets) == ["good"]
    assert translator.strays == 1


@pytest.mark.parametrize("pips", ["x", "", "0", "-1", "Infinity"])
def test_pips_that_are_no_price_are_answered(pips: str) -> None:
    """Bookmap stands still until an instrument is answered, so even nonsense is an instrument, refused with a reason."""
    (refused,) = Translator().receive(info(pips=pips), 1, 1)
    assert isinstance(refused, wire.Refused) and refused.alias == ALIAS


def test_a_known_instrument_again_is_a_new_book() -> None:
    """A replay that is rewound attaches again, maybe with another grid; numbers go on."""
    translator = Translator()
    translator.receive(info() + depth(True, 100, 5) + interval(), 1, 1)
    out = translator.receive(info(pips=0.5) + depth(False, 101, 1) + interval(), 2, 2)
    stream = batches(out)
    assert stream.kind.tolist() == [EventKind.CLEAR, EventKind.DEPTH, EventKind.SNAPSHOT_END, EventKind.CLOCK]
    assert (stream.first_sequence, stream.size[3]) == (4, 1)
    state = translator.markets[ALIAS].book_state()
    assert (len(state.bids[0]), state.asks[0].tolist()) == (0, [101])
    assert str(translator.markets[ALIAS].instrument.tick_size) == "0.5"


def test_a_detached_instrument_ends_before_it_is_told() -> None:
    """Its last rows are CLEAR and ENDED; what still comes of it is counted and dropped."""
    translator = Translator()
    out = translator.receive(info() + depth(True, 1, 1) + line(7, ALIAS) + depth(True, 1, 2), 1, 1)
    assert batches(out).kind.tolist()[-2:] == [EventKind.CLEAR, EventKind.STATUS]
    assert isinstance(out[-1], wire.Detached)
    assert (translator.markets, translator.strays) == ({}, 1)
    assert isinstance(translator.receive(line(16), 2, 2)[0], wire.ServerOff)


def test_an_instrument_that_comes_back_goes_on_counting() -> None:
    """Numbers of a name are never used twice in one process."""
    translator = Translator()
    first = batches(translator.receive(info() + depth(True, 1, 1) + line(7, ALIAS), 1, 1))
    again = batches(translator.receive(info() + depth(True, 1, 1), 2, 2))
    assert again.first_sequence == first.next_sequence


def test_events_of_two_instruments_stay_apart() -> None:
    """Unsafe on Bookmap's side, but not here."""
    translator = Translator()
    both = b"".join(depth(True, n, 1) + depth(False, n, 2, alias="other") for n in range(400))
    out = translator.receive(info() + info("other") + both, 1, 1)
    assert batches(out).price.tolist() == [0, *range(400)]
    assert batches(out, "other").size.tolist() == [0] + [2] * 400


def test_the_end_of_the_socket_ends_every_instrument() -> None:
    """The rest of a line is not guessed at."""
    translator = Translator()
    translator.receive(info() + info("other") + b"8\xee\x80\x80", 5, 5)
    out = translator.end(6)
    assert [alias for alias, _ in out] == [ALIAS, "other"]
    assert all(batch.kind.tolist() == [EventKind.CLEAR, EventKind.STATUS] for _, batch in out)
    assert (translator.markets, translator.bad_lines) == ({}, 0)


def test_a_clock_that_is_set_is_told_in_the_stream() -> None:
    """F20: the time is held, and the step stands where it happened."""
    translator = Translator()
    translator.receive(info(), 10 * SECOND_NS, 0)
    stream = batches(translator.receive(trade("1.0", 1), 8 * SECOND_NS, SECOND_NS))
    assert stream.kind.tolist() == [EventKind.STATUS, EventKind.TRADE]
    assert (stream.size[0], stream.order_id[0]) == (Status.CLOCK_STEP, -3 * SECOND_NS)
    assert stream.ts.tolist() == [10 * SECOND_NS] * 2


def test_time_ends_a_snapshot() -> None:
    """The moment is known beforehand, so that nobody has to poll."""
    translator = Translator()
    translator.receive(info() + depth(True, 1, 1), 5, 5)
    deadline = translator.deadline()
    assert deadline is not None
    assert translator.on_time(6, deadline - 1) == []
    ((alias, batch),) = translator.on_time(7, deadline)
    assert (alias, batch.kind.tolist(), batch.ts.tolist()) == (ALIAS, [EventKind.SNAPSHOT_END], [7])
    assert translator.deadline() is None


def test_a_state_of_the_source_is_told_in_its_stream() -> None:
    """For whoever watches the link."""
    translator = Translator()
    translator.receive(info(), 1, 1)
    ((_, batch),) = translator.status(ALIAS, Status.STALE, 2, 2)
    assert (batch.kind.tolist(), batch.size.tolist()) == ([EventKind.STATUS], [Status.STALE])
    assert translator.status("other", Status.STALE, 2, 2) == []


def test_trades_keep_what_the_line_says() -> None:
    """Fractions of ticks, marks of executions, also of size zero, and who was the aggressor."""
    out = Translator().receive(info() + trade("-0.25", 0, is_buy=False, marks="001", passive="7"), 1, 1)
    stream = batches(out)[1:]
    assert (stream.price[0], stream.flags[0]) == (-1, 750 << SUBTICK_SHIFT | Flag.EXEC_END)
    assert (stream.side[0], stream.size[0], stream.order_id[0]) == (-1, 0, 7)


def test_a_provider_without_levels_gets_them_from_its_orders() -> None:
    """No depth line ever came: the notebook has a ladder all the same."""
    out = Translator().receive(
        info() + mbo("BID_NEW", 1, 10, 5) + interval() + mbo("REPLACE", 1, 10, 7) + mbo("CANCEL", 1), 1, 1
    )
    book = LevelBook()
    stream = batches(out)
    book.apply(stream)
    assert stream.where(stream.kind == EventKind.DEPTH)[1][5].tolist() == [5, 7, 0]
    assert book.valid


@settings(max_examples=40)
@given(streams, chunkings, st.booleans())
def test_any_stream_in_any_pieces_gives_the_same_events(
    stream: bytes, lengths: list[int], fast: bool
) -> None:
    """At one moment; nothing that arrives raises, and numbers have no holes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "SCAN_LINES", 0 if fast else 10**9)
        whole, parts = Translator(), Translator()
        expected = whole.receive(info() + stream, 1, 1)
        found = [piece for chunk in pieces(info() + stream, lengths) for piece in parts.receive(chunk, 1, 1)]
    assert messages(found) == messages(expected)
    for alias in {piece[0] for piece in expected if isinstance(piece, tuple)}:
        assert batches(found, alias) == batches(expected, alias)
    assert (parts.bad_lines, parts.strays, parts.counts) == (whole.bad_lines, whole.strays, whole.counts)


@given(st.lists(st.tuples(st.binary(max_size=60), st.integers(0, 2**60), st.integers(0, 2**60)), max_size=8))
def test_no_bytes_and_no_clocks_raise(steps: list[tuple[bytes, int, int]]) -> None:
    """Whatever arrives whenever."""
    translator = Translator()
    for data, wall_ns, mono_ns in steps:
        translator.receive(info() + data + b"\n", wall_ns, mono_ns)
        translator.on_time(wall_ns, mono_ns)
    translator.end(0)

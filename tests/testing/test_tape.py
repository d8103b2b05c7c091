"""A tape plays one instrument of anything that has events."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import bookmap_tape as tape
from workbench.errors import ReplayError
from workbench.events import EventBatch, EventKind
from workbench.feeds.simulator import Simulator
from workbench.frames.recording import write_recording
from workbench.testing.tape import Tape, without_clear


def played(one: Tape, step_ns: int = 7_000_000) -> EventBatch:
    batches = one.opening()
    until = one.start_ns
    while not one.exhausted:
        until += step_ns
        batches += one.advance(until)
    return EventBatch.concatenate(batches)


def test_batches_are_played_whole_and_again() -> None:
    """Every row once, and the same after a rewind."""
    one = Tape(tape.batches(), instrument=tape.INSTRUMENT)
    whole = EventBatch.concatenate(tape.batches())
    assert played(one) == whole
    one.rewind()
    assert played(one) == whole


def test_the_opening_is_the_first_moment() -> None:
    """What was there before an add-on came is told by its snapshot only."""
    one = Tape(tape.batches(), instrument=tape.INSTRUMENT)
    assert EventBatch.concatenate(one.opening()) == tape.batches()[0]


def test_a_recording_is_played_from_its_path(tmp_path: Path) -> None:
    """Opened by its directory."""
    path = write_recording(tmp_path, tape.INSTRUMENT, tape.batches(), source={"kind": "test"}).path
    assert len(played(Tape(path))) == len(tape.OPENING) + len(tape.CHANGES)


def test_one_instrument_is_chosen_of_several() -> None:
    """The others' events are left out."""
    one = Tape(Simulator(symbols=("A", "B")), "B")
    one.opening()
    one.advance(one.start_ns + 10**8)
    assert one.instrument.symbol == "B"


@pytest.mark.parametrize("symbol", [None, "C"])
def test_several_instruments_need_a_choice(symbol: str | None) -> None:
    """Bookmap runs an add-on for each."""
    with pytest.raises(ReplayError, match="A, B"):
        Tape(Simulator(symbols=("A", "B")), symbol)


def test_batches_need_an_instrument_and_events() -> None:
    """There is no grid in them."""
    with pytest.raises(ReplayError, match="instrument"):
        Tape(tape.batches())
    with pytest.raises(ReplayError, match="no events"):
        Tape([], instrument=tape.INSTRUMENT)


def test_a_clear_becomes_the_removal_of_what_was_there() -> None:
    """Removals are asked for when everything before has been taken."""
    whole = EventBatch.concatenate([*tape.batches(), _clear()])
    taken: list[EventBatch] = []
    seen: list[int] = []

    def removals(ts_ns: int) -> EventBatch:
        seen.append(sum(map(len, taken)))
        return EventBatch.of(ts=ts_ns, kind=EventKind.DEPTH, side=1, price=[400], size=0)

    for part in without_clear(whole, removals):
        taken.append(part)
    assert seen == [0, len(whole) - 1]  # one removal stands for the first CLEAR, too
    assert not any((part.kind == EventKind.CLEAR).any() for part in taken)


def _clear() -> EventBatch:
    first = len(tape.OPENING) + len(tape.CHANGES)
    return EventBatch.of(first, ts=tape.START_NS + 10**9, kind=[EventKind.CLEAR])

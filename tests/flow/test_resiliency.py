"""Resiliency: worked cases, any pieces, and nothing of the future."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings

import workbench as wb
from tests.support.books import DictBook
from tests.support.detectors import K, found, rows, simulated
from tests.support.flows import Row, market, markets, walked
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Flag, Instrument
from workbench.flow.detectors.sweeps import Sweeps
from workbench.flow.resiliency import LOST, RECOVERED, TOO_SLOW, Recoveries, Resiliency

MS = 1_000_000
ES = Instrument("ES-TEST", "0.25", "1")
START, END = int(Flag.EXEC_START), int(Flag.EXEC_END)


def swept(*later: tuple) -> object:
    """Asks of 10 at 101, 102 and 103, of which one order takes the first two whole 1 s later; then what comes."""
    at = 1000 * MS
    return rows(
        (MS, K.DEPTH, 1, 100, 10), *((MS, K.DEPTH, -1, p, 10) for p in (101, 102, 103)),
        (at, K.TRADE, 1, 101, 10, 1, 9, START), (at, K.DEPTH, -1, 101, 0),
        (at, K.TRADE, 1, 102, 10, 2, 9, END), (at, K.DEPTH, -1, 102, 0),
        *later, (30_000 * MS, K.CLOCK),
    )  # fmt: skip


def told(stream: Resiliency, batches) -> Recoveries:
    parts = [*(stream.update(batch) for batch in batches), stream.close()]
    return Recoveries(*(np.concatenate(columns) for columns in zip(*parts)))


def make(**parameters) -> Resiliency:
    return Resiliency(ES, **{"levels": 3, "sweep_levels": 2, **parameters})


def test_half_of_what_is_missing_is_back_after_the_half_life() -> None:
    """30 lots before, 10 after, so 20 are half way: 8 after 200 ms are too few, 2 more after 350 ms are enough."""
    later = [(1200 * MS, K.DEPTH, -1, 102, 8), (1350 * MS, K.DEPTH, -1, 101, 2)]
    found = told(make(), [swept(*later)])
    assert (found.before.tolist(), found.after.tolist(), found.side.tolist()) == ([30], [10], [-1])
    assert found.fate.tolist() == [RECOVERED]
    assert found.half_life.tolist() == [0.35]


def test_what_does_not_come_back_in_time_is_censored() -> None:
    """It is told with the first moment after the wait, and has no half-life."""
    found = told(make(within="1s"), [swept((4000 * MS, K.DEPTH, -1, 101, 50))])
    assert found.fate.tolist() == [TOO_SLOW]
    assert found.known_ts.tolist() == [4000 * MS]
    assert np.isnan(found.half_life).all()


def test_a_gap_ends_the_wait() -> None:
    """What happened in a gap nobody knows, and what comes after is another book."""
    found = told(make(), [swept((1100 * MS, K.GAP), (1200 * MS, K.DEPTH, -1, 101, 50))])
    assert found.fate.tolist() == [LOST]


def test_a_sweep_that_is_awaited_at_the_end_is_not_told() -> None:
    """No row claims what is not known."""
    assert len(told(make(within="60s"), [swept()]).ts) == 0


def test_any_pieces_tell_the_same_and_a_cut_changes_nothing_before_it() -> None:
    """The rows of every cut are the first rows of the whole."""
    batch = simulated(40, seed=7, kinds=("sweep",))
    rng = np.random.default_rng(1)
    whole = told(make(levels=5, sweep_levels=4, within="2s"), [batch])
    assert len(whole.ts) > 2
    cuts = [0, *np.sort(rng.integers(0, len(batch), 9)).tolist(), len(batch)]
    pieces = [batch[a:b] for a, b in itertools.pairwise(cuts)]
    for one, other in zip(whole, told(make(levels=5, sweep_levels=4, within="2s"), pieces)):
        np.testing.assert_array_equal(one, other)
    for cut in cuts[2:-1:3]:
        head = make(levels=5, sweep_levels=4, within="2s").update(batch[:cut])
        for one, other in zip(head, whole):
            np.testing.assert_array_equal(one, other[: len(one)])


def test_frames_speak_real_units() -> None:
    """Depth in contracts, sides as Int8, fates as words."""
    with wb.simulate(seed=7, inline=True, plants=wb.plants("sweep", every="8s")) as s:
        s.advance("40s")
        frame = wb.resiliency(s)
    assert frame.height
    assert set(frame["fate"]) <= {"recovered", "not in time", "book lost"}
    assert (frame["after"] < frame["before"]).all()
    assert (frame["known_ts"] > frame["ts"]).all()


@pytest.mark.parametrize("bad", [{"levels": 0}, {"levels": 2.5}, {"within": "soon"}, {"sweep_levels": 1}])
def test_bad_parameters_are_refused(bad) -> None:
    """Nothing is guessed."""
    with pytest.raises(WorkbenchError):
        make(**bad)


class PlainDepths:
    """Best levels at the moments at which they changed or a sweep was found: time, broken, known, depth by side."""

    def __init__(self, levels: int, sweeps: set[int]):
        self.levels, self.sweeps = levels, sweeps
        self.broken, self.before, self.seen = False, None, []

    def row(self, row: Row, book: DictBook) -> None:
        self.broken |= row.kind in (K.CLEAR, K.GAP)

    def end(self, ts: int, sequence: int, book: DictBook) -> None:
        best = {side: book.levels(side)[: self.levels] for side in (1, -1)} if book.valid else None
        if best != self.before or self.broken or ts in self.sweeps:
            depth = {side: sum(size for _, size in levels) for side, levels in (best or {}).items()}
            self.seen.append((ts, self.broken, book.valid, depth))
        self.broken, self.before = False, best


def plain_resiliency(batch: EventBatch, levels: int, before: int, within: int) -> list[tuple]:
    """Definition: from a sweep to the first moment at which half of what it took is back."""
    sweeps = list(zip(*(c.tolist() for c in found(Sweeps(ES, levels=2), [batch])[:4])))
    moments, told = walked(PlainDepths(levels, {mark[0] for mark in sweeps}), batch).seen, []
    for ts, _, _, taker in sweeps:
        until = [m for m in moments if m[0] <= ts]
        earlier = [k for k, m in enumerate(until) if m[0] <= ts - before]
        if not earlier or not all(m[2] for m in until[earlier[-1] :]):
            continue
        if any(m[1] for m in until[earlier[-1] + 1 :]):
            continue
        first, last = until[earlier[-1]][3][-taker], until[-1][3][-taker]
        if last < first:
            outcome = next(filter(None, (fate(m, ts, -taker, first + last, within) for m in moments)), None)
            if outcome:
                told.append((outcome[0], ts, -taker, first, last, outcome[1]))
    return sorted(told)


def fate(moment: tuple, ts: int, side: int, twice_half: int, within: int) -> tuple[int, int] | None:
    """What a moment behind a sweep tells of it."""
    when, broken, valid, depth = moment
    if when <= ts:
        return None
    if when >= ts + within:
        return when, TOO_SLOW
    if broken or not valid:
        return when, LOST
    return (when, RECOVERED) if 2 * depth[side] >= twice_half else None


def same_as_plain(batch: EventBatch) -> set[int]:
    """Compare both; which fates there were."""
    made = told(make(levels=3, before="2ms", within="200ms"), [batch])
    columns = (made.known_ts, made.ts, made.side, made.before, made.after, made.fate)
    assert sorted(zip(*(c.tolist() for c in columns))) == plain_resiliency(batch, 3, 2 * MS, 200 * MS)
    return set(made.fate.tolist())


@settings(max_examples=25)
@given(batch=markets())
def test_resiliency_is_that_of_a_plain_loop(batch: EventBatch) -> None:
    """Streams with ties in time, sweeps one upon another, and breaks."""
    same_as_plain(batch)


def test_there_are_all_fates_to_compare() -> None:
    """The streams are not empty of what is looked for."""
    assert same_as_plain(market(1, 700, 0.02)) == {RECOVERED, TOO_SLOW, LOST}

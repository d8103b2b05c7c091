"""Resiliency: worked cases, any pieces, and nothing of the future."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import workbench as wb
from tests.support.detectors import K, rows, simulated
from workbench.errors import WorkbenchError
from workbench.events import Flag, Instrument
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

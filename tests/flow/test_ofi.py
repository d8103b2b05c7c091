"""Order flow imbalance against the definition's worked example and a plain calculation."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.support.books import chunks, depth_streams
from tests.support.touches import Level, Recorded, random_states, states
from workbench.events import EventBatch, EventKind
from workbench.flow.ofi import Flow, OfiStream, ofi

# (100,10,101,8) → (100,14,101,8) → (100,14,101,5) → (101,3,102,9) → same → (100,14,102,9)
ORACLE = [
    (100, 10, 101, 8), (100, 14, 101, 8), (100, 14, 101, 5), (101, 3, 102, 9), (101, 3, 102, 9), (100, 14, 102, 9),
]  # fmt: skip
CUTS = st.lists(st.integers(0, 400), max_size=4)


def streamed(parts, levels: int = 1, *, close: bool = True) -> Flow:
    stream = OfiStream(levels)
    pieces = [stream.update(part) for part in parts] + ([stream.close()] if close else [])
    return Flow(*(np.concatenate(column) for column in zip(*pieces)))


def test_the_definition():
    """e = 14−10 = 4; −5+8 = 3; 3 + 5 = 8 (bid up gains 3, the ask's 5 go); 0; −3 (the bid's 3 go): 12 in all.

    The state that repeats changes nothing and makes no row.
    """
    flow = streamed([states(ORACLE)])
    assert flow.e[flow.measured, 0].tolist() == [4, 3, 8, -3]
    assert ofi(Recorded([states(ORACLE)]))["ofi"][-1] == pytest.approx(1.2)  # lots of 0.1


def plain(levels: list[Level | None]) -> list[int]:
    """The formula as it stands, with infinite prices where a side is empty; None states begin anew."""
    found, last = [], None
    inf = float("inf")
    for state in levels:
        if state is None:
            last = None
            continue
        pb, qb, pa, qa = state
        now = (pb if qb else -inf, qb, pa if qa else inf, qa)
        if last is not None:
            b, db, a, da = last
            found.append(
                (now[0] >= b) * qb - (now[0] <= b) * db - (now[2] <= a) * qa + (now[2] >= a) * da,
            )
        last = now
    return found


@given(seed=st.integers(0, 10_000), cuts=CUTS)
def test_random_books_in_any_chunking(seed, cuts):
    """Each change is the formula's, over empty sides and gaps too; the sum is the bit of the plain one."""
    levels = random_states(np.random.default_rng(seed), 60)
    if all(state is None for state in levels):
        return
    batch = states(levels)
    flow = streamed(chunks(batch, cuts))
    assert flow.e[flow.measured, 0].tolist() == [
        e for e, moved in zip(plain(levels), changes(levels)) if moved
    ]


def changes(levels: list[Level | None]) -> list[bool]:
    """Whether each state that follows another differs from it, as a row tells."""
    shown = [s if s is None else (s[0] * (s[1] > 0), s[1], s[2] * (s[3] > 0), s[3]) for s in levels]
    return [a != b for a, b in itertools.pairwise(shown) if a is not None and b is not None]


@given(stream=depth_streams(), cuts=CUTS, keep=st.integers(0, 120))
def test_chunks_and_the_future_change_nothing(stream, cuts, keep):
    """Five levels, any stream: pieces give the same integers, and what follows leaves what was told."""
    whole = streamed([stream], 5)
    cut = streamed([*chunks(stream, cuts)], 5)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(whole, cut))
    short = streamed([stream[: keep % (len(stream) + 1)]], 5, close=False)
    assert all(a[: len(b)].tobytes() == b.tobytes() for a, b in zip(whole, short))


def test_the_second_level_is_measured_by_its_own_prices():
    """At level 2 the bid 99 × 6 becomes 98 × 4 when 99 becomes the best: 0·4 − 6 = −6."""
    kind = [EventKind.CLEAR, *[EventKind.DEPTH] * 4, EventKind.SNAPSHOT_END]
    opening = EventBatch.of(
        ts=1, kind=kind, side=[0, 1, 1, 1, -1, 0], price=[0, 100, 99, 98, 101, 0], size=[0, 5, 6, 4, 2, 0]
    )
    gone = EventBatch.of(ts=2, kind=[EventKind.DEPTH], side=[1], price=100, size=0)
    # level 1: the best falls from 100 × 5 to 99 × 6: −5
    assert streamed([opening, gone], 2).e.tolist() == [[0, 0], [-5, -6]]


def test_the_frame_is_null_at_the_start_and_begins_anew_behind_a_gap():
    """Running sum 4, 7, then a gap: null at it and at the first state behind it, then from 0."""
    levels = [*ORACLE[:3], None, (100, 1, 101, 1), (100, 3, 101, 1)]
    found = ofi(Recorded([states(levels)]))
    assert found["e"].to_list() == pytest.approx([None, 0.4, 0.3, None, None, 0.2])
    assert found["ofi"].to_list() == pytest.approx([None, 0.4, 0.7, None, None, 0.2])


def test_buckets_hold_sums_mid_changes_and_depth():
    """Bucket 1 s: e 4 and 3; bucket 4 s: 8 and −3, the mid from 100.5 over 101.5 to 101; bucket 0 begins unknown.

    Depth in bucket 1: (14 + 8 + 14 + 5) / 4 = 10.25 lots of 0.1.
    """
    second = 1_000_000_000
    times = [0, second, second + 1, 4 * second, 4 * second + 1, 4 * second + 2]
    found = ofi(Recorded([states(ORACLE, times)]), every="1s")
    assert (found["ts"].to_physical() // second).to_list() == [0, 1, 4]
    assert found["ofi"].to_list() == pytest.approx([None, 0.7, 0.5])
    assert found["mid_change"].to_list() == [None, 0.0, 0.5]
    assert found["depth"].to_list()[1] == pytest.approx(1.025)


def test_nothing_gives_frames_without_rows():
    """No events, no rows, the same columns."""
    for every in (None, "1s"):
        found = ofi(Recorded([]), levels=2, every=every)
        assert not len(found)
        assert found.columns[0] == "ts"


def test_buckets_add_up_to_the_running_sum():
    """On a made-up market the buckets' sums are the running sum at the end, whichever their size."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("20s")
    last = wb.ofi(s)["ofi"][-1]
    for every in ("100ms", "7s"):
        # the first bucket begins with the first state: unknown, so its own flow is added by hand
        found = wb.ofi(s, every=every)
        first = found["ts"][1]
        early = wb.ofi(s).filter(pl.col("ts") < first)["e"].sum()
        assert found["ofi"].sum() + early == pytest.approx(last)

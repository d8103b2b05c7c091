"""What every signal promises: any pieces give the same, the future changes nothing, gaps are not bridged."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest

import workbench as wb
from tests.support.detectors import K, simulated
from tests.support.signals import INSTRUMENT, assert_same, said, with_a_gap
from tests.support.touches import Recorded
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.batches import event_batches
from workbench.flow.signals.contract import Signal

S = wb.signals


def slope(frame: pl.DataFrame) -> pl.Series:
    """Change of the mid over two seconds."""
    before = frame.select(pl.col("ts") + pl.duration(seconds=2, time_unit="ns"), "mid")
    joined = frame.select("ts", "mid").join_asof(before, on="ts", suffix="_before")
    return joined["mid"] - joined["mid_before"]


SIGNALS = {
    "imbalance": S.BookImbalance(),
    "smooth imbalance": S.BookImbalance(levels=3, half_life_s=0.5, enter=0.3, leave=0.1),
    "flow": S.OfiMomentum(half_life_s=0.5, enter=1.0),
    "fade": S.LiquidityFade(half_life_s=1.0, move_ticks=0.5, thick=0.5),
    "cliff": S.VolumeCliff(gap_ticks=1, ratio=1.5),
    "native icebergs": S.IcebergFollow(),
    "synthetic icebergs": S.IcebergFollow(kind="synthetic"),
    "sweeps": S.SweepContinuation(),
    "absorption": S.AbsorptionContinuation(),
    "both": S.BookImbalance(levels=2) & S.OfiMomentum(half_life_s=0.5, enter=0.5),
    "either": S.BookImbalance(levels=2) | S.SweepContinuation(),
    "unless": S.Unless(S.BookImbalance(), S.SweepContinuation()),
    "reverse": ~S.IcebergFollow(),
    "threshold": S.Threshold(S.OfiMomentum(half_life_s=0.5), enter=1.0, leave=0.2),
    "cooldown": S.Cooldown(S.BookImbalance(), rest_s=0.5),
    "function": S.from_frame(slope, lookback_s=2.5, enter=1.0),
}
EVERY = pytest.mark.parametrize("signal", SIGNALS.values(), ids=SIGNALS)


@EVERY
def test_any_pieces_give_the_same(signal: Signal) -> None:
    """However the stream is cut, rows, sides and scores are those of one piece; and the signal does speak."""
    batch, rng = with_a_gap(), np.random.default_rng(3)
    cuts = [0, 1, *np.sort(rng.integers(0, len(batch), 6)).tolist(), len(batch)]
    whole = said(signal, [batch])
    assert_same(whole, said(signal, [batch[a:b] for a, b in itertools.pairwise(cuts)]))
    assert np.any(whole.side != 0)
    assert np.all(np.diff(whole.ts) >= 0)


@EVERY
def test_the_future_changes_nothing(signal: Signal) -> None:
    """What was told when the stream was cut is what the whole stream tells, and it was known by then."""
    batch = with_a_gap()
    whole = said(signal, [batch])
    for cut in (len(batch) // 3, len(batch) // 2, len(batch) - 100):
        told = said(signal, [batch[:cut]], close=False)
        head = type(whole)(*(column[: len(told.ts)] for column in whole))
        assert_same(head, told)
        assert len(told.ts) and told.sequence.max() < cut
        assert whole.ts[len(told.ts)] >= batch.ts[cut - 1]


@EVERY
def test_a_gap_is_not_bridged(signal: Signal) -> None:
    """Behind a gap the signal says what it says of a stream that begins there."""
    batch = with_a_gap()
    first = int(np.flatnonzero(batch.kind == K.GAP)[0]) + 1
    whole, later = said(signal, [batch]), said(signal, [batch[first:]])
    behind = whole.sequence >= first
    assert_same(type(whole)(*(column[behind] for column in whole)), later)
    lost = whole.sequence == first - 1
    assert lost.any()
    assert np.isnan(whole.score[lost]).all()


@EVERY
def test_nothing_in_nothing_out(signal: Signal) -> None:
    """Without events there are no rows, and the frame has its columns all the same."""
    frame = signal.over(Recorded([], INSTRUMENT))
    assert frame.schema == {
        "ts": pl.Datetime("ns", "UTC"), "sequence": pl.Int64, "score": pl.Float64, "side": pl.Int8,
        "price_ticks": pl.Float64, "price": pl.Float64,
    }  # fmt: skip
    assert len(frame) == 0


@EVERY
def test_the_same_live_and_over_the_whole(signal: Signal) -> None:
    """Fed with what a running session shows from time to time it says what it says of the recorded whole."""
    with wb.simulate(seed=7, inline=True) as session:
        twin, pieces, seen = signal.fresh(session.instrument), [], 0
        for _ in range(4):
            session.advance("2s")
            for batch in event_batches(session):
                start = max(seen - batch.first_sequence, 0)
                if start < len(batch):
                    pieces.append(twin.update(batch[start:]).frame(session.instrument))
                    seen = batch.first_sequence + len(batch)
        pieces.append(twin.close().frame(session.instrument))
        assert pl.concat(pieces).equals(signal.over(session))


def test_the_same_in_replay(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """What is replayed from a recording is judged as the recording is."""
    from workbench.frames.recording import write_recording

    batch = simulated(10)
    recording = write_recording(tmp_path / "r", INSTRUMENT, [batch], source={})
    signal = S.BookImbalance() & S.OfiMomentum(half_life_s=0.2)
    with wb.replay(recording.path, inline=True) as session:
        session.advance("20s")
        assert signal.over(session).equals(signal.over(recording))


def test_one_side_of_the_book_alone() -> None:
    """Where nobody sells there is no mid and no score."""
    rows = EventBatch.of(ts=[1, 1, 1, 2], kind=[K.CLEAR, K.DEPTH, K.SNAPSHOT_END, K.DEPTH],
                         side=[0, 1, 0, 1], price=[0, 100, 0, 99], size=[0, 5, 0, 5])  # fmt: skip
    for signal in (S.BookImbalance(levels=2), S.OfiMomentum(), S.LiquidityFade(), S.VolumeCliff()):
        frame = signal.over(Recorded([rows], INSTRUMENT))
        assert frame["score"].null_count() == len(frame) > 0
        assert not frame["side"].to_numpy().any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: S.BookImbalance(levels=0),
        lambda: S.BookImbalance(wrong=1),
        lambda: S.BookImbalance(enter="much"),
        lambda: S.BookImbalance(enter=0.2, leave=0.5).rule(),
        lambda: S.OfiMomentum(half_life_s=0),
        lambda: S.VolumeCliff(ratio=1.0),
        lambda: S.IcebergFollow(kind="other"),
        lambda: S.And(S.BookImbalance()),
        lambda: S.Unless(S.BookImbalance()),
        lambda: S.Cooldown(S.BookImbalance(), rest_s=0),
        lambda: S.Threshold("BookImbalance"),
        lambda: S.from_frame(3),
        lambda: S.SweepContinuation().update(with_a_gap()[:10]),
    ],
)
def test_bad_parameters_are_refused(make) -> None:  # type: ignore[no-untyped-def]
    """Each says what was found and what was expected."""
    with pytest.raises(WorkbenchError, match="expected"):
        make()


def test_a_rule_that_loses_rows_is_refused() -> None:
    """One score for each row."""
    with pytest.raises(WorkbenchError, match="rows of the frame"):
        said(S.from_frame(lambda frame: [1.0]), [with_a_gap()])


def test_detectors_need_no_order_of_their_own() -> None:
    """Findings of several detectors lie at the rows of the moments at which they became known."""
    signal = S.IcebergFollow() | S.SweepContinuation() | S.AbsorptionContinuation()
    whole = said(signal, [with_a_gap()])
    for part in (S.IcebergFollow(), S.SweepContinuation(), S.AbsorptionContinuation()):
        alone = said(part, [with_a_gap()])
        at = np.searchsorted(whole.ts, alone.ts, "right") - 1
        np.testing.assert_array_equal(whole.ts[at], alone.ts)
    assert np.all(np.diff(whole.ts) >= 0)

"""Exhaustion: the kernel says what a loop over lists of bars says."""

from __future__ import annotations

from hypothesis import given, settings

from tests.support.detectors import K, found
from tests.support.flows import MS, market, markets, rows_of
from workbench.events import EventBatch, Flag, Instrument
from workbench.flow.detectors.exhaustion import Exhaustion

X = Instrument("X", "0.25", "1")
BAR_NS = 100 * MS


def plain_bars(batch: EventBatch) -> list[list[dict]]:
    """Bars with trades that were proved over, in stretches between breaks; a bar with a break in it is none."""
    rows = rows_of(batch)
    broken = {row.ts // BAR_NS for row in rows if row.kind in (K.CLEAR, K.GAP)}
    stretches: list[list[dict]] = [[]]
    for number in sorted({row.ts // BAR_NS for row in rows}):
        if number in broken:
            stretches.append([])
            continue
        inside = [row for row in rows if row.ts // BAR_NS == number and row.kind == K.TRADE]
        prints = [row for row in inside if row.size > 0 and not row.flags & Flag.OTC]
        later = [row for row in rows if row.ts // BAR_NS > number]
        if prints and later:
            prices = [row.price * 1000 + (row.flags >> 6) for row in prints]
            lots = {side: sum(row.size for row in prints if row.side == side) for side in (1, -1)}
            extremes = {1: max(prices), -1: min(prices)}
            proof = later[0].ts, later[0].sequence
            stretches[-1].append({"start": number * BAR_NS, "at": extremes, "lots": lots, "proof": proof})
    return stretches


def plain_exhaustion(batch: EventBatch, n: int, pushes: int, fade: float) -> list[tuple]:
    """Definition: the last of ``pushes`` new extremes in a row, each with less behind it than the one before."""
    told = []
    for bars in plain_bars(batch):
        fading: dict[int, list[tuple[int, int]]] = {1: [], -1: []}
        for i in range(n, len(bars)):
            for side in (1, -1):
                if any((bars[i]["at"][side] - bar["at"][side]) * side <= 0 for bar in bars[i - n : i]):
                    continue
                lots, row = bars[i]["lots"][side], fading[side]
                if row and (lots >= row[-1][1] or i - row[-1][0] > n):
                    row.clear()
                row.append((i, lots))
                if len(row) >= pushes and lots <= fade * row[-pushes][1]:
                    what = bars[i]["at"][side], side, bars[i]["start"], lots, row[-pushes][1]
                    told.append((*bars[i]["proof"], *what))
    return told


def same(batch: EventBatch, n: int, pushes: int, fade: float) -> int:
    """Compare both; how much there was."""
    seen = found(Exhaustion(X, n=n, bar="100ms", pushes=pushes, fade=fade), [batch])
    fields = ("bar_ts", "lots", "first_push_lots")
    told = list(zip(*(c.tolist() for c in seen[:4]), *(seen.evidence[name].tolist() for name in fields)))
    assert told == plain_exhaustion(batch, n, pushes, fade)
    return len(told)


@settings(max_examples=25)
@given(batch=markets())
def test_exhaustion_is_that_of_a_plain_loop(batch: EventBatch) -> None:
    """Rows of two and of three pushes."""
    same(batch, 1, 2, 1.0)
    same(batch, 2, 3, 0.8)


def test_there_is_exhaustion_to_compare() -> None:
    """The streams are not empty of what is looked for."""
    assert same(market(1, 400, 0.01), 1, 2, 1.0) > 2

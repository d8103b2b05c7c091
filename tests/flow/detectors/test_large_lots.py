"""Large lots: against a number and against those before, then any chunking and any cut."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.detectors import K, assert_chunks_and_cuts, found, rows, simulated
from tests.support.flows import markets, rows_of
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Flag, Instrument
from workbench.flow.detectors.large_lots import LargeLots

X = Instrument("X", "0.25")


def prints(*sizes: int) -> list[tuple]:
    return [(i + 1, K.TRADE, 1, 100, size) for i, size in enumerate(sizes)]


def test_above_a_number_of_lots() -> None:
    """Of 3, 20 and 25 lots two are at least 20: scores 1 and 1.25."""
    assert found(LargeLots(X, min_lots=20), [rows(*prints(3, 20, 25))]).score.tolist() == [1.0, 1.25]


def test_above_a_quantile_of_those_before() -> None:
    """Against the third of the four before (q = 0.75): 9 > 3, then of 2, 3, 4, 9 the limit is 4 and 5 is above."""
    seen = found(LargeLots(X, quantile=0.75, window=4), [rows(*prints(1, 2, 3, 4, 9, 5, 5))])
    assert seen.evidence["size_lots"].tolist() == [9, 5]
    assert seen.evidence["limit_lots"].tolist() == [3, 4]


def test_the_limit_is_the_sorted_rank() -> None:
    """The kernel's limits are those of sorting the window anew for each print."""
    sizes = np.random.default_rng(5).integers(1, 50, 300)
    seen = found(LargeLots(X, quantile=0.9, window=20), [rows(*prints(*sizes.tolist()))])
    expected = [
        (i, int(np.sort(sizes[i - 20 : i])[17]))
        for i in range(20, 300)
        if sizes[i] > np.sort(sizes[i - 20 : i])[17]
    ]
    assert list(zip(seen.sequence - 2, seen.evidence["limit_lots"])) == expected


def test_orders_that_enter() -> None:
    """Resting orders count when they enter, not when a snapshot shows them."""
    batch = rows((1, K.MBO_NEW, -1, 101, 50, 7, 0, int(Flag.SNAPSHOT)), (2, K.MBO_NEW, -1, 101, 40, 8))
    seen = found(LargeLots(X, of="orders", min_lots=30), [batch])
    assert (seen.evidence["order_id"].tolist(), seen.side.tolist()) == ([8], [-1])


def test_sizes_are_collected_anew_behind_a_break() -> None:
    """Behind a CLEAR the window fills again before anything is large."""
    events = [*prints(1, 2, 3, 4), (5, K.CLEAR), (6, K.TRADE, 1, 100, 99)]
    assert len(found(LargeLots(X, quantile=0.75, window=4), [rows(*events)]).ts) == 0


@pytest.mark.parametrize("of", ["prints", "orders"])
def test_any_chunking_and_no_look_ahead(of) -> None:  # type: ignore[no-untyped-def]
    """A simulated market's large lots are the same in any pieces, and nothing before a cut changes."""
    make = lambda: LargeLots(X, of=of, quantile=0.95, window=100)  # noqa: E731
    assert assert_chunks_and_cuts(make, simulated(20), seed=4) > 0


@pytest.mark.parametrize("bad", [{"of": "all"}, {"min_lots": 0}, {"quantile": 0.0}, {"window": 0}])
def test_bad_parameters_are_refused(bad: dict) -> None:
    """Kinds, lots, quantiles and windows that make no sense are named."""
    with pytest.raises(WorkbenchError):
        LargeLots(X, **bad)


@settings(max_examples=25)
@given(batch=markets())
def test_large_prints_are_those_of_a_plain_loop(batch: EventBatch) -> None:
    """Above the sorted rank of the sizes before, collected anew behind breaks; off-book prints do not count."""
    before: list[int] = []
    plain = []
    for row in rows_of(batch):
        if row.kind in (K.CLEAR, K.GAP):
            before = []
        if row.kind == K.TRADE and row.size > 0 and not row.flags & Flag.OTC:
            limit = sorted(before[-10:])[math.ceil(0.8 * 10) - 1] if len(before) >= 10 else None
            if limit is not None and row.size > limit:
                price = row.price * 1000 + (row.flags >> 6)
                plain.append((row.ts, row.sequence, price, row.side, row.size, limit))
            before.append(row.size)
    seen = found(LargeLots(X, quantile=0.8, window=10), [batch])
    sizes = (seen.evidence[name].tolist() for name in ("size_lots", "limit_lots"))
    assert list(zip(*(c.tolist() for c in seen[:4]), *sizes)) == plain


def test_where_nobody_says_what_is_large_it_is_one_in_a_hundred() -> None:
    """Above 99 of 100 sizes before; a size that somebody gives stands alone."""
    sizes = [*([1] * 995), *([7] * 5), 8, 1, 9]
    assert found(LargeLots(X), [rows(*prints(*sizes))]).evidence["size_lots"].tolist() == [8, 9]
    assert len(found(LargeLots(X, min_lots=8), [rows(*prints(*sizes))]).ts) == 2

"""States of the best levels, and what is measured on them, against the truth of real recordings."""

from __future__ import annotations

import numpy as np
import pytest

from tests.real_data.test_truth_book import samples
from tests.support.truth import Case
from workbench.book.levels import LevelBook
from workbench.flow.ofi import OfiStream
from workbench.flow.touch import touches


@pytest.mark.parametrize("name", ["usdm", "spot", "esh4", "amzn"])
def test_the_best_levels_are_the_truths(name: str, request: pytest.FixtureRequest) -> None:
    """At each sampled time the five best levels of each side, price and size."""
    case: Case = request.getfixturevalue(name)
    moments = touches(case.recording, levels=5)
    for sample in samples(case):
        row = int(np.searchsorted(moments.ts, sample["t"] + case.midnight, side="right")) - 1
        assert moments.known[row]
        for side, prices, sizes in (
            ("bids", moments.bid, moments.bid_size),
            ("asks", moments.ask, moments.ask_size),
        ):
            expected = [(case.price(p), case.size(z)) for p, z in sample[side][:5]]
            units, lots = case.prices_per_tick, case.sizes_per_lot
            shown = [(p * units, z * lots) for p, z in zip(prices[row].tolist(), sizes[row].tolist()) if z]
            assert shown == expected


@pytest.mark.parametrize("name", ["usdm", "esh4"])
def test_every_moment_is_the_books(name: str, request: pytest.FixtureRequest) -> None:
    """Best prices and sizes after the last row of each moment are what the plain report of the book says."""
    case: Case = request.getfixturevalue(name)
    best = LevelBook().apply_with_best(case.events)
    over = np.append(np.diff(case.events.ts) != 0, True)
    moments = touches(case.recording)
    at = np.searchsorted(moments.ts, case.events.ts[over], side="right") - 1
    known = best.valid[over]
    for shown, column in (
        (moments.bid, best.bid),
        (moments.bid_size, best.bid_size),
        (moments.ask_size, best.ask_size),
    ):
        np.testing.assert_array_equal(shown[at[known], 0], column[over][known])


def test_flow_in_pieces_is_the_flow(usdm: Case) -> None:
    """Order flow of three levels over all of a real recording, in pieces of uneven size: the same integers."""
    stream, start, pieces = OfiStream(3), 0, []
    for size in np.random.default_rng(1).integers(1, 40_000, 60):
        pieces.append(stream.update(usdm.events[start : start + int(size)]))
        start += int(size)
    pieces += [stream.update(usdm.events[start:]), stream.close()]
    whole = OfiStream(3)
    expected = [whole.update(usdm.events), whole.close()]
    for cut, column in zip(zip(*pieces), zip(*expected)):
        np.testing.assert_array_equal(np.concatenate(cut), np.concatenate(column))

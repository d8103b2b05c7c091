"""Scorecards: what a detector that knows the truth, or nothing, must get."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.simulator.planting import plants
from workbench.flow.detectors.detections import Detections, nothing
from workbench.flow.detectors.sweeps import Sweeps
from workbench.lab.scoring import grounds, score

SWEEPS = plants("sweep", every="5s")


class LongPrints:
    """Reports every aggressor that prints at ``levels`` prices or more in one batch."""

    def __init__(self, instrument: Instrument, *, levels: int = 4):
        self.instrument, self.levels = instrument, levels

    def update(self, batch: EventBatch) -> Detections:
        """One detection per such aggressor, at its last print."""
        trades = np.flatnonzero(batch.kind == EventKind.TRADE)
        chosen = [
            rows[-1]
            for number in np.unique(batch.aggressor_id[trades])
            if len(np.unique(batch.price[rows := trades[batch.aggressor_id[trades] == number]]))
            >= self.levels
        ]
        at = np.array(sorted(chosen), np.int64)
        return Detections(
            batch.ts[at], at, batch.price[at].astype(np.int64) * 1000, batch.side[at], np.ones(len(at)), {}
        )

    def close(self) -> Detections:
        """Nothing is left."""
        return nothing({})


class Blind(LongPrints):
    """Reports nothing."""

    def update(self, batch: EventBatch) -> Detections:
        """Nothing."""
        return nothing({})


MARKETS = grounds(SWEEPS, seeds=[1, 2], duration="30s")


def test_a_definition_finds_all_that_it_defines() -> None:
    """Sweeps of four levels and more: every planted one is found; with seven levels few are, and none is invented."""
    card = score(LongPrints, MARKETS, {"levels": (4, 7)})
    assert card.frame["parameter"].to_list() == ["", "levels", "levels"]
    assert card.recall == 1.0
    assert card.frame["planted"].to_list() == [card.frame["hits"][0]] * 3
    assert card.frame["recall"][2] < 0.6


def test_who_reports_nothing_has_recall_zero_and_no_precision() -> None:
    """No precision is nan: not one, and not zero."""
    card = score(Blind, MARKETS)
    assert card.recall == 0.0
    assert np.isnan(card.precision)


def test_the_same_markets_and_the_same_plants_give_the_same_card() -> None:
    """Made from plants or from markets that were made before."""
    one = score(LongPrints, SWEEPS, seeds=[1, 2], duration="30s")
    assert one.frame.equals(score(LongPrints, MARKETS).frame)
    assert repr(one).startswith("<Scorecard LongPrints: precision ")


def test_a_function_of_a_market_is_scored_like_its_class() -> None:
    """``wb.sweeps`` and the class behind it get the same card, along a parameter too."""
    grid = {"levels": (3, 5)}
    by_function, by_class = score(wb.sweeps, MARKETS, grid), score(Sweeps, MARKETS, grid)
    assert by_function.frame.equals(by_class.frame)
    assert (by_function.name, by_class.name) == ("sweeps", "Sweeps")


@pytest.mark.parametrize(
    "wrong", [{"detector": "sweeps"}, {"plants": []}, {"plants": SWEEPS, "kind": "mirage"}]
)
def test_nothing_to_find_or_to_find_it_with_is_refused(wrong: dict[str, Any]) -> None:
    """Without plants, of a kind that nobody can plant, or by a name instead of a detector."""
    with pytest.raises(WorkbenchError):
        score(**{"detector": LongPrints, "plants": SWEEPS, **wrong})


def test_the_figure_has_a_panel_per_parameter() -> None:
    """Two lines each, precision and recall over the values tried."""
    figure = score(LongPrints, MARKETS, {"levels": (3, 4, 5)}).figure()
    assert [trace.name for trace in figure.data] == ["precision", "recall"]
    assert list(figure.data[0].x) == ["3", "4", "5"]

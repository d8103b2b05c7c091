"""The footprint view: which bars and cells are sent, what the page may ask for, and its still twins."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.shown import Shown
from tests.support.view_events import START_NS, shown, trades
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.flow.footprint import GAP
from workbench.flow.imbalance import ImbalanceRule
from workbench.views.footprint import Footprint
from workbench.views.footprint_model import (
    BUY_MARK,
    BUY_STACKED,
    FIRST_BARS,
    MOST_BARS,
    POC_MARK,
    SELL_MARK,
    UNFINISHED,
    FootprintModel,
)


def model_of(market: Shown, bar: str = "1s", row_ticks: int | None = 1, **rule: object) -> FootprintModel:
    return FootprintModel(market.capture(), bar, row_ticks, ImbalanceRule(**rule))


def climbing() -> Shown:
    """A bar of one second that climbs from 100 to 103: 1 sold and 9 bought at each tick."""
    market = Shown(Instrument("ES", "0.25"))
    rows = [(10 * i, 100 + i // 2, 1 if i % 2 == 0 else 9, -1 if i % 2 == 0 else 1) for i in range(8)]
    market.apply(trades(0, *rows))
    return market


def test_a_snapshot_holds_bars_cells_and_what_is_claimed_of_them():
    """Bought at 101 (4 + 2), sold at 100 (5): one bar, two cells, POC at 101, no imbalance to be seen."""
    content, (bars, keys, lots) = model_of(shown()).pull([], True, 0)
    assert (content["k"], content["first"], content["row_ticks"]) == ("snap", 0, 1)
    assert bars[0, :6].tolist() == [START_NS / 1e6, START_NS / 1e6 + 900, 101, 101, 100, 100]
    assert keys.tolist() == [[0, 100, 0], [0, 101, POC_MARK]]
    assert lots.tolist() == [[5, 0, 0], [0, 6, 0]]


def test_stacked_imbalances_make_a_zone():
    """9 bought over 1 sold one tick lower, three times: stacked from 101 to 103, still standing."""
    content, (_, keys, _) = model_of(climbing()).pull([], True, 0)
    flags = keys[:, 2] & (BUY_MARK | BUY_STACKED)
    assert flags.tolist() == [0, *[BUY_MARK | BUY_STACKED] * 3]
    assert content["zones"] == [[1, 101, 103, 0, -1]]


def test_a_zone_ends_where_price_trades_beyond_it():
    """A later bar at 100 is below the zone of 101–103: it ends with that bar."""
    market = climbing()
    model = model_of(market)
    model.pull([], True, 0)
    market.apply(trades(market.captured.next_sequence, (2000, 102, 1, 1)))
    assert "zones" not in model.pull([], False, 0)[0]
    market.apply(trades(market.captured.next_sequence, (3000, 100, 1, -1)))
    assert model.pull([], False, 0)[0]["zones"] == [[1, 101, 103, 0, 2]]


def test_only_what_changed_is_sent():
    """A print sends its bar and its cell, and cells whose marks it changed; nothing is sent while nothing trades."""
    market = shown()
    model = model_of(market)
    model.pull([], True, 0)
    assert model.pull([], False, 0) is None
    market.apply(trades(market.captured.next_sequence, (950, 99, 1, -1)))
    content, (bars, keys, lots) = model.pull([], False, 0)
    assert (content["k"], len(bars)) == ("bars", 1)
    assert (keys[:, 1].tolist(), lots.tolist()) == ([99], [[1, 0, 0]])


def test_a_new_bar_comes_with_the_end_of_the_one_before():
    """After 1.2 s the first bar is sent once more, complete, beside the second."""
    market = shown()
    model = model_of(market)
    model.pull([], True, 0)
    market.apply(trades(market.captured.next_sequence, (950, 99, 1, -1), (1200, 99, 2, 1)))
    content, (bars, keys, _) = model.pull([], False, 0)
    assert (content["first"], len(bars)) == (0, 2)
    assert keys[:, :2].tolist() == [[0, 99], [1, 99]]


def test_older_bars_are_given_when_the_page_looks_back():
    """A page gets the newest bars at first, and any others when it asks, at most so many at once."""
    market = Shown(Instrument("ES", "0.25"))
    market.apply(trades(0, *[(1000 * i, 100, 1 + i, 1) for i in range(600)]))
    model = model_of(market)
    content, (bars, *_) = model.pull([], True, 0)
    assert (content["first"], len(bars)) == (600 - FIRST_BARS, FIRST_BARS)
    content, (bars, keys, lots) = model.older(10, 12)
    assert (content["first"], len(bars), keys[:, 0].tolist(), lots[:, 1].tolist()) == (
        10,
        2,
        [10, 11],
        [11, 12],
    )
    content, (bars, *_) = model.older(0, 599)
    assert (content["first"], len(bars)) == (599 - MOST_BARS, MOST_BARS)


def test_the_page_chooses_bars_rows_and_rules():
    """Each choice answers with a snapshot; what means nothing is refused and changes nothing."""
    model = model_of(climbing())
    before = model.pull([], True, 0)[0]["epoch"]
    wish = {"k": "view", "bar": "4 trades", "row_ticks": 2, "ratio": 1.5, "stacked": 2}
    content, (bars, *_) = model.pull([wish], False, 0)
    assert (content["k"], content["row_ticks"], content["bar"], len(bars)) == ("snap", 2, "4 trades", 2)
    assert content["rule"]["ratio"] == 1.5
    assert content["epoch"] > before
    with pytest.raises(WorkbenchError, match="500 trades"):
        model.pull([{"k": "view", "bar": "soon", "ratio": 9}], False, 0)
    with pytest.raises(WorkbenchError, match="row_ticks"):
        model.pull([{"k": "view", "row_ticks": 1e12}], False, 0)
    content, _ = model.pull([], True, 0)
    assert (content["bar"], content["rule"]["ratio"], content["row_ticks"]) == ("4 trades", 1.5, 2)


def test_rows_are_chosen_so_that_numbers_can_be_read():
    """Bars of 400 ticks get rows of about 20."""
    market = Shown(Instrument("ES", "0.25"))
    model = model_of(market, row_ticks=None)
    market.apply(trades(0, *[(20 * i, 20_000 + 8 * (i % 50), 1, 1) for i in range(500)]))
    content, (_, keys, lots) = model.pull([], True, 0)
    assert content["row_ticks"] == 20
    assert lots.sum() == 500
    assert np.bincount(keys[:, 0]).max() <= 24


def test_bars_beside_a_gap_are_marked_and_claim_nothing():
    """Both bars round a gap carry its mark, and no imbalance."""
    market = climbing()
    sequence = market.captured.next_sequence
    gap = EventBatch.of(sequence, ts=START_NS + 500_000_000, kind=EventKind.GAP, size=-1)
    market.apply(gap)
    market.apply(trades(sequence + 1, (1500, 103, 1, 1)))
    _, (bars, keys, _) = model_of(market).pull([], True, 0)
    assert bars[:, GAP].tolist() == [1, 1]
    assert not (keys[:, 2] & (BUY_MARK | SELL_MARK | UNFINISHED)).any()


def test_a_seek_begins_anew():
    """When the capture forgets its trades, so does the footprint, under another epoch."""
    market = climbing()
    model = model_of(market)
    before = model.pull([], True, 0)[0]["epoch"]
    market.captured.clear()
    assert model.pull([], False, 0) is None
    market.apply(trades(0, (5000, 100, 1, 1)))
    content, (bars, *_) = model.pull([], False, 0)
    assert (content["k"], len(bars)) == ("snap", 1)
    assert content["epoch"] > before


def test_still_twins_repeat_themselves():
    """PNG and figure are functions of the trades; every mode has its picture; the figure writes bid × ask."""
    for mode in ("bid_ask", "delta", "volume"):
        view = Footprint(climbing(), bar="1s", mode=mode)
        assert view.picture() == view.picture()
        assert view.figure().to_json() == view.figure().to_json()
        assert repr(view) == "Footprint('ES')"
        view.close()
    assert "1 × 9" in view.figure().data[0].text.ravel().tolist()


def test_an_empty_market_has_an_empty_picture():
    """Before the first trade both twins say so instead of failing."""
    view = Footprint(Shown(Instrument("ES", "0.25")))
    assert view.picture().startswith(b"\x89PNG")
    assert not view.figure().data
    view.close()


@pytest.mark.parametrize("wrong", [{"bar": "soon"}, {"mode": "both"}, {"ratio": 0}, {"row_ticks": 0}])
def test_choices_that_mean_nothing_are_refused(wrong: dict[str, object]):
    """A bar, mode, ratio or height without a meaning raises at once."""
    with pytest.raises(WorkbenchError):
        Footprint(shown(), **wrong)

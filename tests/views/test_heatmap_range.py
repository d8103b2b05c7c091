"""Still pictures of the heatmap show the range that was asked for, under the settings of the page."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.view_events import SECOND_NS, START_NS, opening, shown, trades
from workbench.events import Side
from workbench.views.heatmap import Heatmap
from workbench.views.heatmap_bubbles import clustered, largest
from workbench.views.heatmap_settings import checked
from workbench.views.heatmap_still import ramp, shade, still
from workbench.views.raster import quantise

CELLS = np.array([[0, 5, 1, Side.BUY], [1, 5, 3, Side.SELL], [1, 9, 2, 0], [4, 5, 6, Side.BUY]])


def long_market():
    """A market of a minute whose last trades come long after the opening."""
    market = shown()
    market.apply(opening(market.captured.next_sequence, START_NS + 30 * SECOND_NS))
    market.apply(trades(market.captured.next_sequence, (60_000, 101, 7, 1)))
    return market


def test_a_range_that_was_shown_is_the_still_picture_too():
    """Columns, prices and trades are those of the range, and the book of now is left out."""
    view = Heatmap(long_market())
    view.show(START_NS, START_NS + SECOND_NS, low=24.0, high=26.0)
    seen = still(view._still())
    assert seen.start_ms == START_NS / 1e6
    assert len(seen.codes) * seen.column_ms == pytest.approx(1000, abs=2 * seen.column_ms)
    assert (seen.low_tick, seen.high_tick) == (96, 105)
    assert seen.trades[:, 2].tolist() == [4, 2, 5]
    assert not seen.now.any()
    assert view.picture().startswith(b"\x89PNG")
    assert len(view.figure().data) > 1
    view.close()


def test_without_prices_the_range_is_round_the_market_of_its_time():
    """Both best prices of the time lie in the picture."""
    view = Heatmap(long_market())
    view.show(START_NS, START_NS + SECOND_NS)
    seen = still(view._still())
    assert seen.low_tick < 100 and seen.high_tick > 102
    view.close()


def test_a_range_in_which_nothing_was_recorded_leaves_the_picture_of_now():
    """A day later there is nothing: the newest columns are shown."""
    view = Heatmap(long_market())
    before = view.picture()
    view.show(START_NS + 90_000 * SECOND_NS, START_NS + 90_001 * SECOND_NS)
    assert view.picture() == before
    view.close()


@pytest.mark.parametrize(
    "setting",
    [
        {"contrast": 3.0},
        {"dimming": 0.8},
        {"bubbles": False},
        {"bubble_scale": 3.0},
        {"min_volume": 5.0},
        {"min_trade": 5.0},
        {"bbo": "off"},
        {"colours": "grey"},
        {"cut": (15, 16), "cut_by": "size"},
        {"book": "off"},
        {"book": "cumulative"},
    ],
)
def test_each_setting_changes_the_still_picture(setting):
    """What a hand sets on the page is seen in the saved notebook."""
    market = shown()
    plain, other = Heatmap(market, column_ms=100), Heatmap(market, column_ms=100, **setting)
    assert plain.picture() != other.picture()
    plain.close()
    other.close()


def test_a_bubble_says_which_share_buyers_took():
    """One bubble of both sides in its slot, at the mean by volume; trades of unknown side have no share."""
    found = clustered(CELLS, 2, 4, checked({}))
    np.testing.assert_allclose(found[:, :3], [[0.75, 5, 4], [1, 9, 2], [4, 5, 6]])
    np.testing.assert_allclose(found[:, 3], [0.25, np.nan, 1])


def test_split_bubbles_keep_sides_apart_and_slices_of_volume_keep_all_lots():
    """The same lots in any way of clustering."""
    split = clustered(CELLS, 2, 4, checked({"bubble_style": "split"}))
    assert sorted(split[split[:, 0] < 1.5, 2].tolist()) == [1, 2, 3]
    for style in ({"bubble_style": "split"}, {"cluster": "volume"}, {"bubble_style": "pie"}):
        assert clustered(CELLS, 2, 4, checked(style))[:, 2].sum() == 12
        assert not len(clustered(CELLS[:0], 2, 4, checked(style)))


def test_small_bubbles_are_left_out_and_large_ones_are_below():
    """Largest first, none below the least."""
    assert largest(clustered(CELLS, 1, 1, checked({})), 2, 2)[:, 2].tolist() == [6, 3]
    assert largest(clustered(CELLS, 1, 1, checked({})), 9, 2)[:, 2].tolist() == [6, 3, 2]


def test_contrast_darkens_what_is_ordinary_and_dimming_every_colour():
    """As on the page: the cut-offs keep their colours under contrast, the ground its colour under dimming."""
    codes = quantise(np.array([[1.0, 4.0, 16.0]], np.float32))
    plain, strong = shade(codes, (1, 16)), shade(codes, (1, 16), 3.0)
    assert strong[0, 1] < plain[0, 1]
    assert (strong[0, 0], strong[0, 2]) == (plain[0, 0], plain[0, 2])
    bright, dim = (ramp(checked({"dimming": share}), "dark").astype(int) for share in (0.0, 0.5))
    assert (dim[0] == bright[0]).all()
    assert abs(dim[255] - bright[0]).sum() < abs(bright[255] - bright[0]).sum()

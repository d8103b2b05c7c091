"""The profile view's rows, and its still twins."""

from __future__ import annotations

import pytest

from tests.support.view_events import shown, trades
from workbench.errors import WorkbenchError
from workbench.views.profile import Profile
from workbench.views.profile_model import MOST_ROWS, ProfileModel


def test_rows_are_the_traded_volume_with_its_point_of_control():
    """Tick 101 bought 4 + 2, tick 100 sold 5: POC 101; 70 % of 11 is 7.7, so both rows are the value area."""
    market = shown()
    content, (lots,) = ProfileModel(market.capture(), 1, 0.7, "one_row").pull([], True, 0)
    assert (content["low_row"], content["count"]) == (100, 2)
    assert lots.tolist() == [[0, 6], [5, 0], [0, 0]]
    assert (content["poc_row"], content["val_row"], content["vah_row"]) == (101, 100, 101)


def test_nothing_is_sent_while_nothing_trades():
    """The same trades are sent once, and again only to a page that asks for everything."""
    market = shown()
    model = ProfileModel(market.capture(), None, 0.7, "two_row")
    assert model.pull([], False, 0) is not None
    assert model.pull([], False, 0) is None
    assert model.pull([], True, 0) is not None


def test_rows_grow_with_the_range():
    """A market that has moved far is shown in wider rows, summing to the same volume."""
    market = shown()
    model = ProfileModel(market.capture(), None, 0.7, "two_row")
    model.pull([], False, 0)
    market.apply(trades(market.captured.next_sequence, *[(1000 + i, 100 + 20 * i, 1, 1) for i in range(200)]))
    content, (lots,) = model.pull([], False, 0)
    assert content["row_ticks"] == 25
    assert content["count"] <= 2 * MOST_ROWS
    assert lots.sum() == 4 + 2 + 5 + 200


def test_a_seek_starts_the_profile_again():
    """When the capture forgets its trades, so does the profile."""
    market = shown()
    model = ProfileModel(market.capture(), 1, 0.7, "two_row")
    model.pull([], True, 0)
    market.captured.clear()
    assert model.pull([], True, 0) is None


def test_still_twins_name_the_levels():
    """The figure carries POC, VAH and VAL as annotated lines; the PNG repeats itself."""
    view = Profile(shown())
    names = [note.text.split()[0] for note in view.figure().layout.annotations]
    assert names == ["VAH", "POC", "VAL"]
    assert view.picture() == view.picture()
    assert repr(view) == "Profile('ES')"
    view.close()


def test_a_share_out_of_range_is_refused():
    """A value area is a share of the volume."""
    with pytest.raises(WorkbenchError, match="share in"):
        Profile(shown(), value_area=70)

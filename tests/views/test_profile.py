"""The profile view: what is summed, what is sent, and its still twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.shown import Shown
from tests.support.trades import Trades
from tests.support.view_events import SECOND_NS, START_NS, shown, trades
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.flow.profile import volume_profile
from workbench.views.profile import Profile
from workbench.views.profile_model import MOST_POINTS, MOST_ROWS, ProfileModel, ProfileRule
from workbench.views.profile_window import ProfileWindow


def model_of(market: Shown, **rule: object) -> ProfileModel:
    return ProfileModel([market.capture()], ProfileRule(**{"row_ticks": 1, **rule}))


def test_rows_are_the_traded_volume_with_its_point_of_control():
    """Tick 101 bought 4 + 2, tick 100 sold 5: POC 101; 70 % of 11 is 7.7, so both rows are the value area."""
    content, (lots, _) = model_of(shown(), method="one_row").pull([], True, 0)
    assert (content["low_row"], content["count"]) == (100, 2)
    assert lots.tolist() == [[0, 6], [5, 0], [0, 0]]
    assert (content["poc_row"], content["val_row"], content["vah_row"]) == (101, 100, 101)


def test_nothing_is_sent_while_nothing_trades():
    """The same trades are sent once, and again only to a page that asks for everything."""
    model = model_of(shown(), row_ticks=None)
    assert model.pull([], False, 0) is not None
    assert model.pull([], False, 0) is None
    assert model.pull([], True, 0) is not None


def test_only_rows_that_changed_are_sent():
    """A print at tick 100 sends that row, and the newest developing point, alone."""
    market = shown()
    model = model_of(market)
    model.pull([], True, 0)
    market.apply(trades(market.captured.next_sequence, (950, 100, 7, 1)))
    content, (lots, points, rows) = model.pull([], False, 0)
    assert content["k"] == "some"
    assert rows.tolist() == [0]
    assert lots.tolist() == [[7], [5], [0]]
    assert (content["dev_from"], points[:, 1].tolist()) == (0, [100])


def test_rows_grow_with_the_range():
    """A market that has moved far is shown in wider rows, summing to the same volume."""
    market = shown()
    model = model_of(market, row_ticks=None)
    model.pull([], False, 0)
    market.apply(trades(market.captured.next_sequence, *[(1000 + i, 100 + 20 * i, 1, 1) for i in range(200)]))
    content, (lots, *_) = model.pull([], False, 0)
    assert content["row_ticks"] == 25
    assert content["count"] <= 2 * MOST_ROWS
    assert lots.sum() == 4 + 2 + 5 + 200


def test_a_seek_starts_the_profile_again():
    """When the capture forgets its trades, so does the profile."""
    market = shown()
    model = model_of(market)
    model.pull([], True, 0)
    market.captured.clear()
    assert model.pull([], True, 0) is None


@given(
    moves=st.lists(st.tuples(st.integers(-1, 12), st.integers(0, 12)), min_size=1, max_size=8),
    sides=st.lists(st.sampled_from([1, -1, 0]), min_size=12, max_size=12),
)
def test_a_window_that_moves_holds_exactly_its_trades(moves: list[tuple[int, int]], sides: list[int]):
    """However a span was moved before, its profile is that of the trades within it: adding and taking out are exact."""
    market = Shown(Instrument("ES", "0.25"))
    rows = [(100 * i, 100 + i % 4, 1 + i, side) for i, side in enumerate(sides)]
    market.apply(trades(0, *rows))
    window = ProfileWindow(market.capture(), 1)
    for first, length in moves:
        window.move(START_NS + first * 100_000_000, START_NS + (first + length) * 100_000_000)
        inside = [row for row in rows if first * 100 <= row[0] < (first + length) * 100]
        batch = trades(0, *inside) if inside else EventBatch.empty()
        expected = volume_profile(Trades(batch, market.captured.instrument))
        profile = window.builder.profile()
        assert profile == expected
        assert profile.frame.equals(expected.frame)


def test_a_fixed_span_sums_its_trades_alone():
    """From 0.5 s to 0.8 s only the print of 2 lots at 0.6 s counts."""
    rule = {"kind": "fixed", "start_ns": START_NS + SECOND_NS // 2, "end_ns": START_NS + 8 * SECOND_NS // 10}
    content, (lots, points) = model_of(shown(), **rule).pull([], True, 0)
    assert (content["poc_row"], lots.tolist(), len(points)) == (101, [[2], [0], [0]], 0)


def test_the_visible_range_follows_what_the_page_shows():
    """A standing range sums its trades; one that follows reaches to the newest; an empty one is told as such."""
    market = shown()
    model = model_of(market, kind="visible")
    model.pull([], True, 0)
    start_ms = START_NS / 1e6

    def seen(left: float, right: float, follow: bool = False) -> list[dict[str, object]]:
        span = {"left_ms": start_ms + left, "right_ms": start_ms + right, "follow": follow}
        return [{"k": "view", "seen": span}]

    content, (lots, _) = model.pull(seen(0, 400), False, market.clock.now_ns)
    assert (content["kind"], lots.sum()) == ("visible", 4)
    content, arrays = model.pull(seen(0, 400, follow=True), False, market.clock.now_ns)
    assert arrays[0].sum() == 7  # the last 0.4 s
    content, arrays = model.pull(seen(-500, -400), False, market.clock.now_ns)
    assert (content["count"], content["poc_row"]) == (0, None)


def test_several_sessions_make_a_composite():
    """Volumes of both are added: 12 bought at 101, 10 sold at 100."""
    view = Profile([shown(), shown()])
    content, (lots, _) = view._still()
    assert (content["kind"], lots.tolist()) == ("composite", [[0, 12], [10, 0], [0, 0]])
    view.close()


def test_sessions_with_other_grids_are_no_composite():
    """A tick of 0.25 and one of 0.5 have no common rows."""
    with pytest.raises(WorkbenchError, match="one tick size"):
        Profile([shown(), shown(tick="0.5")])


def test_controls_change_what_is_summed():
    """Method, share, height and periods are those that the page asks for; what means nothing is refused."""
    model = model_of(shown())
    wish = {"k": "view", "method": "one_row", "value_area": 0.4, "row_ticks": 2, "period": ""}
    content, (lots, _) = model.pull([wish], False, 0)
    assert (content["method"], content["value_area"], content["row_ticks"]) == ("one_row", 0.4, 2)
    assert lots.tolist() == [[6], [5], [0]]
    with pytest.raises(WorkbenchError, match="two_row"):
        model.pull([{"k": "view", "method": "three_row"}], False, 0)


@pytest.mark.parametrize(
    "said", ["x", 7, {}, {"left_ms": "0", "right_ms": 1}, {"left_ms": 1e300, "right_ms": 2e300}]
)
def test_a_range_that_is_none_shows_everything(said: object):
    """Whatever a page calls the range it shows, the view goes on."""
    model = model_of(shown(), kind="visible")
    model.pull([{"k": "view", "seen": said}], True, 0)
    assert model.pull([], True, 0)[1][0].sum() == 11


@pytest.mark.parametrize("wrong", [{"start_ns": "<b>"}, {"end_ns": 1e300}, {"row_ticks": 1e12}])
def test_words_that_mean_nothing_change_nothing(wrong: dict[str, object]):
    """They are refused once, and the next message is as before."""
    model = model_of(shown())
    with pytest.raises(WorkbenchError):
        model.pull([{"k": "view", "kind": "fixed", **wrong}], False, 0)
    content, (lots, _) = model.pull([], True, 0)
    assert (content["kind"], lots.sum()) == ("session", 11)


def test_numbers_are_those_of_the_function():
    """Rows, POC and area that are sent equal volume_profile of the same trades."""
    market = shown()
    content, (lots, _) = model_of(market, value_area=0.5).pull([], True, 0)
    batch = EventBatch.trusted(market.captured.trades.view(), 0)
    profile = volume_profile(Trades(batch, market.captured.instrument), 0.5)
    tick = float(market.captured.instrument.tick_size)
    edges = [content[name] * tick for name in ("poc_row", "val_row", "vah_row")]
    assert edges == [profile.poc, profile.val, profile.vah]
    assert np.array_equal(lots.sum(axis=0), profile.frame["volume"].to_numpy())


def test_still_twins_name_the_levels():
    """The figure carries POC, VAH and VAL as annotated lines; the PNG repeats itself."""
    for split in ("aggressor", "delta", "total"):
        view = Profile(shown(), split=split)
        names = [note.text.split()[0] for note in view.figure().layout.annotations]
        assert names == ["VAH", "POC", "VAL"]
        assert view.picture() == view.picture()
        assert repr(view) == "Profile('ES')"
        view.close()


@pytest.mark.parametrize(
    "wrong", [{"value_area": 70}, {"kind": "day"}, {"split": "both"}, {"row_ticks": 0}, {"period": "soon"}]
)
def test_choices_that_mean_nothing_are_refused(wrong: dict[str, object]):
    """A share above 1, an unknown kind or split, a height of 0, a period that is no time raise at once."""
    with pytest.raises(WorkbenchError):
        Profile(shown(), **wrong)


def test_developing_lines_stay_within_so_many_points():
    """After an hour with a print a second the steps are longer, and each is still the profile of its moment."""
    market = Shown(Instrument("ES", "0.25"))
    market.apply(trades(0, (0, 100, 1, 1)))
    model = model_of(market)
    model.pull([], True, 0)
    rows = [(1000 * i, 100 + i % 7, 1 + i % 3, 1) for i in range(1, 3600)]
    market.apply(trades(market.captured.next_sequence, *rows))
    content, (_, points, *_) = model.pull([], False, 0)
    assert len(points) <= MOST_POINTS
    whole = volume_profile(Trades(EventBatch.trusted(market.captured.trades.view(), 0), Instrument("ES", 1)))
    assert points[-1, 1:].tolist() == [whole.poc, whole.val, whole.vah]
    assert content["k"] == "rows"

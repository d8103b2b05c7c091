"""Messages of the line panels: what a page holds after any of them is what the batch faces say."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.divergences import divergences
from tests.support.panel_page import PanelPage, columns_of
from tests.support.shown import Shown
from tests.support.trades import prints
from tests.support.view_events import SECOND_NS, START_NS, opening
from workbench.events import EventBatch, EventKind, Instrument
from workbench.flow.cvd import cvd
from workbench.flow.depth_series import depth_series
from workbench.flow.vwap import vwap
from workbench.views import cvd_model, panel_model
from workbench.views.cvd import Cvd
from workbench.views.depth_over_time import DepthOverTime
from workbench.views.vwap import Vwap

MS = 1_000_000
SIZES = [(0, None), (0, 3), (3, None)]


class Market(Shown):
    """A market whose trades and batches the formulas read too."""

    @property
    def instrument(self) -> Instrument:
        return self.captured.instrument

    @property
    def trades(self) -> pl.DataFrame:
        return self.captured.trades_frame()

    @property
    def gaps(self) -> pl.DataFrame:
        return self.captured.gaps


def market() -> Market:
    found = Market(Instrument("ES", "0.25"))
    found.apply(opening())
    return found


def trading(found: Market, seed: int, count: int, start_ns: int) -> int:
    """Apply a run of random trades; returns the time after it."""
    rng = np.random.default_rng(seed)
    ts = start_ns + rng.integers(0, 400 * MS, count).cumsum()
    price, size = 100 + rng.integers(-3, 4, count).cumsum(), rng.integers(1, 8, count)
    batch = prints(price.tolist(), size.tolist(), rng.choice([1, -1], count).tolist(), ts=ts)
    found.apply(EventBatch.trusted(batch.columns, found.captured.next_sequence or 0))
    return int(ts[-1]) + 1


def by_column(frame: pl.DataFrame, name: str, column_ms: float, rule: str) -> dict[float, float]:
    """Numbers of a frame by column, as a rule (``first``, ``min``, ``max``, ``last``) has them."""
    column = (pl.col("ts").to_physical() // round(column_ms * MS)) * column_ms
    grouped = frame.group_by(column.alias("c"), maintain_order=True).agg(getattr(pl.col(name), rule)())
    return dict(grouped.sort("c").rows())


ACTIONS = st.lists(st.sampled_from(["trade", "many", "pull", "zoom in", "zoom out", "reload"]), max_size=12)


def played(view, found: Market, actions: list[str]) -> PanelPage:
    """A page after trades, pulls and zooms in any order."""
    page, model, now = PanelPage(), view._make_model(), START_NS
    zooms = {"zoom in": 100, "zoom out": 2000}
    for i, action in enumerate([*actions, "trade", "pull"]):
        if action in ("trade", "many"):
            now = trading(found, i, 3 if action == "trade" else 60, now)
        else:
            wants = [{"k": "view", "column_ms": zooms[action]}] if action in zooms else []
            page.take(model.pull(wants, action == "reload", found.clock.now_ns))
    assert model.pull([], False, found.clock.now_ns) is None, "nothing new, nothing sent"
    return page


@settings(max_examples=25)
@given(actions=ACTIONS)
def test_the_deltas_on_the_page_are_those_of_the_batch_face(actions):
    """First, least, most and last of every column and filter, exactly, also after resets at any moment."""
    found = market()
    resets = [START_NS + 3 * SECOND_NS + 70 * MS, START_NS + 5 * SECOND_NS]
    view = Cvd(found, sizes=SIZES, reset=resets, divergence=0)
    page = played(view, found, actions)
    for name, sizes in zip(("all", "< 3", "≥ 3"), SIZES):
        frame = cvd(found, sizes=sizes, resets=resets)
        for field, rule in (("first", "first"), ("least", "min"), ("most", "max"), ("last", "last")):
            assert page.field(name, field) == by_column(frame, "cvd", page.content["column_ms"], rule)
    view.close()


@settings(max_examples=25)
@given(actions=ACTIONS)
def test_averages_on_the_page_are_those_of_the_batch_face(actions):
    """VWAP and σ of the whole, and of an anchor in the middle of a column."""
    found = market()
    anchor = START_NS + 4 * SECOND_NS + 30 * MS
    view = Vwap(found, anchor=[None, anchor])
    page = played(view, found, actions)
    names = [series["name"] for series in page.content["series"]]
    for name, at in ((names[0], None), (names[1], anchor)):
        frame = vwap(found, anchor=at)
        for field, column in (("value", "vwap"), ("sigma", "sigma")):
            known = {ms: v for ms, v in page.field(name, field).items() if v == v}
            assert known == by_column(frame, column, page.content["column_ms"], "last")
    view.close()


def test_depth_on_the_page_is_that_of_the_batch_face():
    """Means and extremes of each column, with nothing where the book was not known."""
    found = market()
    rng = np.random.default_rng(3)
    count = 400
    ts = START_NS + rng.integers(0, 40 * MS, count).cumsum()
    kind = np.where(np.arange(count) == 200, EventKind.GAP, EventKind.DEPTH)
    side = rng.choice([1, -1], count)
    price, size = np.where(side > 0, 100, 101) - side * rng.integers(0, 5, count), rng.integers(0, 9, count)
    size[200] = -1
    view, page = DepthOverTime(found, levels=[1, 5]), PanelPage()
    model = view._make_model()
    for rows in np.array_split(np.arange(count), 7):
        found.apply(
            EventBatch.of(
                found.captured.next_sequence, ts=ts[rows], kind=kind[rows], side=side[rows],
                price=price[rows], size=size[rows],
            )
        )  # fmt: skip
        page.take(model.pull([{"k": "view", "column_ms": 500}], False, found.clock.now_ns))
    frame = depth_series(found, [1, 5], "500ms")
    pairs = {
        ("spread", "most"): "spread_max",
        ("bid 5", "mean"): "bid_5_mean",
        ("ask 1", "last"): "ask_1_last",
    }
    for (name, field), column in pairs.items():
        values = frame[column].fill_null(float("nan")).to_list()
        np.testing.assert_allclose(list(page.field(name, field).values()), values, rtol=1e-12)
    assert any(v != v for v in page.field("spread", "mean").values())
    view.close()


def test_a_look_shows_any_range_at_any_resolution():
    """Columns of the range asked for, from the first trade at the earliest, equal to the batch face."""
    found = market()
    trading(found, 1, 300, START_NS)
    view = Cvd(found, reset="none")
    view._model.settle()
    look = {"k": "look", "id": 4, "left_ms": 0, "right_ms": START_NS / MS + 20_000, "column_ms": 700}
    ((content, arrays),) = view._answers(look)
    assert (content["k"], content["id"], content["column_ms"]) == ("tile", 4, 700)
    at = view._model.series.describe()["series"][1]["at"]["last"]
    shown = {ms: float(row[at]) for ms, row in columns_of(content, *arrays).items()}
    expected = by_column(cvd(found), "cvd", 700, "last")
    assert shown == {ms: v for ms, v in expected.items() if ms <= look["right_ms"]}
    assert len(shown) > 10
    view.close()


@pytest.mark.parametrize(
    "look", [{}, {"left_ms": "x", "right_ms": 1, "column_ms": 1}, {"left_ms": float("inf")}]
)
def test_nonsense_looks_are_left_unanswered(look):
    """A page may ask anything."""
    found = market()
    trading(found, 1, 30, START_NS)
    view = Cvd(found)
    view._model.settle()
    assert list(view._answers({"k": "look", **look})) == []
    view.close()


def test_divergence_is_marked_when_its_bar_is_closed():
    """The marks on the page, told piece by piece, are those of the batch face."""
    found = market()
    view, page = Cvd(found, reset="none", divergence=3, bar="1s"), PanelPage()
    model, now = view._make_model(), START_NS
    for seed in range(20):
        now = trading(found, seed, 15, now)
        page.take(model.pull([], False, found.clock.now_ns))
    frame = divergences(found, 3, "1s")
    assert len(frame) > 3
    assert [mark["until_ms"] for mark in page.marks] == [
        ns / 1e6 for ns in frame["known"].to_physical().to_list()
    ]
    assert [mark["kind"] == "bearish" for mark in page.marks] == [s < 0 for s in frame["side"].to_list()]
    assert [mark["value"] for mark in page.marks] == frame["cvd"].to_list()
    view.close()


def test_a_seek_starts_the_panel_again():
    """When the capture forgets everything, the page gets a new picture of what comes then."""
    found = market()
    view, page = Cvd(found), PanelPage()
    model = view._make_model()
    trading(found, 1, 30, START_NS)
    page.take(model.pull([], False, found.clock.now_ns))
    found.captured.clear()
    assert model.pull([], False, found.clock.now_ns) is None
    found.captured.apply(prints([100], [4], ts=[START_NS - 10**12]))
    page.take(model.pull([], False, found.clock.now_ns))
    assert list(page.field("all", "last").values()) == [4]
    view.close()


def test_lost_events_are_told_with_their_end():
    """From the gap to the end of the next snapshot; open while there is none."""
    found = market()
    view, page = Cvd(found), PanelPage()
    model, now = view._make_model(), trading(found, 1, 30, START_NS)
    page.take(model.pull([], False, found.clock.now_ns))
    assert page.gaps == []
    found.apply(EventBatch.of(found.captured.next_sequence, ts=[now], kind=[EventKind.GAP], size=-1))
    page.take(model.pull([], False, found.clock.now_ns))
    assert page.gaps == [[now / 1e6, None]]
    found.apply(opening(found.captured.next_sequence, now + SECOND_NS))
    page.take(model.pull([], False, found.clock.now_ns))
    assert page.gaps == [[now / 1e6, (now + SECOND_NS) / 1e6]]
    view.close()


def test_a_source_without_a_book_has_gaps_of_no_length():
    """Nothing would tell when it is whole again."""
    found = Market(Instrument("ES", "0.25"))
    now = trading(found, 1, 30, START_NS)
    found.apply(EventBatch.of(found.captured.next_sequence, ts=[now], kind=[EventKind.GAP], size=5))
    view, page = Cvd(found), PanelPage()
    page.take(view._make_model().pull([], False, found.clock.now_ns))
    assert page.gaps == [[now / 1e6, now / 1e6]]
    view.close()


def test_a_long_past_is_taken_in_by_pieces_and_told_now_and_then(monkeypatch: pytest.MonkeyPatch):
    """The first piece at once, then every tenth, and what the last one completes: the page holds all of it."""
    monkeypatch.setattr(panel_model, "AT_ONCE_NS", 0)
    monkeypatch.setattr(cvd_model, "ROWS_AT_ONCE", 10)
    found = market()
    trading(found, 1, 250, START_NS)
    view, page = Cvd(found, sizes=SIZES), PanelPage()
    model = view._make_model()
    messages = [model.pull([], number == 0, found.clock.now_ns) for number in range(25)]
    told = [number for number, message in enumerate(messages) if message is not None]
    assert told == [0, 10, 20, 24]
    for number in told:
        page.take(messages[number])
    assert model.pull([], False, found.clock.now_ns) is None
    assert page.field("all", "last") == by_column(cvd(found), "cvd", page.content["column_ms"], "last")
    view.close()


@pytest.mark.parametrize("pulls", [1, 4])
def test_nothing_is_claimed_across_lost_events(pulls: int):
    """A gap ends what bars are compared with, told at once or piece by piece, as in the batch face."""
    found = market()
    view, page = Cvd(found, reset="none", divergence=3, bar="1s"), PanelPage()
    model, now, gaps = view._make_model(), START_NS, []
    for seed in range(24):
        now = trading(found, seed, 12, now)
        if seed % 6 == 5:
            gaps.append(now)
            lost = {"ts": [now], "kind": [EventKind.GAP], "size": 5}
            found.apply(EventBatch.of(found.captured.next_sequence, **lost))
        if seed % pulls == pulls - 1:
            page.take(model.pull([], False, found.clock.now_ns))
    bars = [round(mark["ms"] * MS) // SECOND_NS for mark in page.marks]
    assert bars == [ns // SECOND_NS for ns in divergences(found, 3, "1s")["ts"].to_physical().to_list()]
    assert len(bars) > 3
    assert all(not bar - 3 <= gap // SECOND_NS <= bar for bar in bars for gap in gaps)
    view.close()

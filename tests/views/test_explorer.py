"""The explorer: what is chosen is studied, marked, counted and kept; what cannot be is refused with its reason."""

from __future__ import annotations

import json
import threading

import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.shown import Shown
from tests.support.view_events import HOSTILE, shown
from workbench.errors import WorkbenchError
from workbench.views.explorer_desk import MOST_SIGHTS
from workbench.views.explorer_panel import MARKS


@pytest.fixture(scope="module")
def market():
    """A minute of the simulator, inline."""
    session = wb.simulate(seed=7, inline=True)
    session.advance("60s")
    yield session
    session.close()


@pytest.fixture
def fresh():
    """Half a minute of another seed, with no trials yet."""
    session = wb.simulate(seed=8, inline=True)
    session.advance("30s")
    yield session
    session.close()


def act(explorer: wb.Explorer, **content: object) -> dict:
    """What the page hears of an act."""
    return explorer.panel._guarded_act({"k": "act", **content})


def told(explorer: wb.Explorer) -> dict:
    """Everything the page shows, once the newest choice was studied."""
    explorer.panel.finished()
    message = explorer.panel._make_model().pull([], True, 0)
    assert message is not None
    json.dumps(message[0], allow_nan=False)
    return message[0]


def test_the_study_is_the_one_that_wb_study_makes(market):
    """Same signal, same terms: the same scorecard and path, to the bit."""
    explorer = wb.Explorer(market, wb.signals.BookImbalance(levels=3), heatmap=False)
    other = wb.study(wb.signals.BookImbalance(levels=3), market)
    assert explorer.study.frame.equals(other.frame)
    assert explorer.study.path.equals(other.path)
    words = told(explorer)["study"]
    assert words["events"] == other.events
    assert [row["horizon"] for row in words["card"]] == other.frame["horizon"].to_list()
    explorer.close()


def test_the_code_makes_the_study_again(market):
    """The text of the next cell runs as it is and gives the same result."""
    explorer = wb.Explorer(market, "OfiMomentum", heatmap=False, costs=0.5, latency="5ms")
    explorer.choose(enter=1.5)
    assert explorer.code == (
        "signal = wb.signals.OfiMomentum(enter=1.5)\nwb.study(signal, s, costs=0.5, latency='5ms')"
    )
    made = eval(explorer.code.splitlines()[1], {"wb": wb, "s": market, "signal": explorer.signal})
    assert made.frame.equals(explorer.study.frame)
    explorer.close()


def test_settled_choices_count_and_passing_ones_do_not(fresh):
    """A slider in motion is judged as if it were counted; the register grows when it is let go, once for each setting."""
    explorer = wb.Explorer(fresh, heatmap=False)
    assert explorer.study.worth.trials == 1
    register = explorer.panel.workplace.trials
    for enter in (0.5, 0.55, 0.7):
        list(explorer.panel._answers({"values": {"enter": enter}}))
        assert (explorer.study.worth.trials, len(register)) == (2, 1)
    assert act(explorer, do="choose", values={"enter": 0.7}) == {}
    assert (explorer.study.worth.trials, len(register)) == (2, 2)
    assert act(explorer, do="choose", values={"enter": 0.6}) == {}
    assert (explorer.study.worth.trials, len(register)) == (2, 2)
    explorer.close()


def test_marks_are_on_every_heatmap_beside_it(fresh):
    """As many marks as events, on its own heatmap and on another one of the session; they go when it is closed."""
    beside = wb.Heatmap(fresh)
    elsewhere = wb.Heatmap(fresh, group="other")
    explorer = wb.Explorer(fresh)
    events = len(explorer.marks)
    assert events == explorer.study.events > 0
    assert explorer.heatmap is not None
    assert explorer.heatmap.marks == beside.marks == {MARKS: events}
    assert elsewhere.marks == {}
    late = wb.Heatmap(fresh)
    told(explorer)
    assert late.marks == {MARKS: events}, "one that came later"
    late.close()
    explorer.close()
    assert beside.marks == {}
    beside.close()
    elsewhere.close()


def test_every_settled_choice_counts_however_fast_they_follow(fresh):
    """Three choices in one cell are three trials beside the first one, whatever the thread of the studies did meanwhile."""
    explorer = wb.Explorer(fresh, heatmap=False)
    for enter in (0.3, 0.4, 0.5):
        explorer.choose(enter=enter)
    assert explorer.study.worth.trials == 4
    explorer.close()


@pytest.mark.parametrize(
    "said",
    [
        {"do": "choose", "values": {"enter": 3}},
        {"do": "choose", "values": {"nothing": 3}},
        {"do": "choose", "signal": "os.system"},
        {"do": "choose", "signal": HOSTILE},
        {"do": "choose", "signal": ["BookImbalance"]},
        {"do": "choose", "costs": "free"},
        {"do": "choose", "costs": [1]},
        {"do": "choose", "latency": "soon"},
        {"do": "choose", "latency": 5},
        {"do": "load", "name": "nobody"},
        {"do": "save", "name": ""},
        {"do": "save", "name": 5},
        {"do": "explode"},
        {},
    ],
)
def test_what_a_page_cannot_have_is_refused_and_changes_nothing(market, said):
    """The page hears the reason, and the choice stays as it was."""
    explorer = wb.Explorer(market, heatmap=False)
    before = explorer.panel.choice
    assert "error" in act(explorer, **said)
    assert explorer.panel.choice is before
    explorer.close()


def test_a_slider_out_of_bounds_is_refused_at_once(market):
    """The reason goes to the page that turned it, by its token."""
    explorer = wb.Explorer(market, heatmap=False)
    [(content, _)] = explorer.panel._answers({"values": {"enter": 3}, "token": "p:1"})
    assert (content["k"], content["token"]) == ("refused", "p:1")
    assert "expected" in content["error"]
    explorer.close()


@pytest.mark.parametrize(
    "arguments",
    [
        {"signal": "Nothing"},
        {"signal": 3},
        {"horizons": ("1s", "100ms")},
        {"costs": "free"},
        {"latency": "soon"},
        {"height": 3},
        {"theme": "pink"},
        {"window": ("2h", "3h")},
        {"window": "soon"},
        {"window": ("1s", "2s", "3s")},
    ],
)
def test_settings_that_mean_nothing_are_refused_where_they_stand(market, arguments):
    """The cell that wrote them says what is expected."""
    with pytest.raises(WorkbenchError):
        wb.Explorer(market, **arguments)


class Broken(wb.signals.BookImbalance):
    """A signal of somebody's own, with a fault."""

    def rule(self):
        raise ZeroDivisionError(HOSTILE)


def test_a_signal_that_fails_is_told_and_the_next_one_is_studied(market):
    """What a user's code raises reaches the page and the reader of the study; nothing else stops."""
    explorer = wb.Explorer(market, Broken(), heatmap=False)
    with pytest.raises(WorkbenchError, match="ZeroDivisionError"):
        _ = explorer.study
    assert HOSTILE in told(explorer)["refused"]
    explorer.choose("BookImbalance")
    assert explorer.study.events > 0
    assert "Broken" in told(explorer)["signals"], "it can be chosen again"
    explorer.close()


def test_presets_bring_back_signal_and_parameters(market):
    """Saved by the page under any name, loaded from the cell."""
    explorer = wb.Explorer(market, wb.signals.Cooldown(wb.signals.BookImbalance(levels=2)), heatmap=False)
    chosen = explorer.signal
    assert act(explorer, do="save", name=HOSTILE) == {}
    assert HOSTILE in explorer.presets
    explorer.choose("OfiMomentum")
    explorer.load(HOSTILE)
    assert explorer.signal == chosen
    explorer.close()


def test_newer_events_are_taken_in_when_asked_for(fresh):
    """The study stays as it is while the session goes on; to renew it reads what came since."""
    explorer = wb.Explorer(fresh, heatmap=False)
    before = explorer.study.events
    fresh.advance("20s")
    assert told(explorer)["newer"] > 0
    assert explorer.study.events == before
    assert act(explorer, do="renew") == {}
    assert explorer.study.events > before
    assert told(explorer)["newer"] == 0
    explorer.close()


def test_few_sights_are_kept_and_fewer_levels_cost_no_reading(market):
    """What was read with more levels serves fewer; what was used longest ago is forgotten: memory stays bounded."""
    explorer = wb.Explorer(market, heatmap=False)
    read = []
    for levels in (1, 2, 3, 5, 4, 6):
        explorer.choose(levels=levels)
        read.append(told(explorer)["read"])
    assert read == [False, True, False, False, False, True], "1 was read at the start, 5 for 2, 10 for 6"
    assert len(explorer.panel.workplace.desk._sights) == MOST_SIGHTS
    explorer.close()


def test_a_window_is_studied_as_wb_study_does_and_its_code_says_so(market):
    """The last half minute: the same scorecard, fewer events than in the whole, marks within it only."""
    explorer = wb.Explorer(market, window="30s", heatmap=False)
    alone = wb.study(wb.signals.BookImbalance(), market, window="30s")
    assert explorer.study.frame.equals(alone.frame)
    assert explorer.code.endswith("wb.study(signal, s, window='30s')")
    whole = wb.Explorer(market, heatmap=False)
    assert 0 < explorer.study.events < whole.study.events
    assert told(explorer)["count"] < told(whole)["count"]
    explorer.close()
    whole.close()


def test_a_window_with_an_end_knows_no_newer_events(fresh):
    """What comes later never belongs to it; the heatmap begins with it."""
    explorer = wb.Explorer(fresh, window=("5s", "15s"))
    fresh.advance("5s")
    assert told(explorer)["newer"] == 0
    assert explorer.heatmap is not None
    shown_ms = explorer.heatmap._shown
    assert 9_000 < shown_ms["right_ms"] - shown_ms["left_ms"] <= 10_000
    explorer.close()


def test_nothing_is_sent_while_nothing_changes(market):
    """The page hears of a choice once, and everything again when it asks."""
    explorer = wb.Explorer(market, heatmap=False)
    explorer.panel.finished()
    model = explorer.panel._make_model()
    assert model.pull([], True, 0) is not None
    assert model.pull([], False, 0) is None
    assert model.pull([], True, 0) is not None
    explorer.close()


def test_a_study_that_is_soon_there_is_not_announced(market):
    """Its outcome alone is told; one that takes longer says that it is being made."""
    explorer = wb.Explorer(market, heatmap=False)
    panel = explorer.panel
    panel.finished()
    model, gate = panel._make_model(), threading.Event()
    model.pull([], True, 0)
    slow = wb.signals.from_frame(lambda levels: levels["mid"] * gate.wait(60), enter=1.0)
    explorer.choose(slow)
    assert model.pull([], False, 0) is None
    panel._chosen_at -= 1.0
    content, _ = model.pull([], False, 0)
    assert content["busy"]
    gate.set()
    panel.finished()
    assert eventually(lambda: panel.told is not None and panel.told[0] == panel.version)
    assert model.pull([], False, 0) is None
    content, _ = model.pull([], True, 0)
    assert not content["busy"] and content["signal"] == "from_frame(<lambda>)"
    explorer.close()


@pytest.mark.parametrize("symbol", [HOSTILE, "\u202eSEE", "x" * 3000, "%{y}<extra></extra>"])
def test_hostile_names_are_only_text(symbol):
    """Picture and figure of a market with such a name are made; the figure holds no markup."""
    market = shown(symbol)
    explorer = wb.Explorer(market)
    assert repr(explorer) == f"Explorer({symbol!r})"
    assert explorer.picture().startswith(b"\x89PNG")
    layout = json.dumps(explorer.figure().to_plotly_json()["layout"], default=str)
    assert "<img" not in layout
    explorer.close()


def test_a_market_without_events_has_an_empty_study():
    """No event, no path: words, picture and figure say so instead of failing."""
    market: Shown = shown()
    explorer = wb.Explorer(market, heatmap=False)
    assert explorer.study.events == 0
    assert told(explorer)["study"]["events"] == 0
    assert explorer.picture().startswith(b"\x89PNG")
    explorer.figure()
    explorer.close()


def test_a_recording_keeps_trials_and_presets_beside_it(tmp_path, fresh):
    """Another explorer on the same recording goes on counting, and finds the presets; the code opens it."""
    recording = fresh.record(tmp_path)
    fresh.advance("20s")
    kept = recording.stop()
    first = wb.Explorer(kept, heatmap=False)
    assert first.study.worth.trials == 1
    first.save("mine")
    assert first.code.startswith(f"r = wb.open_recording({str(kept.path)!r})\n")
    first.close()
    second = wb.Explorer(wb.open_recording(kept.path), "OfiMomentum", heatmap=False)
    assert second.study.worth.trials == 2
    assert list(second.presets) == ["mine"]
    second.close()


def test_still_twins_show_the_same_whenever_they_are_asked(market):
    """Picture and figure wait for the newest choice, and do not change while nothing is chosen."""
    explorer = wb.Explorer(market, heatmap=False, theme="light")
    assert explorer.picture() == explorer.picture()
    assert explorer.figure() == explorer.figure()
    data = explorer._repr_mimebundle_()[0]
    assert data["text/plain"] == "Explorer('ES-SIM')"
    explorer.close()


def test_a_closed_explorer_leaves_no_thread(fresh):
    """The thread of the studies ends when there is nothing to study."""
    explorer = wb.Explorer(fresh, heatmap=False)
    explorer.panel.finished()
    explorer.close()
    assert not [
        t for t in threading.enumerate() if t.name == "workbench-explorer" and explorer.panel.work.busy
    ]


def tilt(frame):
    """Lots bid less lots offered."""
    return frame["bid_size_1"].cast(float) - frame["ask_size_1"]


@pytest.mark.parametrize("composed", [False, True])
def test_a_signal_of_a_function_is_turned_kept_and_written_down(fresh, composed):
    """It keeps its function under other parameters, in presets and in code, also as a part of another."""
    own = wb.signals.from_frame(tilt, enter=50.0, leave=5.0)
    signal, knob = (~own, "0.enter") if composed else (own, "enter")
    explorer = wb.Explorer(fresh, signal, heatmap=False)
    assert act(explorer, do="choose", values={knob: 20.0}, token="t") == {}
    turned = wb.signals.from_frame(tilt, enter=20.0, leave=5.0)
    assert explorer.signal == (~turned if composed else turned)
    explorer.save("mine")
    explorer.choose("BookImbalance")
    explorer.load("mine")
    assert explorer.signal == (~turned if composed else turned)
    names = {"wb": wb, "tilt": tilt, "s": fresh}
    exec(explorer.code, names)
    assert names["signal"] == explorer.signal
    assert told(explorer)["signal"] == ("Reverse" if composed else "from_frame(tilt)")
    explorer.close()


def test_a_function_without_a_name_is_not_kept(fresh):
    """Nobody would find it again; its code says what is missing."""
    explorer = wb.Explorer(fresh, wb.signals.from_frame(lambda frame: frame["mid"] * 0.0), heatmap=False)
    with pytest.raises(WorkbenchError, match="expected a function with a name"):
        explorer.save("mine")
    assert explorer.code.startswith("# function: what") and "from_frame(function)" in explorer.code
    explorer.close()


def test_a_function_that_is_not_known_here_is_not_made(fresh):
    """A preset of a function holds its name: who never gave it to this explorer is told so."""
    explorer = wb.Explorer(fresh, wb.signals.from_frame(tilt), heatmap=False)
    explorer.save("mine")
    other = wb.Explorer(fresh, heatmap=False)
    with pytest.raises(WorkbenchError, match=r"from_frame\(tilt\).*give the explorer"):
        other.load("mine")
    explorer.close()
    other.close()

"""Health: facts with judgements, what is sent, the report, the verdict on a recording."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.support.view_events import SECOND_NS, shown, trades
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.frames.recording import write_recording
from workbench.views.health import Health
from workbench.views.health_facts import facts_of, report
from workbench.views.health_model import HealthModel


def judged(**known):
    return {fact.name: fact for fact in facts_of(known)}


def test_each_state_is_judged_and_bad_ones_say_what_to_do():
    """Live is good; stale is bad, with advice."""
    assert judged(state="live")["state"].level == "good"
    stale = judged(state="stale")["state"]
    assert (stale.level, bool(stale.advice)) == ("bad", True)


@pytest.mark.parametrize(("lag", "level"), [(20, "good"), (900, "warn"), (9000, "bad")])
def test_lag_is_judged_while_live(lag, level):
    """Thresholds of 500 ms and 5 s; a recording has no lag."""
    assert judged(state="live", lag_ms=lag)["lag"].level == level
    assert "lag" not in judged(state="recorded", lag_ms=lag)


def test_gaps_drops_disk_and_books_are_told_in_words():
    """Numbers with what they are; nothing is said of what is fine and rare."""
    facts = judged(state="live", gaps=2, lost=1500, duplicates=3, crossed=True, disk_free=1 << 20)
    assert "1,500 events" in facts["gaps"].text
    assert facts["odd"].text == "3 came twice"
    assert [facts[name].level for name in ("book", "disk")] == ["bad", "bad"]
    assert {"odd", "book", "disk"}.isdisjoint(judged(state="live"))


def test_only_what_reads_differently_is_sent_once_a_second():
    """Nothing within a second; then only facts that changed, and rates by kind."""
    market, now = shown(), [0]
    model = HealthModel(market, market.captured, lambda: now[0])
    assert "facts" in model.pull([], True, 0)[0]
    assert model.pull([], False, 0) is None
    market.apply(trades(market.captured.next_sequence or 0, (950, 100, 1, 1), (960, 100, 1, 1)))
    now[0] = 2 * SECOND_NS
    content, _ = model.pull([], False, 0)
    assert content["rates"][-1] == [0.0, 1.0, 0.0]
    assert "gap_list" not in content
    assert "kinds" not in content


def test_gaps_are_listed_newest_first():
    """Each with its time, its length and where it begins."""
    market = shown()
    number = market.captured.next_sequence or 0
    market.apply(trades(number + 5, (1000, 100, 1, 1)))
    market.apply(trades(number + 16, (2000, 100, 1, 1)))
    model = HealthModel(market, market.captured, lambda: 0)
    model.look(0)
    assert [line.split(": ")[1].split(",")[0] for line in model.gaps] == ["10 events", "5 events"]


def test_the_report_holds_every_fact_and_gap():
    """One line each, with the advice."""
    text = report("T", facts_of({"state": "stale"}), ["then"])
    assert text.splitlines()[0] == "T"
    assert "workbench doctor" in text
    assert text.endswith("gaps:\n  then")


def test_a_recording_is_verified_on_demand(tmp_path):
    """The verdict joins the facts; a session has none to verify."""
    market = shown()
    batch = EventBatch.trusted(market.captured.columns.view(), 0)
    recording = write_recording(tmp_path / "r", market.captured.instrument, [batch], source={})
    view = Health(recording)
    assert "verified:" not in view.report()
    view.verify()
    assert "verified: " in view.report()
    assert str(recording.path) in view.report()
    assert view.picture().startswith(b"\x89PNG")
    assert "state" in view.figure().data[0].cells["values"][0]
    view.close()
    live = Health(market)
    with pytest.raises(WorkbenchError, match="recordings"):
        live.verify()
    assert "Health of ES" in live._act({"do": "report"})["text"]
    live.close()


def test_the_last_time_a_book_was_taken_in_whole_is_told():
    """The time of the event that ended the newest snapshot; a crossed book is not spoken of as taken in."""
    assert judged(synced_ns=45_296 * SECOND_NS)["book"].text.startswith("taken in whole at 12:34:56 UTC")
    assert judged(synced_ns=SECOND_NS, crossed=True)["book"].level == "bad"
    assert "book" not in judged(synced_ns=0)


def test_engine_and_bridges_are_told_in_words():
    """Clients and what waits for the disk; each bridge by its instruments, a broken one with its reason."""
    assert judged(clients=1)["engine"].text == "1 client"
    lost = judged(clients=2, backlog=30, dropped=7)["engine"]
    assert (lost.level, "7 events not recorded" in lost.text) == ("bad", True)
    well = judged(bridges=[{"symbols": ["ESZ6"], "link": "ready", "lag_ms": 2.4}])["bridge"]
    assert (well.level, well.text) == ("good", "ESZ6, 2 ms away")
    broken = judged(bridges=[{"symbols": ["ESZ6"], "link": "waiting", "reason": "refused"}])["bridge"]
    assert (broken.level, broken.text) == ("bad", "ESZ6: refused")


def test_recorders_and_the_last_sync_are_facts_of_the_session(tmp_path):
    """What a session records, and when its book was taken in, is public: the view reads nothing else."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("2s")
    begun = s.health.synced_ns
    assert 0 < begun <= s.clock.now_ns
    assert (s.clock.is_steerable, s.clock.span_ns[1]) == (False, None)
    with s.record(tmp_path) as recorded:
        (recorder,) = s.health.recorders
        assert recorder == (recorded.paths[s.symbols[0]], True)
        assert f"recording: {recorder.path}" in Health(s).report()
    assert [recorder.running for recorder in s.health.recorders] == [False]
    s.close()

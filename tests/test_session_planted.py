"""The planted truth of a session: inline, and through an engine the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as wb
from tests.support.eventually import eventually
from workbench.errors import ReplayError
from workbench.feeds.engines import stop_all

PLANTS = wb.plants("sweep", "iceberg", every="5s", at="500ms", life="2s")


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A runtime folder of our own; whatever runs in the end is stopped."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(folder))
    yield
    stop_all()


def test_truth_grows_with_the_clock_of_the_session() -> None:
    """Nothing before anything ended; then what ended, and never more than the time reached allows."""
    with wb.simulate(seed=3, inline=True, plants=PLANTS) as s:
        assert wb.planted(s).is_empty()
        s.advance("20s")
        early = wb.planted(s)
        s.advance("20s")
        late = wb.planted(s)
        assert set(early["kind"]) == {"sweep", "iceberg"}
        assert late.height > early.height
        assert late["end"].max() <= s.clock.now


def test_a_session_without_plants_has_an_empty_truth() -> None:
    """With the same columns."""
    with wb.simulate(seed=3, inline=True) as s, wb.simulate(seed=3, inline=True, plants=PLANTS) as other:
        s.advance("5s")
        assert wb.planted(s).is_empty()
        assert wb.planted(s).columns == wb.planted(other).columns


def test_only_simulated_sessions_have_a_truth(tmp_path) -> None:
    """A replay does not know what was planted when it was recorded."""
    with wb.simulate(seed=3, inline=True, plants=PLANTS) as s:
        handle = s.record(tmp_path)
        s.advance("2s")
        recording = handle.stop()
    with (
        wb.replay(recording, inline=True) as again,
        pytest.raises(ReplayError, match="simulate"),
    ):
        wb.planted(again)


def test_an_engine_plants_what_inline_plants(runtime: None) -> None:
    """The same prints and the same truth up to a time, wherever the market runs."""
    with wb.simulate(seed=3, inline=True, plants=PLANTS) as s:
        s.advance("12s")
        prints, truth, until = s.trades, wb.planted(s), s.clock.now
    with wb.simulate(seed=3, speed=20, plants=PLANTS) as live:
        eventually(lambda: live.clock.now > until)
        same = live.trades.filter(live.trades["ts"] <= until)
        known = wb.planted(live)
    assert same.equals(prints)
    assert known.filter(known["end"] <= until).equals(truth)

"""Studies: an effect that was planted is found with its size, noise is not; nothing breaks them; trials are counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import workbench as wb
from tests.support.touches import INSTRUMENT, Level, Recorded, states
from workbench.errors import WorkbenchError
from workbench.lab.study import Study, Terms
from workbench.lab.trials import SUFFIX

S = wb.signals
MS = 1_000_000
STEP_NS = 100 * MS


def market(seed: int, edge: float, count: int = 4000) -> Recorded:
    """Books of 100 ms each: now and then a side is thick, and two states later the mid has moved its way or not.

    ``edge`` is the expected move, in ticks, of the two-tick spread's mid.
    """
    rng = np.random.default_rng(seed)
    levels: list[Level | None] = []
    middle, due = 1000, {}
    for k in range(count):
        middle += due.pop(k, 0)
        side = int(rng.choice([-1, 0, 0, 0, 0, 1]))
        if side:
            due[k + 2] = side * (1 if rng.random() < (1 + edge) / 2 else -1)
        bid, ask = (9, 1) if side > 0 else (1, 9) if side < 0 else (5, 5)
        levels.append((middle, bid, middle + 1, ask))
    return Recorded([states(levels, [k * STEP_NS for k in range(1, count + 1)])])


def row(found: Study, horizon: str) -> dict:
    """The scorecard's row of a horizon."""
    return next(r for r in found.frame.iter_rows(named=True) if r["horizon"] == horizon)


def test_a_planted_effect_is_recovered() -> None:
    """Entered one state after the signal, the mid moves half a tick on average by the next one."""
    found = wb.study(S.BookImbalance(), market(1, 0.5), ["100ms", "200ms"], costs=0.1)
    first = row(found, "100ms")
    assert first["gross_low"] < 0.5 < first["gross_high"]
    assert first["gross_high"] - first["gross_low"] < 0.3
    assert first["net"] == pytest.approx(first["gross"] - 0.1)
    assert first["markout"] == pytest.approx(first["gross"] - 0.5)  # half of a spread of one tick
    assert first["hit_low"] > 0.6
    assert first["events"] <= found.events <= first["events"] + 3


def test_noise_is_covered_at_the_nominal_rate() -> None:
    """Of 60 markets without an effect 57 are expected to have 0 inside; binomial, 3.3 standard deviations of 1.7."""
    inside = 0
    for seed in range(60):
        first = row(wb.study(S.BookImbalance(), market(seed, 0.0, 600), ["100ms"]), "100ms")
        inside += first["gross_low"] <= 0 <= first["gross_high"]
    assert 51 <= inside <= 60


def test_costs_and_latency() -> None:
    """The spread costs a tick a round trip; a state later the move is over and nothing is left of it."""
    x = market(3, 1.0)
    quick = row(wb.study(S.BookImbalance(), x, ["100ms"]), "100ms")
    assert (quick["gross"] > 0.9, quick["net"]) == (True, pytest.approx(quick["gross"] - 1.0))
    late = row(wb.study(S.BookImbalance(), x, ["100ms"], latency="100ms"), "100ms")
    assert abs(late["gross"]) < 0.15


def test_the_same_seed_gives_the_same() -> None:
    """Word for word."""
    one, other = (wb.study(S.BookImbalance(), market(4, 0.2), seed=5) for _ in range(2))
    assert repr(one) == repr(other)
    assert one.frame.equals(other.frame)


def test_regimes_add_up() -> None:
    """By spread, by volatility and by hour, the events are those with a known result."""
    found = wb.study(S.BookImbalance(), market(6, 0.5), ["100ms"])
    sums = found.regimes.group_by("by").agg(pl.col("events").sum())
    assert set(sums["events"]) == {row(found, "100ms")["events"]}
    assert found.regimes.filter(by="spread")["value"].to_list() == ["1 tick"]
    assert found.regimes.filter(by="hour")["value"].to_list() == ["00h UTC"]


def test_the_path_rises_behind_the_events() -> None:
    """Around the events, in their direction: the effect comes two states later."""
    path = wb.study(S.BookImbalance(), market(7, 1.0), ["400ms"]).path
    at = {round(t, 3): m for t, m in path.select("after_s", "mean").iter_rows()}
    assert min(at) < 0 < max(at)
    assert path["mean"].max() > 0.7


@pytest.mark.parametrize("signal", [S.BookImbalance(enter=1.0), S.LiquidityFade(move_ticks=500.0)])
def test_a_signal_that_never_speaks(signal) -> None:  # type: ignore[no-untyped-def]
    """No events, all results unknown, no error; it counts as a trial."""
    found = wb.study(signal, market(8, 0.0, 50), ["100ms", "1s"])
    assert (found.events, found.worth.trials) == (0, 1)
    assert found.frame["gross"].is_null().all()
    assert len(found.regimes) == 0
    assert found.path["mean"].is_null().all()
    assert "0 events" in repr(found)


def test_nothing_to_study() -> None:
    """A recording without events, one whose book is never known, and one of a single state."""
    for parts in ([], [states([None, None])], [states([(100, 1, 101, 1)])]):
        found = wb.study(S.BookImbalance(), Recorded(parts, INSTRUMENT))
        assert found.events == 0
        assert len(found.frame) == 4


@pytest.mark.parametrize(
    "terms",
    [Terms(()), Terms(("1s", "1s")), Terms(("10s", "1s")), Terms(("soon",)), Terms(costs="none"),
     Terms(costs=float("nan")), Terms(latency="later")],
)  # fmt: skip
def test_bad_terms_are_refused(terms: Terms) -> None:
    """Before anything is counted as tried."""
    desk = wb.StudyDesk(market(9, 0.0, 50))
    with pytest.raises(WorkbenchError):
        desk.study(S.BookImbalance(), terms)
    assert len(desk.trials) == 0


def test_the_desk_reads_once_and_counts_each_setting() -> None:
    """Another threshold needs no other rows; the same one again is no other trial."""
    x = market(10, 0.5)
    desk = wb.StudyDesk(x)
    found = [desk.study(S.BookImbalance(enter=e)) for e in (0.5, 0.6, 0.5)]
    assert [f.worth.trials for f in found] == [1, 2, 2]
    assert found[0].frame.equals(found[2].frame)
    assert desk.prepare(S.BookImbalance(enter=0.5).needs) is desk.prepare(S.BookImbalance(enter=0.6).needs)
    assert len(desk.entries(S.BookImbalance(enter=0.6))) == found[1].events


@dataclass
class OnDisk(Recorded):
    """A recording with a path."""

    path: Path | None = None


def test_trials_lie_beside_the_recording(tmp_path: Path) -> None:
    """A study of tomorrow knows of those of today."""
    x = OnDisk(market(11, 0.5, 200).parts, path=tmp_path / "r")
    wb.study(S.BookImbalance(), x)
    wb.study(S.BookImbalance(enter=0.7), x)
    assert (tmp_path / f"r{SUFFIX}").exists()
    assert wb.study(S.BookImbalance(enter=0.8), x).worth.trials == 3


def test_the_figure_has_all_three_pictures() -> None:
    """Path, result by horizon, information by horizon."""
    pytest.importorskip("plotly")
    assert len(wb.study(S.BookImbalance(), market(12, 0.5)).figure().data) >= 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda x: wb.study(wb.ofi, x), "from_values"),
        (lambda x: wb.study(3, x), "signal 3; expected a signal"),
        (lambda x: wb.study(S.BookImbalance, x, latency=5), "latency 5; expected a time as '5ms'"),
        (lambda x: wb.study(S.BookImbalance, x, costs="cheap"), "costs 'cheap'"),
    ],
)
def test_what_cannot_be_studied_is_refused(given: Any, said: str) -> None:
    """With what was found, and how an indicator becomes a signal."""
    with pytest.raises(WorkbenchError, match=said):
        given(market(1, 0.5))


def test_a_class_and_a_single_horizon_are_taken() -> None:
    """A class is the signal with the parameters that it comes with; one text is one horizon."""
    x = market(1, 0.5)
    assert wb.study(S.BookImbalance, x, "100ms").frame.equals(wb.study(S.BookImbalance(), x, ["100ms"]).frame)

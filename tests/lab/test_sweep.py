"""Sweeps: every trial once and only once, the same results on every backend, and what was broken off goes on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import workbench as wb
from tests.support.sweeping import BuyEvery, Deadly, failing, quote_away
from workbench.errors import WorkbenchError
from workbench.frames.recording import Recording, write_recording
from workbench.lab import sweep_work
from workbench.lab.sweep import RESULTS
from workbench.lab.sweep_trial import Outcome, Task, carried_out

GRID = {"distance": [0, 1, 2], "most": [1, 5], "queue": ["risk_averse", "touch"]}


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Twenty seconds of a simulated market, on disk."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("20s")
    columns = s.capture().columns
    batches = [wb.EventBatch.trusted(tuple(c[:9]), int(c[-1][0])) for c in columns.chunks()]
    return write_recording(tmp_path_factory.mktemp("sweep"), s.instrument, batches, source={"kind": "test"})


@pytest.fixture(autouse=True)
def no_register(recording: Recording) -> None:
    """Each test counts trials from none."""
    wb.Trials.of(recording).path.unlink(missing_ok=True)  # type: ignore[union-attr]


def swept(recording: Any, **options: Any) -> wb.Sweep:
    """The grid, without a bar and in this process unless told otherwise."""
    return wb.sweep(quote_away, GRID, recording, **{"n_jobs": 1, "progress": False, **options})


def test_a_row_equals_the_backtest_of_its_point(recording: Recording) -> None:
    """Each row of the frame is what wb.backtest says, and points come in the order of the grid."""
    found = swept(recording)
    assert found.frame.select("distance", "most", "queue").rows()[:3] == [
        (0, 1, "risk_averse"),
        (0, 1, "touch"),
        (0, 5, "risk_averse"),
    ]
    row = found.frame.row(3, named=True)
    alone = wb.backtest(quote_away, recording, queue="touch", params=[0, 5]).summary()
    assert alone["fills"].item() > 0
    assert {name: row[name] for name in alone.columns} == alone.row(0, named=True)


def test_processes_give_the_same_as_one_process(recording: Recording) -> None:
    """Where a trial runs changes nothing."""
    assert_frame_equal(swept(recording).frame, swept(recording, n_jobs=2).frame)


def test_a_second_run_does_only_what_is_missing(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With half of the lines of its file, a sweep carries out the other half; with all, nothing."""
    file = tmp_path / "sweep.jsonl"
    whole = swept(recording, results=file)
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == 12
    file.write_bytes(b"".join(lines[:6]) + lines[6][:40])
    ran: list[str] = []

    def counted(task: Task, identity: str) -> Outcome:
        ran.append(task.key)
        return carried_out(task, identity)

    monkeypatch.setattr(sweep_work, "carried_out", counted)
    assert_frame_equal(swept(recording, results=file).frame, whole.frame)
    assert len(set(ran)) == len(ran) == 6
    assert_frame_equal(swept(recording, results=file).frame, whole.frame)
    assert len(ran) == 6
    keys = [json.loads(line)["key"] for line in file.read_bytes().splitlines() if line.endswith(b"}")]
    assert len(set(keys)) == len(keys) == 12


def test_every_trial_is_counted_once_in_the_register(recording: Recording, tmp_path: Path) -> None:
    """Twelve points are twelve trials, however often they are asked for; the best is judged among them."""
    found = swept(recording, results=tmp_path / "a.jsonl")
    swept(recording)
    assert len(wb.Trials.of(recording)) == 12
    assert [worth.trials for worth in found.worth.values()] == [12]


def test_other_code_is_another_trial(recording: Recording, tmp_path: Path) -> None:
    """Results of a strategy that was edited since are not taken for its own."""
    source = "class S:\n    def on_timer(self, desk):\n        if desk.best_ask and not desk.orders: desk.buy({})\n"
    counts = []
    for size in (1, 2):
        space: dict[str, Any] = {"__name__": "edited"}
        exec(source.format(size), space)
        found = wb.sweep(
            space["S"], {}, recording, n_jobs=1, progress=False, results=tmp_path / "r.jsonl", latency="2ms"
        )
        counts.append(found.frame["volume"].item())
    assert counts == [1.0, 2.0]


def test_a_failure_is_told_and_ends_nothing(recording: Recording, tmp_path: Path) -> None:
    """The row of a point whose strategy raises says why; it is not kept as done."""
    file = tmp_path / "r.jsonl"
    found = wb.sweep(failing, {"n": [1, 2, 3]}, recording, n_jobs=1, progress=False, results=file)
    assert found.errors["error"].to_list() == ["ValueError: two is not for me"]
    assert found.frame["volume"].null_count() == 1
    assert len(file.read_bytes().splitlines()) == 2
    assert found.best("volume")["n"].to_list() == [1, 3, 2]


def test_a_local_process_that_dies_loses_nothing(recording: Recording, tmp_path: Path) -> None:
    """One of two processes is killed in the middle; all rows are there, each kept once."""
    file = tmp_path / "r.jsonl"
    grid = {"n": list(range(3, 11)), "deadly": [6], "traces": [str(tmp_path)]}
    found = wb.sweep(Deadly, grid, recording, n_jobs=2, progress=False, results=file)
    assert (tmp_path / "died").exists()
    assert found.errors.height == 0
    assert len(file.read_bytes().splitlines()) == 8


def test_recordings_by_url_are_the_same(recording: Recording, tmp_path: Path) -> None:
    """Behind a URL Polars reads the same events."""
    url = recording.path.absolute().as_uri()
    assert_frame_equal(swept(url).frame, swept(recording).frame)
    with pytest.raises(WorkbenchError, match="nothing readable"):
        swept(f"{tmp_path.as_uri()}/none")


def test_several_recordings_give_a_row_each(recording: Recording, tmp_path: Path) -> None:
    """best() takes the mean over recordings."""
    half = recording.batches(end_ns=(recording.start_ns + recording.end_ns) // 2)
    other = write_recording(tmp_path, recording.instrument, half, source={}, session="two")
    found = wb.sweep(BuyEvery, {"n": [50, 20]}, [recording, str(other.path)], n_jobs=1, progress=False)
    assert found.frame.height == 4
    assert found.frame["recording"].n_unique() == 2
    best = found.best("volume")
    assert best["n"].to_list() == [20, 50]
    means = found.frame.group_by("n").agg(pl.col("volume").mean()).sort("n")["volume"].to_list()
    assert best["volume"].to_list() == means


def test_recordings_of_one_name_keep_their_own_rows(recording: Recording, tmp_path: Path) -> None:
    """Where session and instrument are the same in two folders, the folder tells them apart, in rows and in worth."""
    middle = (recording.start_ns + recording.end_ns) // 2
    parts = {"one": {"end_ns": middle}, "two": {"start_ns": middle}, "three": {"end_ns": middle - 10**9}}
    sources = [
        write_recording(
            tmp_path / folder,
            recording.instrument,
            recording.batches(**part),
            source={},
            session="B" if folder == "three" else "A",
        )
        for folder, part in parts.items()
    ]
    found = wb.sweep(BuyEvery, {"n": [20]}, sources, n_jobs=1, progress=False)
    names = [f"{start}/{source.path.name}" for start, source in zip(("one/A", "two/A", "B"), sources)]
    assert found.frame["recording"].to_list() == list(found.worth) == names


def test_a_copy_of_a_recording_has_a_name_of_its_own(recording: Recording, tmp_path: Path) -> None:
    """The same events at two places are one trial, two rows, and counted at both places."""
    copy = shutil.copytree(recording.path, tmp_path / "copy" / "ES-SIM")
    found = wb.sweep(BuyEvery, {"n": [20]}, [recording, copy], n_jobs=1, progress=False)
    assert found.frame["recording"].n_unique() == 2
    assert found.frame["profit"].n_unique() == 1
    assert list(found.worth) == found.frame["recording"].to_list()
    assert len(wb.Trials.of(recording)) == len(wb.Trials.of(wb.open_recording(copy))) == 1


def written(rows: list[dict[str, Any]]) -> wb.Sweep:
    """A sweep with these results over ``n``."""
    schema = {"sharpe": pl.Float64, "error": pl.String}
    return wb.Sweep(pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None), ("n",), {})


def test_best_is_the_least_where_less_is_better() -> None:
    """Drawdowns and fees that are least come first, of all else what is most."""
    rows = [
        {"n": n, "recording": "A", "fees": 3.0 - n, "profit": n, "max_drawdown": 9.0 * n, "error": None}
        for n in (2, 1, 3)
    ]
    found = written(rows)
    assert found.best("max_drawdown")["n"].to_list() == [1, 2, 3]
    assert found.best("fees")["n"].to_list() == [3, 2, 1]
    assert found.best("profit")["n"].to_list() == [3, 2, 1]


def test_a_mean_says_how_many_recordings_it_covers() -> None:
    """A point that failed on one of two recordings stands behind those that did not, and nothing known comes last."""
    profits = {1: (1.0, 2.0), 2: (99.0, None), 3: (3.0, 1.0), 4: (None, None), 5: (float("nan"), 98.0)}
    rows = [
        {"n": n, "recording": name, "profit": profit, "error": None if profit is not None else "ValueError"}
        for n, both in profits.items()
        for name, profit in zip("AB", both)
    ]
    best = written(rows).best("profit")
    assert best.select("n", "recordings", "profit").rows() == [
        (3, 2, 2.0),
        (1, 2, 1.5),
        (2, 1, 99.0),
        (5, 1, 98.0),
        (4, 0, None),
    ]


def test_a_setting_that_is_named_like_a_result_keeps_its_column(recording: Recording) -> None:
    """Fees and ways to fill that were varied stand beside the fees and fills that came of them."""
    grid = {"n": [20], "fees": [(0, 0), (0, "0.001")], "fills": ["shared", "whole"]}
    found = wb.sweep(BuyEvery, grid, recording, n_jobs=1, progress=False)
    assert found.names == ("n", "fees_set", "fills_set")
    assert found.frame["fees_set"].to_list() == ["(0, 0)"] * 2 + ["(0, '0.001')"] * 2
    assert found.best("fees")["fees"].to_list()[:2] == [0.0, 0.0]
    assert found.best("profit").height == 4
    summary = wb.backtest(BuyEvery(20), recording).summary().columns
    assert found.frame.columns == [*found.names, "recording", *summary, "sharpe", "error"]
    assert {*summary, "recording", "sharpe", "error"} <= set(RESULTS)


def test_a_sweep_over_nothing_has_one_best_row(recording: Recording) -> None:
    """An empty grid is the one point of all defaults."""
    found = wb.sweep(lambda: BuyEvery(20), {}, recording, n_jobs=1, progress=False)
    assert found.best("fills")["fills"].to_list() == found.frame["fills"].to_list() != [0]


def test_a_search_with_one_seed_is_one_search(recording: Recording) -> None:
    """Optuna's points depend on the seed only, and stay in their space."""
    space = {"distance": range(4), "most": [1, 3, 5], "latency": ["1ms", "5ms"]}
    found, again = (
        wb.sweep(quote_away, space, recording, search=10, n_jobs=n, progress=False) for n in (1, 2)
    )
    assert_frame_equal(found.frame, again.frame)
    assert found.frame.height == 10
    assert found.frame["distance"].is_between(0, 3).all()


def test_names_that_mean_nothing_are_refused(recording: Recording) -> None:
    """A mistyped setting is not taken for a parameter, and the nearest name is said."""
    with pytest.raises(WorkbenchError, match="'queue'"):
        wb.sweep(quote_away, {"queu": ["touch"]}, recording)
    with pytest.raises(WorkbenchError, match="Did you mean 'size'"):
        wb.sweep(BuyEvery, {"n": [1], "sizes": [1]}, recording)
    with pytest.raises(WorkbenchError, match="a class"):
        wb.sweep(BuyEvery(3), {}, recording)
    with pytest.raises(WorkbenchError, match="values to try"):
        wb.sweep(BuyEvery, {"n": 3}, recording)  # type: ignore[dict-item]
    with pytest.raises(WorkbenchError, match="Record a session"):
        wb.sweep(BuyEvery, {"n": [3]}, wb.simulate(seed=7, inline=True))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"grid": []}, r"^grid=\[\]; expected a mapping of names to values"),
        ({"grid": None}, "^grid=None; expected a mapping"),
        ({"grid": "n"}, "^grid='n'; expected a mapping"),
        ({"grid": [1, 2]}, r"^grid=\[1, 2\]; expected a mapping"),
        ({"grid": {1: [2]}}, "^1 as a name in the grid; expected text"),
        ({"grid": {"n": np.int64(3)}}, "values to try"),
        ({"grid": {"n": []}}, "values to try"),
        ({"grid": [{"n": 3}], "search": 2}, "to search in; expected a mapping"),
        ({"grid": {"n": range(0)}, "search": 2}, "a list of values, a range, or two floats"),
        ({"grid": {"n": (2.0, 1.0)}, "search": 2}, "a list of values, a range, or two floats"),
        ({"search": 0}, "^search=0; expected how many points"),
        ({"search": -1}, "^search=-1; expected how many points"),
        ({"search": "x"}, "^search='x'; expected how many points"),
        ({"search": 2, "seed": "x"}, "^seed='x'; expected a whole number"),
        ({"recordings": None}, "^None among the recordings; expected a recording, its path"),
        ({"recordings": 5}, "^5 among the recordings"),
        ({"recordings": []}, r"^recordings=\[\]; expected at least one"),
        ({"results": 5}, "^results=5; expected the path of a file"),
        ({"n_jobs": 0}, "^n_jobs=0; expected how many processes"),
        ({"n_jobs": "x"}, "^n_jobs='x'; expected how many processes"),
    ],
)
def test_a_call_that_means_nothing_says_so(recording: Recording, wrong: dict[str, Any], said: str) -> None:
    """Before anything runs, in one sentence of ours."""
    given = {"grid": {"n": [3]}, "recordings": recording, "progress": False, **wrong}
    with pytest.raises(WorkbenchError, match=said):
        wb.sweep(BuyEvery, **given)


def test_no_latency_is_a_latency_in_words_too(recording: Recording) -> None:
    """Zero milliseconds are what 0 is, alone, in a pair and in a grid."""
    values = [0, "0ms", ("0s", "0us")]
    found = wb.sweep(BuyEvery, {"n": [20], "latency": values}, recording, n_jobs=1, progress=False)
    assert found.errors.height == 0
    assert found.frame["profit"].n_unique() == 1
    one = wb.backtest(BuyEvery(20), recording, latency="0ms")
    assert one.fills.equals(wb.backtest(BuyEvery(20), recording, latency=0).fills)
    band = wb.fill_uncertainty(BuyEvery(20), recording, latency="0ms", models="touch")
    assert band.frame["model"].to_list() == ["touch"]


def test_the_configuration_of_joblib_decides_where(recording: Recording) -> None:
    """Threads, for one, by joblib's own context."""
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert_frame_equal(swept(recording, n_jobs=None).frame, swept(recording).frame)


class Weighted(BuyEvery):
    """Buys as often as the middle of an array says, or an object that holds one."""

    def __init__(self, weights: Any):
        super().__init__(int(getattr(weights, "held", weights)[2500]))


class Holder:
    """Printed by its address."""

    def __init__(self, held: Any):
        self.held = held


def test_long_arrays_are_told_apart(recording: Recording) -> None:
    """Parameters and settings that are printed alike are trials of their own, with rows of their own in best()."""
    many, few = np.full(5000, 7), np.full(5000, 7)
    many[2500], few[2500] = 5, 50
    assert repr(many) == repr(few)
    found = wb.sweep(Weighted, {"weights": [many, few]}, recording, n_jobs=1, progress=False)
    assert found.frame["volume"][0] > found.frame["volume"][1] > 0
    assert found.best("volume").height == 2
    slow, fast = np.full(5000, 1_000_000), np.full(5000, 1_000_000)
    slow[1000:4000] = 900_000_000
    late = wb.sweep(
        quote_away,
        {"distance": [0], "most": [5], "latency": [fast, slow]},
        recording,
        n_jobs=1,
        progress=False,
    )
    assert late.frame["profit"].n_unique() == late.frame["latency"].n_unique() == 2


def test_objects_go_on_where_they_stopped(recording: Recording, tmp_path: Path) -> None:
    """Parameters that are printed by their address are found again in the file of results by what they hold."""
    file = tmp_path / "r.jsonl"
    for _ in range(2):
        grid = {"weights": [Holder(np.full(5000, 7)), Holder(np.full(5000, 9))]}
        wb.sweep(Weighted, grid, recording, n_jobs=1, progress=False, results=file)
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert len(lines) == len(wb.Trials.of(recording)) == 2
    assert all(line["values"]["weights"].startswith("Holder #") for line in lines)
    with pytest.raises(WorkbenchError, match=r"weights=.*cannot be told from others"):
        wb.sweep(Weighted, {"weights": [(n for n in [1])]}, recording)

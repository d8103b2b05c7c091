"""A sweep on a real cluster of two worker processes, one of which is killed while it works."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest
from distributed import Client, LocalCluster

import workbench as wb
from tests.support.eventually import eventually
from tests.support.sweeping import BuyEvery, Deadly
from workbench.frames.recording import Recording, write_recording


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """Two processes that are started again when they die."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local,
        Client(local) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Ten seconds of a simulated market, on disk."""
    s = wb.simulate(seed=5, inline=True)
    s.advance("10s")
    columns = s.capture().columns
    batches = [wb.EventBatch.trusted(tuple(c[:9]), int(c[-1][0])) for c in columns.chunks()]
    return write_recording(tmp_path_factory.mktemp("cluster"), s.instrument, batches, source={"kind": "test"})


def test_a_killed_worker_loses_no_trial_and_repeats_none(
    cluster: Client, recording: Recording, tmp_path: Path
) -> None:
    """One of two workers is killed half-way: every point has its row, its line and its place in the register once."""
    eventually(lambda: len(cluster.scheduler_info(n_workers=-1)["workers"]) == 2)
    file, numbers = tmp_path / "sweep.jsonl", list(range(3, 15))
    grid = {"n": numbers, "deadly": [8], "traces": [str(tmp_path)]}
    with joblib.parallel_config(backend="dask"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the scheduler says that a worker is gone
        found = wb.sweep(Deadly, grid, recording, results=file, progress=False)
    assert (tmp_path / "died").exists()
    assert found.errors.height == 0
    assert found.frame["n"].to_list() == numbers
    assert len(file.read_bytes().splitlines()) == len(wb.Trials.of(recording)) == len(numbers)
    here = wb.sweep(BuyEvery, {"n": numbers}, recording, n_jobs=1, progress=False)
    assert found.frame["volume"].to_list() == here.frame["volume"].to_list()
    processes = {trace.name.partition("-")[2] for trace in tmp_path.glob("*-*")}
    assert len(processes) >= 2

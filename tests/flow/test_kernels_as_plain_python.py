"""Kernels without a compiler: what they say as plain Python, with whole numbers that never wrap, is what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import workbench as wb
from tests.support.interpreted import faces
from workbench.events import EventBatch
from workbench.frames.recording import write_recording

ROOT = Path(__file__).parents[2]
PLANTED = ("stop_run", "iceberg", "synthetic_iceberg", "spoofing", "layering", "sweep", "absorption")
SECONDS, TIMEOUT_S = 12, 300
EMPTY = {"hidden"}  # the simulator hides nothing
LEAST = {"signal: fade": 1e-10}
"""Doubles below are as good as zero: 1e-12, but in what subtracts a price of 20,000 ticks from a mean of such prices."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of a market with something of every kind in it."""
    folder = tmp_path_factory.mktemp("kernels") / "recording"
    with wb.simulate(seed=11, inline=True, plants=wb.plants(*PLANTED, every="3s")) as session:
        session.advance(f"{SECONDS}s")
        chunks = session.capture().columns.chunks()
        batches = [
            EventBatch.trusted(tuple(np.array(c) for c in chunk[:9]), int(chunk[-1][0])) for chunk in chunks
        ]
        write_recording(folder, session.instrument, batches, source={})
    return folder


@pytest.fixture(scope="module")
def interpreted(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every face's frame, from a process that has no compiler."""
    folder = tmp_path_factory.mktemp("interpreted")
    command = [sys.executable, "-m", "tests.support.interpreted", str(recording), str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, timeout=TIMEOUT_S)
    return folder


@pytest.mark.parametrize("name", faces())
def test_a_kernel_is_the_python_that_is_written_there(name: str, recording: Path, interpreted: Path) -> None:
    """Whole numbers are equal, doubles to 1e-12; and there is something to compare."""
    compiled = faces()[name](wb.open_recording(recording))
    plain = pl.read_parquet(interpreted / f"{name}.parquet")
    assert len(compiled) or name in EMPTY
    least = LEAST.get(name, 1e-12)
    assert_frame_equal(compiled, plain, check_exact=False, rel_tol=1e-12, abs_tol=least)

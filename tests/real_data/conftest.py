"""Each real set is imported once per run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.truth import Case
from workbench.frames.importers import import_recording

NEW_YORK_MIDNIGHT_20120621 = 1_340_251_200_000_000_000  # 2012-06-21 04:00 UTC: daylight saving

Loader = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the recordings go."""
    return tmp_path_factory.mktemp("imported")


@pytest.fixture(scope="session")
def usdm(shared_data: Path, truth: Loader, out: Path) -> Case:
    """Binance futures."""
    path = shared_data / "binance/usdm/btcusdt_20240808.gz"
    return Case(
        import_recording(path, "binance-futures", out / "usdm", progress=False),
        truth("usdm/btcusdt_20240808"),
    )


@pytest.fixture(scope="session")
def spot(shared_data: Path, truth: Loader, out: Path) -> Case:
    """Binance spot: one session in two files, given in the wrong order."""
    paths = sorted((shared_data / "binance/spot").glob("*.gz"), reverse=True)
    return Case(
        import_recording(paths, "binance-spot", out / "spot", progress=False), truth("ethusdt_20240808+09")
    )


@pytest.fixture(scope="session")
def amzn(shared_data: Path, truth: Loader, out: Path) -> Case:
    """LOBSTER, five levels, a day."""
    name = "LOBSTER_SampleFile_AMZN_2012-06-21_5"
    recording = import_recording(
        shared_data / f"lobster/{name}.zip", "lobster", out / "lobster", progress=False
    )
    return Case(recording, truth(name), NEW_YORK_MIDNIGHT_20120621)


@pytest.fixture(scope="session")
def msft(shared_data: Path, truth: Loader, out: Path) -> Case:
    """LOBSTER, 50 levels, a slice."""
    paths = sorted((shared_data / "lobster").glob("MSFT*.csv"))
    recording = import_recording(paths, "lobster", out / "lobster", progress=False)
    return Case(recording, truth("MSFT_2012-06-21_34200000_37800000_50"), NEW_YORK_MIDNIGHT_20120621)


@pytest.fixture(scope="session")
def esh4(shared_data: Path, truth: Loader, out: Path) -> Case:
    """Databento MBO, a day."""
    name = "esh4-glbx-mdp3-20231225.mbo"
    recording = import_recording(
        shared_data / f"databento/{name}.dbn.zst", "databento", out / "es", progress=False
    )
    return Case(recording, truth(name))


@pytest.fixture(scope="session")
def esh4_snapshot(shared_data: Path, truth: Loader, out: Path) -> Case:
    """Databento MBO, nothing but a snapshot."""
    name = "esh4-glbx-mdp3-20231224.mbo"
    recording = import_recording(
        shared_data / f"databento/{name}.dbn.zst", "databento", out / "es", progress=False
    )
    return Case(recording, truth(name))


@pytest.fixture(scope="session")
def esu4(shared_data: Path, truth: Loader, out: Path) -> Case:
    """Databento MBP-1 with its definition."""
    name = "futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02"
    paths = [shared_data / f"databento/{n}.dbn.zst" for n in (name, "futures_definition")]
    return Case(import_recording(paths, "databento", out / "es", progress=False), truth(name))

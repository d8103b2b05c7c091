"""What every test may use: the folder of real recordings, their truth files, and hypothesis profiles."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# CI repeats the same examples every time and prints what reproduces a failure; a developer's machine explores.
settings.register_profile(
    "ci",
    derandomize=True,
    print_blob=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("dev", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put browser tests last: their driver leaves an event loop running, in which no other test could begin one."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Folders for what lasts and for engines that run, one of each for every process that tests.

    No test leaves journals among those of whoever runs it, nor joins an engine of theirs or of a test beside it: what
    one does to orders there would happen to the other's.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in ("state", "runtime"):
            if f"WORKBENCH_{name.upper()}_DIR" not in os.environ:
                patch.setenv(f"WORKBENCH_{name.upper()}_DIR", str(tmp_path_factory.mktemp(name)))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recordings with known answers; absent: skipped, but never in CI."""
    folder = Path(os.environ.get("WORKBENCH_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if folder.is_dir():
        return folder.resolve()
    reason = f"the real recordings are not in {folder}: set WORKBENCH_SHARED_DATA to their folder"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def truth(shared_data: Path) -> Callable[[str], dict[str, Any]]:
    """Loader of truth files by the end of their path, as ``truth("usdm/btcusdt_20240808")``."""

    def load(name: str) -> dict[str, Any]:
        found = [
            p for p in shared_data.rglob("*.truth.json") if f"{p.as_posix()}".endswith(f"{name}.truth.json")
        ]
        assert len(found) == 1, f"{len(found)} truth files end with {name}"
        loaded: dict[str, Any] = json.loads(found[0].read_text())
        return loaded

    return load

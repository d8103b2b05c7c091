"""What a demonstration shows: real order flow where some is at hand, the simulator otherwise."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from workbench.session.facade import Session
from workbench.session.opening import connect, replay, simulate

if TYPE_CHECKING:
    from workbench.frames.recording import Recording

FEED_VARIABLE: Final = "WORKBENCH_DEMO_FEED"
"""Address of the feed that ``workbench lab`` started."""

SHARED_VARIABLE: Final = "WORKBENCH_SHARED_DATA"
DATA_VARIABLE: Final = "WORKBENCH_DATA"
REAL_FILE: Final = Path("binance/usdm/btcusdt_20240808.gz")
REAL_FORMAT: Final = "binance-futures"


def demo() -> Session:
    """Open a session for a first look.

    Returns
    -------
    Session
        On the feed that ``workbench lab`` started; without it, a real recorded session at the speed it happened, where
        one is at hand (``$WORKBENCH_SHARED_DATA``, or ``../shared/data`` beside the project); otherwise
        ``simulate(seed=7)``.
    """
    feed = os.environ.get(FEED_VARIABLE)
    if feed:
        return connect(feed)
    recording = real_recording()
    return simulate() if recording is None else replay(recording)


def real_recording(*, progress: bool = False) -> Recording | None:
    """Real recorded order flow, imported once and kept; None where there is none.

    Parameters
    ----------
    progress : bool
        Show a progress bar while importing.
    """
    from workbench.frames.importers import import_recording
    from workbench.frames.locate import find_recordings
    from workbench.frames.recording import open_recording

    file = shared_data() / REAL_FILE
    if not file.is_file():
        return None
    status = file.stat()
    name = hashlib.sha256(f"{file.resolve()} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()
    kept = data_dir() / "demo" / name[:16]
    found = find_recordings(kept) if kept.is_dir() else []
    if found:
        return open_recording(found[0])
    return import_recording(file, format=REAL_FORMAT, out=kept, progress=progress)


def shared_data() -> Path:
    """Folder of real order-flow files beside the project; need not exist."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    return Path(os.environ.get(SHARED_VARIABLE) or beside)


def data_dir() -> Path:
    """Folder of what this user's workbench keeps."""
    given = os.environ.get(DATA_VARIABLE)
    return Path(given or platformdirs.user_data_dir("orderflow-workbench", appauthor=False))

"""What a demonstration shows: real order flow where some is at hand, the simulator otherwise."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from workbench.feeds import discovery
from workbench.feeds.engines import engine_for
from workbench.feeds.specification import SourceSpec
from workbench.session.facade import Session
from workbench.session.opening import connect

if TYPE_CHECKING:
    from workbench.frames.recording import Recording

SEED: Final = 7
HEAD_START_S: Final = 60.0
"""Virtual seconds that are there at once."""

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
        one is at hand (``$WORKBENCH_SHARED_DATA``, or ``../shared/data`` beside the project); otherwise the simulator
        with seed 7. The first minute is there at once, so that the first picture has a past.
    """
    feed = os.environ.get(FEED_VARIABLE)
    if not feed or discovery.at_address(feed) is None:  # none, or it has left: nobody used it for long
        feed = engine_for(demo_spec(), head_start_s=HEAD_START_S).uri
    return connect(feed)


def demo_spec(*, progress: bool = False) -> SourceSpec:
    """What a demonstration shows, at the speed it happened: real recorded flow, or the simulator's seed 7.

    Parameters
    ----------
    progress : bool
        Show a progress bar while real data is imported for the first time.
    """
    recording = real_recording(progress=progress)
    if recording is None:
        return SourceSpec(kind="simulate", options={"seed": SEED})
    return SourceSpec(kind="replay", options={"recordings": [str(recording.path.absolute())]})


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

"""The recordings of a sweep: where each lies, what it is by its contents, and a short name that no other one has."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.frames.recording import Recording
from workbench.lab.remote_recording import RemoteRecording
from workbench.lab.sweep_trial import recording_identity, recording_of

_SESSION_AND_INSTRUMENT: Final = 2


def markets_of(recordings: Any) -> dict[str, str]:
    """Identity of each recording by its path or URL.

    Parameters
    ----------
    recordings : recording, path, URL, or a sequence of them

    Raises
    ------
    WorkbenchError
        None at all, something else, or a recording that is still being written.
    """
    is_one = isinstance(recordings, str | os.PathLike | Recording | RemoteRecording)
    given = [recordings] if is_one else recordings
    if hasattr(given, "capture") or not isinstance(given, Iterable):
        raise _unseen(given)
    found: dict[str, str] = {}
    for one in given:
        opened = one if isinstance(one, Recording | RemoteRecording) else _opened(one)
        if opened.manifest.state != "closed":
            raise WorkbenchError(f"{opened!r} is still being written", expected="a closed recording")
        source = opened.url if isinstance(opened, RemoteRecording) else str(opened.path.absolute())
        found[source] = recording_identity(opened.manifest)
    if not found:
        raise WorkbenchError(f"recordings={recordings!r:.60}", expected="at least one recording, path or URL")
    return found


def _opened(source: Any) -> Any:
    if not isinstance(source, str | os.PathLike):
        raise _unseen(source)
    return recording_of(os.fspath(source))


def _unseen(source: Any) -> WorkbenchError:
    is_session = hasattr(source, "capture")
    return WorkbenchError(
        f"{source!r:.80} among the recordings",
        expected="a recording, its path or its URL",
        action="Record a session first: other processes cannot see it" if is_session else "",
    )


def short_names(sources: Sequence[str]) -> dict[str, str]:
    """Session and instrument of each path or URL; where two share them, as much of the path as tells them apart.

    Parameters
    ----------
    sources : sequence of str
        Each once.

    Examples
    --------
    >>> list(short_names(["/rec/A/ES", "/rec/B/ES"]).values())
    ['A/ES', 'B/ES']
    >>> list(short_names(["/rec/A/ES", "/more/A/ES", "/rec/B/ES"]).values())
    ['rec/A/ES', 'more/A/ES', 'B/ES']
    """
    parts = {source: Path(source).parts for source in sources}
    names = {source: _end(parts[source], _SESSION_AND_INSTRUMENT) for source in sources}
    for length in range(_SESSION_AND_INSTRUMENT + 1, max(map(len, parts.values()), default=0) + 1):
        shared = {name for name, count in Counter(names.values()).items() if count > 1}
        names |= {source: _end(parts[source], length) for source in sources if names[source] in shared}
    shared = {name for name, count in Counter(names.values()).items() if count > 1}
    return {source: source if name in shared else name for source, name in names.items()}


def _end(parts: Sequence[str], length: int) -> str:
    return "/".join(parts[-length:])


__all__ = ["markets_of", "short_names"]

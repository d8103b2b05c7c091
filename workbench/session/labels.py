"""Labels of sessions: kept with the session, and beside each recording that it plays or makes."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import RecordingError, WorkbenchError
from workbench.frames.labels import Labels

if TYPE_CHECKING:
    import polars as pl

    from workbench.frames.recording import Recording

_played: Final[weakref.WeakKeyDictionary[Any, dict[str, list[Path]]]] = weakref.WeakKeyDictionary()


def note_played(session: object, recordings: Iterable[Recording]) -> None:
    """Keep which recordings a session plays: labels of it are theirs."""
    by_symbol: dict[str, list[Path]] = {}
    for recording in recordings:
        by_symbol.setdefault(recording.instrument.symbol, []).append(recording.path)
    _played[session] = by_symbol


def labels_of(session: Any, symbol: str) -> Labels:
    """Labels of one instrument of a session, or of the exhibit of a recording: the same object whoever asks."""
    labels = Labels.of_session(session, symbol)
    recording = getattr(session, "recording", None)
    if recording is not None:
        labels.attach(recording.path, recording.manifest)
    for folder in _folders(session, symbol):
        labels.attach(folder)
    return labels


def _folders(session: Any, symbol: str) -> list[Path]:
    played = _played.get(session, {}).get(symbol, [])[
        :1
    ]  # of several that follow each other, the first keeps them
    handles = getattr(session, "_recordings", [])
    return [*played, *(handle.paths[symbol] for handle in handles if symbol in handle.paths)]


def labels(x: Any, symbol: str | None = None) -> pl.DataFrame:
    """Labels of a recording or a session.

    Parameters
    ----------
    x : session or recording
    symbol : str, optional
        Instrument of a session; default: its first one.

    Returns
    -------
    DataFrame
        By time: ``start``, ``end`` (UTC, end exclusive), ``low``, ``high`` (real units, inclusive, null: no bound),
        ``name``, ``note``, ``created``, ``author``, ``symbol``, ``id``.

    Raises
    ------
    WorkbenchError
        It is neither.

    Notes
    -----
    Those of a session lie beside the recording that it plays, and beside each one that it makes; before there is one
    they are kept in memory. See :mod:`workbench.frames.label_file`.
    """
    if hasattr(x, "manifest") and hasattr(x, "path"):
        return Labels.of(x).frame
    if not callable(getattr(x, "capture", None)):
        raise WorkbenchError(f"{type(x).__name__} without labels", expected="a session or a recording")
    found = labels_of(x, x.capture(symbol).instrument.symbol)
    found.follow()
    return found.frame


def trouble_of(session: Any, labels: Labels) -> str:
    """One sentence on why labels are not (all) on disk; empty when they are."""
    try:
        labels_of(session, labels.symbol).follow()
    except RecordingError as problem:
        return problem.message
    if labels.damage:
        return "; ".join(labels.damage)
    return (
        ""
        if labels.stored or not len(labels)
        else "labels are in memory only: record the session to keep them"
    )

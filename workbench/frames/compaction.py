"""Compaction: the journal of a finished session, and its notes, become Parquet, a third of its size and quick to scan."""

from __future__ import annotations

import contextlib
from pathlib import Path

from workbench.errors import DamagedError, RecordingError
from workbench.frames.durable import sync_directory
from workbench.frames.journal import index_path
from workbench.frames.journal_reader import JournalReader, segments
from workbench.frames.manifest import FILE_NAME, FileFact, Manifest
from workbench.frames.note_tables import write_tables
from workbench.frames.notes import NotesReader, notes_files
from workbench.frames.publication import publish


def compact(directory: Path, *, reason: str = "closed", tables: tuple[FileFact, ...] = ()) -> Manifest:
    """Turn the journal and the notes of a recording into finished files, then remove them.

    Parameters
    ----------
    directory : Path
        Directory of a recording that nobody writes.
    reason : str
        Why the recording ended; kept in the manifest.
    tables : tuple of FileFact
        Further finished tables to name in the manifest.

    Returns
    -------
    Manifest
        Of the closed recording.

    Raises
    ------
    RecordingError
        Somebody is still recording there.

    Notes
    -----
    A crash at any moment leaves the journal or the finished files, never neither: the manifest, replaced in one step,
    says which. Doing it again finishes what was left undone. Gaps found on the way become GAP rows for good.
    """
    manifest = _manifest(directory)
    if manifest.state != "closed":
        reader = JournalReader.open(directory)
        if reader.live:
            raise RecordingError(f"{directory} is being recorded", action="Stop the recorder first")
        ended = reason if reader.closed else "crashed"
        notes = NotesReader(directory)
        noted = write_tables(directory, notes)
        known = manifest.with_(
            reason=ended, files=(*tables, *noted), warnings=(*manifest.warnings, *notes.damage)
        )
        manifest = publish(directory, known, reader.batches(), damage=reader.damage)
    remove_journal(directory)
    return manifest


def remove_journal(directory: Path) -> None:
    """Delete the journal and the notes of a closed recording, and what a crash left half written.

    What somebody still reads cannot be deleted on Windows: it stays, the manifest says that it is not needed any more,
    and the next :func:`compact` removes it.
    """
    with contextlib.suppress(PermissionError):
        for path in segments(directory):
            # The index first: what is left after a crash is still found by the segment's name.
            index_path(path).unlink(missing_ok=True)
            path.unlink()
        for path in notes_files(directory):
            path.unlink()
    for path in directory.glob(".*"):
        if path.name.endswith(".writing") or path.name.startswith(f".{FILE_NAME}-"):
            path.unlink()
    sync_directory(directory)


def _manifest(directory: Path) -> Manifest:
    try:
        return Manifest.read(directory)
    except DamagedError:
        instrument = JournalReader.open(directory).instrument()
        if instrument is None:
            raise
        return Manifest(instrument, directory.parent.name)

"""Publishing a recording: written aside, verified, renamed, named by the manifest; old or new, never neither."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from workbench.errors import DamagedError
from workbench.events import EventBatch, Instrument
from workbench.frames.book_index import BookIndex, index_file
from workbench.frames.durable import sync_directory, sync_file
from workbench.frames.manifest import FileFact, Manifest
from workbench.frames.notes import TABLES
from workbench.frames.parquet import EventFile, file_fact, read_group, row_groups
from workbench.frames.summary import Summary

READ_ROWS = 65_536


def publish(
    directory: Path, manifest: Manifest, batches: Iterable[EventBatch], *, damage: Sequence[str] = ()
) -> Manifest:
    """Write a stream as finished files and close the manifest over them.

    Parameters
    ----------
    directory : Path
        Directory of the recording.
    manifest : Manifest
        What is known already; facts of the stream and files are filled in.
    batches : Iterable of EventBatch
    damage : Sequence of str
        What was found damaged, told in the manifest's warnings; may grow while ``batches`` are read.

    Returns
    -------
    Manifest
        As written. From that write on the recording is the new files; until then it is what it was.

    Raises
    ------
    DiskFullError
        No room; nothing has changed.
    DamagedError
        What was read back is not what was written.
    """
    index = BookIndex()
    summary, events = _write(directory / "events-0000.parquet", manifest.instrument, batches, index)
    files = [file_fact(events, summary.count)]
    if index.checkpoints:
        counted, path = _write(index_file(directory), manifest.instrument, index.numbered())
        files.append(file_fact(path, counted.count))
    kept = [fact for fact in manifest.files if fact.name.removesuffix(".parquet") in TABLES]
    reason = manifest.reason or "closed"
    closed = summary.into(manifest).with_(state="closed", reason=reason, files=(*files, *kept))
    closed = closed.with_(warnings=(*closed.warnings, *damage))
    closed.write(directory)
    return closed


def write_table(directory: Path, name: str, table: pa.Table) -> FileFact:
    """Write one further table of a recording (``orders`` or ``annotations``), aside and renamed."""
    import pyarrow.parquet as pq

    path = directory / f"{name}.parquet"
    aside = _aside(path)
    pq.write_table(table, aside, compression="zstd", write_page_checksum=True)
    sync_file(aside)
    aside.replace(path)
    sync_directory(directory)
    return file_fact(path, table.num_rows)


def _write(
    path: Path, instrument: Instrument, batches: Iterable[EventBatch], index: BookIndex | None = None
) -> tuple[Summary, Path]:
    aside, summary = _aside(path), Summary()
    file = EventFile(aside, instrument)
    try:
        for batch in batches:
            file.write(batch)
            summary.add(batch)
            if index is not None:
                index.add(batch)
        file.close()
        sync_file(aside)
        check_written(aside, summary)
        aside.replace(path)
    except BaseException:
        file.abandon()
        aside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
    return summary, path


def check_written(path: Path, expected: Summary) -> None:
    """Read a file back and compare rows and checksums of every column with what went in."""
    found = Summary(b for group in row_groups(path) for b in read_group(group, READ_ROWS))
    if (found.count, found.columns_crc32) != (expected.count, expected.columns_crc32):
        raise DamagedError(
            f"{path.name} reads back as {found.count} rows that differ from the {expected.count} written",
            action="Check the disk; nothing was replaced",
        )


def _aside(path: Path) -> Path:
    aside = path.with_name(f".{path.name}.writing")
    aside.unlink(missing_ok=True)
    return aside

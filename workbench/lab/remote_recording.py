"""Recordings in object stores: read over the network by Polars, wherever the worker runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from workbench.errors import DamagedError, MissingExtraError, RecordingError
from workbench.events import EventBatch, Instrument
from workbench.frames.arrow import STORED_SCHEMA, columns_of, consecutive
from workbench.frames.manifest import FILE_NAME, SIZE_LIMIT_BYTES, Manifest

if TYPE_CHECKING:
    from pathlib import Path

_SIGN: Final = "://"


def is_url(source: str | Path) -> bool:
    """Whether a text names something by URL and not by path."""
    return _SIGN in str(source)


class RemoteRecording:
    """A closed recording behind a URL, for backtests: its instrument and its events, nothing else.

    Parameters
    ----------
    url : str
        Of the recording's directory: ``s3://``, ``gs://``, ``az://``, ``file://``.

    Raises
    ------
    RecordingError
        Nothing there, or not closed.
    MissingExtraError
        fsspec is not installed.

    Notes
    -----
    The manifest is read by fsspec, which needs a driver for each store (``s3fs``, ``gcsfs``, ``adlfs``); events by Polars,
    which has its own. Both take credentials from the environment.
    """

    def __init__(self, url: str):
        self.url = url.rstrip("/")
        self.manifest = _manifest(self.url)
        if self.manifest.state != "closed":
            raise RecordingError(
                f"{url} was never closed",
                expected="a closed recording",
                action="Open it where it was recorded and close it, then copy it again",
            )

    @property
    def instrument(self) -> Instrument:
        """What was traded."""
        return self.manifest.instrument

    def batches(self) -> Iterator[EventBatch]:
        """All events, in order.

        Raises
        ------
        DamagedError
            A file has not the rows that the manifest names.
        """
        for fact in sorted(self.manifest.files, key=lambda fact: fact.name):
            if fact.name.startswith("events-"):
                yield from _events(f"{self.url}/{fact.name}", fact.rows)

    def __repr__(self) -> str:
        return f"RemoteRecording({self.url!r})"


def _manifest(url: str) -> Manifest:
    try:
        import fsspec
    except ImportError as missing:
        raise MissingExtraError.of("fsspec", "cluster") from missing
    try:
        with fsspec.open(f"{url}/{FILE_NAME}", "rb") as file:
            data = file.read(SIZE_LIMIT_BYTES)
    except (OSError, ValueError) as problem:
        raise RecordingError(
            f"nothing readable at {url}/{FILE_NAME}: {problem}", expected="a recording", code="not_found"
        ) from problem
    return Manifest.from_bytes(data, url)


def _events(url: str, rows: int) -> Iterator[EventBatch]:
    try:
        table: Any = pl.scan_parquet(url).select(STORED_SCHEMA.names).collect().to_arrow()
    except (OSError, pl.exceptions.PolarsError) as problem:
        raise RecordingError(f"cannot read {url}: {problem}") from problem
    if len(table) != rows:
        raise DamagedError(f"{url} has {len(table)} rows", expected=f"{rows}, as the manifest says")
    for batch in table.cast(STORED_SCHEMA).combine_chunks().to_batches():
        yield from consecutive(*columns_of(batch))


__all__ = ["RemoteRecording", "is_url"]

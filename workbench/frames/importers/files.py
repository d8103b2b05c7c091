"""Foreign files: opening them plain or gzipped, in pieces that end at a line, with facts and progress."""

from __future__ import annotations

import hashlib
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from workbench.errors import ImportFailedError
from workbench.events import EventBatch, Instrument

CHUNK_BYTES: Final = 1 << 17
"""Compressed bytes read at a time; small enough that the decompressed piece stays in the cache's reach."""

GZIP_MAGIC: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Request:
    """What the caller asked for; unset fields come from the files."""

    paths: tuple[Path, ...]
    symbol: str | None = None
    tick_size: Decimal | None = None
    lot_size: Decimal | None = None
    progress: bool = False
    check: bool = True


@dataclass(slots=True)
class Imported:
    """An instrument, its stream of events, and what is known of its source once the stream has been read."""

    instrument: Instrument
    batches: Iterable[EventBatch]
    facts: dict[str, object] = field(default_factory=dict)


class FinerGridError(Exception):
    """The grid guessed from the beginning of a file does not hold a later value: read again with this one."""

    def __init__(self, tick: int | None = None, size_decimals: int | None = None):
        super().__init__(tick, size_decimals)
        self.tick = tick
        self.size_decimals = size_decimals


def damaged(path: Path, found: str, expected: str, **where: object) -> ImportFailedError:
    """Error of a file that is cut, garbled or not of its format."""
    place = "".join(f", {name} {value}" for name, value in where.items())
    error = ImportFailedError(
        f"{path.name}{place}: {found}",
        expected=expected,
        action="Fetch the file again, or check that format= names its format",
    )
    error.fields = {"file": str(path), **where}
    return error


def file_facts(path: Path) -> dict[str, object]:
    """Name, size in bytes and SHA-256 of a file, for the manifest."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": digest}


def read_raw(path: Path, advance: Callable[[int], object] = lambda _n: None) -> Iterator[bytes]:
    """Decompressed bytes of a plain or gzipped file, in pieces.

    Raises
    ------
    ImportFailedError
        A gzip stream that is cut or garbled; the message names the compressed byte.
    """
    with path.open("rb") as stream:
        piece = stream.read(CHUNK_BYTES)
        if not piece.startswith(GZIP_MAGIC):
            while piece:
                advance(len(piece))
                yield piece
                piece = stream.read(4 * CHUNK_BYTES)
            return
        yield from _gunzip(path, piece, lambda: stream.read(CHUNK_BYTES), advance)


def _gunzip(
    path: Path, piece: bytes, read: Callable[[], bytes], advance: Callable[[int], object]
) -> Iterator[bytes]:
    decoder = zlib.decompressobj(31)
    offset = 0
    while piece:
        advance(len(piece))
        offset += len(piece)
        while piece:
            try:
                text = decoder.decompress(piece)
            except zlib.error as error:
                raise damaged(
                    path, f"the gzip stream is garbled ({error})", "an intact gzip file", byte=offset
                ) from error
            if text:
                yield text
            piece = decoder.unused_data
            if decoder.eof and piece:
                decoder = zlib.decompressobj(31)  # the next member of a concatenated file
        piece = read()
    if not decoder.eof:
        raise damaged(path, "the gzip stream is cut", "a gzip file with its end", byte=offset)


def read_lines(path: Path, advance: Callable[[int], object] = lambda _n: None) -> Iterator[bytes]:
    r"""Decompressed pieces that each end with a line; the last line gets its ``\n`` when the file lacks it."""
    rest = b""
    for piece in read_raw(path, advance):
        cut = piece.rfind(b"\n") + 1
        if not cut:
            rest += piece
            continue
        yield rest + piece[:cut]
        rest = piece[cut:]
    if rest:
        yield rest + b"\n"


def head(path: Path, size: int = 4096) -> bytes:
    """First decompressed bytes of a file."""
    found = b""
    for piece in read_raw(path):
        found += piece
        if len(found) >= size:
            break
    return found[:size]


def lines_of(path: Path, advance: Callable[[int], object] = lambda _n: None) -> Iterator[tuple[int, bytes]]:
    """Numbered lines (from 1) of a plain or gzipped file, without their ends."""
    number = 0
    for piece in read_lines(path, advance):
        for line in piece.splitlines():
            number += 1
            yield number, line


class Progress:
    """A bar over the bytes of several files on standard error; silent when not wanted."""

    def __init__(self, paths: Iterable[Path], wanted: bool):
        self._bar = None
        if wanted:
            from tqdm import tqdm

            total = sum(p.stat().st_size for p in paths)
            self._bar = tqdm(total=total, unit="B", unit_scale=True, desc="Importing", file=sys.stderr)

    def advance(self, count: int) -> None:
        """Move the bar by ``count`` bytes of the files."""
        if self._bar is not None:
            self._bar.update(count)

    def close(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.close()

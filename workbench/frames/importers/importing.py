"""The one way in: find the format, read the files, write a recording."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal, InvalidOperation
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ImportFailedError
from workbench.frames.importers.files import (
    FinerGridError,
    Imported,
    Request,
    file_facts,
    head,
)
from workbench.instruments import Real

if TYPE_CHECKING:
    from workbench.frames.recording import Recording

PathLike = str | os.PathLike[str]

_BYBIT = re.compile(rb'"topic"\s*:\s*"orderbook\.')

FORMATS: Final[dict[str, tuple[str, dict[str, bool]]]] = {
    "binance-futures": ("binance", {"futures": True}),
    "binance-spot": ("binance", {"futures": False}),
    "lobster": ("lobster", {}),
    "databento": ("dbn", {}),
    "tardis": ("tardis", {}),
    "csv": ("table", {}),
    "kraken": ("kraken", {}),
    "bybit": ("bybit", {}),
}
"""Formats and the module that reads each; loaded when needed."""


def import_recording(
    path_or_paths: PathLike | Iterable[PathLike],
    format: str | None = None,
    out: PathLike | None = None,
    symbol: str | None = None,
    tick_size: Real | None = None,
    lot_size: Real | None = None,
    progress: bool = True,
) -> Recording:
    """Turn files of a public format into a recording.

    Parameters
    ----------
    path_or_paths : path-like or iterable of path-like
        One file, or the files of one session; they are put in the order of time.
    format : str, optional
        ``binance-futures``, ``binance-spot``, ``lobster``, ``databento``, ``tardis``, ``csv``, ``kraken`` or
        ``bybit``; unset: told from the files.
    out : path-like, optional
        Directory that gets the recording; default ``imported`` in the data directory.
    symbol : str, optional
        Which instrument of files that hold several; else the recording's name for it.
    tick_size, lot_size : decimal string, optional
        Unset: from the file, or by the venue's rules.
    progress : bool, default True
        Show a bar on standard error.

    Returns
    -------
    Recording
        Complete and verified; nothing is left behind when the import fails.

    Raises
    ------
    ImportFailedError
        A file is missing, damaged or of another format; says which file, where, and what was expected.
    MissingExtraError
        The format rests on a package that is not installed.
    """
    paths = _paths(path_or_paths)
    chosen = format or sniff(paths)
    if chosen not in FORMATS:
        raise ImportFailedError(f"format {chosen!r}", expected=f"one of {', '.join(FORMATS)}")
    request = Request(
        paths, symbol, _decimal("tick_size", tick_size), _decimal("lot_size", lot_size), progress
    )
    from workbench.frames.recording import write_recording

    target = default_directory() if out is None else Path(out)
    try:
        for imported in read(request, chosen):
            # The manifest is written after the events: what is only known at their end joins the same mapping.
            imported.facts.update(format=chosen, files=[file_facts(p) for p in sorted(paths)])
            try:
                return write_recording(target, imported.instrument, imported.batches, source=imported.facts)
            except FinerGridError:
                continue
    except ImportFailedError as error:
        raise _explained(error, paths, chosen) from error
    raise AssertionError("an importer gave up without an error")


def read(request: Request, chosen: str) -> Iterator[Imported]:
    """Streams of an importer; a further one follows only where the grid guessed first was too coarse.

    Parameters
    ----------
    request : Request
    chosen : str
        A key of :data:`FORMATS`.
    """
    module, options = FORMATS[chosen]
    reader: Callable[..., Any] = import_module(f"workbench.frames.importers.{module}").read
    found = reader(request, **options)
    streams: Iterable[Imported] = [found] if isinstance(found, Imported) else found
    yield from streams


def _explained(error: ImportFailedError, paths: tuple[Path, ...], chosen: str) -> ImportFailedError:
    try:
        other = sniff(paths)
    except ImportFailedError:
        return error
    if other == chosen or {other, chosen} == {"tardis", "csv"}:
        return error
    found = f"{error.found}; the file looks like {other}, not {chosen}"
    action = f"Import it with format={other!r}"
    told = ImportFailedError(found, expected=error.expected, action=action)
    told.fields = {**error.fields, "looks_like": other}
    return told


def sniff(paths: tuple[Path, ...]) -> str:
    """Format of the first file that tells it.

    Raises
    ------
    ImportFailedError
        No format fits.
    """
    for path in paths:
        found = _sniff_zip(path) if zipfile.is_zipfile(path) else _sniff_text(path)
        if found:
            return found
    raise ImportFailedError(
        f"{', '.join(p.name for p in paths)}: the content looks like none of the formats known",
        expected=f"a file of {', '.join(FORMATS)}",
        action="Name the format with format=",
        file=str(paths[0]),
    )


def _sniff_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return None
    if any("_message_" in name for name in names):
        return "lobster"
    return "bybit" if any(name.endswith(".data") for name in names) else None


def _sniff_text(path: Path) -> str | None:
    if path.name.endswith((".dbn", ".dbn.zst")):
        return "databento"
    text = head(path, 1 << 16)
    first = text.partition(b"\n")[0].strip()
    if text.startswith((b"DBN", b"\x28\xb5\x2f\xfd")):
        return "databento"
    if text.startswith(b"wss://ws.kraken.com") or b'"channelName":"book-' in text:
        return "kraken"
    if _BYBIT.search(first):
        return "bybit"
    if first[:19].isdigit() and first[19:21] == b" {":
        return _sniff_binance(text)
    return _sniff_table(path, first.lower())


def _sniff_binance(text: bytes) -> str | None:
    """Only futures chain by "pu" and stamp their bookTicker with "E"."""
    if b'"pu"' in text:
        return "binance-futures"
    return "binance-spot" if b'"depthUpdate"' in text or b'"lastUpdateId"' in text else None


def _sniff_table(path: Path, header: bytes) -> str | None:
    names = [name.strip().decode("latin-1") for name in header.split(b",")]
    if "_message_" in path.name or "_orderbook_" in path.name:
        return "lobster"
    if "local_timestamp" in names and "exchange" in names:
        return "tardis"
    return "csv" if "price" in names or "px" in names else None


def default_directory() -> Path:
    """``imported`` in the data directory: ``WORKBENCH_DATA`` or the user's own."""
    import platformdirs

    base = os.environ.get("WORKBENCH_DATA") or platformdirs.user_data_dir(
        "orderflow-workbench", appauthor=False
    )
    return Path(base) / "imported"


def _paths(given: PathLike | Iterable[PathLike]) -> tuple[Path, ...]:
    several = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    paths = tuple(Path(p) for p in several)
    if not paths:
        raise ImportFailedError("no files", expected="at least one path")
    for path in paths:
        if not path.is_file():
            what = "is a directory" if path.is_dir() else "does not exist"
            raise ImportFailedError(f"{path} {what}", expected="a file", file=str(path))
        if not path.stat().st_size:
            raise ImportFailedError(f"{path.name} is empty", expected="data", file=str(path))
    return paths


def _decimal(name: str, value: Real | None) -> Decimal | None:
    if value is None:
        return None
    try:
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        raise ImportFailedError(
            f"{name}={value!r}", expected="a decimal string > 0, as '0.25'", action=f"Correct {name}"
        )
    return number

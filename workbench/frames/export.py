"""Exports: the same events in the forms that other programs read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import RecordingError
from workbench.events import EventBatch, EventKind, Flag, Instrument, Side
from workbench.frames.arrow import check_size

if TYPE_CHECKING:
    import pandas as pd

    from workbench.frames.recording import Recording

# The event row of hftbacktest 2 (hftbacktest/types.py: event_dtype), 64 bytes.
HFT_EVENT: Final = np.dtype(
    [
        ("ev", "<u8"),
        ("exch_ts", "<i8"),
        ("local_ts", "<i8"),
        ("px", "<f8"),
        ("qty", "<f8"),
        ("order_id", "<u8"),
        ("ival", "<i8"),
        ("fval", "<f8"),
    ],
    align=True,
)
HFT_DEPTH, HFT_TRADE, HFT_CLEAR, HFT_SNAPSHOT = 1, 2, 3, 4
HFT_BUY, HFT_SELL, HFT_LOCAL, HFT_EXCHANGE = 1 << 29, 1 << 28, 1 << 30, 1 << 31
_HFT_KIND = {
    EventKind.DEPTH: HFT_DEPTH,
    EventKind.TRADE: HFT_TRADE,
    EventKind.CLEAR: HFT_CLEAR,
    EventKind.GAP: HFT_CLEAR,
}


def export(
    recording: Recording, path: str | os.PathLike[str], format: str = "parquet", *, kind: str = "events"
) -> Path:
    """Write a recording in another form.

    Parameters
    ----------
    recording : Recording
    path : path-like
        File to write; must not exist.
    format : str
        ``parquet``, ``csv``, ``arrow`` (also called feather), or ``hftbacktest`` (npz of its event rows).
    kind : str
        ``events`` as stored (ticks and lots), or ``trades`` or ``depth`` in real units; hftbacktest always takes all.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    RecordingError
        Unknown format or kind, or a file that exists.
    """
    target = Path(path)
    if format not in _WRITERS:
        raise RecordingError(
            f"format {format!r}", expected=f"one of {', '.join(_WRITERS)}", code="bad_format"
        )
    if kind not in ("events", "trades", "depth"):
        raise RecordingError(f"kind {kind!r}", expected="events, trades or depth", code="bad_format")
    if target.exists():
        raise RecordingError(f"{target} exists", action="Choose another name; exports never overwrite")
    aside = target.with_name(f".{target.name}.writing")
    try:
        _WRITERS[format](recording, aside, kind)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def to_pandas(recording: Recording, kind: str = "trades", *, allow_large: bool = False) -> pd.DataFrame:
    """Pandas frame of trades, depth or events, held in memory.

    Raises
    ------
    TooLargeError
        More than the limit; ``allow_large=True`` lifts it.
    """
    check_size(recording.count, str(recording.path), allow_large=allow_large)
    return getattr(recording, kind)().collect().to_pandas()  # type: ignore[no-any-return]


def hft_events(recording: Recording) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """Events as the rows that hftbacktest reads.

    Notes
    -----
    ``local_ts`` is ``ts``. ``exch_ts`` is ``ts_source``, where the venue sends one, but never after ``ts`` and never
    before an earlier event's: hftbacktest needs both orders to agree, and clocks of venue and receiver often differ.
    A GAP becomes a clearing of both sides. Order-by-order rows are left out: price levels say the same.
    """
    batches = [_hft_rows(batch, recording.instrument) for batch in recording.batches()]
    rows = np.concatenate([np.empty(0, HFT_EVENT), *batches])
    source = np.where(rows["exch_ts"] > 0, rows["exch_ts"], rows["local_ts"])
    rows["exch_ts"] = np.maximum.accumulate(np.minimum(source, rows["local_ts"])) if len(rows) else source
    return rows


def _hft_rows(batch: EventBatch, instrument: Instrument) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    sequence, columns = batch.where(np.isin(batch.kind, list(_HFT_KIND)))
    part = EventBatch.trusted(columns, 0)
    rows = np.zeros(len(sequence), HFT_EVENT)
    kind = np.zeros(256, np.uint64)
    for ours, number in _HFT_KIND.items():
        kind[ours] = number
    theirs = kind[part.kind]
    theirs[(part.kind == EventKind.DEPTH) & ((part.flags & Flag.SNAPSHOT) != 0)] = HFT_SNAPSHOT
    side = np.where(part.side == Side.BUY, HFT_BUY, np.where(part.side == Side.SELL, HFT_SELL, 0))
    rows["ev"] = theirs | side.astype(np.uint64) | np.uint64(HFT_LOCAL | HFT_EXCHANGE)
    rows["exch_ts"], rows["local_ts"] = part.ts_source, part.ts
    sized = np.isin(part.kind, (EventKind.DEPTH, EventKind.TRADE))
    is_trade = part.kind == EventKind.TRADE
    rows["px"] = instrument.prices(part.price, np.where(is_trade, part.flags, 0).astype(np.uint16))
    rows["qty"] = np.where(sized, instrument.sizes(part.size), 0.0)
    return rows


def _write_parquet(recording: Recording, path: Path, kind: str) -> None:
    getattr(recording, kind)().sink_parquet(path, compression="zstd")


def _write_csv(recording: Recording, path: Path, kind: str) -> None:
    getattr(recording, kind)().sink_csv(path, datetime_format="%Y-%m-%dT%H:%M:%S%.9fZ")


def _write_arrow(recording: Recording, path: Path, kind: str) -> None:
    getattr(recording, kind)().sink_ipc(path, compression="zstd")


def _write_hftbacktest(recording: Recording, path: Path, kind: str) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, data=hft_events(recording))


_WRITERS: Final[dict[str, Callable[[Recording, Path, str], None]]] = {
    "parquet": _write_parquet,
    "csv": _write_csv,
    "arrow": _write_arrow,
    "feather": _write_arrow,
    "hftbacktest": _write_hftbacktest,
}

"""What every detector hands back, and how it becomes a frame.

A detection carries the time at which it became *known*, which may be later than what it is about: nothing is ever dated
back. Prices and sizes inside are integers; only :func:`frame` speaks real prices. Fields of the evidence carry their
unit in their name (``size_lots``, ``after_ns``, ``levels``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import Array, EventBatch, FloatArray, Instrument, IntArray
from workbench.flow.batches import event_batches
from workbench.flow.prints import as_times, real_prices, real_sizes

__all__ = ["Detections", "Detector", "detected", "evidence", "frame", "joined", "nothing"]


class Detections(NamedTuple):
    """Findings of one detector in stream order, arrays of shape (n,).

    Attributes
    ----------
    ts : int64, ns
        When it became known: the time of the event that completed it.
    sequence : int64
        Number of that event.
    price : int64, thousandths of a tick
    side : int8
        +1 or −1; whether of the resting or of the aggressing party, each detector says.
    score : float64
        How strong; each detector says in which unit.
    evidence : dict of str to array
        What it rests on, one array of shape (n,) per field.
    """

    ts: IntArray
    sequence: IntArray
    price: IntArray
    side: npt.NDArray[np.int8]
    score: FloatArray
    evidence: dict[str, Array]


class Detector(Protocol):
    """The streaming face of every detector."""

    def update(self, batch: EventBatch) -> Detections:
        """Take in events; what became known with them."""

    def close(self) -> Detections:
        """What becomes known because nothing follows."""


def nothing(evidence: Mapping[str, Any]) -> Detections:
    """No findings, with the evidence's fields: name to dtype."""
    return Detections(
        np.empty(0, np.int64),
        np.empty(0, np.int64),
        np.empty(0, np.int64),
        np.empty(0, np.int8),
        np.empty(0, np.float64),
        {name: np.empty(0, dtype) for name, dtype in evidence.items()},
    )


def joined(parts: Iterable[Detections]) -> Detections:
    """Findings one after another; at least one part is needed, for the evidence's fields."""
    found = list(parts)
    plain = [np.concatenate([np.asarray(part[i]) for part in found]) for i in range(5)]
    names = found[0].evidence
    evidence = {name: np.concatenate([part.evidence[name] for part in found]) for name in names}
    return Detections(plain[0], plain[1], plain[2], plain[3], plain[4], evidence)


def detected(x: Any, detector: Detector) -> Detections:
    """All that a fresh detector finds in a session, a recording, or whatever :func:`event_batches` takes."""
    parts = [detector.update(batch) for batch in event_batches(x)]
    return joined([*parts, detector.close()])


def frame(detections: Detections, instrument: Instrument) -> pl.DataFrame:
    """Findings as a frame of real prices.

    Returns
    -------
    DataFrame
        ``ts`` (UTC, when known), ``price`` (real units), ``side`` (Int8), ``score`` (Float64), ``evidence`` (struct:
        ``sequence``, then the detector's own fields).
    """
    grounds = pl.DataFrame({"sequence": detections.sequence, **detections.evidence})
    return pl.DataFrame(
        [
            as_times(detections.ts),
            pl.Series("price", real_prices(detections.price, instrument), pl.Float64),
            pl.Series("side", detections.side, pl.Int8),
            pl.Series("score", detections.score, pl.Float64),
            grounds.to_struct("evidence"),
        ]
    )


def evidence(found: pl.DataFrame, x: Any) -> pl.DataFrame:
    """What detections rest on, as columns of their own, in real units.

    Parameters
    ----------
    found : DataFrame
        Of any detector.
    x : session, recording or Instrument
        That it was found in.

    Returns
    -------
    DataFrame
        The columns of ``found``, and in place of ``evidence`` its fields: ``…_lots`` becomes ``…_size`` and
        ``…_thousandths`` a ``…_price``, both in real units, ``…_ts`` a time (null where it is 0); the others stay as they
        are. A field named like a column of ``found`` comes as ``evidence_…``.

    Raises
    ------
    WorkbenchError
        A frame without evidence.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("30s")
    >>> wb.evidence(wb.sweeps(s, levels=2), s).columns[:5]
    ['ts', 'price', 'side', 'score', 'sequence']
    """
    if "evidence" not in getattr(found, "columns", ()):
        raise WorkbenchError(
            f"a {type(found).__name__} without evidence", expected="a detector's frame", code="bad_frame"
        )
    instrument = getattr(x, "instrument", x)
    taken = [name for name in found.columns if name != "evidence"]
    fields = [_shown(field, instrument) for field in found["evidence"].struct.unnest()]
    named = [field.rename(f"evidence_{field.name}") if field.name in taken else field for field in fields]
    return found.drop("evidence").with_columns(named)


def _shown(field: pl.Series, instrument: Instrument) -> pl.Series:
    *stem, unit = field.name.split("_")
    if unit == "lots":
        return _real("_".join([*stem, "size"] if stem != ["size"] else stem), field, real_sizes, instrument)
    if unit == "thousandths":
        return _real("_".join([*stem, "price"]), field, real_prices, instrument)
    if unit == "ts":
        return field.replace(0, None).cast(pl.Datetime("ns", "UTC"))
    return field


def _real(
    name: str,
    field: pl.Series,
    scaled: Callable[[FloatArray, Instrument], FloatArray],
    instrument: Instrument,
) -> pl.Series:
    known = field.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return pl.Series(name, scaled(known, instrument), pl.Float64).fill_nan(None)

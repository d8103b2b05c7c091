"""Which detections found which planted events: one to one, by time, side and price."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import FloatArray, IntArray
from workbench.feeds.times import Duration, duration_ns

__all__ = ["Matching", "match"]

FALSE: Final = -1
REPEAT: Final = -2
_ROUNDING: Final = 1e-9
_FOUND_COLUMNS: Final = ("ts", "price", "side")
_PLANTED_COLUMNS: Final = ("start", "end", "price", "price_end", "side", "fate")


class Matching(NamedTuple):
    """What a detector found of what was planted, and what it made up.

    Attributes
    ----------
    event : int64, shape (n_detections,)
        Row of the planted event that the detection found first; −1 none (false); −2 it repeats a find, or belongs to
        an event that failed to happen as scripted.
    missed : int64, shape (n_missed,)
        Rows of planted events that nobody found; failed ones are not expected.

    Examples
    --------
    >>> import numpy as np
    >>> m = Matching(np.array([0, -2, 1, -1]), np.array([2]))
    >>> m.hits, m.repeats, m.false, round(m.precision, 3), round(m.recall, 3), round(m.f1, 3)
    (2, 1, 1, 0.667, 0.667, 0.667)
    """

    event: IntArray
    missed: IntArray

    @property
    def hits(self) -> int:
        """Planted events found."""
        return int(np.count_nonzero(self.event >= 0))

    @property
    def repeats(self) -> int:
        """Detections of events that were found before: neither right nor wrong."""
        return int(np.count_nonzero(self.event == REPEAT))

    @property
    def false(self) -> int:
        """Detections where nothing was planted."""
        return int(np.count_nonzero(self.event == FALSE))

    @property
    def precision(self) -> float:
        """Share of finds among finds and inventions; nan without any."""
        return _share(self.hits, self.hits + self.false)

    @property
    def recall(self) -> float:
        """Share of the planted events that were found; nan where none was planted."""
        return _share(self.hits, self.hits + len(self.missed))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return _share(2 * self.hits, 2 * self.hits + self.false + len(self.missed))


def match(
    found: pl.DataFrame,
    planted: pl.DataFrame,
    *,
    within: Duration = "1s",
    price_within: float = 0.0,
) -> Matching:
    """Match detections with planted events.

    Parameters
    ----------
    found : DataFrame
        ``ts``, ``price``, ``side`` of detections, as every detector gives them.
    planted : DataFrame
        As :func:`workbench.planted` gives it, of one kind and one instrument.
    within : duration
        How long after its end an event may still be found; a detection before its start is false.
    price_within : float, real units
        How far beyond ``price`` … ``price_end`` a detection may lie.

    Returns
    -------
    Matching

    Raises
    ------
    WorkbenchError
        A frame without the columns named above.

    Notes
    -----
    Detections are taken in order of time, each finds the event that began last among those that fit and that nobody has
    found yet. One that fits only events found already is a repeat.
    """
    _check(found, _FOUND_COLUMNS)
    _check(planted, _PLANTED_COLUMNS)
    late_ns = duration_ns(within)
    start, end = (planted[name].cast(pl.Int64).to_numpy() for name in ("start", "end"))
    ends = planted.select(
        low=pl.min_horizontal("price", "price_end") - price_within - _ROUNDING,
        high=pl.max_horizontal("price", "price_end") + price_within + _ROUNDING,
    )
    low, high, side = ends["low"].to_numpy(), ends["high"].to_numpy(), planted["side"].to_numpy()
    happened = (planted["fate"] != "failed").to_numpy()
    is_open = happened.copy()
    ordered = found.sort("ts", maintain_order=True)
    event = np.full(len(found), FALSE, np.int64)
    times: IntArray = ordered["ts"].cast(pl.Int64).to_numpy()
    prices: FloatArray = ordered["price"].to_numpy()
    for i, (ts, price, sign) in enumerate(zip(times, prices, ordered["side"])):
        fits = (start <= ts) & (ts <= end + late_ns) & (low <= price) & (price <= high)
        event[i] = _taken(fits & ((side == sign) | (sign == 0)), is_open)
    return Matching(event, np.flatnonzero(happened & is_open))


def _taken(fits: npt.NDArray[np.bool_], is_open: npt.NDArray[np.bool_]) -> int:
    free = np.flatnonzero(fits & is_open)
    if len(free):
        is_open[free[-1]] = False
        return int(free[-1])
    return REPEAT if fits.any() else FALSE


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _check(frame: pl.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise WorkbenchError(
            f"a frame without {', '.join(missing)}", expected=f"columns {', '.join(columns)}"
        )

"""How long things last when some of them are only seen to have lasted so far: the product-limit estimate.

References
----------
E. L. Kaplan, P. Meier: Nonparametric estimation from incomplete observations, JASA 53 (1958) 457–481.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.errors import WorkbenchError
from workbench.events import FloatArray

__all__ = ["Survival", "SurvivalCurve", "kaplan_meier"]


class SurvivalCurve(NamedTuple):
    """Share that lasts longer than each time at which something ended, arrays of shape (n_times,).

    Attributes
    ----------
    time : float64, rising
    survival : float64
        S(t): share that lasts longer than ``time``.
    at_risk : int64
        How many were still there just before ``time``.
    """

    time: FloatArray
    survival: FloatArray
    at_risk: npt.NDArray[np.int64]

    def remaining(self, at: float) -> float:
        """Mean of what is left to something that has lasted ``at``, NaN where nothing lasted longer.

        Notes
        -----
        ∫ S(u) du / S(at) from ``at`` to the last time at which something ended: a restricted mean, too low where the
        longest were not seen to end.
        """
        first = int(np.searchsorted(self.time, at, side="right"))
        now = self.survival[first - 1] if first else 1.0
        if first == len(self.time) or now <= 0.0:
            return float("nan")
        edges = np.concatenate(([at], self.time[first:]))
        heights = np.concatenate(([now], self.survival[first:-1]))
        return float(np.sum(np.diff(edges) * heights) / now)

    def half_remaining(self, at: float) -> float:
        """What is left until half of those that lasted ``at`` have ended, NaN where it was never seen."""
        first = int(np.searchsorted(self.time, at, side="right"))
        now = self.survival[first - 1] if first else 1.0
        below = np.flatnonzero(self.survival[first:] <= now / 2)
        return float(self.time[first + below[0]] - at) if now > 0.0 and len(below) else float("nan")


def kaplan_meier(lasted: npt.ArrayLike, ended: npt.ArrayLike) -> SurvivalCurve:
    """Estimate how long things last.

    Parameters
    ----------
    lasted : array-like of float, shape (n,)
        How long each lasted, or was seen to last.
    ended : array-like of bool, shape (n,)
        Whether its end was seen; else it is censored: it lasted at least so long.

    Raises
    ------
    WorkbenchError
        Arrays of different lengths, or a time that is negative or no number.

    Notes
    -----
    S(t) = Π over times tᵢ ≤ t of (1 − dᵢ/nᵢ): of nᵢ still there, dᵢ ended. What is censored at tᵢ was there at tᵢ.

    Examples
    --------
    >>> kaplan_meier([1, 2, 2, 3], [True, True, False, True]).survival.tolist()
    [0.75, 0.5, 0.0]
    """
    time, event = np.asarray(lasted, np.float64), np.asarray(ended, np.bool_)
    if time.shape != event.shape or time.ndim != 1:
        raise WorkbenchError(f"arrays of shape {time.shape} and {event.shape}", expected="two of one length")
    if np.any(~(time >= 0.0)):
        raise WorkbenchError("a time that is negative or no number", expected="times of 0 or more")
    times, deaths = np.unique(time[event], return_counts=True)
    ordered = np.sort(time)
    at_risk = (len(time) - np.searchsorted(ordered, times, side="left")).astype(np.int64)
    survival = np.cumprod((at_risk - deaths) / np.maximum(at_risk, 1), dtype=np.float64)
    return SurvivalCurve(times, survival, at_risk)


class Survival:
    """The streaming face: lives come one by one, the curve of the last ``memory`` of them at any time.

    Parameters
    ----------
    memory : int, default 1000
    """

    def __init__(self, memory: int = 1000):
        if memory < 1:
            raise WorkbenchError(f"memory of {memory}", expected="1 or more")
        self.memory = memory
        self._order: deque[tuple[float, bool]] = deque()
        self._sorted: list[tuple[float, bool]] = []
        self._curve: SurvivalCurve | None = None

    def add(self, lasted: float, ended: bool) -> None:
        """One more life."""
        if len(self._order) == self.memory:
            oldest = self._order.popleft()
            del self._sorted[bisect_right(self._sorted, oldest) - 1]
        life = (float(lasted), bool(ended))
        self._order.append(life)
        insort(self._sorted, life)
        self._curve = None

    @property
    def curve(self) -> SurvivalCurve:
        """The estimate of now."""
        if self._curve is None:
            lasted = [life[0] for life in self._sorted]
            self._curve = kaplan_meier(lasted, [life[1] for life in self._sorted])
        return self._curve

    def __len__(self) -> int:
        return len(self._order)

"""Integrated order flow imbalance: the flows of several levels as one, by their first principal component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import FloatArray
from workbench.flow.ofi import ofi
from workbench.flow.touch import checked_levels


@dataclass(frozen=True)
class IntegratedOfi:
    """A fitted integration of order flow imbalance over levels.

    Attributes
    ----------
    weights : tuple of float
        Of each level; their magnitudes add up to 1.
    every : str
        Buckets of time for which it was fitted.
    explained : float
        Share of the levels' variance that the first component holds.

    Notes
    -----
    The flow of each level in a bucket is divided by the mean resting size of a level and side in it; the first vector of
    a principal component analysis of these, divided by its L1 norm, gives the weights. Its sign is such that they add
    up to more than 0.

    References
    ----------
    R. Cont, M. Cucuringu, C. Zhang, "Cross-impact of order flow imbalance in equity markets", arXiv:2112.13213.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("60s")
    >>> model = IntegratedOfi.fit(s, levels=3, every="1s")
    >>> round(sum(abs(w) for w in model.weights), 12), model.over(s).columns
    (1.0, ['ts', 'ofi', 'mid_change'])
    """

    weights: tuple[float, ...]
    every: str
    explained: float

    @classmethod
    def fit(cls, x: Any, levels: int = 10, every: str = "1s") -> IntegratedOfi:
        """Fit on a session or recording, from before the data on which it is to be used.

        Parameters
        ----------
        x : session or recording
        levels : int, optional
        every : str, optional
            Buckets of time, a number and a unit.

        Raises
        ------
        WorkbenchError
            Fewer buckets with flow than levels + 1, or flows that never differ.
        """
        flows = _normalised(ofi(x, checked_levels(levels), every), levels)
        flows = flows[np.isfinite(flows).all(axis=1)]
        if len(flows) < levels + 1:
            raise WorkbenchError(
                f"{len(flows)} buckets for {levels} levels", expected=f"at least {levels + 1}"
            )
        values, vectors = np.linalg.eigh(np.cov(flows, rowvar=False).reshape(levels, levels))
        if not values[-1] > 0:
            raise WorkbenchError("flows that never differ", action="Fit on more data.")
        first = vectors[:, -1] * (1 if vectors[:, -1].sum() >= 0 else -1)
        weights = tuple(float(w) for w in first / np.abs(first).sum())
        return cls(weights, every, float(values[-1] / values.clip(0).sum()))

    def over(self, x: Any) -> pl.DataFrame:
        """Integrated order flow imbalance of a session or recording.

        Returns
        -------
        DataFrame
            One row for each bucket in which the levels changed: ``ts`` (its start), ``ofi`` (shares of the mean resting
            size, no unit) and ``mid_change`` (ticks). Null where the book was not known all the time since the row
            before; buckets without a row are 0.
        """
        levels = len(self.weights)
        frame = ofi(x, levels, self.every)
        # summed in order, so that the same flows give the same bits whatever stands beside them
        flows = _normalised(frame, levels)
        value = sum((flows[:, m] * w for m, w in enumerate(self.weights)), np.zeros(len(flows)))
        return pl.DataFrame(
            [
                frame["ts"],
                pl.Series("ofi", value, pl.Float64).fill_nan(None),
                frame["mid_change"],
            ]
        )


def _normalised(frame: pl.DataFrame, levels: int) -> FloatArray:
    """Flow over depth, shape (n_buckets, levels); NaN unknown."""
    names = ["ofi"] if levels == 1 else [f"ofi_{m + 1}" for m in range(levels)]
    flows = frame.select(names).cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(-1, levels)
    depth = frame["depth"].fill_null(float("nan")).to_numpy().copy()
    depth[depth <= 0] = np.nan
    return np.asarray(flows / depth[:, None])


__all__ = ["IntegratedOfi"]

"""Stoikov's micro-price model: where the mid goes in the end, by imbalance and spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from workbench.errors import WorkbenchError
from workbench.events import Array, FloatArray, IntArray
from workbench.flow.touch import Moments, touches

BUCKETS: Final = 11
"""Buckets of imbalance unless asked otherwise: odd, so that equal queues stand in the middle one and mean nothing."""
MAX_SPREAD: Final = 3
"""Wider spreads count as this one, unless asked otherwise; ticks."""
_MOST_DOUBLINGS: Final = 60
_ENOUGH: Final = 1e-13


@dataclass(frozen=True, eq=False)
class MicropriceModel:
    """A fitted micro-price: how far from the mid the price is expected to go, by state of the best levels.

    A state is a bucket of I' = bid size / (bid size + ask size) and a spread.

    Attributes
    ----------
    adjustment : array of float64, ticks, shape (buckets, spreads)
        G*: what is added to the mid. Row b is I' in [b, b + 1) / buckets, column s a spread of s + 1 ticks (the last
        one: or wider). NaN for states that were not seen, or from which the mid was never seen to move.
    observations : array of int64, shape (buckets, spreads)
        Changes of the best levels that began in each state.

    Notes
    -----
    From states x that follow each other at the touch (changes of best prices or sizes, within one stretch of a known
    book, locked and crossed states left out): Q = P(x → y, mid unmoved), R·K = E[jump of the mid; it moves | x],
    T = P(x → y, mid moved); G1 = (1 − Q)⁻¹·R·K, B = (1 − Q)⁻¹·T, and G* = Σ Bⁱ·G1. Each change counts also as its mirror
    image (I' → 1 − I', jump → −jump), without which the series need not converge.

    References
    ----------
    S. Stoikov, "The micro-price: a high-frequency estimator of future prices", Quantitative Finance 18 (2018), SSRN
    2970694.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("30s")
    >>> MicropriceModel.fit(s).adjustment.shape
    (11, 3)
    """

    adjustment: FloatArray
    observations: IntArray

    @classmethod
    def fit(cls, x: Any, buckets: int = BUCKETS, max_spread: int = MAX_SPREAD) -> MicropriceModel:
        """Fit on a session or recording.

        Parameters
        ----------
        x : session or recording
            Data from before those on which the model is to be used.
        buckets : int, optional
            Buckets of imbalance, at least 2. An odd number has a middle one for equal queues.
        max_spread : int, ticks, optional
            Wider spreads count as this one.

        Raises
        ------
        WorkbenchError
            The mid never moved, or parameters out of range.
        """
        return cls.of_moments(touches(x), buckets, max_spread)

    @classmethod
    def of_moments(
        cls, moments: Moments, buckets: int = BUCKETS, max_spread: int = MAX_SPREAD
    ) -> MicropriceModel:
        """Fit on states of the best levels; parameters of :meth:`fit`."""
        if buckets < 2 or max_spread < 1:
            raise WorkbenchError(
                f"buckets {buckets}, max_spread {max_spread}", expected="buckets ≥ 2 and max_spread ≥ 1"
            )
        states = buckets * max_spread
        before, after, jump = _changes(moments, buckets, max_spread)
        if not jump.any():
            raise WorkbenchError(
                f"the mid did not move in {len(jump)} changes of the best levels",
                action="Fit on more data.",
            )
        seen = np.bincount(before, minlength=states)
        mirror = (buckets - 1 - before // max_spread) * max_spread + before % max_spread
        mirror_after = (buckets - 1 - after // max_spread) * max_spread + after % max_spread
        before, after = np.concatenate([before, mirror]), np.concatenate([after, mirror_after])
        jump = np.concatenate([jump, -jump])
        found = _solve(before, after, jump, states)
        shape = (buckets, max_spread)
        return cls(found.reshape(shape), seen.reshape(shape).astype(np.int64))

    def __repr__(self) -> str:
        buckets, spreads = self.adjustment.shape
        known = int(np.isfinite(self.adjustment).sum())
        return (
            f"MicropriceModel({buckets} buckets × {spreads} spreads, {known} states known, "
            f"{int(self.observations.sum())} changes)"
        )


def _changes(moments: Moments, buckets: int, max_spread: int) -> tuple[IntArray, IntArray, FloatArray]:
    """State before, state after and jump of the mid, ticks, of each change within a stretch."""
    bid, ask = moments.bid[:, 0], moments.ask[:, 0]
    bid_size, total = moments.bid_size[:, 0], moments.bid_size[:, 0] + moments.ask_size[:, 0]
    usable = moments.known & (bid_size > 0) & (bid_size < total) & (ask > bid)
    bucket = np.minimum(bid_size * buckets // np.maximum(total, 1), buckets - 1)
    state = bucket * max_spread + np.minimum(ask - bid, max_spread) - 1
    pair = usable[:-1] & usable[1:]
    jump = np.diff(bid + ask) / 2
    return state[:-1][pair], state[1:][pair], jump[pair]


def _solve(before: IntArray, after: IntArray, jump: FloatArray, states: int) -> FloatArray:
    """G* of each state; NaN where nothing is known."""
    moved = jump != 0
    useful = _leading_on(before, after, moved, states)
    kept = useful[before] & useful[after]
    before, after, jump, moved = before[kept], after[kept], jump[kept], moved[kept]
    count = np.bincount(before, minlength=states)
    number = np.cumsum(useful) - 1
    size = int(useful.sum())
    stays, moves = np.zeros((2, size, size))
    np.add.at(stays, (number[before[~moved]], number[after[~moved]]), 1.0)
    np.add.at(moves, (number[before[moved]], number[after[moved]]), 1.0)
    per_state = count[useful].astype(np.float64)
    mean_jump = np.bincount(before, jump, states)[useful] / per_state
    found = np.full(states, np.nan)
    found[useful] = fixed_point(stays / per_state[:, None], mean_jump, moves / per_state[:, None])
    return found


def _leading_on(before: IntArray, after: IntArray, moved: Array, states: int) -> npt.NDArray[np.bool_]:
    """States from which a move of the mid can be reached, through none but such states."""
    useful = np.ones(states, np.bool_)
    while True:
        inside = useful[before] & useful[after]
        reached = np.zeros(states, np.bool_)
        reached[before[inside & moved]] = True
        while True:
            wider = reached.copy()
            wider[before[inside & ~moved & reached[after]]] = True
            if (wider == reached).all():
                break
            reached = wider
        if (reached == useful).all():
            return useful
        useful = reached


def fixed_point(stays: FloatArray, mean_jump: FloatArray, moves: FloatArray) -> FloatArray:
    """G* = Σ Bⁱ·G1 of a model's matrices.

    Parameters
    ----------
    stays : array of float64, shape (n, n)
        Q: probability of the next state with the mid unmoved.
    mean_jump : array of float64, ticks, shape (n,)
        R·K: expected jump of the mid at the next change, 0 where it stays.
    moves : array of float64, shape (n, n)
        T: probability of the next state with the mid moved.

    Raises
    ------
    WorkbenchError
        The series does not converge, as that of a model without mirror images need not.
    """
    identity = np.eye(len(stays))
    solved = np.linalg.solve(identity - stays, np.column_stack([mean_jump, moves]))
    total, power = solved[:, 0], solved[:, 1:]
    for _ in range(_MOST_DOUBLINGS):
        # the first 2k terms are the first k, and Bᵏ times those
        more = power @ total
        total = total + more
        if np.abs(more).max(initial=0.0) <= _ENOUGH * max(1.0, np.abs(total).max(initial=0.0)):
            return np.asarray(total)
        power = power @ power
    raise WorkbenchError("the series of the micro-price does not converge", action="Fit on more data.")


__all__ = ["BUCKETS", "MAX_SPREAD", "MicropriceModel", "fixed_point"]

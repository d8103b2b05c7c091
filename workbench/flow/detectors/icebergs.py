"""Icebergs, all kinds by one name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import polars as pl

from workbench.errors import WorkbenchError
from workbench.flow.batches import instrument_of
from workbench.flow.detectors.detections import Detector, detected, frame
from workbench.flow.detectors.hidden_size import Resistance, Underflow
from workbench.flow.detectors.iceberg_orders import NativeIcebergs, SyntheticIcebergs

__all__ = ["IcebergKind", "icebergs"]

IcebergKind = Literal["native", "synthetic", "underflow", "resistance"]
_KINDS: Final[dict[str, Callable[..., Detector]]] = {
    "native": NativeIcebergs,
    "synthetic": SyntheticIcebergs,
    "underflow": Underflow,
    "resistance": Resistance,
}


def icebergs(x: Any, kind: IcebergKind = "native", **parameters: Any) -> pl.DataFrame:
    """Find orders that are larger than what they show.

    Parameters
    ----------
    x : session or recording
    kind : str, default ``"native"``
        ``"native"``: refilled by the venue under the same order id. ``"synthetic"``: refilled by a program with new
        orders of the same size. Both need order rows. ``"underflow"``: more was traded at a level than it displayed.
        ``"resistance"``: what was traded at a level is displayed again soon. Both need levels and trades only.
    **parameters
        Of :class:`~workbench.flow.detectors.iceberg_orders.NativeIcebergs`,
        :class:`~workbench.flow.detectors.iceberg_orders.SyntheticIcebergs`,
        :class:`~workbench.flow.detectors.hidden_size.Underflow`,
        :class:`~workbench.flow.detectors.hidden_size.Resistance`.

    Returns
    -------
    DataFrame
        ``ts`` (when known), ``price`` (real units), ``side`` (resting side), ``score``, ``evidence``; one row per
        refill. Meaning of score and evidence: see the class of the kind.

    Raises
    ------
    WorkbenchError
        Unknown kind, or a parameter that makes no sense.

    Notes
    -----
    No rows where nothing was refilled, and none before a snapshot is complete; after a gap all orders are forgotten.

    **What it cannot know.** Hidden size that nothing ever touched; who stands behind orders with different ids. The
    kinds of levels see sums of all participants: what one pulled and another added at the same time is invisible.

    References
    ----------
    D. Zotikov, A. Antonov, "CME iceberg order detection and prediction", arXiv:1909.09495.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("30s")
    >>> wb.icebergs(s).columns
    ['ts', 'price', 'side', 'score', 'evidence']
    """
    if kind not in _KINDS:
        raise WorkbenchError(f"kind={kind!r}", expected=f"one of {', '.join(_KINDS)}", code="bad_value")
    return frame(detected(x, _KINDS[kind](instrument_of(x), **parameters)), instrument_of(x))

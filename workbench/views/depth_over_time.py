"""Spread, resting size near the touch and its imbalance over time. Live and as figures."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import WorkbenchError
from workbench.views.depth_model import DepthPanelSeries
from workbench.views.esm import joined
from workbench.views.live import Captured
from workbench.views.panel import PanelView, ThemeChoice

__all__ = ["DepthOverTime"]


class DepthOverTime(PanelView):
    """Live spread, depth and imbalance of one instrument, over the heatmap's time axis.

    Wheel to zoom, drag to pan, F to follow.

    Parameters
    ----------
    session : Session or Recording
    symbol : str, optional
        Default: the session's first instrument.
    levels : int or sequence of int, default 10
        Size is summed over the best so many levels of each side; several numbers: a band for each.
    zone : str, optional
        IANA name of the time zone of the labels; default: the browser's.
    theme : {"dark", "light", "auto"}
    height : int, pixels
    group : str, optional
        Views of one group share cursor and time range; default: those of the session.

    Notes
    -----
    What a column shows is the mean weighted by time; of the spread also its least and most. See
    :func:`workbench.flow.depth_series.depth_series`.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.DepthOverTime(s, levels=[1, 10])
    DepthOverTime('ES-SIM')
    """

    _esm = joined("depth_over_time.js")

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        levels: int | Sequence[int] = 10,
        zone: str | None = None,
        theme: ThemeChoice = "dark",
        height: int = 300,
        group: str | None = None,
    ):
        cuts = (levels,) if isinstance(levels, int) else tuple(sorted(set(levels)))
        if not cuts or cuts[0] < 1 or len(cuts) > 5:
            raise WorkbenchError(f"levels {levels}", expected="one to five numbers of levels ≥ 1")

        def make(capture: Captured, version: int) -> DepthPanelSeries:
            return DepthPanelSeries(capture, cuts, version)

        options = {"zone": zone, "theme": theme, "height": height, "group": group, "scale": "auto"}
        super().__init__(session, symbol, make, options)

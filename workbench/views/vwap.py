"""Volume-weighted average prices and their bands, from any anchors. Live and as figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from workbench.errors import WorkbenchError
from workbench.flow.days import zone_of
from workbench.frames.moments import Moment, to_ns
from workbench.views.esm import joined
from workbench.views.live import Captured
from workbench.views.panel import PanelView, ThemeChoice
from workbench.views.vwap_model import Anchor, VwapSeries

__all__ = ["Vwap"]

MOST_ANCHORS = 12
AnchorChoice = Moment | Literal["session"] | None


class Vwap(PanelView):
    """Live VWAP with bands of one instrument, over the heatmap's time axis.

    Wheel to zoom, drag to pan, F to follow; press A (or the button), then click: another average begins there. X takes
    the added ones away.

    Parameters
    ----------
    session : Session or Recording
    symbol : str, optional
        Default: the session's first instrument.
    anchor : None, "session", int ns or datetime, or a list of these
        Where averages begin: at the first trade, again at each midnight of ``zone``, at a moment.
    bands : sequence of float
        Multiples of σ drawn on both sides of each average.
    zone : str, optional
        IANA name of the time zone of labels and days; default: the browser's for labels, UTC for days.
    theme : {"dark", "light", "auto"}
    height : int, pixels
    group : str, optional
        Views of one group share cursor and time range; default: those of the session.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Vwap(s, bands=(1, 2))
    Vwap('ES-SIM')
    """

    _esm = joined("vwap.js")

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        anchor: AnchorChoice | Sequence[AnchorChoice] = None,
        bands: Sequence[float] = (1, 2),
        zone: str | None = None,
        theme: ThemeChoice = "dark",
        height: int = 240,
        group: str | None = None,
    ):
        if not all(k > 0 for k in bands):
            raise WorkbenchError(f"bands {tuple(bands)}", expected="multiples of σ above 0")
        self._bands = tuple(float(k) for k in bands)
        days = zone_of(zone)
        chosen = anchor if isinstance(anchor, list | tuple) else [anchor]
        self._given = tuple(_anchor(one, days) for one in chosen)
        self._added: tuple[int, ...] = ()

        def clock(ns: int) -> str:
            return datetime.fromtimestamp(ns / 1e9, days).strftime("%H:%M:%S")

        def make(capture: Captured, version: int) -> VwapSeries:
            anchors = (*self._given, *(Anchor(ns) for ns in self._added))
            return VwapSeries(capture, anchors, self._bands, clock, version)

        options = {"zone": zone, "theme": theme, "height": height, "group": group, "scale": "compact"}
        super().__init__(session, symbol, make, options)

    @property
    def anchors(self) -> tuple[int, ...]:
        """Moments at which averages were added, ns."""
        return self._added

    def anchor_at(self, moment: Moment) -> None:
        """Add an average that begins with the first trade at or after a moment.

        Raises
        ------
        WorkbenchError
            There are too many already.
        """
        if len(self._given) + len(self._added) >= MOST_ANCHORS:
            raise WorkbenchError(
                f"{MOST_ANCHORS} anchors", expected=f"at most {MOST_ANCHORS}: take some away"
            )
        ns = to_ns(moment)
        if not 0 <= ns < 2**63:
            raise WorkbenchError(f"anchor {ns!r:.60}", expected="ns from 1970 to 2262")
        self._added = tuple(sorted({*self._added, ns}))
        self._change()

    def forget_anchors(self) -> None:
        """Take away the averages that were added."""
        self._added = ()
        self._change()

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        do, ms = act.get("do"), act.get("ms")
        if do == "anchor" and isinstance(ms, int | float):
            self.anchor_at(round(ms * 1e6))
        elif do == "forget":
            self.forget_anchors()
        else:
            return super()._act(act)
        return {"anchors": [ns / 1e6 for ns in self._added]}


def _anchor(choice: object, days: Any) -> Anchor:
    if choice is None:
        return Anchor()
    if choice == "session":
        return Anchor(days=days)
    return Anchor(to_ns(choice))  # type: ignore[arg-type]  # refuses what is no moment

"""Cumulative volume delta under the heatmap: what aggressors bought minus what they sold. Live and as figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from workbench.errors import WorkbenchError
from workbench.flow.bar_rule import interval_ns
from workbench.flow.cvd import SizeFilter
from workbench.flow.days import zone_of
from workbench.frames.moments import Moment, to_ns
from workbench.views.cvd_model import MODES, CvdSeries, CvdSettings, Mode
from workbench.views.esm import joined
from workbench.views.live import Captured
from workbench.views.panel import SCALINGS, PanelView, Scaling, ThemeChoice

__all__ = ["Cvd"]

_LEAST_BAR_NS = 10_000_000
_EVERYTHING: tuple[SizeFilter, ...] = ((0, None),)


class Cvd(PanelView):
    """Live cumulative volume delta or delta bars of one instrument, over the heatmap's time axis.

    Wheel to zoom, drag to pan, F to follow; R begins the delta again at 0, M and S change what is shown and how it is
    scaled.

    Parameters
    ----------
    session : Session or Recording
    symbol : str, optional
        Default: the session's first instrument.
    sizes : list of (float, float or None), optional
        A line for each: only trades of ``lower <= size < upper`` count, real units. Default: all trades.
    reset : {"session", "none"} or list of int ns or datetime
        When the delta begins again at 0: at each midnight of ``zone``, never, or at the first trade at or after each
        of these moments.
    mode : {"cvd", "delta", "split"}
        Running delta, delta of each bar, or buyers and sellers apart.
    bar : str, default "1s"
        Interval of delta bars, and of the bars that divergence compares.
    divergence : int, default 20
        Marks bars whose price is a new extreme of so many bars while the delta's is not; 0: no marks.
    scale : {"auto", "symmetrical", "zero", "compact"}
        Value axis: as far below zero as above, zero included, or as tight as the values.
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
    >>> wb.Cvd(s, sizes=[(0, 5), (5, None)])
    Cvd('ES-SIM')
    """

    _esm = joined("cvd.js")

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        sizes: Sequence[SizeFilter] | None = None,
        reset: Literal["session", "none"] | Sequence[Moment] = "session",
        mode: Mode = "cvd",
        bar: str = "1s",
        divergence: int = 20,
        scale: Scaling = "auto",
        zone: str | None = None,
        theme: ThemeChoice = "dark",
        height: int = 180,
        group: str | None = None,
    ):
        if mode not in MODES or scale not in SCALINGS:
            raise WorkbenchError(
                f"mode {mode!r}, scale {scale!r}", expected=f"one of {MODES}, one of {SCALINGS}"
            )
        self._days = zone_of(zone) if reset == "session" else None
        self._resets = _moments(reset)
        self._mode: Mode = mode
        self._bar_ns = interval_ns(bar)
        if self._bar_ns < _LEAST_BAR_NS:
            raise WorkbenchError(f"bar {bar!r}", expected="at least '10ms'")
        bars: object = divergence
        if isinstance(bars, bool) or not isinstance(bars, int) or bars < 0:
            raise WorkbenchError(
                f"divergence {divergence!r}", expected="a number of bars to look back, 0 for none"
            )
        self._sizes = tuple((lower, upper) for lower, upper in sizes) if sizes else _EVERYTHING
        self._divergence = divergence

        def make(capture: Captured, version: int) -> CvdSeries:
            return CvdSeries(capture, self._settings, version)

        options = {
            "zone": zone, "theme": theme, "height": height, "group": group, "scale": scale, "mode": mode, "modes": MODES,
        }  # fmt: skip
        super().__init__(session, symbol, make, options)

    @property
    def _settings(self) -> CvdSettings:
        return CvdSettings(self._sizes, self._resets, self._days, self._mode, self._bar_ns, self._divergence)

    @property
    def resets(self) -> tuple[int, ...]:
        """Moments at which the delta was made to begin again, ns; midnights not among them."""
        return self._resets

    def reset_now(self) -> None:
        """Begin the delta again at 0, from this moment of the market on."""
        self._reset_at(self._session.clock.now_ns)

    def _reset_at(self, ns: int) -> None:
        self._resets = tuple(sorted({*self._resets, ns}))
        self._change()

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        do, ms = act.get("do"), act.get("ms")
        if do == "reset":
            self._reset_at(round(ms * 1e6) if isinstance(ms, int | float) else self._session.clock.now_ns)
        elif do == "mode" and act.get("mode") in MODES:
            self._mode = act["mode"]
            self._change()
        elif do == "forget":
            self._resets = ()
            self._change()
        else:
            return super()._act(act)
        return {"resets": [ns / 1e6 for ns in self._resets], "mode": self._mode}


def _moments(reset: object) -> tuple[int, ...]:
    if reset in ("session", "none"):
        return ()
    if isinstance(reset, str) or not isinstance(reset, Sequence):
        raise WorkbenchError(f"reset {reset!r}", expected="'session', 'none' or a list of moments")
    return tuple(sorted(to_ns(moment) for moment in reset))

"""The known truth of a simulated session: what its planted participants did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from workbench.errors import ReplayError
from workbench.feeds.simulator.source import Simulator
from workbench.session.facade import Session

if TYPE_CHECKING:
    import polars as pl

_STEP_NS: Final = 10_000_000_000
_SOURCES: Final[WeakKeyDictionary[Session, Simulator]] = WeakKeyDictionary()


def note_planted(session: Session, source: Simulator) -> None:
    """Remember the market of a session, to be asked by :func:`planted`."""
    _SOURCES[session] = source


def planted(x: Any) -> pl.DataFrame:
    """What planted participants did: every event that ended by the time reached.

    Parameters
    ----------
    x : Session or Simulator
        Opened by ``simulate(…, plants=…)``; inline or through an engine.

    Returns
    -------
    DataFrame
        ``symbol``, ``kind``, ``start``, ``end`` (UTC), ``side`` (+1 bid or buy aggressor), ``price``, ``price_end``,
        ``size`` (real units), ``count`` (refills, levels or orders), ``fate``, ``order_id``. Empty without plants.

    Raises
    ------
    ReplayError
        The session is not one of a simulated market opened here.

    Notes
    -----
    An engine hands out events, not truth. The market is a pure function of its seed and plants, so it is run once more
    here, up to the time the session has reached.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True, plants=wb.plants("sweep", every="20s", at="5s"))
    >>> s.advance("10s")
    >>> wb.planted(s).select("kind", "side", "price", "count").row(0)
    ('sweep', 1, 5003.75, 5)
    """
    if isinstance(x, Simulator):
        return x.planted()
    source = _SOURCES.get(x) if isinstance(x, Session) else None
    if source is None:
        raise ReplayError(
            f"the truth of {x!r}",
            expected="a session opened by simulate",
            action="Open one with wb.simulate(plants=wb.plants(...))",
        )
    now_ns = x.clock.now_ns
    while source.plants and source.position_ns < now_ns:
        source.advance(min(source.position_ns + _STEP_NS, now_ns))
    return source.planted(now_ns)

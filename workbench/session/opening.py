"""The three ways to open a session: simulate, replay, connect."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.feeds.pacing import parse_speed
from workbench.feeds.replay import Recordings, Replay
from workbench.feeds.simulator.source import Simulator
from workbench.feeds.source import Source
from workbench.feeds.times import Moment
from workbench.session.facade import Session
from workbench.session.inline import InlineLine
from workbench.session.line import Line
from workbench.session.rerun import calling_place, close_earlier, remember


def simulate(
    seed: int = 7,
    profile: str = "es-like",
    *,
    inline: bool = False,
    speed: float | str = 1.0,
    symbol: str | None = None,
    symbols: Sequence[str] = (),
    start: Moment | None = None,
    intensity: float = 1.0,
) -> Session:
    """Open a session on a simulated market: the same seed gives the same market, bit for bit.

    Parameters
    ----------
    seed : int
    profile : str
        ``"es-like"`` or ``"btc-like"``.
    inline : bool
        In this process, without threads, on a virtual clock moved by :meth:`Session.advance`.
    speed : float or "max"
        Virtual seconds per second.
    symbol, symbols, start, intensity
        See :class:`~workbench.feeds.simulator.Simulator`.

    Returns
    -------
    Session
    """
    options = {"symbol": symbol, "symbols": symbols, "start": start, "intensity": intensity}
    source = Simulator(seed, profile, **options)  # type: ignore[arg-type]
    return _open_source(source, parse_speed(speed), inline)


def replay(
    recording: Recordings,
    speed: float | str = 1.0,
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    inline: bool = False,
) -> Session:
    """Open a session on one or several recordings.

    Parameters
    ----------
    recording : Recording, path, or a sequence of them
        Several of one instrument follow each other; several instruments are merged by time.
    speed : float or "max"
    start, end : int, datetime or str, optional
        Both inclusive; a duration such as ``"10m"`` counts from the first event.
    inline : bool
        In this process, without threads, on a virtual clock moved by :meth:`Session.advance`.

    Returns
    -------
    Session

    Raises
    ------
    ReplayError
        A speed that is no positive number; no events; end before start.
    RecordingError
        A path that is no recording; recordings of one instrument that overlap.
    """
    source = Replay(recording, speed, start, end)
    return _open_source(source, source.speed, inline)


def _open_source(source: Source, speed: float, inline: bool) -> Session:
    place = calling_place()
    close_earlier(place, source.name)
    line: Line = InlineLine(source, speed) if inline else _engine_line(source, speed)
    session = Session(line)
    remember(place, session)
    return session

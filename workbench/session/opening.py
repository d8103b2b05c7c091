"""The three ways to open a session: simulate, replay, connect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.errors import ReplayError, WorkbenchError
from workbench.feeds.pacing import parse_speed
from workbench.feeds.replay import Recordings, Replay
from workbench.feeds.simulator.planting import Plant, plain_plants
from workbench.feeds.simulator.source import Simulator
from workbench.feeds.source import Source
from workbench.feeds.specification import SourceSpec
from workbench.feeds.times import Moment
from workbench.protocol import messages
from workbench.session.facade import Session
from workbench.session.inline import InlineLine
from workbench.session.labels import note_played
from workbench.session.line import Line
from workbench.session.planted import note_planted
from workbench.session.rerun import Place, calling_place, close_earlier, remember
from workbench.trading.paper_terms import PaperTerms


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
    plants: Iterable[Plant | Mapping[str, Any]] = (),
    paper: PaperTerms | None = None,
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
    symbol, symbols, start, intensity, plants
        See :class:`~workbench.feeds.simulator.Simulator`.
    paper : PaperTerms, optional
        Latency, fees, money and bounds of the paper account that ``session.orders`` trade on.

    Returns
    -------
    Session
    """
    source = Simulator(
        seed, profile, symbol=symbol, symbols=symbols, start=start, intensity=intensity, plants=plants
    )
    options: dict[str, Any] = {
        "seed": seed,
        "profile": profile,
        "symbols": [i.symbol for i in source.instruments],
        "start": source.start_ns,
        "intensity": intensity,
    }
    if source.plants:
        options["plants"] = plain_plants(source.plants)
    spec = SourceSpec(kind="simulate", options=options, speed=parse_speed(speed), paper=paper)
    session = _open_source(source, spec, inline)
    note_planted(session, source)
    return session


def replay(
    recording: Recordings,
    speed: float | str = 1.0,
    start: Moment | None = None,
    end: Moment | None = None,
    *,
    inline: bool = False,
    paper: PaperTerms | None = None,
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
    paper : PaperTerms, optional
        Latency, fees, money and bounds of the paper account that ``session.orders`` trade on.

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
    options: dict[str, Any] = {
        "recordings": [str(r.path.absolute()) for r in source.recordings],
        "start": source.start_ns,
        "end": source.end_ns,
    }
    spec = SourceSpec(kind="replay", options=options, speed=source.speed, paper=paper)
    session = _open_source(source, spec, inline)
    note_played(session, source.recordings)
    return session


def connect(
    uri: str | None = None,
    token: str | None = None,
    *,
    inline: bool = False,
    listen: Mapping[str, Sequence[str]] | None = None,
) -> Session:
    """Open a session on a feed that runs already.

    Parameters
    ----------
    uri : str, optional
        ``ws://127.0.0.1:PORT/v1``, or ``"bookmap"`` for the bridge inside Bookmap. Default: the only feed there is.
    token : str, optional
        Needed only for feeds that do not tell where they are by a discovery file of yours.
    inline : bool
        Not for a live feed: it happens by itself.
    listen : Mapping of str to sequence of str, optional
        Other add-ons of the platform whose broadcasts shall arrive in ``session.broadcasts``: names of their
        generators by provider, as in ``{"Market Pulse": ["volume"]}``. An empty sequence asks what a provider has.

    Returns
    -------
    Session

    Raises
    ------
    FeedError
        Nothing listens there, it is not a workbench feed, or it is not on this machine and has no TLS.
    AuthenticationError
        The token was refused.
    DiscoveryError
        No address was given and there are several feeds (they are listed), or none.
    """
    from workbench.session.engines import line_to

    if inline:
        raise ReplayError(
            "a live feed happens by itself",
            expected="inline=False",
            action="Record it, then replay it inline",
        )
    place = calling_place()
    close_earlier(place, f"connect {uri}")
    line = line_to(uri, token)
    try:
        _listen(line, listen or {})
    except BaseException:
        line.close()
        raise
    return _opened(line, place)


def _listen(line: Line, wanted: Mapping[str, Sequence[str]]) -> None:
    for provider, generators in wanted.items():
        names = (generators,) if isinstance(generators, str) else tuple(generators)
        for generator in names or ("",):
            line.ask(messages.Listen(provider=provider, generator=generator))


def _open_source(source: Source, spec: SourceSpec, inline: bool) -> Session:
    if spec.paper is not None and not isinstance(spec.paper, PaperTerms):
        raise WorkbenchError(f"paper={spec.paper!r:.60}", expected="wb.PaperTerms(…)", code="bad_value")
    place = calling_place()
    close_earlier(place, source.name)
    if inline:
        return _opened(InlineLine(source, spec.speed, spec.paper), place)
    from workbench.session.engines import line_of

    return _opened(line_of(spec, source.name), place)


def _opened(line: Line, place: Place | None) -> Session:
    session = Session(line)
    remember(place, session)
    return session

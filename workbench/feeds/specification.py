"""What an engine is told at its start: one JSON line on its standard input, never on the command line."""

from __future__ import annotations

import hashlib
import importlib
from typing import Any, Final, Literal

import msgspec

from workbench.errors import EngineError
from workbench.feeds.pacing import MAX
from workbench.feeds.source import Source
from workbench.trading.paper_terms import PaperTerms

GRACE_S: Final = 10.0


class SourceSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an engine gets its events from.

    Parameters
    ----------
    kind : {"simulate", "replay", "upstream", "bookmap", "custom"}
        ``simulate``: ``options`` are arguments of :class:`~workbench.feeds.simulator.source.Simulator`.
        ``replay``: ``recordings`` (paths), ``start``, ``end``.
        ``upstream``: ``uri`` and ``token`` of another feed.
        ``bookmap``: nothing; every bridge that runs inside Bookmap is found.
        ``custom``: ``factory`` (``"module:function"``), called with the other options.
    options : dict
    speed : float
        Virtual seconds per second; infinity is as fast as possible.
    paper : PaperTerms, optional
        Terms of the paper account; default: its own defaults.
    """

    kind: Literal["simulate", "replay", "upstream", "bookmap", "custom"]
    options: dict[str, Any] = {}
    speed: float = 1.0
    paper: PaperTerms | None = None

    def __repr__(self) -> str:
        return f"SourceSpec({self.kind}, {sorted(self.options)})"

    @property
    def key(self) -> str:
        """Same for two specifications of the same events, so that clients find the engine that serves them."""
        paper = [] if self.paper is None else [self.paper]
        plain = msgspec.json.encode([self.kind, self.options, *paper], order="deterministic")
        return f"{self.kind}-{hashlib.sha256(plain).hexdigest()[:16]}"


class EngineSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an engine runs.

    Parameters
    ----------
    source : SourceSpec
    identity : str
        Name of this run; the discovery file is named after it.
    port : int
        0 takes a free one.
    grace_s : float or None, seconds
        Leave so long after the last client has gone and nothing is recorded; None: stay until told to leave.
    wait_for_subscriber : bool
        Virtual time stands still until somebody listens, so that the first client gets everything.
    open_access : bool
        Market data without login.
    head_start_s : float, virtual seconds
        Handed over at once when virtual time starts, so that the first picture has a past.
    """

    source: SourceSpec
    identity: str
    port: int = 0
    grace_s: float | None = GRACE_S
    wait_for_subscriber: bool = True
    open_access: bool = False
    head_start_s: float = 0.0


def build_source(spec: SourceSpec) -> Source:
    """Make the source of an engine.

    Raises
    ------
    WorkbenchError
        As the source itself does: a missing recording, an unknown profile, a feed that is not there.
    """
    options = dict(spec.options)
    match spec.kind:
        case "simulate":
            from workbench.feeds.simulator.source import Simulator

            return Simulator(**options)
        case "replay":
            from workbench.feeds.replay import Replay

            return Replay(options.pop("recordings"), speed=spec.speed, **options)
        case "upstream":
            from workbench.feeds.upstream import UpstreamSource

            return UpstreamSource.connect(**options)
        case "bookmap":
            from workbench.feeds.bookmap import BookmapSource

            return BookmapSource.connect(**options)
        case "custom":
            return _custom(options)


def encode(spec: EngineSpec) -> bytes:
    """One line of JSON, in which no limit of speed is ``"max"``."""
    plain = msgspec.to_builtins(spec)
    if spec.source.speed == MAX:
        plain["source"]["speed"] = "max"
    return msgspec.json.encode(plain)


def decode(line: bytes) -> EngineSpec:
    """Inverse of :func:`encode`.

    Raises
    ------
    EngineError
        Not a specification.
    """
    try:
        plain = msgspec.json.decode(line)
        if plain["source"].get("speed") == "max":
            plain["source"]["speed"] = MAX
        return msgspec.convert(plain, EngineSpec)
    except (msgspec.MsgspecError, KeyError, AttributeError, TypeError) as problem:
        # the line may hold a token: it is not part of the message
        raise EngineError(f"no engine specification ({type(problem).__name__})") from None


def _custom(options: dict[str, Any]) -> Source:
    module, _, function = options.pop("factory").partition(":")
    source = getattr(importlib.import_module(module), function)(**options)
    if not isinstance(source, Source):
        raise EngineError(f"{module}:{function} made a {type(source).__name__}", expected="a Source")
    return source

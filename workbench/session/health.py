"""What a session knows about its own state of health."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from workbench.frames.suspicion import LATEST_NS

if TYPE_CHECKING:
    from workbench.frames.capture import Capture
    from workbench.protocol import messages


class Recorder(NamedTuple):
    """A recording that is being made, or was.

    Attributes
    ----------
    path : Path
    running : bool
    """

    path: Path
    running: bool


@dataclass(frozen=True, slots=True)
class Health:
    """State of a session at one moment.

    Parameters
    ----------
    state : str
        ``connecting``, ``live``, ``paused``, ``stale``, ``ended`` or ``closed``.
    events : int
        Events captured since the session was opened, all instruments.
    gaps : int
        Holes in the stream; ``lost`` events are known to be missing in them.
    lost : int
    duplicates : int
        Events that came twice and were dropped.
    crossed : bool
        Whether a book is crossed right now: it is stale then, and ``note`` says how.
    clock_suspect : int
        Events stamped in 1970, or (live) more than a day ahead of the wall clock.
    resyncs : int
        How often a book was asked for anew: after a loss, or after half a second crossed.
    lag_ms : float
        Age of the newest data, wall clock; 0 inline.
    events_per_s : float
        Over the last second of wall clock; inline, over all of virtual time.
    reconnects, bad_messages : int
        Of the connection to the engine; 0 inline.
    recording : bool
        Whether anything is being recorded.
    note : str
        What went wrong last, in one sentence; empty when nothing did.
    synced_ns : int, ns since the epoch, UTC
        Event time at which a book was last taken in whole: at the beginning, after a loss, a seek; 0 before the first.
    recorders : tuple of Recorder
        What is recorded, and what the last recording was.
    engine : Mapping
        What the engine says of itself: ``clients`` (number), ``backlog`` (events not yet on disk), ``dropped`` (events
        a recorder could not take), ``disk_free`` (bytes), and ``bridges``, each a mapping with its state. Empty inline.

    Notes
    -----
    The repr leaves out lag, rate and what the engine says, which differ from run to run, so that notebooks compare equal.
    """

    state: str
    events: int = 0
    gaps: int = 0
    lost: int = 0
    duplicates: int = 0
    crossed: bool = False
    clock_suspect: int = 0
    resyncs: int = 0
    lag_ms: float = 0.0
    events_per_s: float = 0.0
    reconnects: int = 0
    bad_messages: int = 0
    recording: bool = False
    note: str = ""
    synced_ns: int = 0
    recorders: tuple[Recorder, ...] = ()
    engine: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def with_rate(self, events_per_s: float) -> Health:
        """Return the same with a rate."""
        return replace(self, events_per_s=events_per_s)

    def __repr__(self) -> str:
        facts = [self.state, _counted(self.gaps, "gap")]
        if self.lost:
            facts.append(f"{self.lost} events lost")
        if self.reconnects:
            facts.append(_counted(self.reconnects, "reconnect"))
        if self.bad_messages:
            facts.append(_counted(self.bad_messages, "bad message"))
        if self.clock_suspect:
            facts.append(f"{self.clock_suspect} clock_suspect")
        if self.resyncs:
            facts.append(_counted(self.resyncs, "resync"))
        facts += ["crossed"] * self.crossed + ["recording"] * self.recording
        return f"Health({', '.join(facts)}{': ' if self.note else ''}{self.note})"


def engine_facts(report: messages.Health) -> dict[str, Any]:
    """What an engine's report says that :class:`Health` passes on."""
    told: dict[str, Any] = {"clients": len(report.clients)}
    told |= {name: report.backlog[key] for name, key in _BACKLOG.items() if key in report.backlog}
    if report.disk:
        told["disk_free"] = min(report.disk.values())
    bridges = [bridge for source in report.sources for bridge in source.get("bridges") or ()]
    return told | ({"bridges": bridges} if bridges else {})


_BACKLOG: Final = {"backlog": "recording", "dropped": "dropped"}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Running(Protocol):
    """What tells of a recording."""

    @property
    def running(self) -> bool: ...

    @property
    def paths(self) -> Mapping[str, Path]: ...


def tally(
    state: str,
    captures: Iterable[Capture],
    recordings: Iterable[Running] = (),
    latest_ns: int = LATEST_NS,
) -> Health:
    """Count what captures and recordings know.

    Parameters
    ----------
    state : str
    captures : Iterable of Capture
    recordings : Iterable of Running
    latest_ns : int, ns since the epoch
        Events stamped later are suspect.
    """
    known = list(captures)
    crossed = [text for capture in known if (text := capture.crossed)]
    times = [capture.suspect_times(latest_ns) for capture in known]
    recorders = tuple(Recorder(path, r.running) for r in recordings for path in r.paths.values())
    return Health(
        state,
        events=sum(c.events for c in known),
        gaps=sum(len(c.gap_rows) for c in known),
        lost=sum(c.lost for c in known),
        duplicates=sum(c.duplicates for c in known),
        crossed=bool(crossed),
        clock_suspect=sum(t.count for t in times),
        recording=any(recorder.running for recorder in recorders),
        synced_ns=max((c.synced_ns for c in known), default=0),
        recorders=recorders,
        note=next((text for text in (*crossed, *map(str, times)) if text), ""),
    )

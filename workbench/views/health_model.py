"""Core of the health view: looks once a second, sends only what reads differently."""

from __future__ import annotations

import os
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from workbench.events import EventKind
from workbench.views.axes import size_text
from workbench.views.health_facts import Fact, facts_of
from workbench.views.live import Message

__all__ = ["HealthModel"]

LOOK_NS: Final = 1_000_000_000
WINDOW: Final = 60
MOST_GAPS: Final = 20
SAMPLE_ROWS: Final = 4096
_COUNTERS: Final = (
    "state", "note", "lag_ms", "events", "gaps", "lost", "duplicates", "reconnects", "bad_messages", "resyncs",
    "clock_suspect", "crossed", "synced_ns",
)  # fmt: skip
KINDS: Final = {
    "depth": (EventKind.DEPTH, EventKind.SNAPSHOT_END, EventKind.CLEAR),
    "trades": (EventKind.TRADE,),
    "orders": (EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL),
}


class HealthModel:
    """Health of one session.

    Parameters
    ----------
    session : Session or Exhibit
    capture : Captured
    wall_ns : callable
        Monotonic time, ns.
    views : callable
        Says in a sentence what the views of the session do.
    verdict : callable
        What verifying found: keys ``verdict`` and ``reasons``; empty while nobody asked.
    """

    def __init__(
        self,
        session: Any,
        capture: Any,
        wall_ns: Callable[[], int],
        views: Callable[[], str] = lambda: "",
        verdict: Callable[[], dict[str, Any]] = dict,
    ):
        self._session, self._capture, self._wall_ns = session, capture, wall_ns
        self._views, self._verdict = views, verdict
        self._looked: int | None = None
        self._lags: deque[float] = deque(maxlen=WINDOW)
        self._rates: deque[list[float]] = deque(maxlen=WINDOW)
        self._counted: tuple[int, dict[str, int]] | None = None
        self._told: dict[str, Any] = {}
        self.facts: list[Fact] = []
        self.gaps: list[str] = []

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Facts, the newest gaps and rates of the last minute, once a second at most."""
        now = self._wall_ns()
        if not full and self._looked is not None and now - self._looked < LOOK_NS:
            return None
        self._looked = now
        self.look(now)
        told = {
            "facts": [list(fact) for fact in self.facts],
            "gap_list": self.gaps,
            "rates": list(self._rates),
            "kinds": list(KINDS),
        }
        news = {name: value for name, value in told.items() if full or self._told.get(name) != value}
        self._told = told
        return ({"k": "health", **news}, []) if news else None

    def look(self, now: int) -> None:
        """Ask the session."""
        known = self._known()
        self._count(now)
        if self._rates:
            known["rate"] = sum(self._rates[-1])
        if known.get("lag_ms") is not None:
            self._lags.append(known["lag_ms"])
            known["lag_p99_ms"] = float(np.percentile(self._lags, 99)) if len(self._lags) > 1 else None
        self.facts, self.gaps = facts_of(known), self._gap_lines()

    def _known(self) -> dict[str, Any]:
        health = self._session.health
        known = {name: getattr(health, name) for name in _COUNTERS if hasattr(health, name)}
        known |= self._verdict() | {"views": self._views(), "clock_offset_ms": self._clock_offset()}
        places = self._recordings()
        known["recordings"] = [(path, _bytes_in(path), running) for path, running in places]
        if any(running for _, running in places):
            known["disk_free"] = shutil.disk_usage(Path(places[-1][0]).parent).free
        return known | {
            name: value for name, value in getattr(health, "engine", {}).items() if name != "disk_free"
        }

    def _recordings(self) -> list[tuple[str, bool]]:
        if (recording := getattr(self._session, "recording", None)) is not None:
            return [(str(recording.path), False)]
        return [(str(path), running) for path, running in getattr(self._session.health, "recorders", ())]

    def _clock_offset(self) -> float | None:
        """Median of receive time less the venue's, of the newest events, ms; None where the venue sends none."""
        clock = self._session.clock
        if self._session.state != "live" or getattr(clock, "is_steerable", True) or _is_bounded(clock):
            return None  # of a replay it would tell about a clock of long ago
        columns = self._capture.columns
        stop = len(columns)
        ts, source = columns.view(max(getattr(columns, "first_row", 0), stop - SAMPLE_ROWS), stop)[:2]
        told = source > 0
        return float(np.median(ts[told] - source[told])) / 1e6 if told.any() else None

    def _count(self, now: int) -> None:
        counts = getattr(self._capture, "counts", None)
        if counts is None:
            return
        if self._counted is not None and now > self._counted[0]:
            before, seconds = self._counted[1], (now - self._counted[0]) / 1e9
            self._rates.append(
                [
                    round(max(0, _of(counts, kinds) - _of(before, kinds)) / seconds, 1)
                    for kinds in KINDS.values()
                ]
            )
        self._counted = (now, dict(counts))

    def _gap_lines(self) -> list[str]:
        frame = self._capture.gaps
        lines = []
        for ts, sequence, lost in frame.tail(MOST_GAPS).select("ts", "sequence", "lost").iter_rows():
            size = "unknown length" if lost < 0 else f"{size_text(float(lost))} events"
            lines.append(f"{ts:%Y-%m-%d %H:%M:%S} UTC: {size}, from event {sequence:,}")
        return lines[::-1]


def _is_bounded(clock: Any) -> bool:
    """Whether its source has an end: then nothing of it is happening now."""
    return getattr(clock, "span_ns", (0, 0))[1] is not None


def _of(counts: dict[str, int], kinds: tuple[EventKind, ...]) -> int:
    return sum(counts.get(kind.name, 0) for kind in kinds)


def _bytes_in(path: str) -> int:
    try:
        with os.scandir(path) as entries:
            return sum(entry.stat().st_size for entry in entries if entry.is_file())
    except OSError:  # it is being renamed, or has gone
        return 0

"""The session: what a notebook holds. State answers at once, verbs do the work."""

from __future__ import annotations

import html
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from workbench.errors import FeedError, ReplayError, WorkbenchError
from workbench.feeds.times import Duration, Moment, duration_ns, moment_ns, moment_text
from workbench.session.clock import Clock
from workbench.session.recording import RecordingHandle
from workbench.session.stream import Stream

if TYPE_CHECKING:
    import polars as pl

    from workbench.frames.book_view import BookView
    from workbench.frames.capture import Capture
    from workbench.instruments import Instrument
    from workbench.session.health import Health
    from workbench.session.line import Line

WAIT_S: Final = 60.0
PREDICATE_STEP_NS: Final = 100_000_000


class Session:
    """One source of market events and all that came from it.

    Made by :func:`~workbench.simulate`, :func:`~workbench.replay` and :func:`~workbench.connect`; what is written
    against one works against all. Attributes without a symbol are those of the first instrument;
    ``session["NQ"]`` gives another one's.

    Notes
    -----
    A session is a context manager. It is also closed when it is dropped and when the interpreter ends. Data that
    was captured stays readable after closing.
    """

    # a wish set on a name that is none (``session.speed = 2``) must not be swallowed
    __slots__ = ("__weakref__", "_clock", "_finalizer", "_line", "_recordings", "_streams")

    def __init__(self, line: Line):
        self._line = line
        self._clock = Clock(line)
        self._streams: dict[str, Stream] = {}
        self._recordings: list[RecordingHandle] = []
        # `leave`: a kernel that restarts must not end what the engine records
        self._finalizer = weakref.finalize(self, line.close, leave=True)

    @property
    def source(self) -> str:
        """What feeds it: the same text in every run."""
        return self._line.source

    @property
    def symbols(self) -> tuple[str, ...]:
        """Names of the instruments; those that appear later follow."""
        return tuple(self._line.captures)

    def __getitem__(self, symbol: str) -> Stream:
        capture = self._line.captures.get(symbol)
        if capture is None:
            raise WorkbenchError(
                f"unknown instrument {symbol!r}; have {list(self.symbols)}", code="unknown_instrument"
            )
        return self._streams.setdefault(symbol, Stream(capture))

    def _stream(self, symbol: str | None = None) -> Stream:
        if symbol is None and not self.symbols:
            raise WorkbenchError(
                f"{self.source} has no instrument yet",
                action="Subscribe to one at the source; it appears here by itself",
                code="unknown_instrument",
            )
        return self[self.symbols[0] if symbol is None else symbol]

    def capture(self, symbol: str | None = None) -> Capture:
        """Return the columns and books behind the frames: what views and indicators read."""
        return self._stream(symbol).capture

    @property
    def instrument(self) -> Instrument:
        """The (first) instrument."""
        return self._stream().instrument

    @property
    def book(self) -> BookView:
        """The book now: best 20 levels, in real units."""
        return self._stream().book

    @property
    def trades(self) -> pl.DataFrame:
        """Trades so far, in real units."""
        return self._stream().trades

    @property
    def depth(self) -> pl.DataFrame:
        """Depth changes so far, in real units."""
        return self._stream().depth

    @property
    def events(self) -> pl.DataFrame:
        """Every event so far, as stored: ticks and lots."""
        return self._stream().events

    @property
    def gaps(self) -> pl.DataFrame:
        """Where events are missing."""
        return self._stream().gaps

    def bars(self, interval: str = "1s", symbol: str | None = None) -> pl.DataFrame:
        """Time bars of the trades so far: ``"100ms"``, ``"1s"``, ``"1m"``."""
        return self._stream(symbol).bars(interval)

    @property
    def clock(self) -> Clock:
        """Virtual time: ``clock.now``, ``clock.speed``, ``clock.pause()``, ``clock.seek("30s")``."""
        return self._clock

    @property
    def state(self) -> str:
        """``connecting``, ``live``, ``paused``, ``stale``, ``ended`` or ``closed``."""
        return self._line.state

    @property
    def health(self) -> Health:
        """Counters and lag, see :class:`~workbench.session.health.Health`."""
        return self._line.health()

    def advance(
        self, duration: Duration | None = None, *, events: int | None = None, until: Moment | None = None
    ) -> None:
        """Move the virtual clock of an inline session.

        Parameters
        ----------
        duration : str or timedelta, optional
            ``"30s"``, ``"1m30s"``.
        events : int, optional
            Take in exactly so many events, fewer at the end.
        until : int, datetime or str, optional
            Go to a moment; a duration counts from the start of the source.

        Raises
        ------
        ReplayError
            Not exactly one of the three; the session is paused, or follows the engine's clock.
        """
        if sum(x is not None for x in (duration, events, until)) != 1:
            raise ReplayError("advance() without one measure", expected="a duration, events=… or until=…")
        if events is not None:
            self._line.advance(None, _positive(events))
        elif duration is not None:
            self._line.advance(self._line.now_ns + duration_ns(duration), None)
        else:
            self._line.advance(self._moment(until), None)

    def until(
        self,
        ts: Moment | None = None,
        *,
        events: int | None = None,
        predicate: Callable[[Session], bool] | None = None,
        timeout: float = WAIT_S,
    ) -> None:
        """Let the session run until something holds; with nothing given, until the source has ended.

        Parameters
        ----------
        ts : int, datetime or str, optional
            Virtual time.
        events : int, optional
            So many events captured, all instruments.
        predicate : callable, optional
            Takes the session; asked again whenever events have come (inline: each 100 ms of virtual time).
        timeout : float, s

        Raises
        ------
        FeedError
            The time-out passed, or the stream ended first (code ``timeout`` or ``ended``).
        """
        moment = None if ts is None else self._moment(ts)
        done, wanted = self._condition(moment, events, predicate)
        if moment is None and events is None and predicate is None:
            moment = self._line.end_ns
        if self._line.wait(done, timeout, until_ns=moment, events=events):
            return
        if self.state in ("ended", "closed"):
            raise FeedError(f"the session {self.state} before {wanted}", code="ended")
        raise FeedError(f"{wanted} did not come within {timeout:g} s", code="timeout")

    def _condition(
        self, moment: int | None, events: int | None, predicate: Callable[[Session], bool] | None
    ) -> tuple[Callable[[], bool], str]:
        if moment is not None:
            return (lambda: self._line.now_ns >= moment), f"time {moment_text(moment)}"
        if events is not None:
            count = _positive(events)
            return (lambda: sum(c.events for c in self._line.captures.values()) >= count), f"{count} events"
        if predicate is not None:
            return (lambda: bool(predicate(self))), "what was waited for"
        return (lambda: self.state == "ended"), "the end"

    def _moment(self, moment: Moment | None) -> int:
        assert moment is not None
        return moment_ns(moment, self._line.start_ns)

    def record(
        self, directory: str | Path, symbols: tuple[str, ...] | None = None, *, history: bool = False
    ) -> RecordingHandle:
        """Record from now on, in the engine (inline: here), crash-safe.

        Parameters
        ----------
        directory : str or Path
            A directory per session and instrument is made below it.
        symbols : tuple of str, optional
            Default: all.
        history : bool
            Begin with everything since the stream began, as long as the engine still holds that (minutes to hours):
            what you just saw is kept too.

        Returns
        -------
        RecordingHandle
            ``.stop()`` gives the finished recording; also a context manager.
        """
        wanted = self.symbols if symbols is None else tuple(self[s].symbol for s in symbols)
        handle = RecordingHandle(self._line.record(Path(directory), wanted, history), wanted)
        self._recordings = [r for r in self._recordings if r.running] + [handle]
        return handle

    def close(self) -> None:
        """Stop what this session records and let go of the source. Closing twice is no error."""
        if self._finalizer.detach() is None:
            return
        try:
            for recording in self._recordings:
                recording.stop()
        finally:
            self._line.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        count = len(self.symbols)
        closed = ", closed" if self.state == "closed" else ""
        return (
            f"Session({self.source}, {count} symbol{'' if count == 1 else 's'}, {self._line.place}{closed})"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(i.symbol)}</td><td>{html.escape(i.full_name)}</td>"
            f"<td>{i.tick_size:f}</td><td>{i.lot_size:f}</td></tr>"
            for i in (capture.instrument for capture in self._line.captures.values())
        )
        head = "<tr><th>symbol</th><th>name</th><th>tick</th><th>lot</th></tr>"
        return f"<div><b>{html.escape(repr(self))}</b><table>{head}{rows}</table></div>"


def _positive(events: int) -> int:
    if isinstance(events, bool) or not hasattr(events, "__index__") or int(events) <= 0:
        raise ReplayError(f"events={events!r}", expected="a whole number > 0")
    return int(events)

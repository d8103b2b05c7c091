"""The session: what a notebook holds. State answers at once, verbs do the work."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, overload

from workbench.errors import FeedError, ReplayError, WorkbenchError
from workbench.feeds.times import Duration, Moment, duration_ns, moment_ns
from workbench.session import arming
from workbench.session.account_frames import BALANCES, FILLS, POSITIONS, account_frame, broadcasts_frame
from workbench.session.clock import Clock
from workbench.session.drawing import LineStyle, Style, Where
from workbench.session.line import Line, capture_of
from workbench.session.orders import Orders
from workbench.session.recording import RecordingHandle
from workbench.session.stream import Stream
from workbench.session.tables import html_table
from workbench.session.waiting import condition, patience_s, positive

if TYPE_CHECKING:
    import polars as pl

    from workbench.frames.book_view import BookView
    from workbench.frames.capture import Capture
    from workbench.instruments import Instrument
    from workbench.session.arming import PanicReport, TradingState
    from workbench.session.health import Health
    from workbench.session.publication import Publication
    from workbench.session.publisher import Publisher

WAIT_S: Final = 60.0


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
    __slots__ = (
        "__weakref__",
        "_clock",
        "_finalizer",
        "_line",
        "_orders",
        "_publisher",
        "_recordings",
        "_streams",
    )

    def __init__(self, line: Line):
        self._line = line
        self._clock = Clock(line)
        self._streams: dict[str, Stream] = {}
        self._recordings: list[RecordingHandle] = []
        self._orders = Orders(line)
        self._publisher: Publisher | None = None
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
        capture = capture_of(self._line, symbol)
        return self._streams.setdefault(symbol, Stream(capture))

    def _stream(self, symbol: str | None = None) -> Stream:
        return self[capture_of(self._line, symbol).instrument.symbol]

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
            self._line.advance(None, positive(events))
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
        timeout: float | Duration = WAIT_S,
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
        timeout : float (s), str or timedelta

        Raises
        ------
        FeedError
            The time-out passed, or the stream ended first (code ``timeout`` or ``ended``).
        """
        moment, patience = None if ts is None else self._moment(ts), patience_s(timeout)
        asked = None if predicate is None else lambda: bool(predicate(self))
        done, wanted = condition(self._line, moment, events, asked)
        if moment is None and events is None and predicate is None:
            moment = self._line.end_ns
        if self._line.wait(done, patience, until_ns=moment, events=events):
            return
        if self.state in ("ended", "closed"):
            raise FeedError(f"the session {self.state} before {wanted}", code="ended")
        raise FeedError(f"{wanted} did not come within {patience:g} s", code="timeout")

    def _moment(self, moment: Moment | None) -> int:
        assert moment is not None
        return moment_ns(moment, self._line.start_ns)

    @property
    def orders(self) -> Orders:
        """Orders: ``orders.buy(2, limit=…)``, ``orders.frame``; see :class:`~workbench.session.orders.Orders`."""
        return self._orders

    @property
    def fills(self) -> pl.DataFrame:
        """Executions so far, each once: columns of :data:`~workbench.session.account_frames.FILLS`."""
        return account_frame(self._line.account.fills(), FILLS)

    @property
    def positions(self) -> pl.DataFrame:
        """Newest position of each instrument: columns of :data:`~workbench.session.account_frames.POSITIONS`."""
        return account_frame(self._line.account.positions(), POSITIONS)

    @property
    def balances(self) -> pl.DataFrame:
        """Newest balance of each currency: columns of :data:`~workbench.session.account_frames.BALANCES`."""
        return account_frame(self._line.account.balances(), BALANCES)

    @property
    def broadcasts(self) -> pl.DataFrame:
        """What other add-ons of the platform said (:func:`~workbench.connect` with ``listen=``); ``data`` is JSON."""
        return broadcasts_frame(self._line.account.broadcasts())

    def arm(
        self,
        minutes: float | None = None,
        max_orders: int | None = None,
        max_size: float | None = None,
        *,
        symbol: str | None = None,
        max_per_second: int = arming.MAX_PER_SECOND,
    ) -> TradingState:
        """Open this side's lock for orders, within bounds; ``minutes=0`` closes it, and so does the end of this session.

        The other lock is the platform's own: in Bookmap a setting of the add-on, off by default. There every bound
        has to be named. On paper none has, and none counts: the switch is opened, and the bounds are those of
        ``PaperTerms(limits=…)``.

        Parameters
        ----------
        minutes : float, optional
        max_orders : int, optional
            How many orders may be placed.
        max_size : float, optional, real units
            Largest size of one order.
        symbol : str, optional
            Default: the first instrument; for ``minutes=0`` all.
        max_per_second : int
            Orders and changes in any second, forty times as many in any minute; up to 100.

        Returns
        -------
        TradingState
            Says which of the two locks is open, and what to do if one is not.

        Raises
        ------
        WorkbenchError
            The source cannot trade (``read_only``), or bounds that are none.
        """
        wanted = self._stream(symbol).instrument.symbol
        if minutes == 0:
            return arming.disarm(self._line, wanted, everywhere=symbol is None)
        return arming.arm(self._line, wanted, minutes, max_orders, max_size, max_per_second)

    def panic(self) -> PanicReport:
        """Take back every order of every instrument, then close this side's lock; at most 1 s, never raises."""
        return arming.panic(self._line)

    @overload
    def publish(
        self,
        name: str,
        what: object = None,
        *,
        colour: str = ...,
        style: LineStyle = ...,
        where: Where = ...,
        symbol: str | None = ...,
    ) -> Publication: ...

    @overload
    def publish(self, *, message: str, symbol: str | None = ...) -> None: ...

    def publish(
        self,
        name: str | None = None,
        what: object = None,
        *,
        colour: str = "#ffb000",
        style: LineStyle = "solid",
        where: Where = "chart",
        symbol: str | None = None,
        message: str | None = None,
    ) -> Publication | None:
        """Draw values on the platform's own chart, live; or show the trader a line of text.

        Parameters
        ----------
        name : str
            Of the indicator. Publishing under the same name again replaces the earlier publication.
        what : number, series, frame, array, callable or indicator, optional
            A number, or the last one of what holds several: the platform draws at the present only. A callable takes
            the session and gives a number or None; it is asked again each 0.1 s in which events came. ``wb.vwap`` and
            ``wb.cvd`` are followed as they stream. None: values come by :meth:`Publication.add`.
        colour, style, where : str
            See :class:`~workbench.session.drawing.Style`.
        symbol : str, optional
            Default: the first instrument.
        message : str
            Instead of all this: show this line of text.

        Returns
        -------
        Publication
            ``.stop()`` ends it; nothing for a message.

        Raises
        ------
        WorkbenchError
            No platform here (``not_supported``); a value that cannot be drawn.
        """
        from workbench.session.publisher import Publisher, notify

        capture = self.capture(symbol)
        if message is not None:
            notify(self._line, capture.instrument.symbol, message)
            return None
        if name is None:
            raise WorkbenchError("publish() without a name", expected='publish("name", value)')
        if self._publisher is None:
            self._publisher = Publisher(self._line)
        return self._publisher.publish(self, capture, name, what, Style(colour, style, where))

    def record(
        self, directory: str | Path, symbols: tuple[str, ...] | None = None, *, history: bool = False
    ) -> RecordingHandle:
        """Record from now on, in the engine (inline: here), crash-safe.

        Parameters
        ----------
        directory : str or Path
            A directory per session and instrument is made below it.
        symbols : tuple of str, optional
            Default: all, and those that appear later.
        history : bool
            Begin with everything since the stream began, as long as the engine still holds that (minutes to hours):
            what you just saw is kept too.

        Returns
        -------
        RecordingHandle
            ``.stop()`` gives the finished recording; also a context manager.
        """
        wanted = self.symbols if symbols is None else tuple(self[s].symbol for s in symbols)
        asked = () if symbols is None else wanted  # a name that was asked for keeps others out
        handle = RecordingHandle(self._line.record(Path(directory), asked, history), wanted)
        self._recordings = [r for r in self._recordings if r.running] + [handle]
        return handle

    def close(self) -> None:
        """Stop what this session records and let go of the source. Closing twice is no error."""
        if self._finalizer.detach() is None:
            return
        try:
            if self._publisher is not None:
                self._publisher.stop()
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
        count = f"{len(self.symbols)} symbol{'' if len(self.symbols) == 1 else 's'}"
        closed = ", closed" if self.state == "closed" else ""
        return f"Session({self.source}, {count}, {self._line.place}{closed})"

    def _repr_html_(self) -> str:
        known = [capture.instrument for capture in self._line.captures.values()]
        rows = [(i.symbol, i.full_name, f"{i.tick_size:f}", f"{i.lot_size:f}") for i in known]
        return html_table(repr(self), ("symbol", "name", "tick", "lot"), rows)

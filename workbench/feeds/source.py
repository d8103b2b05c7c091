"""What the engine and inline sessions drive: a source of events as a function of virtual time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, runtime_checkable

from workbench.events import EventBatch, Instrument
from workbench.protocol import messages


@runtime_checkable
class Source(Protocol):
    """A stream of market events that is a pure function of virtual time.

    Simulator, replay of recordings and upstream feeds all look like this. A source owns no clock and no thread that
    its caller could see: whoever drives it says up to which time it wants events, by wall clock (engine) or by hand
    (inline session). How the calls cut time into pieces never changes the events.

    Attributes
    ----------
    instruments : tuple of Instrument
        Streams of this source; each has its own sequence numbers.
    name : str
        Deterministic, for reprs and manifests: ``"simulate seed=7 profile=es-like"``.
    start_ns, end_ns : int, ns since the epoch, UTC
        Virtual time of the first and the last event; ``end_ns`` is None for a source without end.
    position_ns : int, ns since the epoch, UTC
        Everything up to here has been handed out.
    exhausted : bool
        True once nothing will ever come again (before a :meth:`seek`).
    """

    @property
    def instruments(self) -> tuple[Instrument, ...]: ...

    @property
    def name(self) -> str: ...

    @property
    def start_ns(self) -> int: ...

    @property
    def end_ns(self) -> int | None: ...

    @property
    def position_ns(self) -> int: ...

    @property
    def exhausted(self) -> bool: ...

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        """Hand out events with ``ts <= until_ns`` that were not handed out yet.

        Parameters
        ----------
        until_ns : int, ns since the epoch, UTC
        max_events : int, optional
            Stop after so many events; the rest comes with the next call.

        Returns
        -------
        list of (str, EventBatch)
            Symbol and events, in order within each symbol, and in the order of time between symbols as far as
            batches allow.
        """
        ...

    def seek(self, ts_ns: int) -> None:
        """Go to another time; the next :meth:`advance` starts with the book as of then.

        That is one ``CLEAR`` row, the book's rows with ``Flag.SNAPSHOT`` and ``SNAPSHOT_END`` per symbol. Sequence
        numbers go on upwards, so that nobody downstream takes the jump for lost events.

        Parameters
        ----------
        ts_ns : int, ns since the epoch, UTC
        """
        ...


@runtime_checkable
class LiveSource(Source, Protocol):
    """A source that happens by itself: an upstream feed, a bridge. It cannot be sought, paused or hurried.

    Its virtual time is the wall clock, and what nobody fetches in time is lost (as a ``GAP``), which a replay or a
    simulation never loses.
    """

    live: bool

    def close(self) -> None:
        """Let go of the connection and the thread behind it."""
        ...


@runtime_checkable
class Platform(Protocol):
    """A live source with a trading platform behind it: commands go there, and its account is told.

    ``instruments`` of such a source may grow while it runs.
    """

    def listen(self, tell: Callable[[messages.AccountMessage], object]) -> None:
        """Hand every account message on, from any thread."""
        ...

    def ask(self, symbol: str, command: messages.Command) -> Future[messages.Message]:
        """Send a command to where an instrument lives; never blocks, and nothing is kept for later.

        Raises
        ------
        FeedError
            ``disconnected``: nothing was sent. ``unknown_instrument``.

        Notes
        -----
        The future's exception has the code ``lost`` where nobody knows whether the command was carried out.
        """
        ...

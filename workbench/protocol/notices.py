"""What the two state machines tell their shell: the things ``events()`` returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.events import EventBatch, Instrument
from workbench.protocol import messages

if TYPE_CHECKING:
    from workbench.protocol.snapshot import Dom


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection with this code and reason once what is pending went out; ``abort``: at once."""

    code: int
    reason: str
    abort: bool = False


@dataclass(frozen=True, slots=True)
class BadMessage:
    """The peer sent something that breaks the protocol; counted, the connection lives on."""

    code: str
    message: str


# -- server ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The peer may use the feed; ``how`` is ``proof``, ``token`` or ``open``."""

    how: str
    client: str


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """A wrong token or proof."""

    how: str


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """The peer's subscription to one instrument; no data: it has none any more."""

    symbol: str
    data: frozenset[str]


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A checked command for the owner of the server, to be answered by ``send`` with its ``request_id``."""

    command: messages.Command


# -- client ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The connection went to ``state``: see ``transitions.CLIENT``."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StreamChanged:
    """One instrument went to ``state``: ``waiting``, ``syncing`` or ``live``; its grid is known from here."""

    symbol: str
    state: str
    instrument: Instrument
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MarketData:
    """Consecutive rows of one instrument, each number at most once and in order.

    Parameters
    ----------
    symbol : str
    batch : EventBatch
        Starts exactly where the previous one ended (``batch.next_sequence``); lost numbers are a ``GAP`` row.
    sequence : array of int64, shape (n_events,), or None
        Given when the subscription is filtered and numbers in between belong to other kinds of data; the
        batch's own numbers then count from its first row only.
    send_ns : int, ns UTC
        When the server sent it; 0 unknown (JSON).
    """

    symbol: str
    batch: EventBatch
    sequence: npt.NDArray[np.int64] | None = None
    send_ns: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the books before event ``next_sequence``: not part of the stream, and no numbers of its own.

    Notes
    -----
    ``batch`` is CLEAR, DEPTH best first (bids, asks), MBO_NEW in queue order, SNAPSHOT_END, all flagged SNAPSHOT.
    Feed it to the books without the duplicate check, and go on with ``next_sequence``. Its rows carry the
    numbers that end right before ``next_sequence``, so that they sort before what follows; they may repeat
    numbers already seen.
    """

    symbol: str
    batch: EventBatch
    next_sequence: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """A conflated top of the book (``DOM``): prices and sizes in real units, best first."""

    symbol: str
    sequence: int
    ts: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]

    @classmethod
    def of(cls, dom: Dom) -> Ladder:
        """Ladder of a message; JSON numbers without a fraction come as integers."""
        bids, asks = ([(float(p), float(s)) for p, s in side] for side in (dom.bids, dom.asks))
        return cls(dom.symbol, dom.sequence, dom.ts, bids, asks)


@dataclass(frozen=True, slots=True)
class Received:
    """Any other message of the server: account, recording, health, answers, errors."""

    message: messages.Message


@dataclass(slots=True)
class Counts:
    """Counters of one connection, for health."""

    messages: int = 0
    bad: int = 0
    unknown: int = 0
    duplicates: int = 0
    lost: int = 0
    resyncs: int = 0
    examples: dict[str, str] = field(default_factory=dict)

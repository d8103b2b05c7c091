"""Every control and account message of the wire, as msgspec structs tagged by ``type``.

Market data (``SNAPSHOT``, ``DEPTH``, ``TRADE``, ``MBO``, …) is in :mod:`workbench.protocol.rows` (JSON) and
:mod:`workbench.protocol.codec` (binary). :mod:`workbench.protocol.decoding` reads and writes them.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.protocol.account_messages import (
    AccountMessage,
    Arm,
    Balance,
    Broadcast,
    CancelAll,
    CancelOrder,
    Disarm,
    Drawn,
    Fill,
    Listen,
    Notify,
    Order,
    OrderCommand,
    PlaceOrder,
    PlatformCommand,
    Position,
    Publish,
    ReplaceOrder,
    Trading,
)
from workbench.protocol.limits import DOM_INTERVAL_MS, DOM_LEVELS, HEARTBEAT_NS, PROTOCOL_VERSION
from workbench.protocol.message_base import (
    Count,
    DataKind,
    Int64,
    Message,
    Nonce,
    OrderSide,
    OrderType,
    Plain,
    PositiveReal,
    Real,
    RequestId,
)

__all__ = [
    "AccountMessage",
    "Arm",
    "Balance",
    "Broadcast",
    "CancelAll",
    "CancelOrder",
    "Challenge",
    "Command",
    "Count",
    "DataKind",
    "Disarm",
    "Done",
    "Drawn",
    "Engine",
    "EngineCommand",
    "EngineMessage",
    "EngineQuery",
    "Error",
    "Fill",
    "Health",
    "HealthQuery",
    "Heartbeat",
    "Hello",
    "Instruments",
    "Int64",
    "ListInstruments",
    "Listen",
    "Login",
    "LoginMessage",
    "Message",
    "Nonce",
    "Notify",
    "Order",
    "OrderCommand",
    "OrderSide",
    "OrderType",
    "PlaceOrder",
    "Plain",
    "PlatformCommand",
    "Position",
    "PositiveReal",
    "Proof",
    "Publish",
    "Real",
    "Record",
    "Recording",
    "ReplaceOrder",
    "Replay",
    "RequestId",
    "Shutdown",
    "StopRecording",
    "Subscribe",
    "Subscribed",
    "Trading",
    "Unsubscribe",
    "Unsubscribed",
    "Welcome",
]


class Login(Message, tag="LOGIN"):
    """Client: prove the right to the feed by its token (foreign clients; ours never send it)."""

    token: str
    version: str = ""
    request_id: RequestId = None

    def __repr__(self) -> str:
        return "Login(token=<hidden>)"


class Hello(Message, tag="HELLO"):
    """Client: begin the mutual challenge. ``nonce`` is 64 hex digits; ``endpoint`` as in the discovery file."""

    nonce: Nonce
    version: str = PROTOCOL_VERSION
    client: str = ""
    endpoint: str = ""
    request_id: RequestId = None


class Challenge(Message, tag="CHALLENGE"):
    """Server: its own nonce, and the proof that it holds the secret."""

    nonce: Nonce
    proof: str
    request_id: RequestId = None


class Proof(Message, tag="PROOF"):
    """Client: the proof that it holds the secret too."""

    proof: str
    request_id: RequestId = None


class Welcome(Message, tag="WELCOME", omit_defaults=False):
    """Server: the connection is open. ``session`` changes whenever sequence numbers start anew.

    All fields are sent; a client takes what a smaller server leaves out as the defaults say.
    """

    version: str = PROTOCOL_VERSION
    server: str = ""
    session: str = ""
    heartbeat_ms: int = HEARTBEAT_NS // 1_000_000
    read_only: bool = True
    limits: Plain = msgspec.field(default_factory=dict)
    symbols: list[str] = msgspec.field(default_factory=list)
    request_id: RequestId = None


class Subscribe(Message, tag="SUBSCRIBE"):
    """Client: send these kinds of data of one instrument; replaces an earlier subscription to it.

    ``from_sequence`` is the next number the client wants: the server goes on from there if it still can,
    otherwise it answers with a gap and a fresh snapshot. Without it the newest snapshot comes first.
    """

    symbol: str
    data: list[DataKind] = msgspec.field(default_factory=lambda: ["FULL_ORDER_BOOK", "TRADES"])
    from_sequence: Count | None = None
    dom_levels: Count = DOM_LEVELS
    dom_interval_ms: Count = DOM_INTERVAL_MS
    request_id: RequestId = None


class Subscribed(Message, tag="SUBSCRIBED"):
    """Server: what comes next on this instrument; ``stream`` names it in binary frames.

    ``snapshot`` says whether a snapshot precedes the data; ``next_sequence`` is where the data continues.
    """

    symbol: str
    stream: int
    data: list[str]
    next_sequence: Int64
    snapshot: bool
    instrument: Plain
    request_id: RequestId = None


class Unsubscribe(Message, tag="UNSUBSCRIBE"):
    """Client: no more data of this instrument."""

    symbol: str
    request_id: RequestId = None


class Unsubscribed(Message, tag="UNSUBSCRIBED"):
    """Server: nothing further comes of this instrument."""

    symbol: str
    request_id: RequestId = None


class ListInstruments(Message, tag="INSTRUMENTS"):
    """Client: which instruments are there?"""

    request_id: RequestId = None


class Instruments(Message, tag="INSTRUMENTS"):
    """Server: every instrument, with tick, lot and multiplier as decimal strings."""

    instruments: list[Plain]
    request_id: RequestId = None


class Heartbeat(Message, tag="HEARTBEAT"):
    """Both: still here. The server adds the next number of each subscribed stream, so that a lost last
    message shows within one interval."""

    sequences: dict[str, Int64] = msgspec.field(default_factory=dict)


class Error(Message, tag="ERROR", omit_defaults=False):
    """Server: what was wrong with a message; the connection lives on unless a close follows."""

    code: str
    message: str
    request_id: RequestId = None


class Record(Message, tag="RECORD"):
    """Client: record these instruments (all, if none is named) below the directory ``out``.

    ``history``: with everything since the stream began, where the server still holds it; otherwise from now on.
    """

    out: str
    symbols: list[str] = msgspec.field(default_factory=list)
    history: bool = False
    request_id: RequestId = None


class StopRecording(Message, tag="STOP_RECORDING"):
    """Client: finish and close; all recordings, unless the ``recording`` of one is given."""

    recording: str = ""
    request_id: RequestId = None


class Recording(Message, tag="RECORDING"):
    """Server: state of a recording; ``acknowledged`` is the next number not yet safe, per instrument."""

    state: Literal["recording", "closing", "closed", "failed"]
    recording: str = ""
    paths: dict[str, str] = msgspec.field(default_factory=dict)
    acknowledged: dict[str, Int64] = msgspec.field(default_factory=dict)
    reason: str = ""
    request_id: RequestId = None


class Replay(Message, tag="REPLAY"):
    """Client: steer a source that has a virtual clock. ``value``: ns for ``seek`` and ``step``, factor for
    ``speed`` (0: as fast as possible)."""

    action: Literal["pause", "resume", "seek", "speed", "step"]
    value: Real | None = None
    request_id: RequestId = None


class EngineQuery(Message, tag="ENGINE"):
    """Client: who are you?"""

    request_id: RequestId = None


class Engine(Message, tag="ENGINE"):
    """Server: the process and what it serves."""

    name: str
    pid: int
    version: str
    started: Int64
    endpoint: str
    sources: list[Plain] = msgspec.field(default_factory=list)
    clients: list[Plain] = msgspec.field(default_factory=list)
    recordings: list[Plain] = msgspec.field(default_factory=list)
    request_id: RequestId = None


class HealthQuery(Message, tag="HEALTH"):
    """Client: send health now, and again each ``interval_ms`` if that is not 0."""

    interval_ms: Count = 0
    request_id: RequestId = None


class Health(Message, tag="HEALTH"):
    """Server: rates (events/s), backlog (events), disk, lag (ms), counters; free of secrets."""

    ts: Int64
    state: str = "live"
    sources: list[Plain] = msgspec.field(default_factory=list)
    clients: list[Plain] = msgspec.field(default_factory=list)
    recordings: list[Plain] = msgspec.field(default_factory=list)
    rates: dict[str, float] = msgspec.field(default_factory=dict)
    backlog: dict[str, Int64] = msgspec.field(default_factory=dict)
    disk: Plain = msgspec.field(default_factory=dict)
    lag_ms: float = 0.0
    counts: dict[str, Int64] = msgspec.field(default_factory=dict)
    position: Int64 | None = None
    speed: float | None = None
    request_id: RequestId = None


class Shutdown(Message, tag="SHUTDOWN"):
    """Client: finish recordings and leave."""

    reason: str = ""
    request_id: RequestId = None


class Done(Message, tag="DONE"):
    """Server: a command without an answer of its own was carried out."""

    request_id: RequestId = None


LoginMessage = Login | Hello | Proof
EngineCommand = Record | StopRecording | Replay | EngineQuery | HealthQuery | Shutdown | PlatformCommand
Command = OrderCommand | EngineCommand
"""What a server hands up to its owner."""

EngineMessage = Recording | Engine | Health | Done

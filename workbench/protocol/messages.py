"""Every control and account message of the wire, as msgspec structs tagged by ``type``.

Market data (``SNAPSHOT``, ``DEPTH``, ``TRADE``, ``MBO``, …) is in :mod:`workbench.protocol.rows` (JSON) and
:mod:`workbench.protocol.codec` (binary). :mod:`workbench.protocol.decoding` reads and writes them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from workbench.protocol.limits import DOM_INTERVAL_MS, DOM_LEVELS, HEARTBEAT_NS, PROTOCOL_VERSION

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
RequestId = Int64 | str | None
Real = float | Int64
Nonce = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
PositiveReal = Annotated[float, msgspec.Meta(gt=0)]
Plain = dict[str, Any]

DataKind = Literal["FULL_ORDER_BOOK", "TRADES", "DOM", "MBO", "ACCOUNT"]
OrderSide = Literal["BUY", "SELL"]
OrderType = Literal["MARKET", "LIMIT", "STOP", "STOP_LIMIT"]


class Message(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all messages; fields at their default left out on the wire."""


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


class PlaceOrder(Message, tag="PLACE_ORDER"):
    """Client: a new order, in real units. A repeated ``client_order_id`` never makes a second order.

    ``take_profit``, ``stop_loss`` and ``trailing`` are distances from the price of entry, in units of price: a market
    order has no price yet to count from.
    """

    symbol: str
    side: OrderSide
    order_type: OrderType
    quantity: PositiveReal
    client_order_id: str
    price: float | None = None
    stop_price: float | None = None
    time_in_force: str = "GTC"
    post_only: bool = False
    reduce_only: bool = False
    expires: Int64 | None = None
    take_profit: PositiveReal | None = None
    stop_loss: PositiveReal | None = None
    trailing: PositiveReal | None = None
    request_id: RequestId = None


class CancelOrder(Message, tag="CANCEL_ORDER"):
    """Client: take one order back."""

    client_order_id: str
    symbol: str = ""
    request_id: RequestId = None


class ReplaceOrder(Message, tag="REPLACE_ORDER"):
    """Client: change quantity or prices of a working order."""

    client_order_id: str
    symbol: str = ""
    quantity: PositiveReal | None = None
    price: float | None = None
    stop_price: float | None = None
    request_id: RequestId = None


class CancelAll(Message, tag="CANCEL_ALL"):
    """Client: take back every order, of one instrument if named; ``flatten`` closes positions too.

    ``client_order_ids``: only these, as one batch.
    """

    symbol: str = ""
    flatten: bool = False
    client_order_ids: list[str] = msgspec.field(default_factory=list)
    request_id: RequestId = None


class Arm(Message, tag="ARM"):
    """Client: allow orders for a while, with bounds. One of two locks: the other is where the orders would go.

    It ends by itself after ``minutes``, when its client goes, and with whatever it armed. ``max_per_second``: orders and
    changes in any second, forty times as many in any minute; more than the default is a decision, so it has a name.
    """

    minutes: PositiveReal
    max_orders: Annotated[int, msgspec.Meta(ge=1, le=2**31)]
    max_size: PositiveReal
    max_per_second: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    symbol: str = ""
    request_id: RequestId = None


class Disarm(Message, tag="DISARM"):
    """Client: no orders any more, of all instruments unless one is named."""

    symbol: str = ""
    reason: str = ""
    request_id: RequestId = None


class Publish(Message, tag="PUBLISH"):
    """Client: one value of an indicator, to be drawn where the feed comes from.

    The first one of a name makes the indicator, as ``where``, ``colour`` (``#rrggbb``) and ``style`` say: on the price
    chart, where values are prices, or in a panel of its own below. ``ts``: the time the value belongs to, for records.
    """

    symbol: str
    indicator: str
    value: float
    ts: Int64 = 0
    where: Literal["chart", "panel"] = "chart"
    colour: Annotated[str, msgspec.Meta(pattern="^#[0-9a-fA-F]{6}$")] = "#ffb000"
    style: Literal["solid", "short_dash", "long_dash", "dot", "dash_dot"] = "solid"
    request_id: RequestId = None


class Notify(Message, tag="NOTIFY"):
    """Client: show a line of text to the trader, where the feed comes from."""

    symbol: str
    text: str
    request_id: RequestId = None


class Listen(Message, tag="LISTEN"):
    """Client: take in what another add-on broadcasts, too; without ``generator``: tell what the provider has."""

    provider: str
    generator: str = ""
    filtered: bool = False
    symbol: str = ""
    request_id: RequestId = None


class Order(Message, tag="ORDER"):
    """Server: the state of one order, in real units.

    ``client_order_id`` is empty for orders that were placed elsewhere, in the platform itself. ``unknown``: what
    became of it is not known (no answer, or the link was lost); it is not to be sent again, and it is not rejected.
    """

    symbol: str
    client_order_id: str
    status: str
    side: OrderSide
    order_type: str
    quantity: float
    filled: float
    leaves: float
    ts: Int64
    order_id: str = ""
    price: float | None = None
    stop_price: float | None = None
    avg_price: float | None = None
    time_in_force: str = "GTC"
    reason: str = ""
    unknown: bool = False
    simulated: bool = False
    account: str = ""
    request_id: RequestId = None


class Fill(Message, tag="FILL"):
    """Server: one execution, in real units. A repeated ``execution_id`` is the same execution."""

    symbol: str
    client_order_id: str
    execution_id: str
    side: OrderSide
    price: float
    size: float
    ts: Int64
    fee: float = 0.0
    liquidity: str = ""
    order_id: str = ""
    simulated: bool = False


class Position(Message, tag="POSITION"):
    """Server: the position in one instrument; positive is long. What the platform does not tell is absent, not 0."""

    symbol: str
    position: float
    ts: Int64
    avg_price: float | None = None
    realized: float | None = None
    unrealized: float | None = None
    volume: float = 0.0
    working_buys: int = 0
    working_sells: int = 0
    currency: str = ""
    account: str = ""


class Balance(Message, tag="BALANCE"):
    """Server: the account."""

    currency: str
    cash: float
    equity: float
    ts: Int64
    realized: float | None = None
    unrealized: float | None = None
    previous_day: float | None = None
    rate_to_base: float | None = None
    account: str = ""


class Trading(Message, tag="TRADING", omit_defaults=False):
    """Server: whether orders of one instrument would go through, and how far.

    ``possible``: the feed can trade at all; ``permitted``: the lock at the other end is open; ``armed``: the client's
    is. Orders go only with all three. ``until``: ns UTC; ``orders_left``, ``max_size`` (real units), ``max_per_second``: what
    is left of the bounds. ``supported``: what the platform says it takes. ``reason``: why not, or why not any more.
    """

    symbol: str
    ts: Int64
    possible: bool = False
    permitted: bool = False
    armed: bool = False
    until: Int64 | None = None
    orders_left: int = 0
    max_size: float = 0.0
    max_per_second: int = 0
    supported: Plain = msgspec.field(default_factory=dict)
    reason: str = ""
    request_id: RequestId = None


class Broadcast(Message, tag="BROADCAST"):
    """Server: what another add-on of the platform said; ``kind`` tells an event, its settings, or the list of providers."""

    symbol: str
    ts: Int64
    provider: str
    generator: str
    data: Any
    kind: Literal["event", "settings", "providers"] = "event"


class Drawn(Message, tag="DRAWN"):
    """Server: a value that was drawn in the platform, as it was drawn (a record of :class:`Publish`)."""

    symbol: str
    ts: Int64
    indicator: str
    value: float
    where: str = "chart"


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
OrderCommand = PlaceOrder | CancelOrder | ReplaceOrder | CancelAll
PlatformCommand = Arm | Disarm | Publish | Notify | Listen
EngineCommand = Record | StopRecording | Replay | EngineQuery | HealthQuery | Shutdown | PlatformCommand
Command = OrderCommand | EngineCommand
"""What a server hands up to its owner."""

AccountMessage = Order | Fill | Position | Balance | Trading | Broadcast | Drawn
EngineMessage = Recording | Engine | Health | Done

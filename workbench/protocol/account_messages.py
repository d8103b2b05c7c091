"""Messages to and from a trading platform: orders and account, the locks of trading, drawings, other add-ons' words.

Part of :mod:`workbench.protocol.messages`, which has them all.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from workbench.protocol.message_base import (
    Int64,
    Message,
    OrderSide,
    OrderType,
    Plain,
    PositiveReal,
    RequestId,
)


class PlaceOrder(Message, tag="PLACE_ORDER"):
    """Client: a new order, in real units. A repeated ``client_order_id`` never makes a second order.

    ``take_profit``, ``stop_loss`` and ``trailing`` are distances from the price of entry, in units of price: a market
    order has no price yet to count from. ``clicked``: when a person asked, ns UTC; the paper desk refuses what is old.

    A ``TRAILING_STOP`` begins at ``stop_price`` and follows the trades at the distance ``trailing``. ``oco``: a group of
    orders of one instrument; what one of them executes is taken from the others. ``at``: when to carry it out, ns UTC of
    the stream. All three on paper only.
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
    clicked: Int64 | None = None
    oco: str = ""
    at: Int64 | None = None
    request_id: RequestId = None


class CancelOrder(Message, tag="CANCEL_ORDER"):
    """Client: take one order back; on paper also ``at`` a time of the stream, ns UTC."""

    client_order_id: str
    symbol: str = ""
    at: Int64 | None = None
    request_id: RequestId = None


class ReplaceOrder(Message, tag="REPLACE_ORDER"):
    """Client: change quantity or prices of a working order; on paper also ``at`` a time of the stream, ns UTC."""

    client_order_id: str
    symbol: str = ""
    quantity: PositiveReal | None = None
    price: float | None = None
    stop_price: float | None = None
    at: Int64 | None = None
    request_id: RequestId = None


class CancelAll(Message, tag="CANCEL_ALL"):
    """Client: take back every order, of one instrument if named; ``flatten`` closes positions too.

    ``client_order_ids``: only these, as one batch. ``at``: on paper, a time of the stream, ns UTC.
    """

    symbol: str = ""
    flatten: bool = False
    client_order_ids: list[str] = msgspec.field(default_factory=list)
    at: Int64 | None = None
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
    ``oco`` and ``trailing`` as in :class:`PlaceOrder`; the stop loss of a bracket that trails has its distance here too.
    ``changes``: so many were asked for and are not answered yet.
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
    oco: str = ""
    trailing: float | None = None
    changes: int = 0
    request_id: RequestId = None


class Fill(Message, tag="FILL"):
    """Server: one execution, in real units. A repeated ``execution_id`` is the same execution.

    ``ts``: when it was known to whoever traded; ``ts_venue``: when it happened, 0 where that is not told.
    """

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
    ts_venue: Int64 = 0


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


OrderCommand = PlaceOrder | CancelOrder | ReplaceOrder | CancelAll
PlatformCommand = Arm | Disarm | Publish | Notify | Listen
AccountMessage = Order | Fill | Position | Balance | Trading | Broadcast | Drawn

"""The seam between the desk, which decides, and the venue, which fills."""

from __future__ import annotations

from typing import Protocol

import msgspec

from workbench.trading.order import Change, Order
from workbench.trading.states import OrderEvent


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue says of an order.

    Parameters
    ----------
    client_order_id : str
    event : OrderEvent
        ``ACCEPT``, ``REJECT``, ``FILL`` (whether it is the last one, the desk knows), ``CANCELED``, ``CANCEL_REJECT``,
        ``REPLACED``, ``REPLACE_REJECT``.
    ticks, lots : int, optional
        Of an execution.
    execution_id : str, optional
        Unique among all executions; a repeated one changes nothing.
    maker : bool, optional
        Whether the order rested.
    venue_ts : int, ns, optional
        When the venue executed it.
    reason : str, optional
    """

    client_order_id: str
    event: OrderEvent
    ticks: int = 0
    lots: int = 0
    execution_id: str = ""
    maker: bool = False
    venue_ts: int = 0
    reason: str = ""


class Venue(Protocol):
    """What fills orders: kernels over recorded events, or the rules of a test.

    Each call answers with reports, at once or later through :meth:`workbench.trading.desk.Desk.report`. Stops arrive when
    they have gone off, to be treated as market or limit orders. Each execution is reported before the next one is
    looked for, so that what depends on it is resized or taken back first.
    """

    def submit(self, order: Order, now: int) -> list[Report]:
        """Take an order; what cannot rest is canceled for the rest of its size."""

    def cancel(self, order: Order, now: int) -> list[Report]:
        """Take an order back: ``CANCELED`` or ``CANCEL_REJECT``."""

    def replace(self, order: Order, change: Change, now: int) -> list[Report]:
        """Change size or price: ``REPLACED`` or ``REPLACE_REJECT``. A size below what is filled means what is filled."""

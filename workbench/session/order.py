"""One order, as notebooks hold it: a live object that keeps updating."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from workbench.errors import FeedError
from workbench.protocol import messages
from workbench.session.account_frames import FILLS, account_frame

if TYPE_CHECKING:
    import polars as pl

    from workbench.session.account import Account, OrderKey
    from workbench.session.orders import Orders

CLOSED: Final = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "DENIED"})
WAIT_S: Final = 10.0
ADVICE: Final = "not known what became of it: it is not sent again by itself; look in the platform, or s.orders.retry(order)"


class Order:
    """An order: what was asked for and what became of it, always the newest that is known.

    Made by ``s.orders.buy(…)`` and ``s.orders.sell(…)``, found in ``s.orders``. Sizes and prices are in real units.

    Attributes
    ----------
    key : tuple of str
        Symbol and name.
    """

    def __init__(self, orders: Orders, account: Account, key: OrderKey):
        self._orders, self._account, self.key = orders, account, key

    @property
    def _told(self) -> messages.Order:
        told = self._account.order(self.key)
        assert told is not None  # an order exists from its first state on
        return told

    @property
    def symbol(self) -> str:
        """Instrument."""
        return self.key[0]

    @property
    def client_order_id(self) -> str:
        """Its name, the same for every retry; ``#`` and the venue's number for orders placed elsewhere."""
        return self.key[1]

    @property
    def order_id(self) -> str:
        """The venue's number; empty until it is told."""
        return self._told.order_id

    @property
    def side(self) -> str:
        """``BUY`` or ``SELL``."""
        return self._told.side

    @property
    def order_type(self) -> str:
        """``MARKET``, ``LIMIT``, ``STOP`` or ``STOP_LIMIT``."""
        return self._told.order_type

    @property
    def size(self) -> float:
        """Total size."""
        return self._told.quantity

    @property
    def limit(self) -> float | None:
        """Limit price."""
        return self._told.price

    @property
    def stop(self) -> float | None:
        """Trigger price."""
        return self._told.stop_price

    @property
    def tif(self) -> str:
        """Time in force."""
        return self._told.time_in_force

    @property
    def status(self) -> str:
        """``PENDING_NEW``, ``NEW``, ``PARTIALLY_FILLED``, ``FILLED``, ``CANCELED``, ``REJECTED``, …"""
        return self._told.status

    @property
    def filled(self) -> float:
        """Size executed so far."""
        return self._told.filled

    @property
    def leaves(self) -> float:
        """Size still working."""
        return self._told.leaves

    @property
    def avg_price(self) -> float | None:
        """Average price of the executions."""
        return self._told.avg_price

    @property
    def reason(self) -> str:
        """Why it was refused, or ended."""
        return self._told.reason

    @property
    def unknown(self) -> bool:
        """Whether what became of it is not known: no answer, or the link was lost. It may have been carried out."""
        return self._told.unknown

    @property
    def simulated(self) -> bool:
        """Whether it is an order of the platform's simulation."""
        return self._told.simulated

    @property
    def is_open(self) -> bool:
        """Whether it may still be executed."""
        return self.status not in CLOSED

    @property
    def fills(self) -> pl.DataFrame:
        """Its executions; columns as ``s.fills``."""
        return account_frame((fill for fill in self._account.fills() if self._is_mine(fill)), FILLS)

    def _is_mine(self, fill: messages.Fill) -> bool:
        if fill.symbol != self.symbol:
            return False
        if fill.client_order_id:
            return fill.client_order_id == self.client_order_id
        return bool(fill.order_id) and fill.order_id == self.order_id

    def cancel(self) -> Order:
        """Take it back; see :meth:`Orders.cancel`."""
        return self._orders.cancel(self)

    def replace(
        self, size: float | None = None, *, limit: float | None = None, stop: float | None = None
    ) -> Order:
        """Change size or prices; see :meth:`Orders.replace`."""
        return self._orders.replace(self, size, limit=limit, stop=stop)

    def wait(self, until: str | Callable[[Order], bool] | None = None, timeout: float = WAIT_S) -> Order:
        """Wait for a status, for a predicate of the order, or for its end.

        Parameters
        ----------
        until : str or callable, optional
            ``"FILLED"``, or ``lambda o: o.filled >= 1``. Default: until it is no longer open.
        timeout : float, s

        Returns
        -------
        Order
            This order.

        Raises
        ------
        FeedError
            The time-out passed (code ``timeout``), or it ended otherwise (code ``ended``).
        """
        done = self._condition(until)
        self._account.wait(lambda: done() or not self.is_open, timeout)
        if done():
            return self
        wanted = until if isinstance(until, str) else "what was waited for"
        if not self.is_open:
            raise FeedError(f"the order is {self._state_text()}, not {wanted}", code="ended")
        raise FeedError(
            f"the order is still {self._state_text()} after {timeout:g} s",
            expected=wanted if until else "its end",
            code="timeout",
        )

    def _condition(self, until: str | Callable[[Order], bool] | None) -> Callable[[], bool]:
        if until is None:
            return lambda: not self.is_open
        if isinstance(until, str):
            return lambda: self.status == until.upper()
        return lambda: bool(until(self))

    def _state_text(self) -> str:
        text = f"{self.status} ({self.reason})" if self.reason else self.status
        return f"{text}, {ADVICE}" if self.unknown else text

    def __repr__(self) -> str:
        told = self._told
        facts: dict[str, object] = {"symbol": told.symbol, "side": told.side, "size": told.quantity}
        facts |= {"limit": told.price} if told.price is not None else {}
        facts |= {"stop": told.stop_price} if told.stop_price is not None else {}
        facts |= {"tif": told.time_in_force, "status": told.status, "filled": told.filled}
        facts |= {"avg_price": told.avg_price} if told.avg_price is not None else {}
        facts |= {"unknown": True} if told.unknown else {}
        facts |= {"reason": told.reason} if told.reason else {}
        return f"Order({', '.join(f'{name}={value!r}' for name, value in facts.items())})"

    def _repr_html_(self) -> str:
        return f"<code>{html.escape(repr(self))}</code>"

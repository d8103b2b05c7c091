"""Orders of a session: placing, changing and taking back, and all that became of them."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec

from workbench.errors import WorkbenchError
from workbench.frames.moments import Moment
from workbench.protocol import messages
from workbench.session.account import OrderKey
from workbench.session.account_frames import ORDERS, POSITIONS, account_frame, switches_frame
from workbench.session.arming import TradingState
from workbench.session.line import OUTCOME_UNKNOWN, capture_of
from workbench.session.order import ADVICE, Order
from workbench.session.seat import Seat
from workbench.session.tables import html_table
from workbench.session.ticket import Terms, on_grid_price, on_grid_size, place_order, trailing_start

if TYPE_CHECKING:
    import polars as pl

    from workbench.session.line import Line

ANSWER_S: Final = 4.0
"""The engine gives the platform three seconds; what it says when those are over still arrives before this."""
ROWS_SHOWN: Final = 50
TOO_LATE: Final = "too_late"
COLUMNS: Final = ("symbol", "side", "size", "limit", "stop", "tif", "status", "filled", "avg_price", "reason")


class Orders:
    """All orders of a session: ``s.orders``. Iterating gives live :class:`Order` objects, oldest first.

    Notes
    -----
    On a simulation, a replay or a relayed feed orders go to the paper desk of the engine, see docs/paper.md. In Bookmap,
    placing needs both locks open: the platform's own (a setting of the add-on) and :meth:`Session.arm`.
    A refusal by platform, venue or risk is an order with status ``REJECTED`` and a reason. Misuse raises: a price off
    the grid, no :meth:`Session.arm`, a source that cannot trade. Silence is neither: the order is then ``unknown``.
    """

    def __init__(self, line: Line):
        self._line = line
        self._account = line.account
        self._sent: dict[str, messages.PlaceOrder] = {}
        self._own: dict[OrderKey, messages.Order] = {}
        self._objects: dict[OrderKey, Order] = {}
        # random: were an earlier session's names to come again, they would be taken for repeats
        self._prefix = f"wb-{secrets.token_hex(6)}" if line.has_forerunners else "wb"
        self._numbers = itertools.count(1)

    def buy(
        self,
        size: float,
        *,
        limit: float | None = None,
        stop: float | None = None,
        tif: str = "GTC",
        post_only: bool = False,
        stop_loss: int | None = None,
        take_profit: int | None = None,
        trailing: int | None = None,
        reduce_only: bool = False,
        symbol: str | None = None,
        client_order_id: str | None = None,
        clicked: int | None = None,
        oco: str = "",
        expires: Moment | str | None = None,
    ) -> Order:
        """Place an order to buy: at market, or with ``limit``, ``stop``, or both.

        Parameters
        ----------
        size : float, real units
        limit, stop : float, real units, optional
            Must be on the instrument's grid.
        tif : str
            ``GTC``, ``DAY``, ``IOC``, ``FOK``, and what the platform has beside them.
        post_only : bool
            Never take liquidity.
        stop_loss, take_profit : int, ticks, optional
            Distances of the bracket's orders from the price of entry.
        trailing : int, ticks, optional
            With ``stop_loss``, which a target needs too then: the stop follows the price at its distance, in steps of so
            many ticks. Alone: the order is a trailing stop itself, at this distance from the
            trades; it begins at ``stop``, or at the distance from the best price of the other side.
        reduce_only : bool
            Never open or turn a position.
        symbol : str, optional
            Default: the first instrument.
        client_order_id : str, optional
            A name of your own, up to 32 of ``A-Z a-z 0-9 . _ : -``: placing the same order again under it makes no second
            one. Default: a new one.
        clicked : int, ns since the epoch, UTC, optional
            When a person asked: the paper desk refuses what is older than two seconds.
        oco : str, optional
            Name of a group on the paper desk: what one of its orders executes is taken from the others.
        expires : int (ns), datetime or str, optional
            End of the order on the paper desk, in the session's own time: it is ``GTD`` then, or a ``DAY`` of another end.

        Returns
        -------
        Order
            Keeps updating. Its status is ``REJECTED`` if it was refused; it is ``unknown`` if no answer came.

        Raises
        ------
        OffGridError
            A price or size between two steps; the nearest valid ones are named.
        WorkbenchError
            Codes ``not_armed``, ``read_only``, ``not_connected``, …: nothing was sent. ``duplicate_id``: the name
            belongs to another order.
        """
        terms = Terms(
            size, limit, stop, tif, post_only, stop_loss, take_profit, trailing, reduce_only, clicked, oco, expires
        )  # fmt: skip
        return self._place("BUY", terms, symbol, client_order_id)

    def sell(
        self,
        size: float,
        *,
        limit: float | None = None,
        stop: float | None = None,
        tif: str = "GTC",
        post_only: bool = False,
        stop_loss: int | None = None,
        take_profit: int | None = None,
        trailing: int | None = None,
        reduce_only: bool = False,
        symbol: str | None = None,
        client_order_id: str | None = None,
        clicked: int | None = None,
        oco: str = "",
        expires: Moment | str | None = None,
    ) -> Order:
        """Place an order to sell; everything as in :meth:`buy`."""
        terms = Terms(
            size, limit, stop, tif, post_only, stop_loss, take_profit, trailing, reduce_only, clicked, oco, expires
        )  # fmt: skip
        return self._place("SELL", terms, symbol, client_order_id)

    def retry(self, order: Order) -> Order:
        """Send an order of this session once more under its own name, to learn what became of it.

        The platform's bridge knows the names it has sent: it answers with the order's state and sends nothing twice.
        """
        command = self._sent.get(order.client_order_id)
        if command is None:
            raise WorkbenchError(
                "this order was not placed by this session", action="Ask the session that placed it"
            )
        return self._send(command)

    def cancel(self, order: Order | str) -> Order:
        """Take an order back; one that has ended already is no error.

        Parameters
        ----------
        order : Order or str
            Or its client order id.

        Returns
        -------
        Order
            ``PENDING_CANCEL`` until the venue confirms; :meth:`Order.wait` waits for the end.
        """
        found = self._known(order)
        if found.is_open:
            command = messages.CancelOrder(client_order_id=found.client_order_id, symbol=found.symbol)
            with _no_error_when_ended():
                self._change(found, command)
        return found

    def replace(
        self,
        order: Order | str,
        size: float | None = None,
        *,
        limit: float | None = None,
        stop: float | None = None,
    ) -> Order:
        """Change the total size or the prices of a working order.

        Parameters
        ----------
        order : Order or str
            Or its client order id.
        size : float, real units, optional
            New total, what is filled already included.
        limit, stop : float, real units, optional

        Raises
        ------
        WorkbenchError
            It has ended (code ``too_late``), or the change is refused.
        """
        found = self._known(order)
        instrument = capture_of(self._line, found.symbol).instrument
        command = messages.ReplaceOrder(
            client_order_id=found.client_order_id,
            symbol=found.symbol,
            quantity=None if size is None else on_grid_size(size, instrument),
            price=on_grid_price(limit, instrument),
            stop_price=on_grid_price(stop, instrument),
        )
        if size is None and limit is None and stop is None:
            raise WorkbenchError("replace() with nothing new", expected="size=, limit= or stop=")
        return self._change(found, command)

    def cancel_all(self, symbol: str | None = None) -> None:
        """Take back every order, of one instrument if named; those placed elsewhere too."""
        if symbol is not None:
            capture_of(self._line, symbol)  # an unknown name must not turn into "all"
        self._line.ask(messages.CancelAll(symbol=symbol or ""), ANSWER_S)

    def flatten(self, symbol: str | None = None) -> None:
        """Take back every order and close the position at market, of one instrument if named, on the paper desk."""
        if symbol is not None:
            capture_of(self._line, symbol)
        self._line.ask(messages.CancelAll(symbol=symbol or "", flatten=True), ANSWER_S)

    def seat(self, symbol: str | None = None) -> Seat:
        """A place for a running strategy, on an instrument or the first one; used by :func:`workbench.trade`."""
        return Seat(self._line, capture_of(self._line, symbol), f"{self._prefix}-s{next(self._numbers)}")

    @property
    def frame(self) -> pl.DataFrame:
        """Newest state of every order, one row each, oldest order first; columns of
        :data:`~workbench.session.account_frames.ORDERS`."""
        return account_frame(self._account.orders(), ORDERS)

    @property
    def history(self) -> pl.DataFrame:
        """Every state that an order was in, as it was told; columns as :attr:`frame`."""
        return account_frame(self._account.order_log(), ORDERS)

    def positions(self, symbol: str | None = None) -> pl.DataFrame:
        """Position and money over time, of the first instrument unless named, oldest first; columns as ``s.positions``.

        Of what is long ago every second row, or fewer, is kept.
        """
        told = self._account.position_log(capture_of(self._line, symbol).instrument.symbol)
        return account_frame(told, POSITIONS)

    def switches(self, symbol: str | None = None) -> pl.DataFrame:
        """When trading was allowed, allowed to reduce, or halted, and why: ``ts, symbol, state, reason``."""
        told = self._account.trading_log(capture_of(self._line, symbol).instrument.symbol)
        return switches_frame(told)

    @property
    def version(self) -> int:
        """Counts what was told of the account: while it stays, no order, fill or position has changed."""
        return self._account.version

    def trading(self, symbol: str | None = None) -> TradingState:
        """Whether orders of an instrument, of the first one unless named, would go through, and what to do if not."""
        return TradingState(self._line, capture_of(self._line, symbol).instrument.symbol)

    @property
    def open(self) -> list[Order]:
        """Orders that may still be executed."""
        return [order for order in self if order.is_open]

    def __iter__(self) -> Iterator[Order]:
        return (self._object(key) for key in self._account.order_keys())

    def __len__(self) -> int:
        return len(self._account.order_keys())

    def __contains__(self, client_order_id: object) -> bool:
        return any(name == client_order_id for _, name in self._account.order_keys())

    def __getitem__(self, client_order_id: str) -> Order:
        for key in reversed(self._account.order_keys()):
            if key[1] == client_order_id:
                return self._object(key)
        raise WorkbenchError(
            f"unknown order {client_order_id!r}",
            expected="a client order id of s.orders.frame",
            code="unknown_order",
        )

    def _place(
        self, side: messages.OrderSide, terms: Terms, symbol: str | None, client_order_id: str | None
    ) -> Order:
        name = f"{self._prefix}-{next(self._numbers)}" if client_order_id is None else client_order_id
        capture = capture_of(self._line, symbol)
        if terms.follows and terms.stop is None:
            sent = self._sent.get(name)
            first = trailing_start(side, terms, capture) if sent is None else sent.stop_price
            terms = replace(terms, stop=first)
        command = place_order(side, terms, capture.instrument, name)
        asked = msgspec.structs.replace(command, clicked=None)  # another click for the same is the same order
        earlier = self._sent.setdefault(name, asked)
        if earlier != asked:
            raise WorkbenchError(
                f"client_order_id {name!r} belongs to another order",
                expected="a new one for a new order",
                code="duplicate_id",
            )
        return self._send(command)

    def _send(self, command: messages.PlaceOrder) -> Order:
        key = command.symbol, command.client_order_id
        if self._is_untold(key):  # it exists before it is sent, whatever becomes of the sending
            self._take_own(key, _draft(command, self._line.now_ns))
        try:
            self._line.ask(command, ANSWER_S)
        except WorkbenchError as problem:
            if problem.code not in OUTCOME_UNKNOWN:
                self._refuse(key, problem)
                raise
            if self._is_untold(key):
                self._doubt(key, problem)
        return self._object(key)

    def _change(self, order: Order, command: messages.CancelOrder | messages.ReplaceOrder) -> Order:
        try:
            self._line.ask(command, ANSWER_S)
        except WorkbenchError as problem:
            if problem.code not in OUTCOME_UNKNOWN:
                raise
            self._doubt(order.key, problem)
        return order

    def _doubt(self, key: OrderKey, problem: WorkbenchError) -> None:
        """Nobody answered: the order stays what it was, and says that this may be wrong."""
        with self._account.changed:
            told = self._account.order(key)
            if told is not None and told.leaves > 0:
                reason = f"{problem.found}: {ADVICE}"
                self._account.take(msgspec.structs.replace(told, unknown=True, reason=reason))

    def _refuse(self, key: OrderKey, problem: WorkbenchError) -> None:
        """A new order never left; one that was told of by others is what it was."""
        with self._account.changed:
            draft = self._account.order(key)
            if draft is not None and self._is_untold(key):
                found = problem.found.removeprefix(f"{problem.code}: ")
                end = {"status": "REJECTED", "leaves": 0.0, "reason": f"{problem.code}: {found}"}
                self._take_own(key, msgspec.structs.replace(draft, ts=time.time_ns(), **end))

    def _is_untold(self, key: OrderKey) -> bool:
        """Whether all that is known of an order is what this kernel said itself."""
        return self._account.order(key) is self._own.get(key)

    def _take_own(self, key: OrderKey, state: messages.Order) -> None:
        with self._account.changed:
            self._own[key] = state
            self._account.take(state)

    def _known(self, order: Order | str) -> Order:
        return self[order] if isinstance(order, str) else order

    def _object(self, key: OrderKey) -> Order:
        return self._objects.setdefault(key, Order(self, self._account, key))

    def __repr__(self) -> str:
        count = len(self)
        return f"Orders({count} order{'' if count == 1 else 's'}, {len(self.open)} open)"

    def _repr_html_(self) -> str:
        rows = ([getattr(order, name) for name in COLUMNS] for order in list(self)[-ROWS_SHOWN:])
        return html_table(repr(self), COLUMNS, rows)


@contextlib.contextmanager
def _no_error_when_ended() -> Iterator[None]:
    """Taking back what has ended meanwhile is what its state says, and no error."""
    try:
        yield
    except WorkbenchError as problem:
        if problem.code != TOO_LATE:
            raise


def _draft(command: messages.PlaceOrder, now: int) -> messages.Order:
    return messages.Order(
        symbol=command.symbol,
        client_order_id=command.client_order_id,
        status="PENDING_NEW",
        side=command.side,
        order_type=command.order_type,
        quantity=command.quantity,
        filled=0.0,
        leaves=command.quantity,
        ts=now,
        price=command.price,
        stop_price=command.stop_price,
        time_in_force=command.time_in_force,
        oco=command.oco,
        trailing=command.trailing if command.order_type == "TRAILING_STOP" else None,
    )

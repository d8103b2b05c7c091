"""From what a user asks for to the order that is sent: everything on the grid, or refused at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Final

from workbench.errors import OffGridError, WorkbenchError
from workbench.frames.moments import Moment, to_ns
from workbench.protocol import messages

if TYPE_CHECKING:
    from workbench.frames.capture import Capture
    from workbench.instruments import Instrument

CLIENT_ORDER_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,32}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order asks for; sizes and prices in real units, distances of its bracket in ticks."""

    size: float
    limit: float | None = None
    stop: float | None = None
    tif: str = "GTC"
    post_only: bool = False
    stop_loss: int | None = None
    take_profit: int | None = None
    trailing: int | None = None
    reduce_only: bool = False
    clicked: int | None = None
    oco: str = ""
    expires: Moment | str | None = None

    @property
    def follows(self) -> bool:
        """Whether it is a trailing stop, not an order whose bracket has one."""
        return self.trailing is not None and self.stop_loss is None and self.take_profit is None


def _time_in_force(terms: Terms) -> str:
    tif: object = terms.tif
    if not isinstance(tif, str):
        raise WorkbenchError(
            f"UNSUPPORTED_TIME_IN_FORCE: {tif!r:.40}", expected="one of GTC, DAY, IOC, FOK, GTD as text"
        )
    return "GTD" if terms.expires is not None and tif == "GTC" else tif.upper()


def place_order(
    side: messages.OrderSide, terms: Terms, instrument: Instrument, client_order_id: str
) -> messages.PlaceOrder:
    """Build the command that places an order.

    Parameters
    ----------
    side : ``BUY`` or ``SELL``
    terms : Terms
    instrument : Instrument
    client_order_id : str

    Raises
    ------
    OffGridError
        A price or size off the instrument's grid; the nearest valid ones are named.
    WorkbenchError
        A distance that is no whole number of ticks, a size that is not positive, a name of other characters, an end that is
        no moment.
    """
    check_client_order_id(client_order_id)
    return messages.PlaceOrder(
        symbol=instrument.symbol,
        side=side,
        order_type="TRAILING_STOP" if terms.follows else order_type(terms.limit, terms.stop),
        quantity=on_grid_size(terms.size, instrument),
        client_order_id=client_order_id,
        price=on_grid_price(terms.limit, instrument),
        stop_price=on_grid_price(terms.stop, instrument),
        time_in_force=_time_in_force(terms),
        post_only=terms.post_only,
        stop_loss=_distance("stop_loss", terms.stop_loss, instrument),
        take_profit=_distance("take_profit", terms.take_profit, instrument),
        trailing=_distance("trailing", terms.trailing, instrument),
        reduce_only=terms.reduce_only,
        clicked=terms.clicked,
        oco=terms.oco,
        expires=None if terms.expires is None else to_ns(terms.expires),
    )


def trailing_start(side: messages.OrderSide, terms: Terms, capture: Capture) -> float:
    """Where a trailing stop that names no price begins: at its distance from the best price of the other side.

    Raises
    ------
    WorkbenchError
        That price is not known (code ``stale_book``).
    """
    best = capture.book.best_ask if side == "BUY" else capture.book.best_bid
    distance = _whole_ticks("trailing", terms.trailing)
    if best is None or not capture.book.valid:
        raise WorkbenchError(
            f"no price is known from which a stop could trail in {capture.instrument.symbol!r}",
            action="Name where it begins: stop=…",
            code="stale_book",
        )
    return float(capture.instrument.price(best + distance if side == "BUY" else best - distance))


def order_type(limit: float | None, stop: float | None) -> messages.OrderType:
    """Kind of an order by the prices it has."""
    if stop is None:
        return "MARKET" if limit is None else "LIMIT"
    return "STOP" if limit is None else "STOP_LIMIT"


def on_grid_price(price: float | None, instrument: Instrument) -> float | None:
    """The double nearest to a price of the grid; prices beside it are refused."""
    if price is not None:
        _check_number("price", price)
    return None if price is None else float(instrument.price(instrument.ticks(price)))


def on_grid_size(size: float, instrument: Instrument) -> float:
    """The double nearest to a size of the grid; sizes beside it, and those that are not positive, are refused."""
    _check_number("size", size)
    lots = instrument.lots(size)
    if lots <= 0:
        raise OffGridError(
            f"size {size!r} for {instrument.symbol}", expected=f"at least {instrument.lot_size:f}"
        )
    return float(instrument.size(lots))


def check_client_order_id(name: object) -> None:
    """Refuse names that a platform might refuse, cut off, or read as something else."""
    if not isinstance(name, str) or not CLIENT_ORDER_ID.fullmatch(name):
        raise WorkbenchError(
            f"INVALID_CLIENT_ORDER_ID {name!r}",
            expected="1 to 32 of A-Z a-z 0-9 . _ : -",
            code="invalid_client_order_id",
        )


def _check_number(name: str, value: object) -> None:
    """Refuse a text that looks like a number: ``"1"`` comes from a place that meant something else."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        raise WorkbenchError(f"{name} {value!r}", expected="a number", code="bad_value")


def _distance(name: str, ticks: float | None, instrument: Instrument) -> float | None:
    return None if ticks is None else float(instrument.price(_whole_ticks(name, ticks)))


def _whole_ticks(name: str, ticks: float | None) -> int:
    is_whole = hasattr(ticks, "__index__") or (isinstance(ticks, float) and ticks.is_integer())
    if ticks is None or isinstance(ticks, bool) or not is_whole or int(ticks) <= 0:
        raise WorkbenchError(
            f"{name}={ticks!r}",
            expected="a whole number of ticks from the entry, 1 or more",
            code="bad_value",
        )
    return int(ticks)

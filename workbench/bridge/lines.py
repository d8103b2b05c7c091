"""What we send to Bookmap: the one place where lines are made, and the checks that keep them one line each.

One line that Bookmap cannot convert mutes the add-on for good, without a word: a newline in a text, an empty last field,
an unknown duration, ``nan`` as a price, ``1`` for ``true`` (which is read as false: a sell). So every field is typed and
checked here, and what fails is refused instead of sent.
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Final

from workbench.bridge.codes import DATA_TYPES, SEPARATOR, Type
from workbench.bridge.spelling import INT32_MAX, INT32_MIN
from workbench.errors import WorkbenchError

DURATIONS: Final = frozenset(
    {"DAY", "DYP", "GTC", "GCP", "GTD", "GDP", "GTT", "FOK", "ATO", "ATC", "IOC", "GTC_PO"}
)
PLACES: Final = frozenset({"PRIMARY", "BOTTOM", "NONE"})
LINE_STYLES: Final = frozenset({"SOLID", "SHORT_DASH", "LONG_DASH", "DOT", "DASH_DOT"})
MAX_TEXT: Final = 4096
"""Characters of one field."""

_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ue000\ud800-\udfff]")
Price = int | float | Decimal


class LineError(WorkbenchError):
    """A field that must not be sent to Bookmap."""

    code = "bad_line"


class Lines:
    """Make the lines of one connection; each method returns exactly one, ``\\n`` included, or raises LineError.

    Only attached instruments are named: Bookmap's side dies of some lines about others.
    """

    def __init__(self) -> None:
        self._attached: set[str] = set()

    def attach(self, alias: str) -> None:
        """Allow lines about this instrument."""
        self._attached.add(_text("alias", alias))

    def detach(self, alias: str) -> None:
        """Allow no more lines about this instrument."""
        self._attached.discard(alias)

    def client_init(self) -> bytes:
        """Return the first line of a connection."""
        return _line(Type.CLIENT_INIT)

    def request_data(self, alias: str, request_id: int, type: int) -> bytes:
        """Ask for a type of data; asked twice, every event comes twice."""
        if type not in DATA_TYPES:
            raise LineError(f"data type {type!r}", expected=f"one of {[int(t) for t in DATA_TYPES]}")
        # The package ends this line with an empty field (the parameters, which only bars have).
        return _line(Type.REQ_DATA, self._alias(alias), _int64("request_id", request_id), str(int(type)), "")

    def init_finished(self, alias: str) -> bytes:
        """Say that everything is asked for; Bookmap waits for it."""
        return _line(Type.INIT_FINISHED, self._alias(alias))

    def boolean_setting(self, alias: str, name: str, default: bool = False) -> bytes:
        """Register a tick box in the add-on's panel; its saved or default value comes at once."""
        value = "1" if _boolean("default", default) else "0"
        return _line(Type.ADD_SETTING, self._alias(alias), "BOOLEAN", _text("name", name), "0", value)

    def label(self, alias: str, text: str) -> bytes:
        """Show a line of text in the add-on's panel."""
        return _line(Type.ADD_SETTING, self._alias(alias), "LABEL", _text("text", text), "0", "0")

    def register_indicator(
        self,
        alias: str,
        request_id: int,
        name: str,
        where: str,
        initial: float,
        colour: tuple[int, int, int],
        style: str = "SOLID",
    ) -> bytes:
        """Make an indicator; its id comes in answer. ``where``: PRIMARY, BOTTOM or NONE; ``colour``: 0–255 each."""
        return _line(
            Type.REGISTER_INDICATOR,
            self._alias(alias),
            _int64("request_id", request_id),
            _text("name", name),
            _one_of("where", where, PLACES),
            _double("initial", initial),
            "1",
            "1",
            _colour(colour),
            _one_of("style", style, LINE_STYLES),
            "0",
        )

    def add_point(self, alias: str, indicator_id: int, value: float) -> bytes:
        """Draw a value now; on the price chart in ticks."""
        return _line(
            Type.ADD_POINT, self._alias(alias), _int32("indicator_id", indicator_id), _double("value", value)
        )

    def send_order(
        self,
        alias: str,
        is_buy: bool,
        size: int,
        limit_price: Price | None = None,
        stop_price: Price | None = None,
        duration: str = "GTC",
        client_id: str = "",
        take_profit_offset: int | None = None,
        stop_loss_offset: int | None = None,
        trailing_step: int | None = None,
        take_profit_client_id: str = "",
        stop_loss_client_id: str = "",
    ) -> bytes:
        """Send an order: size in lots, prices real, offsets in ticks. Which prices are there says what kind it is."""
        plain: dict[str, object] = {
            "alias": self._alias(alias),
            "isBuy": _boolean("is_buy", is_buy),
            "size": _positive("size", size),
            "limitPrice": _optional_price("limit_price", limit_price),
            "stopPrice": _optional_price("stop_price", stop_price),
            "takeProfitOffset": _optional_positive("take_profit_offset", take_profit_offset),
            "stopLossOffset": _optional_positive("stop_loss_offset", stop_loss_offset),
            "stopLossTrailingStep": _optional_positive("trailing_step", trailing_step),
            "takeProfitClientId": _optional_text("take_profit_client_id", take_profit_client_id),
            "stopLossClientId": _optional_text("stop_loss_client_id", stop_loss_client_id),
            "duration": _one_of("duration", duration, DURATIONS),
            "clientId": _optional_text("client_id", client_id),
        }
        return _line(Type.SEND_ORDER, json.dumps({k: v for k, v in plain.items() if v is not None}))

    def cancel(self, alias: str, order_id: str, batch_end: bool = True, batch_id: int | None = None) -> bytes:
        """Cancel an order; those of a batch wait for the one that ends it."""
        if not _boolean("batch_end", batch_end) and batch_id is None:
            raise LineError("a batch of cancels without batch_id", action="Name the batch, or cancel at once")
        batch = "nan" if batch_id is None else _int32("batch_id", batch_id)
        return _line(
            Type.CANCEL_ORDER, self._alias(alias), _text("order_id", order_id), str(batch_end), batch
        )

    def move(
        self, alias: str, order_id: str, limit_price: Price | None = None, stop_price: Price | None = None
    ) -> bytes:
        """Give an order new prices; a stop-limit order needs both."""
        if limit_price is None and stop_price is None:
            raise LineError("a move without a price", expected="limit_price, stop_price or both")
        limit = _optional_price("limit_price", limit_price)
        stop = _optional_price("stop_price", stop_price)
        prices = ["nan" if price is None else str(price) for price in (limit, stop)]
        return _line(Type.MOVE_ORDER, self._alias(alias), _text("order_id", order_id), *prices)

    def resize(self, alias: str, order_id: str, size: int) -> bytes:
        """Give an order a new size, in lots."""
        new_size = str(_positive("size", size))
        return _line(Type.RESIZE_ORDER, self._alias(alias), _text("order_id", order_id), new_size)

    def subscribe_generator(
        self, provider: str, generator: str | None = None, filtered: bool = False
    ) -> bytes:
        """Take in what another add-on broadcasts; without ``generator``: learn what it has."""
        if generator == "None":
            raise LineError("a generator named 'None'", expected="another name: this one means none")
        what = "None" if generator is None else _text("generator", generator)
        return _line(
            Type.SUBSCRIBE_GENERATOR, _text("provider", provider), what, str(_boolean("filtered", filtered))
        )

    def user_message(self, alias: str, text: str) -> bytes:
        """Show a line of text to the trader."""
        return _line(Type.USER_MESSAGE, self._alias(alias), _text("text", text))

    def _alias(self, alias: str) -> str:
        if _text("alias", alias) not in self._attached:
            raise LineError(
                f"instrument {alias!r} is not attached", expected=f"one of {sorted(self._attached)}"
            )
        return alias


def _line(type: Type, *fields: str) -> bytes:
    return (SEPARATOR.join((str(int(type)), *fields)) + "\n").encode()


def _text(field: str, value: str) -> str:
    if not isinstance(value, str):
        raise LineError(f"{field} is a {type(value).__name__}", expected="text")
    if not value.strip():
        raise LineError(f"{field} is empty", expected="a non-empty text")
    if len(value) > MAX_TEXT:
        raise LineError(f"{field} has {len(value)} characters", expected=f"at most {MAX_TEXT}")
    bad = _FORBIDDEN.search(value)
    if bad is not None:
        raise LineError(
            f"{field} contains U+{ord(bad[0]):04X} at {bad.start()}", expected="one line of printable text"
        )
    return value


def _optional_text(field: str, value: str) -> str | None:
    return None if value == "" else _text(field, value)


def _one_of(field: str, value: object, allowed: frozenset[str]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise LineError(f"{field} {value!r}", expected=f"one of {sorted(allowed)}")
    return value


def _boolean(field: str, value: bool) -> bool:
    if not isinstance(value, bool):  # 1 would be read as false
        raise LineError(f"{field} is {value!r}", expected="True or False")
    return value


def _whole(field: str, value: int, lowest: int, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise LineError(f"{field} is {value!r}", expected="a whole number")
    if not lowest <= value <= highest:
        raise LineError(f"{field} is {value}", expected=f"{lowest} to {highest}")
    return int(value)


def _int32(field: str, value: int) -> str:
    return str(_whole(field, value, INT32_MIN, INT32_MAX))


def _int64(field: str, value: int) -> str:
    return str(_whole(field, value, -(2**63), 2**63 - 1))


def _positive(field: str, value: int) -> int:
    return _whole(field, value, 1, INT32_MAX)


def _optional_positive(field: str, value: int | None) -> int | None:
    return None if value is None else _positive(field, value)


def _finite(field: str, value: Price) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise LineError(f"{field} is {value!r}", expected="a number")
    try:
        number = float(value)
    except (OverflowError, ValueError):  # 10**400; a signalling NaN
        number = math.nan
    if not math.isfinite(number):
        raise LineError(f"{field} is {value}", expected="a finite number")
    return number


def _double(field: str, value: Price) -> str:
    return str(_finite(field, value))


def _optional_price(field: str, value: Price | None) -> float | None:
    return None if value is None else _finite(field, value)


def _colour(colour: object) -> str:
    if not isinstance(colour, tuple) or len(colour) != 3:
        raise LineError(f"colour {colour!r}", expected="three numbers 0-255")
    return ",".join(str(_whole("colour", part, 0, 255)) for part in colour)

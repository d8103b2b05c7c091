"""What Bookmap sends: lines of fields, and the messages they mean.

A line is UTF-8 text; its fields are joined by U+E000 and field 0 is a decimal type. Nothing is escaped. There are no
times and no numbers on the lines. Bookmap's side is Java: empty fields at the end may be missing, doubles may be spelled
``1.0E-5``, JSON may hold a bare ``NaN``, and nulls are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.bridge.codes import DATA_TYPES as DATA_TYPES
from workbench.bridge.codes import SEPARATOR as SEPARATOR
from workbench.bridge.codes import SEPARATOR_BYTES as SEPARATOR_BYTES
from workbench.bridge.codes import TRADING_TYPES as TRADING_TYPES
from workbench.bridge.codes import Type as Type
from workbench.bridge.spelling import (
    Plain,
    boolean,
    count,
    double,
    double_or_nan,
    int32,
    integer,
    loose_json,
    name,
    plain,
    tick_price,
)
from workbench.errors import ProtocolError

MAX_QUOTED: Final = 200
"""Characters of a bad line that are kept."""


class BadLineError(ProtocolError):
    """A line from Bookmap that cannot be read; ``fields["line"]`` keeps its beginning."""

    code = "bad_line"


@dataclass(frozen=True, slots=True)
class InstrumentInfo:
    """An instrument is attached. ``pips``: price of a tick; a lot is 1 / ``size_multiplier``."""

    alias: str
    full_name: str
    is_crypto: bool
    pips: float
    size_multiplier: float
    instrument_multiplier: float
    features: Plain


@dataclass(frozen=True, slots=True)
class Refused:
    """An instrument that cannot be served (a tick of zero, a name of control characters); not a line of its own."""

    alias: str
    reason: str


@dataclass(frozen=True, slots=True)
class ServerInit:
    """The connection is accepted."""


@dataclass(frozen=True, slots=True)
class ServerOff:
    """Bookmap is about to kill this process."""


@dataclass(frozen=True, slots=True)
class Response:
    """A request for data was accepted."""

    request_id: int


@dataclass(frozen=True, slots=True)
class Detached:
    """An instrument is gone."""

    alias: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A tenth of a second of data time has passed."""

    alias: str


@dataclass(frozen=True, slots=True)
class Depth:
    """New total size at a price level, in ticks and lots; 0 removes the level."""

    alias: str
    is_bid: bool
    price: int
    size: int


@dataclass(frozen=True, slots=True)
class Trade:
    """One print; ``price`` in ticks, maybe between two; ``is_buy``: the aggressor bought. Ids are '' if unknown."""

    alias: str
    price: float
    size: int
    is_otc: bool
    is_buy: bool
    is_start: bool
    is_end: bool
    aggressor_id: str
    passive_id: str


@dataclass(frozen=True, slots=True)
class Mbo:
    """One order enters (``BID_NEW``, ``ASK_NEW``), changes (``REPLACE``) or leaves (``CANCEL``)."""

    alias: str
    action: str
    order_id: str
    price: int
    size: int


@dataclass(frozen=True, slots=True)
class IndicatorMade:
    """An indicator was registered; points name it by ``indicator_id``."""

    request_id: int
    indicator_id: int


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """A setting has this value now; ``kind`` as on the wire. COLOR values stay text."""

    alias: str
    name: str
    kind: str
    value: bool | float | str


@dataclass(frozen=True, slots=True)
class Execution:
    """An own order traded."""

    alias: str
    plain: Plain


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """An own order changed."""

    plain: Plain


@dataclass(frozen=True, slots=True)
class BalanceUpdate:
    """Balances of an account."""

    plain: Plain


@dataclass(frozen=True, slots=True)
class PositionUpdate:
    """The position in an instrument."""

    plain: Plain


@dataclass(frozen=True, slots=True)
class Broadcasting:
    """An object of another add-on; what is no JSON object stands under ``"value"``."""

    generator: str
    plain: Plain


@dataclass(frozen=True, slots=True)
class BroadcastSettings:
    """The settings of another add-on's generator."""

    generator: str
    plain: Plain


@dataclass(frozen=True, slots=True)
class Providers:
    """Who broadcasts: provider → list of names (text) and generators (what their JSON text held)."""

    plain: dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Other:
    """A line of a type that means nothing to us; never echoed."""

    type: int


MarketMessage = Depth | Trade | Mbo | Interval
Message = (
    MarketMessage
    | InstrumentInfo
    | Refused
    | ServerInit
    | ServerOff
    | Response
    | Detached
    | IndicatorMade
    | SettingChanged
    | Execution
    | OrderUpdate
    | BalanceUpdate
    | PositionUpdate
    | Broadcasting
    | BroadcastSettings
    | Providers
    | Other
)


TYPE_OF: Final[Mapping[type, Type]] = {
    InstrumentInfo: Type.INSTRUMENT_INFO,
    ServerInit: Type.SERVER_INIT,
    ServerOff: Type.SERVER_OFF,
    Response: Type.RESP_DATA,
    Detached: Type.INSTRUMENT_DETACHED,
    Interval: Type.ON_INTERVAL,
    Depth: Type.DEPTH,
    Trade: Type.TRADE,
    Mbo: Type.MBO,
    IndicatorMade: Type.INDICATOR_RESPONSE,
    SettingChanged: Type.SETTING_CHANGED,
    Execution: Type.EXECUTE_ORDER,
    OrderUpdate: Type.UPDATE_ORDER,
    BalanceUpdate: Type.BALANCE,
    PositionUpdate: Type.POSITION,
    Broadcasting: Type.BROADCASTING,
    BroadcastSettings: Type.BROADCASTING_SETTINGS,
    Providers: Type.PROVIDERS_STATUS,
}


def parse(line: bytes) -> Message:
    r"""Read one line, with or without its ``\n`` or ``\r\n``.

    Raises
    ------
    BadLineError
        Anything that is not as it should be; no other exception leaves.
    """
    try:
        fields = line.rstrip(b"\r\n").decode().split(SEPARATOR)
        reader = _READERS.get(fields[0])
        return reader(fields) if reader is not None else Other(integer(fields[0]))
    except (ValueError, IndexError, RecursionError) as error:
        raise bad_line(line, error) from error


def bad_line(line: bytes, error: Exception) -> BadLineError:
    """Say what is wrong with a line, and keep its beginning."""
    text = line[: 4 * MAX_QUOTED].decode("utf-8", "backslashreplace")[:MAX_QUOTED]
    return BadLineError(f"line {text!r} cannot be read: {str(error)[:MAX_QUOTED]}", line=text)


def _field(fields: list[str], index: int, missing: str = "") -> str:
    """One of the last fields, which Java may have dropped because it was empty."""
    return fields[index] if index < len(fields) else missing


def _instrument_info(fields: list[str]) -> InstrumentInfo:
    alias, full_name = name(fields[1]), _field(fields, 2)
    return InstrumentInfo(
        alias,
        "" if full_name == "null" else full_name,
        _field(fields, 3) in ("1", "true"),
        double_or_nan(
            _field(fields, 4)
        ),  # no number: refused with a reason, for Bookmap waits until it is answered
        double_or_nan(_field(fields, 5)),
        double_or_nan(_field(fields, 6)),
        _features(_field(fields, 7)),
    )


def _features(text: str) -> Plain:
    """Features are hints: an instrument is not refused because they cannot be read."""
    try:
        return plain(text)
    except (ValueError, RecursionError):
        return {}


def _trade(fields: list[str]) -> Trade:
    flags = [boolean(text) for text in fields[4:8]]
    return Trade(
        name(fields[1]),
        tick_price(fields[2]),
        count(fields[3]),
        flags[0],
        flags[1],
        flags[2],
        flags[3],
        _field(fields, 8),
        _field(fields, 9),
    )


def _mbo(fields: list[str]) -> Mbo:
    action, order_id = fields[2], name(fields[3])
    if action == "CANCEL":  # its price and size are -1
        return Mbo(name(fields[1]), action, order_id, 0, 0)
    if action not in ("BID_NEW", "ASK_NEW", "REPLACE"):
        raise ValueError(f"{action[:40]!r} is no MBO event")
    return Mbo(name(fields[1]), action, order_id, int32(fields[4]), count(fields[5]))


def _setting_changed(fields: list[str]) -> SettingChanged:
    alias, setting, kind, text = name(fields[1]), fields[2], fields[3], _field(fields, 4)
    if kind == "NUMBER":
        return SettingChanged(alias, setting, kind, double(text))
    if kind == "BOOLEAN":
        return SettingChanged(alias, setting, kind, text == "true")  # nothing else opens a lock
    return SettingChanged(alias, setting, kind, text)


def _broadcast_plain(text: str) -> Plain:
    value = loose_json(text)
    return value if isinstance(value, dict) else {"value": value}


def _providers(fields: list[str]) -> Providers:
    listed = plain(fields[1])
    return Providers({key: [_listed(item) for item in _as_list(items)] for key, items in listed.items()})


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _listed(item: object) -> object:
    """Plain names stay names; JSON objects and arrays in a text are unpacked."""
    if not isinstance(item, str) or not item.lstrip().startswith(("{", "[")):
        return item
    try:
        return loose_json(item)
    except (ValueError, RecursionError):
        return item


_READERS: Final[Mapping[str, Callable[[list[str]], Message]]] = {
    "1": lambda f: ServerInit(),
    "2": _instrument_info,
    "4": lambda f: Response(integer(f[1])),
    "5": _trade,
    "7": lambda f: Detached(name(f[1])),
    "8": lambda f: Depth(name(f[1]), boolean(f[2]), int32(f[3]), count(f[4])),
    "10": lambda f: IndicatorMade(integer(f[1]), integer(f[2])),
    "12": lambda f: Interval(name(f[1])),
    "15": _setting_changed,
    "16": lambda f: ServerOff(),
    "18": _mbo,
    "20": lambda f: Execution(name(f[1]), plain(f[2])),
    "21": lambda f: OrderUpdate(plain(f[1])),
    "27": lambda f: BalanceUpdate(plain(f[1])),
    "28": lambda f: PositionUpdate(plain(f[1])),
    "29": lambda f: Broadcasting(name(f[1]), _broadcast_plain(f[2])),
    "31": _providers,
    "32": lambda f: BroadcastSettings(name(f[1]), _broadcast_plain(f[2])),
}

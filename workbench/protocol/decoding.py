"""Messages as text and back: typed, strict about types and numbers, tolerant about fields it does not know."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

import msgspec

from workbench.errors import ProtocolError
from workbench.protocol import messages
from workbench.protocol.limits import PROTOCOL_VERSION
from workbench.protocol.strict import parse

StructT = TypeVar("StructT", bound=msgspec.Struct)


FROM_CLIENT: Final[dict[str, type[messages.Message]]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        messages.Login,
        messages.Hello,
        messages.Proof,
        messages.Subscribe,
        messages.Unsubscribe,
        messages.ListInstruments,
        messages.Heartbeat,
        messages.PlaceOrder,
        messages.CancelOrder,
        messages.ReplaceOrder,
        messages.CancelAll,
        messages.Arm,
        messages.Disarm,
        messages.Publish,
        messages.Notify,
        messages.Listen,
        messages.Record,
        messages.StopRecording,
        messages.Replay,
        messages.EngineQuery,
        messages.HealthQuery,
        messages.Shutdown,
    )
}
FROM_SERVER: Final[dict[str, type[messages.Message]]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        messages.Welcome,
        messages.Challenge,
        messages.Subscribed,
        messages.Unsubscribed,
        messages.Instruments,
        messages.Heartbeat,
        messages.Error,
        messages.Order,
        messages.Fill,
        messages.Position,
        messages.Balance,
        messages.Trading,
        messages.Broadcast,
        messages.Drawn,
        messages.Recording,
        messages.Engine,
        messages.Health,
        messages.Done,
    )
}

_ENCODER: Final = msgspec.json.Encoder()
_MISSING: Final = re.compile(r"Object missing required field `(.+?)`")
_WRONG_TYPE: Final = re.compile(r"Expected `(.+?)`, got `(.+?)`(?: - at `\$\.?(.*?)`)?")


def encode(message: messages.Message) -> str:
    """JSON text of one message."""
    return _ENCODER.encode(message).decode()


def type_of(plain: messages.Plain) -> str:
    """The ``type`` of a parsed message."""
    name = plain.get("type")
    if name is None:
        raise ProtocolError("missing field 'type' in message", code="missing_field", field="type")
    if not isinstance(name, str):
        raise ProtocolError(f"type must be str, got {type(name).__name__}", code="bad_type", field="type")
    return name


def convert(plain: messages.Plain, kinds: Mapping[str, type[messages.Message]]) -> messages.Message:
    """Typed message of a parsed one.

    Raises
    ------
    ProtocolError
        ``unknown_type``, ``missing_field``, ``bad_type``, ``out_of_range``, ``bad_value``.
    """
    name = type_of(plain)
    kind = kinds.get(name)
    if kind is None:
        raise ProtocolError(f"unknown_type {name[:40]!r} (protocol {PROTOCOL_VERSION})", code="unknown_type")
    return convert_to(plain, kind)


def convert_to(plain: messages.Plain, kind: type[StructT]) -> StructT:
    """Fields of a parsed message as ``kind``; strict: no bool for a number, no float for an integer."""
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error), str(kind.__struct_config__.tag), plain) from None


def decode_from_client(text: str) -> messages.Message:
    """Message of a client; see :func:`convert` and :func:`workbench.protocol.strict.parse` for its errors."""
    return convert(parse(text), FROM_CLIENT)


def request_id_of(data: str | bytes) -> messages.RequestId:
    """Name of the request that a message which could not be taken was meant to be, if it can be read at all."""
    try:
        found = parse(data).get("request_id") if isinstance(data, str) else None
    except ProtocolError:
        return None
    return found if isinstance(found, str) or type(found) is int else None


def decode_from_server(text: str) -> messages.Message:
    """Message of a server that is no market data."""
    return convert(parse(text), FROM_SERVER)


def _explained(text: str, name: str, plain: messages.Plain) -> ProtocolError:
    missing = _MISSING.match(text)
    if missing:
        return ProtocolError(
            f"missing field {missing[1]!r} in {name}", code="missing_field", field=missing[1]
        )
    wrong = _WRONG_TYPE.match(text)
    if wrong is None:
        return ProtocolError(f"{name}: {text}", code="bad_value")
    field = wrong[3] or "message"
    if wrong[1].startswith(("int <", "int >", "float <", "float >")):
        shown = repr(plain.get(field))[:40]
        return ProtocolError(
            f"{field} = {shown} in {name}", expected=wrong[1], code="out_of_range", field=field
        )
    expected = wrong[1].replace(" | ", " or ")
    return ProtocolError(f"{field} must be {expected}, got {wrong[2]}", code="bad_type", field=field)

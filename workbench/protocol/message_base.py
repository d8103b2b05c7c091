"""What all messages are made of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
RequestId = Int64 | str | None
Real = float | Int64
Nonce = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
PositiveReal = Annotated[float, msgspec.Meta(gt=0)]
Plain = dict[str, Any]

DataKind = Literal["FULL_ORDER_BOOK", "TRADES", "DOM", "MBO", "ACCOUNT"]
OrderSide = Literal["BUY", "SELL"]
OrderType = Literal["MARKET", "LIMIT", "STOP", "STOP_LIMIT", "TRAILING_STOP"]


class Message(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all messages; fields at their default left out on the wire."""

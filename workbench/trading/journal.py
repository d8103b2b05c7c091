"""The journal: every command, decision and report of the desk, in order. The state is what its records add up to.

Records hold what happened, not what followed from it: :func:`workbench.trading.ledger.fold` follows. Times are
arguments and texts are made of numbers alone, so equal runs have equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from workbench.errors import WorkbenchError
from workbench.trading.contracts import Contract
from workbench.trading.limits import Limits, TradingState
from workbench.trading.order import Change
from workbench.trading.states import OrderEvent
from workbench.trading.terms import Terms


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """The desk began: with these contracts, bounds and money."""

    ts: int
    contracts: dict[str, Contract]
    limits: Limits
    cash: str


class Continued(msgspec.Struct, frozen=True, tag="continued"):
    """Another process goes on with the account: with the fees of these contracts, and these bounds, from now on."""

    ts: int
    contracts: dict[str, Contract]
    limits: Limits


class Placed(msgspec.Struct, frozen=True, tag="placed"):
    """An order was asked for under a new name."""

    ts: int
    terms: Terms


class Moved(msgspec.Struct, frozen=True, tag="moved"):
    """Something happened to an order, other than an execution or a change."""

    ts: int
    client_order_id: str
    event: OrderEvent
    reason: str = ""


class Asked(msgspec.Struct, frozen=True, tag="asked"):
    """Other values were asked for, of an order at the venue; ``own``: by the desk itself, which no bound counts."""

    ts: int
    client_order_id: str
    change: Change
    own: bool = False


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """An order has other values from now on; ``asked``: they are the oldest of those that were asked for."""

    ts: int
    client_order_id: str
    change: Change
    asked: bool
    reason: str = ""


class Executed(msgspec.Struct, frozen=True, tag="executed"):
    """A part of an order was executed; the fee is in parts of the contract's unit.

    ``ts``: when it was known here; ``venue_ts``: when it happened, 0 where that was not told.
    """

    ts: int
    client_order_id: str
    execution_id: str
    ticks: int
    lots: int
    maker: bool
    fee: int
    venue_ts: int = 0


class Switched(msgspec.Struct, frozen=True, tag="switched"):
    """Trading is allowed, allowed to reduce, or halted, from now on."""

    ts: int
    state: TradingState
    reason: str


class Measured(msgspec.Struct, frozen=True, tag="measured"):
    """Equity that bounds are measured from: a new peak, or the beginning of a day; an exact fraction as text."""

    ts: int
    equity: str
    new_day: bool


class Noted(msgspec.Struct, frozen=True, tag="noted"):
    """A decision or a report that changed nothing, with the reason."""

    ts: int
    what: str
    client_order_id: str = ""
    reason: str = ""


Record = Opened | Continued | Placed | Moved | Asked | Changed | Executed | Switched | Measured | Noted

_ENCODER = msgspec.json.Encoder(order="deterministic")
_DECODER = msgspec.json.Decoder(Record)


def encode(records: Iterable[Record]) -> bytes:
    """One line of JSON each; equal records give equal bytes.

    Examples
    --------
    >>> encode([Noted(7, "refused", "a", "RATE_LIMIT_EXCEEDED")])
    b'{"type":"noted","ts":7,"what":"refused","client_order_id":"a","reason":"RATE_LIMIT_EXCEEDED"}\\n'
    """
    return b"".join(_ENCODER.encode(record) + b"\n" for record in records)


def decode(data: bytes) -> Iterator[Record]:
    """Inverse of :func:`encode`.

    Raises
    ------
    WorkbenchError
        A line that is no record (code ``bad_journal``).
    """
    for number, line in enumerate(data.splitlines(), 1):
        try:
            yield _DECODER.decode(line)
        except msgspec.DecodeError as problem:
            raise WorkbenchError(
                f"line {number} of the journal is no record: {problem}",
                expected="a line that this version wrote",
                action="Keep the lines before it",
                code="bad_journal",
                line=number,
            ) from problem

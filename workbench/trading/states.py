"""Order states and the one table of how they follow each other.

The table is for a *mirror* of orders that live elsewhere: the far side may move them unasked, and a fill may arrive
after the cancel was acknowledged. :data:`STRICT` is the part of it that a matching engine of our own keeps to, where
nothing happens unasked.

When several states hold at once, FIX's precedence names the order (FIX 5.0 SP2, appendix D, order state changes):
PendingCancel 12 > PendingReplace 11 > DoneForDay 10 > Filled 8 > Stopped 7 > Canceled 5 > PartiallyFilled 4 > New =
Rejected = PendingNew 2. So a fill while a cancel is under way leaves the order PENDING_CANCEL, a late fill leaves a
canceled order CANCELED unless it fills the whole of it, and an order canceled after a partial fill is CANCELED.

``UNKNOWN`` is no state: it is a flag over any open one, set by silence or a lost link and cleared by a report.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class OrderStatus(StrEnum):
    """Where an order stands."""

    INITIALIZED = "INITIALIZED"
    """Checked and kept, not sent."""
    DENIED = "DENIED"
    """Refused here; it never left the process (on the wire: ``REJECTED`` with a reason)."""
    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    SUSPENDED = "SUSPENDED"
    """Held back at the far side (child of a bracket, stop not yet triggered); cannot be filled."""
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_REPLACE = "PENDING_REPLACE"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def terminal(self) -> bool:
        """Whether nothing is left working."""
        return self in TERMINAL


class OrderEvent(StrEnum):
    """What may happen to an order."""

    SUBMIT = "S"
    """Sent; again: the same order, nothing happens."""
    ACCEPT = "A"
    REJECT = "J"
    FILL = "F"
    """A part of it was filled."""
    FULL_FILL = "FF"
    """The rest of it was filled."""
    CANCEL = "C"
    """A cancel was asked for."""
    CANCELED = "CA"
    CANCEL_REJECT = "CJ"
    REPLACE = "R"
    """Another price or quantity was asked for."""
    REPLACED = "RA"
    REPLACE_REJECT = "RJ"
    EXPIRE = "X"
    TRIGGER = "T"
    """In or out of waiting: a new order is held back, a suspended one becomes active."""
    DENY = "D"
    """Refused before it was sent."""


_S, _E = OrderStatus, OrderEvent

TERMINAL: Final = frozenset({_S.DENIED, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED})
OPEN: Final = frozenset(OrderStatus) - TERMINAL

Table = dict[tuple[OrderStatus, OrderEvent], OrderStatus]


def _row(status: OrderStatus, moves: dict[OrderEvent, OrderStatus]) -> Table:
    return {(status, event): following for event, following in moves.items()}


def _stays(status: OrderStatus, *events: OrderEvent) -> Table:
    return {(status, event): status for event in events}


_OUT: Final = {_E.CANCELED: _S.CANCELED, _E.EXPIRE: _S.EXPIRED}
_ASKED: Final = {_E.CANCEL: _S.PENDING_CANCEL, _E.REPLACE: _S.PENDING_REPLACE}
_LATE: Final = {_E.FULL_FILL: _S.FILLED}

TRANSITIONS: Final = MappingProxyType(
    _row(
        _S.INITIALIZED,
        {
            _E.SUBMIT: _S.PENDING_NEW,
            _E.DENY: _S.DENIED,
            _E.CANCEL: _S.CANCELED,
            _E.REPLACE: _S.INITIALIZED,
        },
    )
    | _stays(_S.PENDING_NEW, _E.SUBMIT)
    | _row(
        _S.PENDING_NEW,
        {
            _E.ACCEPT: _S.NEW,
            _E.REJECT: _S.REJECTED,
            _E.FILL: _S.PARTIALLY_FILLED,
            _E.FULL_FILL: _S.FILLED,
            _E.TRIGGER: _S.SUSPENDED,
            **_ASKED,
            **_OUT,
        },
    )
    | _stays(_S.NEW, _E.SUBMIT, _E.ACCEPT, _E.REPLACED)
    | _row(
        _S.NEW,
        {
            _E.REJECT: _S.REJECTED,
            _E.FILL: _S.PARTIALLY_FILLED,
            _E.FULL_FILL: _S.FILLED,
            **_ASKED,
            **_OUT,
        },
    )
    | _stays(_S.SUSPENDED, _E.SUBMIT, _E.ACCEPT, _E.REPLACED)
    | _row(_S.SUSPENDED, {_E.REJECT: _S.REJECTED, _E.TRIGGER: _S.NEW, **_ASKED, **_OUT})
    | _stays(_S.PARTIALLY_FILLED, _E.SUBMIT, _E.ACCEPT, _E.FILL, _E.REPLACED)
    | _row(_S.PARTIALLY_FILLED, {_E.FULL_FILL: _S.FILLED, **_ASKED, **_OUT})
    | _stays(_S.PENDING_CANCEL, _E.SUBMIT, _E.ACCEPT, _E.FILL, _E.CANCEL, _E.REPLACED, _E.REPLACE_REJECT)
    | _row(
        _S.PENDING_CANCEL,
        {_E.REJECT: _S.REJECTED, _E.FULL_FILL: _S.FILLED, _E.CANCEL_REJECT: _S.NEW, **_OUT},
    )
    | _stays(_S.PENDING_REPLACE, _E.SUBMIT, _E.FILL, _E.REPLACE)
    | _row(
        _S.PENDING_REPLACE,
        {
            _E.REJECT: _S.REJECTED,
            _E.FULL_FILL: _S.FILLED,
            _E.CANCEL: _S.PENDING_CANCEL,
            _E.REPLACED: _S.NEW,
            _E.REPLACE_REJECT: _S.NEW,
            **_OUT,
        },
    )
    | _stays(_S.FILLED, _E.SUBMIT, _E.CANCEL_REJECT, _E.REPLACE_REJECT)
    | _stays(_S.CANCELED, _E.SUBMIT, _E.FILL, _E.CANCELED, _E.CANCEL_REJECT, _E.REPLACE_REJECT)
    | _row(_S.CANCELED, _LATE)
    | _stays(_S.EXPIRED, _E.SUBMIT, _E.FILL, _E.CANCELED, _E.CANCEL_REJECT, _E.REPLACE_REJECT)
    | _row(_S.EXPIRED, _LATE)
    | _stays(_S.REJECTED, _E.SUBMIT, _E.REJECT)
    | _stays(_S.DENIED, _E.SUBMIT, _E.REJECT)
)
"""State and event give the next state; a pair that is missing is refused and changes nothing."""

BACK_TO_REST: Final = frozenset(
    {
        (_S.PENDING_CANCEL, _E.CANCEL_REJECT),
        (_S.PENDING_REPLACE, _E.REPLACED),
        (_S.PENDING_REPLACE, _E.REPLACE_REJECT),
    }
)
"""Pairs after which the order is where its fills put it, not always ``NEW``: see ``resting`` of :func:`step`."""

RESTING: Final = frozenset({_S.PENDING_NEW, _S.NEW, _S.SUSPENDED, _S.PARTIALLY_FILLED, _S.FILLED})

UNASKED: Final = frozenset(
    {
        (status, event)
        for status in (_S.CANCELED, _S.EXPIRED)
        for event in (_E.FILL, _E.FULL_FILL, _E.CANCELED)
    }
    | {(status, _E.ACCEPT) for status in (_S.NEW, _S.SUSPENDED, _S.PARTIALLY_FILLED)}
    | {(status, _E.REPLACED) for status in (_S.NEW, _S.SUSPENDED, _S.PARTIALLY_FILLED)}
    | {(status, _E.REJECT) for status in (_S.NEW, _S.REJECTED, _S.DENIED)}
    | {(_S.NEW, _E.CANCELED)}
)
"""What only a mirror meets: late fills, repeated reports, moves and cancels that nobody here asked for.

Answers that cross a request on their way are none of it: with latency, our own engine says them too."""

STRICT: Final = MappingProxyType({pair: to for pair, to in TRANSITIONS.items() if pair not in UNASKED})
"""The part of the table for an engine that owns its orders."""


def step(
    status: OrderStatus, event: OrderEvent, *, resting: OrderStatus = OrderStatus.NEW
) -> OrderStatus | None:
    """Next state of a mirrored order, or None: refused, the state stays.

    Parameters
    ----------
    status : OrderStatus
    event : OrderEvent
    resting : OrderStatus, optional
        Where the order would stand without the request that is under way: one of :data:`RESTING`, as its fills say
        (an order replaced down to what is filled is FILLED). Matters for the pairs in :data:`BACK_TO_REST` alone.
    """
    if (status, event) in BACK_TO_REST:
        return resting
    return TRANSITIONS.get((status, event))

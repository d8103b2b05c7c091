"""What the order desk asks its shell to do, in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from workbench.protocol import messages


class Moment(NamedTuple):
    """Now, on both clocks.

    Parameters
    ----------
    wall : int
        ns UTC, for what people and records read.
    mono : int
        ns of the monotonic clock, for everything that ends or is limited in time: a wall clock that is set back
        must not keep orders allowed for longer.
    """

    wall: int
    mono: int


@dataclass(slots=True)
class Result:
    """What is to be done now: ``journal`` first and for sure, then ``lines``, then the rest.

    Parameters
    ----------
    journal : list of dict
        Entries for the append-only file. If they cannot be written, no line may go: see
        :meth:`workbench.bridge.desk.OrderDesk.withdraw`.
    lines : list of bytes
        For Bookmap, past everything else that waits.
    answers : list of Message
        To the client that asked, with its ``request_id``.
    account : list of AccountMessage
        To everyone.
    error : Error or None
        To the client that asked, instead of an answer.
    sent : list of str
        Client order ids of the new orders among ``lines``.
    changed : list of str
        Names of the orders that ``lines`` change.
    afterwards : list of callable
        Make further entries for the journal once ``lines`` have left: what was so at that moment, and takes a while to
        look up.
    """

    journal: list[dict[str, Any]] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    answers: list[messages.Message] = field(default_factory=list)
    account: list[messages.AccountMessage] = field(default_factory=list)
    error: messages.Error | None = None
    sent: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    afterwards: list[Callable[[], dict[str, Any]]] = field(default_factory=list)

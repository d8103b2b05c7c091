"""The way out to Bookmap: orders past everything else, and only through their own door."""

from __future__ import annotations

import pytest

from tests.support.bookmap_wire import line
from workbench.bridge.outgoing import MAX_WAITING, Outgoing, trades
from workbench.bridge.result import Moment
from workbench.bridge.wire import TRADING_TYPES
from workbench.errors import ProtocolError

POINT = line(11, "A", 42, 1.5)
ORDER = line(19, "{}")
NOW = Moment(0, 0)


def always(now: Moment) -> bool:
    """Both locks are open."""
    return True


def test_orders_are_taken_before_everything_else() -> None:
    """What was queued first does not matter."""
    outgoing = Outgoing()
    outgoing.put([POINT])
    outgoing.trade([ORDER], always)
    assert outgoing.waiting == 2
    assert outgoing.take_orders(NOW) == ORDER
    assert outgoing.take() == POINT
    assert outgoing.take_orders(NOW) == outgoing.take() == b""


@pytest.mark.parametrize("number", sorted(TRADING_TYPES))
def test_no_trading_line_leaves_while_a_lock_is_shut(number: int) -> None:
    """The last gate looks at the line itself, not at who made it."""
    outgoing = Outgoing()
    outgoing.trade([line(int(number), "A", "1")], lambda now: False)
    assert outgoing.take_orders(NOW) == b"" and outgoing.stopped == 1


def test_the_gate_looks_when_a_line_leaves() -> None:
    """A lock that was open when the line was queued and is shut when it would leave lets nothing out."""
    outgoing, shut_from = Outgoing(), 10
    outgoing.trade([ORDER], lambda now: now.mono < shut_from)
    assert outgoing.take_orders(Moment(0, 10)) == b"" and outgoing.stopped == 1
    outgoing.trade([ORDER], lambda now: now.mono < shut_from)
    assert outgoing.take_orders(Moment(0, 9)) == ORDER


@pytest.mark.parametrize("number", sorted(TRADING_TYPES))
def test_no_trading_line_leaves_by_the_other_door(number: int) -> None:
    """A drawing, a message or a subscription can never turn into an order."""
    outgoing = Outgoing()
    outgoing.put([line(int(number), "A", "1"), POINT])
    assert outgoing.take() == POINT and outgoing.stopped == 1


def test_the_type_of_a_line_is_what_java_would_read() -> None:
    """Blanks and a missing separator do not hide a type."""
    assert trades(b"19\n") and trades(b" 23 \xee\x80\x80x\n") and trades(ORDER)
    assert not trades(b"11\xee\x80\x8019\n") and not trades(b"190\n") and not trades(b"")


def test_what_waits_for_a_bookmap_that_does_not_read_is_bounded() -> None:
    """The client is told instead; memory is not spent on it."""
    outgoing = Outgoing()
    outgoing.put([POINT] * MAX_WAITING)
    with pytest.raises(ProtocolError, match="does not read") as refused:
        outgoing.put([POINT])
    assert refused.value.code == "busy"
    assert outgoing.take().count(b"\n") == MAX_WAITING

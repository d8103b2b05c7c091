"""From a decision to the wire: the journal first, the last gate last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from tests.support.bookmap_wire import ALIAS, line
from workbench.bridge.desk import OrderDesk
from workbench.bridge.lines import Lines
from workbench.bridge.mirror import ANSWER_NS
from workbench.bridge.order_path import OrderPath
from workbench.bridge.outgoing import Outgoing
from workbench.bridge.result import Moment, Result
from workbench.instruments import Instrument
from workbench.protocol.messages import Arm, PlaceOrder

NOW = Moment(1_767_225_600_000_000_000, 0)
CANCEL = line(23, ALIAS, "77", "True", "nan")


class Disk:
    """A journal that is full or not, and that knows what had left when it was written."""

    def __init__(self, outgoing: Outgoing):
        self.used_ids: dict[str, str] = {}
        self.outgoing = outgoing
        self.left_before: list[int] = []
        self.full = False

    def look(self) -> dict[str, str]:
        return {}

    def write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        self.left_before.append(self.outgoing.waiting)


class Table:
    """A desk with both locks open, and the way from it."""

    def __init__(self) -> None:
        lines = Lines()
        lines.attach(ALIAS)
        self.desk = OrderDesk(Instrument(ALIAS, Decimal("0.25")), lines, trading=True)
        self.outgoing = Outgoing()
        self.disk = Disk(self.outgoing)
        self.said: list[str] = []
        self.path = OrderPath(self.outgoing, lambda symbol: self.disk, self.said.append)
        self.path.journal(ALIAS)
        self.desk.permit(True, NOW)
        self.desk.command(Arm(minutes=1.0, max_orders=1, max_size=1.0), "one", NOW)

    def follow(self, work: Callable[[], Result]) -> Result:
        return self.path.follow(self.desk, work, NOW)


def test_the_journal_is_written_before_the_line_waits() -> None:
    """A process killed in between has noted an order it did not send, never the reverse."""
    table = Table()
    table.follow(lambda: Result(journal=[{"what": "cancel"}], lines=[CANCEL]))
    assert table.disk.left_before == [0] and table.outgoing.take_orders(NOW) == CANCEL


def test_no_line_survives_the_decision_that_disarms() -> None:
    """What one read of Bookmap's socket brings may ask for a cancel first and shut the lock then: nothing leaves."""
    table = Table()
    table.follow(lambda: Result(lines=[CANCEL]))
    table.follow(lambda: table.desk.permit(False, NOW))
    assert table.outgoing.take_orders(NOW) == b"" and table.outgoing.stopped == 1
    table.follow(lambda: Result(lines=[CANCEL]))
    assert table.outgoing.take_orders(NOW) == b"" and table.outgoing.stopped == 2


def test_an_order_that_bookmap_did_not_take_in_time_is_not_sent_late() -> None:
    """After two seconds it is called unknown; at a price of then it goes nowhere any more."""
    table = Table()
    soon, late = NOW._replace(mono=NOW.mono + ANSWER_NS - 1), NOW._replace(mono=NOW.mono + ANSWER_NS)
    table.follow(lambda: Result(lines=[CANCEL]))
    assert table.outgoing.take_orders(soon) == CANCEL
    table.follow(lambda: Result(lines=[CANCEL]))
    assert table.outgoing.take_orders(late) == b"" and table.outgoing.stopped == 1


def test_an_id_that_another_process_took_is_not_sent() -> None:
    """The journal is looked at before each decision: a bridge that stood by knows what the other one sent."""
    table = Table()
    table.disk.look = lambda: {"a-1": "other"}  # type: ignore[method-assign]
    order = PlaceOrder(symbol=ALIAS, side="BUY", order_type="MARKET", quantity=1.0, client_order_id="a-1")
    result = table.follow(lambda: table.desk.command(order, "one", NOW))
    assert result.error is not None and result.error.code == "duplicate_id"
    assert table.outgoing.take_orders(NOW) == b""


def test_a_full_disk_is_said_and_keeps_new_orders_back() -> None:
    """What cannot be remembered is not sent; cancels of what was sent still are."""
    table = Table()
    table.disk.full = True
    order = line(19, "{}")
    table.follow(lambda: Result(journal=[{"what": "sent"}], lines=[order, CANCEL]))
    assert table.outgoing.take_orders(NOW) == CANCEL
    assert "No space left" in table.said[0]


def test_a_journal_that_cannot_be_opened_is_said() -> None:
    """Then there is none, and whoever asks trades nothing."""
    said: list[str] = []

    def fail(symbol: str) -> Disk:
        raise PermissionError(13, "Permission denied")

    path = OrderPath(Outgoing(), fail, said.append)
    assert path.journal(ALIAS) is None and "Permission denied" in said[0]
    assert OrderPath(Outgoing(), None, said.append).journal(ALIAS) is None

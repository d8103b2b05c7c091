"""The add-on's core on the table, without process, socket or clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.bookmap_wire import ALIAS, SEPARATOR, book, instrument_info, line
from workbench.bridge.addon import Addon, Published
from workbench.bridge.desk import SETTING
from workbench.events import EventBatch
from workbench.protocol import messages

WALL = 1_767_225_600_000_000_000
SECOND = 1_000_000_000
OTHER = "BTCUSDT@BNF"


class KeptJournal:
    """A journal in memory; may be made to fail."""

    def __init__(self) -> None:
        self.used_ids: dict[str, str] = {}
        self.entries: list[Mapping[str, Any]] = []
        self.fails = False

    def look(self) -> dict[str, str]:
        return {}

    def write(self, entries: Iterable[Mapping[str, Any]]) -> None:
        if self.fails:
            raise OSError(28, "No space left on device")
        self.entries += entries


class Bench:
    """An add-on on the table: time stands still unless it is moved."""

    def __init__(self, *, trading: bool = False):
        self.journal = KeptJournal()
        self.addon = Addon(trading=trading, open_journal=lambda symbol: self.journal)
        self.mono = 0
        self.written: list[list[str]] = []
        self.published: list[Published] = []
        self.account: list[messages.AccountMessage] = []
        self.addon.connected()

    def receive(self, *data: bytes, full: bool = False) -> None:
        self.addon.receive(b"".join(data), WALL + self.mono, self.mono, full=full)
        self.go_on()

    def move(self, ns: int) -> None:
        self.mono += ns
        self.addon.on_time(WALL + self.mono, self.mono)
        self.go_on()

    def ask(self, command: messages.Command, owner: str = "one") -> messages.Message:
        answer = self.addon.command(owner, command, WALL + self.mono, self.mono)
        self.go_on()
        return answer

    def go_on(self) -> None:
        data = self.addon.orders_to_send(WALL + self.mono, self.mono)
        data += self.addon.lines_to_send(WALL + self.mono, self.mono)
        self.written += [text.decode().split(SEPARATOR) for text in data.split(b"\n")[:-1]]
        self.published += self.addon.publications()
        self.account += self.addon.account_messages()

    def of_type(self, number: str) -> list[list[str]]:
        return [fields for fields in self.written if fields[0] == number]

    def stream(self, alias: str = ALIAS) -> EventBatch:
        """Everything published of an instrument; fails at a hole."""
        return EventBatch.concatenate([p.batch for p in self.published if p.instrument.symbol == alias])

    def told(self, kind: type[messages.AccountMessage]) -> list[Any]:
        return [message for message in self.account if isinstance(message, kind)]


def attached(*, trading: bool = False) -> Bench:
    """An add-on with one instrument and its book."""
    bench = Bench(trading=trading)
    bench.receive(line(1), instrument_info(), book())
    for fields in bench.of_type("3"):
        bench.receive(line(4, fields[2]))
    return bench


def armed() -> Bench:
    """An add-on with both locks open."""
    bench = attached(trading=True)
    bench.receive(line(15, ALIAS, SETTING, "BOOLEAN", "true"))
    answer = bench.ask(arm())
    assert isinstance(answer, messages.Trading) and answer.armed
    return bench


def arm(symbol: str = ALIAS) -> messages.Arm:
    return messages.Arm(symbol=symbol, minutes=10.0, max_orders=5, max_size=3.0, request_id=1)


def buy(name: str = "a-1", **more: Any) -> messages.PlaceOrder:
    return messages.PlaceOrder(
        symbol=ALIAS, side="BUY", order_type="LIMIT", quantity=1.0, price=25.0, client_order_id=name, **more
    )

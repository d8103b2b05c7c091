"""A client of a bridge and the words it uses, for tests that run the add-on as Bookmap does."""

from __future__ import annotations

from typing import Any

from tests.support.bookmap_wire import ALIAS, BookmapWire, line
from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from workbench.bridge.desk import SETTING
from workbench.feeds import discovery
from workbench.feeds.client import FeedClient
from workbench.feeds.target import Target
from workbench.protocol import messages

DATA = (*EVERYTHING, "ACCOUNT")


def endpoint(symbol: str = ALIAS) -> discovery.Endpoint:
    """Discovery file of the bridge that serves an instrument."""

    def found() -> list[discovery.Endpoint]:
        feeds = [e for e in discovery.running_feeds() if e.key == discovery.BRIDGE_KEY]
        return [e for e in feeds if symbol in e.symbols]

    return eventually(found, what=f"a bridge of {symbol}")[0]


class Watching(Collected):
    """A client of a bridge that subscribed to everything of an instrument. A context manager."""

    def __init__(self, symbol: str = ALIAS, *, served: discovery.Endpoint | None = None):
        super().__init__()
        self.symbol = symbol
        self.endpoint = served or endpoint(symbol)
        self.client = FeedClient(Target.of(self.endpoint), self.take, "test")

    def __enter__(self) -> Watching:
        self.client.open()
        self.client.subscribe(self.symbol, DATA)
        eventually(lambda: "live" in self.states() or self.snapshots())
        return self

    def __exit__(self, *exception: object) -> None:
        self.client.close()

    def last_rows(self, count: int) -> list[tuple[int, int]]:
        """Kind and size of the newest rows; empty while there are fewer."""
        if self.rows(self.symbol) < count:
            return []
        stream = self.stream(self.symbol)
        return list(zip(stream.kind[-count:].tolist(), stream.size[-count:].tolist()))

    def of(self, kind: type[messages.Message]) -> list[Any]:
        """Unsolicited messages of a kind."""
        return [message for message in self.messages() if isinstance(message, kind)]


def health(watching: Watching) -> dict[str, Any]:
    """Facts of the bridge."""
    answer = watching.client.request(messages.HealthQuery())
    assert isinstance(answer, messages.Health)
    return answer.sources[0]


def arm(wire: BookmapWire, watching: Watching) -> None:
    """Open both locks."""
    wire.send(line(15, watching.symbol, SETTING, "BOOLEAN", "true"))
    eventually(lambda: any(t.permitted for t in watching.of(messages.Trading)))
    watching.client.request(messages.Arm(symbol=watching.symbol, minutes=5.0, max_orders=10, max_size=5.0))


def buy(name: str = "a-1", symbol: str = ALIAS) -> messages.PlaceOrder:
    return messages.PlaceOrder(
        symbol=symbol, side="BUY", order_type="LIMIT", quantity=2.0, price=25.0, client_order_id=name
    )


def update(**fields: object) -> bytes:
    """An order update as Gson writes it."""
    plain = {
        "instrumentAlias": ALIAS,
        "orderId": "77",
        "isBuy": True,
        "type": "LMT",
        "clientId": "a-1",
        "filled": 0,
        "unfilled": 2,
        "status": "WORKING",
        "limitPrice": 25.0,
        "duration": "GTC",
        "isSimulated": True,
        "isDuplicate": False,
    } | fields
    pairs = ",".join(f'"{name}":{_gson(value)}' for name, value in plain.items())
    return line(21, f'{{{pairs},"averageFillPrice":NaN}}')


def _gson(value: object) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )

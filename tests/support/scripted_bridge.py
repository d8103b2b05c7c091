"""A bridge worked by hand: it lets everybody in, answers subscriptions, and sends whatever a test tells it."""

from __future__ import annotations

import contextlib
import json
import threading
from types import TracebackType
from typing import Any

import websockets
from websockets.sync.server import ServerConnection, serve

from tests.support.synthetic import START_NS
from workbench.instruments import Instrument

GRID: dict[str, object] = Instrument("SYN", "0.1").to_dict()
RIGHT_BOOK = ([[101.0, 5], [100.9, 7]], [[101.1, 4], [101.2, 6]])


class ScriptedBridge:
    """A real WebSocket server in the test's process. A context manager.

    Attributes
    ----------
    instrument : dict
        What it says of its one instrument; may be nonsense.
    has_snapshot : bool
        Whether a snapshot follows where one is announced.
    version : str
    following : int
        Sequence number of the next row.
    heard : list of dict
        What clients sent.
    close_codes : list of int or None
        With which clients left.
    """

    def __init__(self) -> None:
        self.instrument: dict[str, object] = dict(GRID)
        self.has_snapshot = True
        self.version = "1.0"
        self.following = 0
        self.ts = START_NS
        self.heard: list[dict[str, Any]] = []
        self.close_codes: list[int | None] = []
        self._sockets: list[ServerConnection] = []
        self._server = serve(self._handle, "127.0.0.1", 0, compression=None)
        self._thread = threading.Thread(target=self._server.serve_forever, name="bridge", daemon=True)

    def __enter__(self) -> ScriptedBridge:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for socket in list(self._sockets):
            socket.close()
        self._server.shutdown()
        self._thread.join(10)

    @property
    def uri(self) -> str:
        return f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/v1"

    def of_type(self, name: str) -> list[dict[str, Any]]:
        """Messages of one type that clients sent."""
        return [message for message in list(self.heard) if message["type"] == name]

    def send(self, frame: str | bytes) -> None:
        """Send something, be it right or wrong."""
        for socket in list(self._sockets):
            with contextlib.suppress(websockets.ConnectionClosed):
                socket.send(frame)

    def row(self, kind: str = "TRADE", **fields: object) -> str:
        """Text of a good row with the next number; fields replace or, as None, remove."""
        usual = {"type": kind, "symbol": "SYN", "sequence": self.following, "ts": self.ts, "price": 101.0}
        usual |= {"aggressor": "BUY"} if kind == "TRADE" else {"side": "BID"}
        plain = usual | {"size": 1} | fields
        return json.dumps({name: value for name, value in plain.items() if value is not None})

    def send_row(self, kind: str = "TRADE", **fields: object) -> None:
        """Send a good row and count it."""
        text = self.row(kind, **fields)
        self.following += 1
        self.send(text)

    def _handle(self, socket: ServerConnection) -> None:
        facts = {"server": "scripted", "session": "s", "heartbeat_ms": 500, "read_only": True, "limits": {}}
        self._tell(socket, type="WELCOME", version=self.version, **facts)
        self._sockets.append(socket)
        with contextlib.suppress(websockets.ConnectionClosed):
            for frame in socket:
                message = json.loads(frame)
                self.heard.append(message)
                self._answer(socket, message)
        self._sockets.remove(socket)
        self.close_codes.append(socket.close_code)

    def _answer(self, socket: ServerConnection, message: dict[str, Any]) -> None:
        match message["type"]:
            case "HEARTBEAT":
                self._tell(socket, type="HEARTBEAT")
            case "INSTRUMENTS":
                number = message["request_id"]
                self._tell(socket, type="INSTRUMENTS", instruments=[self.instrument], request_id=number)
            case "SUBSCRIBE":
                self._subscribe(socket)

    def _subscribe(self, socket: ServerConnection) -> None:
        self._tell(
            socket,
            type="SUBSCRIBED",
            symbol="SYN",
            stream=0,
            data=["FULL_ORDER_BOOK", "TRADES"],
            next_sequence=self.following,
            snapshot=True,
            instrument=self.instrument,
        )
        if self.has_snapshot:
            bids, asks = RIGHT_BOOK
            common = {"symbol": "SYN", "sequence": self.following - 1, "ts": self.ts}
            self._tell(socket, type="SNAPSHOT", bids=bids, asks=asks, **common)
            self._tell(socket, type="SNAPSHOT_END", **common)

    def _tell(self, socket: ServerConnection, **plain: object) -> None:
        socket.send(json.dumps(plain))

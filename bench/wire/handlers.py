"""One Python call per event through our own reader: ``handlers.py PORT EVENTS``; the same work as ``official.py`` does."""

from __future__ import annotations

import json
import socket
import sys
import time

from workbench.bridge.handlers import EventCaller, EventHandlers

BUFFER_BYTES = 256 << 10


class Kept(EventHandlers):
    """Append every event to a list."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def on_depth(self, alias: str, is_bid: bool, price: int, size: int) -> None:
        self.events.append((is_bid, price, size))

    def on_trade(
        self, alias: str, price: float, size: int, is_buy: bool, aggressor_id: int, passive_id: int
    ) -> None:
        self.events.append((is_buy, price, size))

    def on_interval(self, alias: str) -> None:
        self.events.append((alias,))


def main(port: int, count: int) -> None:
    """Take so many events, then say what they were."""
    peer = socket.create_connection(("127.0.0.1", port))
    buffer, kept = memoryview(bytearray(BUFFER_BYTES)), Kept()
    caller = EventCaller(kept)
    peer.sendall("0\n13\ue000x\n".encode())
    while len(kept.events) < count:
        size = peer.recv_into(buffer)
        caller.receive(bytes(buffer[:size]), time.time_ns(), time.monotonic_ns())
    print("done", flush=True)
    sums = [sum(event[k] for event in kept.events if len(event) == 3) for k in range(3)]  # type: ignore[misc]
    print(json.dumps({"events": len(kept.events), "sums": sums}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

"""What reading costs without understanding: ``bound.py PORT BYTES recv|copy|cut``.

``recv`` reads into one buffer, ``copy`` keeps the bytes as well, ``cut`` makes one ``bytes`` of each line.
"""

from __future__ import annotations

import json
import socket
import sys

BUFFER_BYTES = 256 << 10


def main(port: int, total: int, what: str) -> None:
    """Take ``total`` bytes after the set-up."""
    peer = socket.create_connection(("127.0.0.1", port))
    head = b""
    while head.count(b"\n") < 2:
        head += peer.recv(4096)
    peer.sendall(b"13\xee\x80\x80x\n")
    buffer, kept, cut = memoryview(bytearray(BUFFER_BYTES)), bytearray(), 0
    rest, seen = b"", 0
    while seen < total:
        size = peer.recv_into(buffer)
        if not size:
            raise SystemExit("the other side left")
        seen += size
        if what == "copy":
            kept += buffer[:size]
        elif what == "cut":
            *lines, rest = (rest + buffer[:size]).split(b"\n")
            cut += len(lines)
    print("done", flush=True)
    print(json.dumps({"lines": cut} if what == "cut" else {"bytes": len(kept) or seen}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

"""Record as fast as it goes, a note with each batch, and print each acknowledged number: to be killed by a test.

``python -m tests.support.record_until_killed DIRECTORY`` prints the recording's path first.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.recordings import START_NS, recorder
from tests.support.synthetic import changes, snapshot

ROWS = 200


def main() -> None:
    live = recorder(Path(sys.argv[1]))
    print(live.path, flush=True)
    first = snapshot(0, START_NS, 0)
    live.append(first)
    row, sequence = 0, len(first)
    while True:
        live.append(changes(row, row + ROWS, 1_000_000, sequence))
        live.note("orders", START_NS + row, "ORDER", {"filled": row})
        row, sequence = row + ROWS, sequence + ROWS
        print(live.flush(START_NS + row * 1_000_000), flush=True)


if __name__ == "__main__":
    main()

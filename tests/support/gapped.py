"""A market with a hole: six numbers are skipped behind a row that says so, then the book is told anew."""

from __future__ import annotations

import workbench as wb

SECOND = 1_000_000_000


class Gapped:
    """Bid 100, ask 101 from the first second on; lost at the third; 110 and 111 from the fifth, 112 and 113 from the eighth."""

    def __init__(self) -> None:
        self.instrument = wb.Instrument("TEST", tick_size="1", lot_size="1")
        self.parts = [
            _rows(0, [(1, 6, 0, 0, 0), (1, 1, 1, 100, 9), (1, 1, -1, 101, 9), (1, 7, 0, 0, 0)]),
            _rows(4, [(3, 9, 0, 0, 7)]),
            _rows(
                11,
                [
                    *((5, 6, 0, 0, 0), (5, 1, 1, 110, 9), (5, 1, -1, 111, 9), (5, 7, 0, 0, 0)),
                    *((8, 1, -1, 111, 0), (8, 1, 1, 112, 9), (8, 1, -1, 113, 9), (20, 1, 1, 90, 1)),
                ],
            ),
        ]

    def batches(self) -> list[wb.EventBatch]:
        """Before the hole, the hole, behind it."""
        return self.parts


def _rows(first: int, rows: list[tuple[int, int, int, int, int]]) -> wb.EventBatch:
    ts, kind, side, price, size = zip(*rows)
    return wb.EventBatch.of(first, ts=[t * SECOND for t in ts], kind=kind, side=side, price=price, size=size)

"""What a page holds of a panel after any messages, in Python: the double of ``panel_store.js``."""

from __future__ import annotations

import numpy as np


class PanelPage:
    """Newest columns by their beginning in ms, the series that explain them, a tile."""

    def __init__(self):
        self.columns: dict[float, np.ndarray] = {}
        self.content: dict = {}
        self.marks: list[dict] = []
        self.gaps: list = []
        self.messages = 0

    def take(self, message) -> None:
        """Apply a message of the numbered stream; None is no message."""
        if message is None:
            return
        content, (offsets, values) = message
        self.messages += 1
        if content["k"] == "snap":
            self.columns, self.content, self.marks = {}, content, list(content["marks"])
        else:
            assert content["epoch"] == self.content["epoch"], (
                "columns of a picture that the page does not have"
            )
            self.marks += content.get("marks", [])
        self.gaps = content.get("gaps", self.gaps)
        self.columns |= columns_of(content, offsets, values)

    def field(self, name: str, field: str) -> dict[float, float]:
        """One number of a series by the beginning of its column, ms."""
        at = next(s for s in self.content["series"] if s["name"] == name)["at"][field]
        return {ms: float(row[at]) for ms, row in sorted(self.columns.items())}


def columns_of(content, offsets, values) -> dict[float, np.ndarray]:
    """Columns of a message by their beginning, ms."""
    return {content["first_ms"] + int(o) * content["column_ms"]: row for o, row in zip(offsets, values)}

"""The documentation of orders says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from workbench.protocol.diagram import diagram
from workbench.trading.states import STRICT

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "orders.md").read_text(encoding="utf-8")


def test_the_diagram_is_drawn_from_the_table() -> None:
    """The picture of states is the table's, so neither can change alone."""
    body = re.search(r"^```mermaid order\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    moves = {(pair[0].value, pair[1].value): to.value for pair, to in STRICT.items() if pair[0] is not to}
    assert body is not None
    assert body[1].rstrip("\n") == diagram(moves)

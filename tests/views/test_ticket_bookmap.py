"""The trading panel in front of Bookmap: the same buttons, its own account, both locks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from tests.support.order_cell import ALLOW, TradedMarket
from workbench.errors import WorkbenchError
from workbench.views.ticket import Ticket

SEND_ORDER = 19


@pytest.fixture
def market(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TradedMarket]:
    """A Bookmap stand-in and a session through its bridge, both locks shut."""
    for name in ("WORKBENCH_RUNTIME_DIR", "WORKBENCH_STATE_DIR"):
        monkeypatch.setenv(name, "")  # the market sets its own; what was before comes back
    opened = TradedMarket(str(tmp_path))
    yield opened
    opened.close()


def facts(ticket: Ticket) -> dict[str, Any]:
    """What the panel would tell a page now."""
    told: dict[str, Any] = ticket._still()[0]["ticket"]
    return told


def test_the_panel_drives_bookmap_only_through_both_locks(market: TradedMarket) -> None:
    """Shut: the reason stands there and not one line goes. Armed: one line for each press, bracket and all."""
    ticket = Ticket(market.session, take_profit=16, stop_loss=8)
    assert ALLOW in facts(ticket)["why"]
    with pytest.raises(WorkbenchError, match="orders are off"):
        ticket.press("buy at bid")
    assert market.bookmap.count(SEND_ORDER) == 0

    ticket.press("arm", minutes=5, max_orders=4, max_size=2.0)
    assert facts(ticket)["switch"]["state"] == "LOCKED"
    market.bookmap.set(ALLOW, True)
    eventually(lambda: facts(ticket)["switch"]["state"] == "ARMED", what="open locks")
    told = facts(ticket)["switch"]
    assert (told["place"], told["left"], told["most"]) == ("platform", 4, 2.0)

    order = ticket.press("buy at bid", order="dom-1")
    ticket.press("buy at bid", order="dom-1")
    order.wait("NEW")
    assert market.bookmap.count(SEND_ORDER) == 1
    market.bookmap.fill(order.order_id)
    eventually(lambda: (facts(ticket)["position"] or [0])[0] == 1, what="the position")
    refused = ticket.press("sell at ask", size=9)
    rows = {row["id"]: row for row in facts(ticket)["blotter"]}
    assert refused.status == "REJECTED"
    assert "9" in rows[refused.client_order_id]["reason"]
    ticket.press("panic")
    eventually(lambda: not facts(ticket)["switch"]["armed"], what="a shut lock")
    assert facts(ticket)["switch"]["state"] == "LOCKED"
    ticket.close()

"""Orders on the heatmap: a click places, a drag moves, a right-click takes back, and the account stands on the chart."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.support.eventually import eventually
from workbench.errors import WorkbenchError


@pytest.fixture
def session():
    with wb.simulate(seed=7, inline=True) as opened:
        opened.advance("5s")
        yield opened


def account_of(heat: wb.Heatmap) -> dict:
    """What lies over the chart of own orders."""
    return heat._still()[0]["layers"]["account"]


def test_a_click_on_the_chart_is_an_order_with_a_bracket(session):
    """It is drawn with its kind; moved and taken back by its name; a click that is late is refused."""
    heat, tick = wb.Heatmap(session), session.capture().book.best_bid - 8
    click = {
        "do": "place",
        "order": "c1",
        "side": "BUY",
        "kind": "limit",
        "tick": tick,
        "size": 2,
        "tif": "GTC",
    }
    with pytest.raises(WorkbenchError, match="too late"):
        heat._act({**click, "late_ms": 900.0})
    heat._act({**click, "stop_loss": 8, "take_profit": 16, "late_ms": 10.0})
    eventually(lambda: "c1" in session.orders and session.orders["c1"].status == "NEW")
    (line,) = account_of(heat)["orders"]
    assert (line["kind"], line["steps"][-1][1], line["end"]) == ("limit", tick, None)
    heat._act({"do": "move", "order": "c1", "tick": tick + 2, "late_ms": 10.0})
    eventually(lambda: session.orders["c1"].limit == (tick + 2) * 0.25)
    heat._act({"do": "cancel", "order": "c1", "late_ms": 10.0})
    eventually(lambda: session.orders["c1"].status == "CANCELED")
    heat.close()


def test_an_open_position_and_its_exits_stand_on_the_chart(session):
    """Price of entry, target and stop loss; and why a click would place nothing once everything is halted."""
    heat = wb.Heatmap(session)
    entry = session.orders.buy(1, stop_loss=8, take_profit=16)
    session.advance("1s")
    account = account_of(heat)
    assert account["position"] == [1.0, entry.avg_price / 0.25]
    assert {line["kind"] for line in account["orders"]} == {"target", "stop loss"}
    assert account["why"] == ""
    session.panic()
    assert account_of(heat)["why"].startswith("TRADING_HALTED: panic")
    assert heat.picture().startswith(b"\x89PNG")
    heat.close()

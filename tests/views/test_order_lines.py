"""Own orders and fills as lines and triangles: from placing to the end, by the states that were told."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.support.view_events import START_NS, shown
from workbench.events import EventBatch, Instrument
from workbench.frames.recorder import Recorder
from workbench.frames.recording import open_recording
from workbench.session.account_frames import FILLS, ORDERS
from workbench.views.heat_marks import HeatMarks
from workbench.views.order_lines import fill_marks, order_lines
from workbench.views.showable import showable

ES = Instrument("ES", "0.25")
START_MS = START_NS / 1e6


def told(schema: dict, *rows: dict) -> pl.DataFrame:
    whole = [dict.fromkeys(schema) | {"symbol": "ES"} | row for row in rows]
    for row in whole:
        row["ts"] = START_NS + row["ts"] * 1_000_000
    plain = {name: pl.Int64 if name == "ts" else kind for name, kind in schema.items()}
    return pl.DataFrame(whole, schema=plain).cast(schema)


def order(ts: int, status: str, name: str = "a", **more: object) -> dict:
    return {
        "ts": ts,
        "client_order_id": name,
        "status": status,
        "side": "BUY",
        "order_type": "LIMIT",
        "price": 25.0,
        "leaves": 2.0,
    } | more


def test_a_line_runs_from_placing_through_changes_to_the_end() -> None:
    """A step for each new price or size; states that change neither add none."""
    states = told(
        ORDERS,
        order(0, "PENDING_NEW"),
        order(1, "NEW"),
        order(5, "NEW", price=25.25),
        order(7, "PARTIALLY_FILLED", price=25.25, leaves=1.0),
        order(9, "CANCELED", price=25.25, leaves=0.0),
    )
    (line,) = order_lines(states, ES)
    assert line == {
        "id": "a",
        "side": 1,
        "steps": [[START_MS, 100.0, 2.0], [START_MS + 5, 101.0, 2.0], [START_MS + 7, 101.0, 1.0]],
        "end": START_MS + 9,
        "status": "CANCELED",
        "kind": "limit",
    }


def test_working_orders_have_no_end_and_stops_stand_at_their_stop_price() -> None:
    """Orders that were placed elsewhere go by the venue's name; market orders rest nowhere."""
    states = told(
        ORDERS,
        order(0, "NEW", name="", order_id="7", side="SELL", price=None, stop_price=24.0),
        order(1, "NEW", name="m", price=None),
        order(1, "NEW", name="n", symbol="NQ"),
        order(2, "REJECTED", name="r"),
    )
    (line,) = order_lines(states, ES)
    assert (line["id"], line["side"], line["steps"], line["end"]) == ("#7", -1, [[START_MS, 96.0, 2.0]], None)


def test_only_the_newest_are_drawn() -> None:
    """A thousand orders do not fill the wire."""
    states = told(ORDERS, *(order(k, "NEW", name=f"o{k}") for k in range(20)))
    assert [line["id"] for line in order_lines(states, ES, most=3)] == ["o17", "o18", "o19"]


def test_fills_stand_at_their_price_and_time() -> None:
    """Each with side and size."""
    fills = told(
        FILLS,
        {"ts": 3, "side": "SELL", "price": 25.5, "size": 2.0},
        {"ts": 4, "side": "BUY", "price": 25.0, "size": 1.0, "symbol": "NQ"},
    )
    assert fill_marks(fills, ES) == [[START_MS + 3, 102.0, -1, 2.0]]


def test_a_recording_shows_the_orders_that_were_noted_in_it(tmp_path: Path) -> None:
    """Read from its table of orders."""
    market = shown()
    live = Recorder(tmp_path, ES, source={}, session="s", now_ns=1)
    live.append(EventBatch(market.captured.columns.view(), 0))
    noted = {
        "symbol": "ES",
        "client_order_id": "a",
        "side": "BUY",
        "price": 25.0,
        "leaves": 2.0,
        "status": "NEW",
    }
    live.note("orders", START_NS, "ORDER", noted)
    fill = {"symbol": "ES", "side": "BUY", "price": 25.0, "size": 2.0}
    live.note("orders", START_NS + 1_000_000, "FILL", fill)
    live.close()
    exhibit = showable(open_recording(live.path))
    account = HeatMarks(exhibit, exhibit.capture()).reader()(True)["account"]
    assert [line["steps"] for line in account["orders"]] == [[[START_MS, 100.0, 2.0]]]
    assert account["fills"] == [[START_MS + 1, 100.0, 1, 2.0]]


def test_what_a_session_says_before_an_answer_does_not_move_the_beginning() -> None:
    """Its machine's time is not the stream's: the order begins where the first answer says."""
    (line,) = order_lines(
        told(ORDERS, order(10**9, "PENDING_NEW"), order(3, "NEW"), order(8, "NEW", price=25.25)), ES
    )
    assert line["steps"] == [[START_MS + 3, 100.0, 2.0], [START_MS + 8, 101.0, 2.0]]


def test_exits_of_a_bracket_are_called_what_they_are() -> None:
    """By the names that the desk gives them."""
    rows = [
        order(0, "NEW", "a.tp"),
        order(1, "NEW", "a.sl", order_type="STOP"),
        order(2, "NEW", "b", order_type="STOP_LIMIT"),
    ]
    assert [line["kind"] for line in order_lines(told(ORDERS, *rows), ES)] == [
        "target",
        "stop loss",
        "stop limit",
    ]

"""The cases of the official client again, with our own add-on script between the stand-in and a client of the feed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import bookmap_tape as tape
from tests.support.bridged import PERMISSION, Bridged, stand_in
from tests.support.eventually import eventually
from workbench.errors import WorkbenchError
from workbench.events import EventKind, Flag, Side, Status
from workbench.feeds import discovery
from workbench.protocol import messages

ALIAS = tape.INSTRUMENT.symbol
TRADING_TYPES = {19, 23, 24, 25, 26}
_MARKET = (EventKind.DEPTH, EventKind.TRADE, EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL)


@pytest.fixture(params=["\n", "\r\n"], ids=["lf", "crlf"])
def bridged(request: pytest.FixtureRequest, tmp_path: Path, runtime: None) -> Iterator[Bridged]:
    """The script without orders."""
    with Bridged(stand_in(tmp_path, line_ending=request.param)) as line:
        yield line


@pytest.fixture
def trading(tmp_path: Path, runtime: None) -> Iterator[Bridged]:
    """The script with orders, both locks shut."""
    with Bridged(stand_in(tmp_path, trading=True)) as line:
        yield line


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))


def order(name: str, **fields: Any) -> messages.PlaceOrder:
    plain = {
        "side": "BUY",
        "order_type": "LIMIT" if "price" in fields else "MARKET",
        "quantity": 2.0,
    } | fields
    return messages.PlaceOrder(symbol=ALIAS, client_order_id=name, **plain)


def newest(line: Bridged, name: str) -> messages.Order | None:
    return next((o for o in reversed(line.heard(messages.Order)) if o.client_order_id == name), None)


def has(line: Bridged, name: str, status: str) -> messages.Order:
    """The order once it has a status."""

    def found() -> messages.Order | None:
        one = newest(line, name)
        return one if one is not None and one.status == status else None

    return eventually(found, what=f"order {name} {status}")


def test_initialisation_asks_once_and_says_13_last(bridged: Bridged) -> None:
    """Asking twice would double every event."""
    sent = [(one.type, one.fields[2] if one.type == 3 else "") for one in bridged.bm.received]
    assert sent[0] == (0, "")
    assert sorted(sent[1:-1]) == sorted((3, data) for data in ("8", "5", "18", "22", "28", "27"))
    assert sent[-1] == (13, "")
    assert not bridged.bm.deaf


def test_the_book_of_the_snapshot_is_the_sources(bridged: Bridged) -> None:
    """Levels best first, orders with them, and valid."""
    book = eventually(lambda: (book := bridged.book()).valid and book)
    assert [[a.tolist() for a in book.levels(side)] for side in (Side.BID, Side.ASK)] == [
        [[400], [5]],
        [[401], [7]],
    ]


def test_every_event_arrives(bridged: Bridged) -> None:
    """Levels, prints with ids and fractions, orders new, replaced and cancelled, in order."""
    bridged.bm.play()
    expected = [
        (
            kind,
            side,
            -1 if kind == EventKind.MBO_CANCEL else price,
            _size(kind, size),
            order_id,
            aggressor,
            flags,
        )
        for kind, side, price, size, order_id, aggressor, flags in tape.CHANGES
        if kind in _MARKET
    ]
    eventually(lambda: len(bridged.rows(*_MARKET)) >= len(expected))
    assert [_comparable(row) for row in bridged.rows(*_MARKET)[-len(expected) :]] == [
        _comparable(row) for row in expected
    ]
    assert eventually(lambda: bridged.rows(EventKind.CLOCK))


def _size(kind: int, size: int) -> int:
    return -1 if kind == EventKind.MBO_CANCEL else size


def _comparable(row: tuple[int, ...]) -> tuple[int, ...]:
    # what a cancel carries beside its order says nothing
    return (row[0], row[4]) if row[0] == EventKind.MBO_CANCEL else (*row[:6], row[6] & ~Flag.SNAPSHOT)


def test_values_are_drawn_on_the_chart_in_levels(bridged: Bridged) -> None:
    """A price divided by the tick; what was drawn is told."""
    bridged.ask(messages.Publish(ALIAS, "Fair value", 100.5, colour="#ff0080", style="short_dash"))
    line = bridged.bm.wait(
        lambda bm: (
            "Fair value" in bm.indicators
            and bm.indicators["Fair value"].points
            and bm.indicators["Fair value"]
        )
    )
    assert (line.where, line.style, line.colour) == ("PRIMARY", "SHORT_DASH", (255, 0, 128))
    assert [value for _, value in line.points] == [402.0]
    drawn = eventually(lambda: bridged.heard(messages.Drawn))
    assert [(one.indicator, one.value, one.where) for one in drawn] == [("Fair value", 100.5, "chart")]


def test_a_panels_values_are_drawn_as_they_are(bridged: Bridged) -> None:
    """Below the chart there are no prices."""
    bridged.ask(messages.Publish(ALIAS, "Imbalance", -0.25, where="panel"))
    line = bridged.bm.wait(lambda bm: "Imbalance" in bm.indicators and bm.indicators["Imbalance"])
    bridged.bm.wait(lambda bm: line.points)
    assert (line.where, line.points[0][1]) == ("BOTTOM", -0.25)


def test_a_message_pops_up(bridged: Bridged) -> None:
    """Once, for the instrument that is attached."""
    bridged.ask(messages.Notify(ALIAS, "Grüße, 100 €"))
    assert bridged.bm.wait(lambda bm: bm.messages) == ["Grüße, 100 €"]


def test_broadcasts_are_told(bridged: Bridged) -> None:
    """Events and settings of the generator that was asked for."""
    bridged.bm.offer("Market Pulse", "pulse")
    bridged.ask(messages.Listen("Market Pulse", "pulse", symbol=ALIAS))
    bridged.bm.wait(lambda bm: bm.broadcast("Market Pulse", "pulse", {"a<b": [1, 2.5, True]}))
    bridged.bm.broadcast("Market Pulse", "pulse", {"length": 5}, settings=True)

    def said() -> list[messages.Broadcast]:
        return [one for one in bridged.heard(messages.Broadcast) if one.kind != "providers"]

    eventually(lambda: len(said()) == 2)
    assert [(one.provider, one.generator, one.kind, one.data) for one in said()] == [
        ("Market Pulse", "pulse", "event", {"a<b": [1, 2.5, True]}),
        ("Market Pulse", "pulse", "settings", {"length": 5}),
    ]


def test_the_last_detach_ends_everything(bridged: Bridged) -> None:
    """The stream ends, the discovery file goes, the process leaves with 0 if it is let."""
    bridged.bm.detach(grace_s=30)
    assert bridged.bm.addon is not None
    assert bridged.bm.addon.exit_code == 0
    eventually(lambda: any(row[3] == Status.ENDED for row in bridged.rows(EventKind.STATUS)))
    eventually(lambda: not discovery.running_feeds())
    assert bridged.bm.popups == []


@pytest.mark.parametrize("reset", [False, True])
def test_a_bookmap_that_dies_takes_the_bridge_with_it(bridged: Bridged, reset: bool) -> None:
    """No loop at the end of the stream: exit code 0, no popup."""
    bridged.bm.crash(reset=reset)
    assert bridged.bm.addon is not None
    assert bridged.bm.addon.wait(30) == 0


def test_the_script_without_orders_has_no_setting_and_sends_none(bridged: Bridged) -> None:
    """Whatever it is asked."""
    with pytest.raises(WorkbenchError, match=r"read.only|orders"):
        bridged.ask(order("a"))
    assert bridged.bm.settings == {}
    assert not any(bridged.bm.count(number) for number in TRADING_TYPES)


def test_the_permission_is_a_setting_that_is_off(trading: Bridged) -> None:
    """Ticking it is one of two locks."""
    assert trading.bm.settings[PERMISSION] is False
    assert trading.bm.panel[PERMISSION].reloads is False


def test_unarmed_no_order_reaches_bookmap(trading: Bridged) -> None:
    """One lock is not enough."""
    trading.bm.set(PERMISSION, True)
    eventually(lambda: any(told.permitted for told in trading.heard(messages.Trading)))
    with pytest.raises(WorkbenchError, match="arm"):
        trading.ask(order("a"))
    assert not any(trading.bm.count(number) for number in TRADING_TYPES)


def test_an_order_is_filled(trading: Bridged) -> None:
    """Sent once, a true boolean and a whole size; its fill, state and position are told in real units."""
    trading.arm()
    trading.ask(order("mine", quantity=3.0))
    done = has(trading, "mine", "FILLED")
    (sent,) = [one for one in trading.bm.received if one.type == 19]
    assert sent.plain["isBuy"] is True
    assert (type(sent.plain["size"]), sent.plain["size"]) == (int, 3)
    assert (done.filled, done.leaves, done.avg_price, done.simulated) == (3.0, 0.0, 100.25, True)
    (fill,) = eventually(lambda: trading.heard(messages.Fill))
    assert (fill.client_order_id, fill.price, fill.size, fill.side) == ("mine", 100.25, 3.0, "BUY")
    eventually(
        lambda: trading.heard(messages.Position)[-1:] and trading.heard(messages.Position)[-1].position == 3.0
    )


def test_a_sell_is_a_sell(trading: Bridged) -> None:
    """False, not 0."""
    trading.arm()
    trading.ask(order("mine", side="SELL"))
    has(trading, "mine", "FILLED")
    assert [one.is_buy for one in trading.bm.orders] == [False]
    assert trading.bm.position.net == -2


def test_an_order_is_changed_and_cancelled(trading: Bridged) -> None:
    """Move, resize, cancel."""
    trading.arm()
    trading.ask(order("mine", price=99.0))
    has(trading, "mine", "NEW")
    trading.ask(messages.ReplaceOrder("mine", ALIAS, price=98.75))
    trading.bm.wait(lambda bm: bm.orders[0].limit == 395)
    eventually(lambda: (newest(trading, "mine") or order("")).price == 98.75)
    trading.ask(messages.ReplaceOrder("mine", ALIAS, quantity=5.0))
    trading.bm.wait(lambda bm: bm.orders[0].size == 5)
    eventually(lambda: (newest(trading, "mine") or order("")).quantity == 5.0)
    trading.ask(messages.CancelOrder("mine", ALIAS))
    has(trading, "mine", "CANCELED")
    assert trading.bm.orders[0].status == "CANCELLED"
    assert not trading.bm.deaf


def test_several_orders_are_cancelled_as_a_batch(trading: Bridged) -> None:
    """The last one ends the batch; without that none would go."""
    trading.arm()
    for name in ("a", "b"):
        trading.ask(order(name, price=99.0))
        has(trading, name, "NEW")
    trading.ask(messages.CancelAll(ALIAS))
    for name in ("a", "b"):
        has(trading, name, "CANCELED")
    assert not trading.bm.deaf


def test_a_bracket_protects_what_was_bought(trading: Bridged) -> None:
    """Distances in price on our side, in ticks on Bookmap's."""
    trading.arm()
    trading.ask(order("mine", take_profit=2.0, stop_loss=1.0))
    has(trading, "mine", "FILLED")
    parent, profit, loss = trading.bm.wait(lambda bm: len(bm.orders) == 3 and bm.orders)
    trading.bm.wait(lambda bm: loss.status == "WORKING")
    assert (parent.average, profit.limit, loss.stop) == (100.25, 409, 397)
    assert not trading.bm.deaf


def test_repeated_reports_count_once(trading: Bridged) -> None:
    """Same execution id, one fill."""
    trading.bm.faults.duplicate_reports = True
    trading.arm()
    trading.ask(order("mine"))
    has(trading, "mine", "FILLED")
    assert [fill.size for fill in trading.heard(messages.Fill)] == [2.0]


def test_a_rejected_order_is_rejected(trading: Bridged) -> None:
    """Without a reason of Bookmap's."""
    trading.bm.faults.reject_orders = True
    trading.arm()
    trading.ask(order("mine"))
    has(trading, "mine", "REJECTED")


def test_a_silent_bookmap_leaves_an_order_unknown(trading: Bridged) -> None:
    """Not rejected, not sent again."""
    trading.bm.faults.swallow_orders = True
    trading.arm()
    trading.ask(order("mine"))
    eventually(lambda: (one := newest(trading, "mine")) is not None and one.unknown)
    trading.ask(order("mine"))
    assert trading.bm.count(19) == 1


def test_unticking_the_setting_shuts_the_lock(trading: Bridged) -> None:
    """The hand at Bookmap has the last word."""
    trading.arm()
    trading.bm.set(PERMISSION, False)
    eventually(lambda: not trading.heard(messages.Trading)[-1].armed)
    with pytest.raises(WorkbenchError, match="switched off in Bookmap"):
        trading.ask(order("late"))
    assert trading.bm.count(19) == 0


@pytest.mark.parametrize("stage", ["send", "ack", "fill"])
def test_an_order_is_never_sent_twice_whenever_the_connection_is_lost(trading: Bridged, stage: Any) -> None:
    """The bridge ends, Bookmap starts it anew, the same client asks again with the same id: still one order."""
    trading.arm()
    trading.bm.faults.drop_after = stage
    trading.client.send(order("mine", price=99.0 if stage != "fill" else 101.0))
    assert trading.bm.addon is not None
    assert trading.bm.addon.wait(30) == 0
    trading.client.close()
    with Bridged(trading.bm) as again:
        again.arm()
        with contextlib.suppress(WorkbenchError):
            again.ask(order("mine", price=99.0 if stage != "fill" else 101.0))
        assert (again.bm.count(19), len(again.bm.orders)) == (1, 1)

"""The stand-in speaks as Bookmap does, as far as Bookmap's own Python client can tell; and shows the client's faults."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import bookmap_tape as tape
from workbench.testing import BookmapStandIn

ADDON = Path(__file__).with_name("official_addon.py")
ALIAS = tape.INSTRUMENT.symbol


@pytest.fixture(params=["\n", "\r\n"], ids=["lf", "crlf"])
def bm(request: pytest.FixtureRequest) -> Iterator[BookmapStandIn]:
    with _stand_in(line_ending=request.param) as stand_in:
        stand_in.attach()
        yield stand_in


@pytest.fixture
def plain() -> Iterator[BookmapStandIn]:
    with _stand_in() as stand_in:
        stand_in.attach()
        yield stand_in


def test_initialisation_comes_in_order(bm: BookmapStandIn) -> None:
    """The instrument's facts, an answer per request, settings with their defaults, then the balance and the book."""
    bm.wait(lambda bm: _heard(bm, "mbo") and len(_heard(bm, "depth")) == 2)
    said = _said(bm)
    name, alias, full_name, is_crypto, pips, size_multiplier, multiplier, features = said[0]
    assert (name, alias, full_name, is_crypto) == ("instrument", ALIAS, "E-mini S&P 500", False)
    assert (pips, size_multiplier, multiplier) == (0.25, 1.0, 1.0)
    assert features["supportedLimitDurations"] == ["GTC", "FOK", "IOC", "GTC_PO"]
    assert [one for one, *_ in said[1:]].index("depth") > len(_heard(bm, "response"))
    assert _heard(bm, "response") == [[n] for n in (8, 5, 18, 22, 28, 27)]
    assert _heard(bm, "setting") == [
        [ALIAS, "act", "STRING", "0"],  # the package sends "0" for an empty text
        [ALIAS, "go", "BOOLEAN", True],
        [ALIAS, "many", "NUMBER", 2.0],
    ]
    assert bm.settings["paint"] == (1, 2, 3)
    assert bm.settings["a label"] == "a label"


def test_initialisation_ends_with_13(plain: BookmapStandIn) -> None:
    """The package asks first and says last that it is initialised; 0 may come at any time."""
    assert [sent.type for sent in plain.received if sent.type] == [3] * 6 + [14] * 5 + [13]
    assert not plain.deaf


def test_the_book_comes_as_ordinary_events(bm: BookmapStandIn) -> None:
    """A snapshot has neither beginning nor end: levels and orders as they are."""
    bm.wait(lambda bm: len(_heard(bm, "mbo")) == 2)
    assert _heard(bm, "depth") == [[ALIAS, True, 400, 5], [ALIAS, False, 401, 7]]
    assert _heard(bm, "mbo") == [[ALIAS, "BID_NEW", "11", 400, 5], [ALIAS, "ASK_NEW", "12", 401, 7]]


def test_every_event_reaches_its_handler(bm: BookmapStandIn) -> None:
    """Levels, prints with and without ids, fractional prices, orders new, replaced and cancelled, in order."""
    bm.play()
    bm.wait(lambda bm: len(_market(bm)) == 4 + len(tape.EXPECTED))
    assert _market(bm)[4:] == [[kind, ALIAS, *rest] for kind, *rest in tape.EXPECTED]


def test_the_interval_names_the_instrument(plain: BookmapStandIn) -> None:
    """0.1 s of data is one interval."""
    plain.play()
    plain.wait(lambda bm: _heard(bm, "interval"))
    assert _heard(plain, "interval") == [[ALIAS]]


def test_settings_arrive_when_applied(bm: BookmapStandIn) -> None:
    """Each kind as its own type."""
    bm.set("go", False)
    bm.set("many", 7.5)
    bm.wait(lambda bm: len(_heard(bm, "setting")) == 5)
    assert _heard(bm, "setting")[3:] == [[ALIAS, "go", "BOOLEAN", False], [ALIAS, "many", "NUMBER", 7.5]]


def test_indicators_are_numbered_from_42_and_drawn(bm: BookmapStandIn) -> None:
    """Registering answers with a number; points lie on the line of that number."""
    bm.set("act", "draw")
    bm.wait(lambda bm: _heard(bm, "indicator"))
    bm.set("act", "point")
    line = bm.wait(lambda bm: bm.indicators["Fair value"].points and bm.indicators["Fair value"])
    assert _heard(bm, "indicator") == [[77, 42]]
    assert (line.where, line.style, line.colour, line.initial) == (
        "PRIMARY",
        "SHORT_DASH",
        (255, 0, 128),
        20010.5,
    )
    assert line.points == [(tape.START_NS, 20012.25)]


def test_a_message_pops_up(bm: BookmapStandIn) -> None:
    """One line of text, in any language."""
    bm.set("act", "message")
    assert bm.wait(lambda bm: bm.messages) == ["Grüße, 100 €"]


def test_an_order_is_filled_and_told_in_bookmaps_order(bm: BookmapStandIn) -> None:
    """PENDING_SUBMIT, WORKING, the execution, and only then FILLED; the position after it."""
    bm.set("act", "buy")
    bm.wait(lambda bm: _heard(bm, "position"))
    told = [(kind, *rest) for kind, *rest in _said(bm) if kind in ("update", "execution", "position")]
    assert [(kind, rest[-1].get("status")) for kind, *rest in told] == [
        ("update", "PENDING_SUBMIT"),
        ("update", "WORKING"),
        ("execution", None),
        ("update", "FILLED"),
        ("position", None),
    ]
    first, filled, execution = told[0][1], told[3][1], told[2]
    assert math.isnan(first["averageFillPrice"])
    assert (filled["clientId"], filled["filled"], filled["unfilled"]) == ("mine", 3, 0)
    assert (execution[1], execution[2]["price"], execution[2]["size"]) == (ALIAS, 100.25, 3)
    assert execution[2]["orderId"] == filled["orderId"]
    assert told[4][1]["position"] == 3
    assert "currency" not in told[4][1]  # Gson leaves nulls out


def test_orders_are_changed_and_cancelled(bm: BookmapStandIn) -> None:
    """Resize, move and cancel reach the order; a bracket's children end with their parent."""
    bm.set("act", "buy_low")
    bm.wait(lambda bm: len(_heard(bm, "update")) == 4)
    bm.set("act", "manage")
    bm.wait(lambda bm: all(not order.is_open for order in bm.orders))
    parent, profit, loss = bm.orders
    assert (parent.size, parent.limit, parent.status) == (5, 395, "CANCELLED")
    assert (profit.status, loss.status) == ("CANCELLED", "CANCELLED")
    assert [sent.fields[2:] for sent in bm.received if sent.type in (23, 24, 26)] == [
        ("5",),
        ("98.75", "nan"),
        ("True", "nan"),
    ]


def test_isbuy_one_is_a_sell(plain: BookmapStandIn) -> None:
    """Gson reads the number 1 as false, and cuts sizes off."""
    plain.set("act", "buy_with_a_number")
    order = plain.wait(lambda bm: bm.orders)[0]
    assert (order.is_buy, order.size) == (False, 2)


def test_broadcasts_reach_whoever_subscribed(bm: BookmapStandIn) -> None:
    """Providers' status first as names, then as texts of JSON; events only of generators asked for."""
    bm.offer("Market Pulse", "pulse", "other")
    bm.set("act", "listen")
    bm.wait(lambda bm: ("Market Pulse", "pulse") in bm.platform.broadcasting.subscribed)
    assert bm.broadcast("Market Pulse", "pulse", {"a<b": [1, 2.5, None, True]})
    assert bm.broadcast("Market Pulse", "pulse", {"length": 5}, settings=True)
    assert not bm.broadcast("Market Pulse", "other", {})
    bm.wait(lambda bm: _heard(bm, "broadcast settings"))
    assert _heard(bm, "broadcast") == [["pulse", {"a<b": [1, 2.5, None, True]}]]
    assert _heard(bm, "broadcast settings") == [["pulse", {"length": 5}]]
    first, *_, last = _heard(bm, "providers")
    assert first == [{"Market Pulse": ["Market Pulse"]}]
    assert [json.loads(text) for text in last[0]["Market Pulse"]] == [
        {"generator_name": "pulse"},
        {"generator_name": "other"},
    ]


def test_nan_makes_bookmap_deaf_for_good(plain: BookmapStandIn) -> None:
    """After one bad line nothing that the package sends is heard, and it is not told."""
    plain.set("act", "draw")
    plain.wait(lambda bm: _heard(bm, "indicator"))
    plain.set("act", "bad_point")
    plain.wait(lambda bm: bm.deaf)
    plain.set("act", "message")
    plain.wait(lambda bm: bm.count(33))
    assert plain.messages == []
    assert not plain.received[-1].heard


def test_a_message_to_an_instrument_elsewhere_ends_the_event_loop(plain: BookmapStandIn) -> None:
    """Then nothing is sent any more, and the package waits for ever."""
    plain.set("act", "message_elsewhere")
    plain.wait(lambda bm: bm.mute)
    plain.play()
    plain.wait(lambda bm: bm.finished)
    assert len(_market(plain)) <= 4


def test_a_failing_handler_ends_the_package_with_a_popup() -> None:
    """Exit code 1, its last errors in a popup, the instance stopped."""
    with _stand_in() as bm:
        bm.attach()
        bm.set("act", "fail")
        popup = bm.wait(lambda bm: bm.popups)[0]
    assert popup.startswith("exit code 1\n")
    assert "a handler that fails" in popup
    assert not bm.attached


def test_a_colour_ends_the_package() -> None:
    """It cannot read what Bookmap sends of a COLOR setting."""
    with _stand_in() as bm:
        bm.attach()
        bm.set("paint", (9, 9, 9))
        assert "invalid literal" in bm.wait(lambda bm: bm.popups)[0]


def test_the_package_spins_when_bookmap_is_gone() -> None:
    """At the end of the stream it neither stops nor sleeps."""
    with _stand_in() as bm:
        bm.attach()
        assert bm.addon is not None
        process = psutil.Process(bm.addon.pid)
        bm.crash()
        before = process.cpu_times().user
        bm.wait(lambda _: process.cpu_times().user > before + 0.3)
        assert bm.addon.exit_code is None


def test_the_last_detach_kills_the_process(plain: BookmapStandIn) -> None:
    """7 and 16 are written, and the process is gone whether it has read them or not."""
    assert plain.addon is not None
    plain.detach()
    assert plain.addon.exit_code != 0
    assert not plain.attached


def _stand_in(**options: Any) -> BookmapStandIn:
    return BookmapStandIn(
        tape.batches(),
        instrument=tape.INSTRUMENT,
        speed="max",
        script=ADDON,
        trading=True,
        health_check_s=0.05,
        **options,
    )


def _said(bm: BookmapStandIn) -> list[list[Any]]:
    assert bm.addon is not None
    return [json.loads(line) for line in list(bm.addon.output) if line.startswith("[")]


def _heard(bm: BookmapStandIn, event: str) -> list[list[Any]]:
    return [rest for kind, *rest in _said(bm) if kind == event]


def _market(bm: BookmapStandIn) -> list[list[Any]]:
    return [one for one in _said(bm) if one[0] in ("depth", "trade", "mbo")]

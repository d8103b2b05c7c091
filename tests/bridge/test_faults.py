"""What must go wrong sooner or later, done to the real process: the faults of the project's list and Bookmap's traps.

=====  ============================================================  ==================================================
fault  what happens                                                  tested by
=====  ============================================================  ==================================================
F9     the bridge is killed and started again                        test_a_killed_bridge_leaves_nothing_that_misleads
F10    Bookmap freezes                                               test_a_frozen_bookmap_is_stale_and_then_live_again
F11    bad lines among good ones                                     test_bad_lines_cost_themselves_alone
F12    a crossed book                                                test_an_impossible_book_is_handed_on_as_it_came
F13    a client that does not read                                   test_a_client_that_does_not_read_delays_nobody
F14    Bookmap quits or crashes                                      test_process: test_every_expected_end_is_quiet…
F15    an exception in our own code                                  test_addon: test_an_exception_in_our_own_code…
F16    we read more slowly than Bookmap sends                        test_a_backlog_is_seen_and_ends; test_addon: …behind
F20    the link is lost in the middle of an order                    test_an_order_is_sent_once_wherever_the_link_breaks
F21    reports come twice                                            test_reports_that_come_twice_count_once
=====  ============================================================  ==================================================

Traps of the wire, as far as they end or mislead a process (the others belong to the tests of lines, wire and translation):

============================================================  =========================================================
trap                                                          tested by
============================================================  =========================================================
one bad outgoing line makes Bookmap deaf                      test_no_command_sends_a_line_bookmap_cannot_read
``isBuy`` and ``size`` read wrongly                           test_process: test_an_order_goes_to_bookmap…
a message about an alias that is not attached                 test_addon: test_a_message_names_an_attached…
several instruments in one add-on                             test_process: test_a_second_instrument_joins…
no times, no numbers, no marks                                test_process: test_what_bookmap_sends_reaches…
unbounded queues on both sides                                test_a_backlog_is_seen_and_ends
protected feeds: nothing comes, nothing is said               test_requests_that_are_never_answered_are_named
COLOR settings                                                test_bad_lines_cost_themselves_alone
an exception in a handler ends the add-on                     test_addon: test_an_exception_in_our_own_code…
closed connection: busy for ever; reset: deaf for ever        test_process: test_every_expected_end_is_quiet…
bytes that are no UTF-8                                       test_bad_lines_cost_themselves_alone
orders queue behind what comes in                             test_outgoing: test_orders_are_taken_before…
long lines are read slowly                                    test_a_line_of_a_megabyte_is_taken
lines of outgoing types are echoed                            test_bad_lines_cost_themselves_alone
the first data request is asked twice                         test_addon: test_an_instrument_is_asked_for_once…
killed without a word                                         test_process: test_a_detached_instrument_takes…
``-X utf8`` as one argument, old code pages                   test_process: test_the_bundled_package_and…
============================================================  =========================================================
"""

from __future__ import annotations

import json
import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from websockets.sync.client import connect

from tests.support.bookmap_wire import ALIAS, BookmapWire, book, instrument_info, line
from tests.support.bridge_client import Watching, arm, buy, endpoint, health, update
from tests.support.eventually import eventually
from workbench.errors import EngineError, FeedError
from workbench.events import EventKind, Status
from workbench.feeds import discovery
from workbench.protocol import messages


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where discovery files and journals of this test go."""
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(tmp_path / "run"))
    return tmp_path


@pytest.fixture
def bookmap(directory: Path) -> Iterator[BookmapWire]:
    """A bridge without orders, attached to one instrument."""
    with BookmapWire(directory) as wire:
        wire.attach()
        yield wire


@pytest.fixture
def trading(directory: Path) -> Iterator[BookmapWire]:
    """A bridge with orders, attached to one instrument."""
    with BookmapWire(directory, trading=True) as wire:
        wire.attach(ALIAS, book(interval=False))
        yield wire


def depth(price: int, size: int) -> bytes:
    return line(8, ALIAS, True, price, size)


# -- the bridge and its link -----------------------------------------------------------------------------------------


def test_a_killed_bridge_leaves_nothing_that_misleads(directory: Path) -> None:
    """Its file is known to be of nobody and removed; the next one has another address, secret and session."""
    seen: set[tuple[str, str]] = set()
    for _ in range(3):
        with BookmapWire(directory) as wire:
            wire.attach()
            served = endpoint()
            seen.add((served.identity, served.secret))
            wire.process.send_signal(signal.SIGKILL)
            wire.process.wait(30)
            assert served.path is not None and served.path.exists()
            assert discovery.running_feeds() == [] and not served.path.exists()
    assert len(seen) == 3


def test_a_frozen_bookmap_is_stale_and_then_live_again(bookmap: BookmapWire) -> None:
    """Three seconds without an interval are told in the stream and in the facts; the next one is, too."""
    with Watching() as watching:
        eventually(lambda: (EventKind.STATUS, Status.STALE) in watching.last_rows(1))
        assert health(watching)["state"] == "stale"
        bookmap.send(line(12, ALIAS))
        eventually(lambda: watching.last_rows(1) == [(EventKind.STATUS, Status.LIVE)])


def test_requests_that_are_never_answered_are_named(directory: Path) -> None:
    """A protected feed says nothing at all: the facts name what was asked for in vain."""
    with BookmapWire(directory) as wire:
        wire.send(line(1), instrument_info())
        for fields in wire.wait_for("3", ALIAS, count=6)[:4]:
            wire.send(line(4, fields[2]))
        wire.send(line(12, ALIAS))
        with Watching() as watching:
            named = ["positions", "balances"]
            eventually(lambda: health(watching)["instruments"][ALIAS]["unanswered"] == named)


# -- what comes in ---------------------------------------------------------------------------------------------------

GARBAGE = [
    b"\xff\xfe\xfd\n",
    b"\n\r\n\n",
    b"garbage without a type\n",
    b"8\n",
    line(8, ALIAS),
    line(8, ALIAS, True, "1.5", 1),
    line(8, ALIAS, True, 100, -1),
    line(8, ALIAS, "maybe", 100, 1),
    line(8, ALIAS, True, 2**40, 1),
    line(8, "unknown instrument", True, 100, 1),
    line(5, ALIAS, "NaN", 1, 0, 1, 1, 1, "", ""),
    line(18, ALIAS, "ASK_MAYBE", "1", 100, 1),
    line(15, ALIAS, "colour", "COLOR", "java.awt.Color[r=1,g=2,b=3]"),
    line(15, ALIAS, "number", "NUMBER", "one"),
    line(21, "{"),
    line(21, '{"instrumentAlias":"' + ALIAS + '","orderId":[]}'),
    line(20, ALIAS, "[1]"),
    line(27, '{"balancesInCurrency":[{"balance":"x"}]}'),
    line(28, '{"position":1.5}'),
    line(29, "g", "[" * 5_000),
    line(31, '{"p":["{","ok"]}'),
    line(10, 1, 99),
    line(4, 10**30),
    line(19, "{}"),
    line(33, ALIAS, "echo?"),
    line("socket", "x"),
    line(-1, "error"),
    line(99999, "x"),
    line(7, "unknown instrument"),
    line(2, "bad\x01name", "n", 0, 0.25, 1.0, 1.0, "{}"),
    line(2, "bad pips", "n", 0, "x", 1.0, 1.0, "{}"),
]


def test_bad_lines_cost_themselves_alone(bookmap: BookmapWire) -> None:
    """Between all of them a good line each: every good one counts, the bad ones are counted, nothing is echoed."""
    with Watching() as watching:
        before = len(bookmap.lines)
        for number, bad in enumerate(GARBAGE):
            bookmap.send(bad, depth(50, number + 1))
        eventually(lambda: watching.last_rows(1) == [(EventKind.DEPTH, len(GARBAGE))])
        stream = watching.stream(ALIAS)
        sizes = stream.size[(stream.kind == EventKind.DEPTH) & (stream.price == 50)]
        assert sizes.tolist() == list(range(1, len(GARBAGE) + 1))
        facts = health(watching)
        assert facts["bad_lines"] >= 15 and facts["examples"] and facts["faults"] == 0, facts[
            "fault_examples"
        ]
        assert [fields for fields in bookmap.lines[before:] if fields[0] != "13"] == []
        assert watching.client.health.bad_messages == 0


def test_a_line_of_a_megabyte_is_taken(bookmap: BookmapWire) -> None:
    """The list of providers may be long: it is told as far as it fits, and data goes on behind it."""
    providers = {f"provider {n}": ["generator " + "x" * 80] * 10 for n in range(1_000)}
    with Watching() as watching:
        bookmap.send(line(31, json.dumps(providers)), depth(50, 7))
        eventually(lambda: watching.last_rows(1) == [(EventKind.DEPTH, 7)])
        (told,) = eventually(lambda: watching.of(messages.Broadcast))
        assert told.kind == "providers" and told.data["left_out_bytes"] > 900_000
        assert "provider 0" in health(watching)["providers"]


def test_an_impossible_book_is_handed_on_as_it_came(bookmap: BookmapWire) -> None:
    """A bid above the asks: judging it is the engine's business, inventing a repair is nobody's."""
    with Watching() as watching:
        bookmap.send(depth(500, 9), line(12, ALIAS))
        eventually(lambda: watching.last_rows(2)[:1] == [(EventKind.DEPTH, 9)])


def test_a_backlog_is_seen_and_ends(bookmap: BookmapWire) -> None:
    """A bridge that was held up says how far behind it was, loses nothing, and is up to date again."""
    rows = 100_000
    flood = b"".join(depth(90 + n % 10, n + 1) for n in range(rows))
    with Watching() as watching:
        bookmap.process.send_signal(signal.SIGSTOP)
        sending = threading.Thread(target=bookmap.send, args=(flood, line(12, ALIAS)))
        sending.start()
        sending.join(0.5)  # until the system takes no more, or for so long: both leave enough to be behind
        bookmap.process.send_signal(signal.SIGCONT)
        eventually(lambda: watching.rows(ALIAS) >= rows + 1)
        stream = watching.stream(ALIAS)
        sizes = stream.size[stream.kind == EventKind.DEPTH]
        assert np.array_equal(sizes[-rows:], np.arange(1, rows + 1))
        sending.join(60)
        backlog = health(watching)["backlog"]
    assert backlog["peak_events"] > 1_000 and not backlog["degraded"] and backlog["events"] == 0


def test_a_client_that_does_not_read_delays_nobody(bookmap: BookmapWire) -> None:
    """It costs a bounded buffer; the others and Bookmap's own line go on."""
    rows = 60_000
    flood = b"".join(depth(90 + n % 10, n + 1) for n in range(rows))
    served = endpoint()
    with connect(served.uri, proxy=None, max_queue=1, close_timeout=0.1) as deaf:
        deaf.send(json.dumps({"type": "LOGIN", "token": served.secret}))
        deaf.send(json.dumps({"type": "SUBSCRIBE", "symbol": ALIAS}))
        assert json.loads(deaf.recv(20))["type"] == "WELCOME"
        with Watching() as watching:
            bookmap.send(flood)
            eventually(lambda: watching.rows(ALIAS) >= rows)
            assert health(watching)["faults"] == 0


# -- what goes out ---------------------------------------------------------------------------------------------------


def _commands(chance: random.Random, count: int) -> Iterator[messages.Message]:
    """Commands of all kinds, with texts that would like to be lines."""
    texts = [
        "vwap",
        "a\n19\ue000{}",
        "x\r",
        "\u2028",
        "",
        " ",
        "\x00",
        "日経",
        ALIAS,
        "19\ue000{}",
        "\ud7ff",
        "a" * 5000,
    ]
    kinds = [
        lambda: messages.Publish(
            symbol=ALIAS, indicator=chance.choice(texts), value=chance.uniform(-1e9, 1e9)
        ),
        lambda: messages.Notify(symbol=chance.choice([ALIAS, *texts]), text=chance.choice(texts)),
        lambda: messages.Listen(provider=chance.choice(texts), generator=chance.choice(texts)),
        lambda: buy(chance.choice(texts), chance.choice([ALIAS, *texts])),
        lambda: messages.CancelOrder(client_order_id=chance.choice(texts), symbol=chance.choice(["", ALIAS])),
        lambda: messages.ReplaceOrder(client_order_id=chance.choice(texts), symbol=ALIAS, price=25.0),
        lambda: messages.CancelAll(symbol=chance.choice(["", ALIAS]), flatten=True),
        lambda: messages.Arm(symbol=ALIAS, minutes=1.0, max_orders=9, max_size=9.0),
        lambda: messages.Disarm(reason=chance.choice(texts)),
    ]
    for _ in range(count):
        yield chance.choice(kinds)()


@pytest.mark.parametrize("with_orders", [False, True])
def test_no_command_sends_a_line_bookmap_cannot_read(directory: Path, with_orders: bool) -> None:
    """Two thousand commands while Bookmap's lock is shut: only drawings, messages and subscriptions, each one line."""
    chance = random.Random(20260101 + with_orders)
    with BookmapWire(directory, trading=with_orders) as wire:
        wire.attach()
        before = len(wire.lines)
        for _ in range(6):
            with Watching() as watching:
                for command in _commands(chance, 330):
                    watching.client.send(command)
                health(watching)
        with Watching() as watching:
            watching.client.request(messages.Notify(symbol=ALIAS, text="the last one"))
            wire.wait_for("33", ALIAS, "the last one")
            assert health(watching)["stopped_lines"] == 0
        assert wire.traded == []
        shapes = {(fields[0], len(fields)) for fields in wire.lines[before:]}
        assert shapes == {("9", 11), ("30", 4), ("33", 3)}
        assert all(all(fields) for fields in wire.lines[before:]), "an empty field makes Bookmap deaf"


STAGES = {
    "before it was sent": [],
    "after it was sent": [],
    "before it was acknowledged": [update(status="PENDING_SUBMIT")],
    "after it was acknowledged": [update()],
    "before it was filled": [update(), update(filled=1, unfilled=1)],
    "after it was filled": [update(), update(status="FILLED", filled=2, unfilled=0)],
}


@pytest.mark.parametrize("stage", STAGES)
def test_an_order_is_sent_once_wherever_the_link_breaks(directory: Path, stage: str) -> None:
    """Open orders become UNKNOWN, never rejected; asking the next bridge for the same one sends it only if none was."""
    sent = 0
    with BookmapWire(directory, trading=True) as wire:
        wire.attach(ALIAS, book(interval=False))
        with Watching() as watching:
            arm(wire, watching)
            if stage != "before it was sent":
                watching.client.request(buy())
                wire.wait_for("19")
                wire.send(*STAGES[stage])
                known = len(STAGES[stage])
                eventually(lambda: health(watching)["lines"].get("UPDATE_ORDER", 0) == known)
            wire.close()
            wire.process.wait(30)
            if stage == "before it was sent":
                with pytest.raises(FeedError):
                    watching.client.request(buy())
            else:
                last = eventually(lambda: watching.of(messages.Order))[-1]
                assert last.unknown != (stage == "after it was filled") and last.status != "REJECTED"
        sent += len(wire.traded)
    with BookmapWire(directory, trading=True) as wire:
        wire.attach(ALIAS, book(interval=False))
        with Watching() as watching:
            arm(wire, watching)
            try:
                watching.client.request(buy())
            except EngineError as refused:
                assert "a-1" in str(refused)
            watching.client.request(buy("another"))
            wire.wait_for("19", count=2 - sent)
        sent += len([fields for fields in wire.traded if '"a-1"' in fields[1]])
    assert sent == 1


def test_reports_that_come_twice_count_once(trading: BookmapWire) -> None:
    """Executions by their id, updates by their state, positions by their value."""
    execution = '{"orderId":"77","size":2,"price":25.0,"executionId":"e1","time":1767225600000}'
    position = f'{{"instrumentAlias":"{ALIAS}","position":2,"averagePrice":25.0}}'
    with Watching() as watching:
        arm(trading, watching)
        watching.client.request(buy())
        trading.wait_for("19")
        for _ in range(2):
            trading.send(update(), line(20, ALIAS, execution))
            trading.send(update(status="FILLED", filled=2, unfilled=0), line(28, position))
            trading.send(update(status="FILLED", filled=2, unfilled=0, isDuplicate=True))
        trading.send(depth(50, 5))
        eventually(lambda: (EventKind.DEPTH, 5) in watching.last_rows(2))
        health(watching)
        assert len(watching.of(messages.Fill)) == 1
        assert len(watching.of(messages.Position)) == 1
        assert watching.of(messages.Order)[-1].status == "FILLED"

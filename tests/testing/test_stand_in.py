"""The stand-in as a whole: a socket, a clock, a hand on every switch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import bookmap_tape as tape
from tests.support.eventually import eventually
from tests.support.raw_addon import RawAddon
from workbench.book.live import PyBook
from workbench.errors import FeedError
from workbench.events import EventBatch, EventKind, Side
from workbench.feeds.simulator import Simulator
from workbench.testing import BookmapStandIn

ALIAS = tape.INSTRUMENT.symbol
Pair = tuple[BookmapStandIn, RawAddon]


def stand_in(**options: Any) -> BookmapStandIn:
    options = {"instrument": tape.INSTRUMENT, "speed": "max"} | options
    return BookmapStandIn(options.pop("source", tape.batches()), **options)


@pytest.fixture
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with stand_in(**getattr(request, "param", {})) as bm, RawAddon(bm.port) as addon:
        addon.initialise(bm.alias)
        bm.attach()
        yield bm, addon


def test_attaching_ends_with_the_add_ons_13(pair: Pair) -> None:
    """Everything it said is kept."""
    bm, _ = pair
    assert bm.attached
    assert [sent.type for sent in bm.received] == [0, *[3] * 6, 13]
    assert bm.count(3) == 6
    assert repr(bm).endswith("attached, 8 lines from the add-on>")


def test_all_is_played_in_order(pair: Pair) -> None:
    """Each event once, and an interval per 0.1 s of data."""
    bm, addon = pair
    bm.play()
    bm.wait(lambda bm: bm.finished)
    eventually(lambda: len(addon.of("12")) == 1 and len(addon.of("5", "8", "18")) == 13)
    kinds = {"depth": "8", "trade": "5", "mbo": "18"}
    assert [line[0] for line in addon.of("5", "8", "18")[4:]] == [kinds[one[0]] for one in tape.EXPECTED]


def test_playing_stops_where_it_is_told_to() -> None:
    """And goes on from there."""
    with stand_in() as bm, RawAddon(bm.port) as addon:
        addon.initialise(ALIAS)
        bm.attach()
        bm.play(until=tape.START_NS + 2 * tape.STEP_NS)
        bm.wait(lambda bm: bm.finished)
        assert bm.position_ns == tape.START_NS + 2 * tape.STEP_NS
        eventually(lambda: len(addon.of("8", "18")) == 6)
        bm.play()
        eventually(lambda: len(addon.of("5", "8", "18")) == 13)


def test_data_time_follows_the_wall_at_its_speed() -> None:
    """At speed 50, 100 ms of data take 2 ms; what is paused stays."""
    with stand_in(speed=50.0) as bm, RawAddon(bm.port) as addon:
        addon.initialise(ALIAS)
        bm.attach()
        bm.pause()
        bm.play()
        bm.wait(lambda bm: bm.finished)
        eventually(lambda: len(addon.of("5", "8", "18")) == 13)


def test_the_interval_can_follow_the_wall() -> None:
    """Which one Bookmap follows in a replay is not known: then it goes on while data time stands."""
    with stand_in(interval_clock="wall") as bm, RawAddon(bm.port) as addon:
        addon.initialise(ALIAS)
        bm.attach()
        eventually(lambda: len(addon.of("12")) >= 2)
        assert len(addon.of("5")) == 0


@pytest.mark.parametrize("pair", [{"line_ending": "\r\n", "write_per_line": True}], indirect=True)
def test_windows_and_a_write_per_line(pair: Pair) -> None:
    """The same lines."""
    bm, addon = pair
    bm.play()
    eventually(lambda: len(addon.of("5", "8", "18")) == 13)
    assert addon.raw.count(b"\r\n") == addon.raw.count(b"\n")


def test_a_rewind_is_a_detach_and_an_attach() -> None:
    """The add-on meets the same beginning again, on another connection."""
    with stand_in() as bm:
        with RawAddon(bm.port) as first:
            first.initialise(ALIAS)
            bm.attach()
            bm.play()
            bm.wait(lambda bm: bm.finished)
            with RawAddon(bm.port) as second:
                second.initialise(ALIAS)
                bm.rewind()
                eventually(lambda: len(second.of("8", "18")) == 4)
            eventually(lambda: first.of("7", "16") == [["7", ALIAS], ["16"]])
        assert bm.position_ns == tape.START_NS


def test_the_book_that_arrives_is_the_sources() -> None:
    """Folded from the lines alone, after 5 s of a dense market."""
    source = Simulator(seed=3)
    with BookmapStandIn(Simulator(seed=3), speed="max") as bm, RawAddon(bm.port) as addon:
        addon.initialise(bm.alias)
        bm.attach()
        bm.play(until="5s")
        bm.wait(lambda bm: bm.finished)
        expected, arrived = PyBook(), PyBook()
        rows = EventBatch.concatenate(batch for _, batch in source.advance(source.start_ns + 5 * 10**9))
        expected.apply(rows)
        count = int((rows.kind == EventKind.DEPTH).sum()) - _opening_levels(rows)
        eventually(lambda: len(addon.of("12")) == 50)
        for _, _, is_bid, price, size in addon.of("8"):
            arrived.set_level(Side.BID if is_bid == "1" else Side.ASK, int(price), int(size))
        assert len(addon.of("8")) >= count
        for side in (Side.BID, Side.ASK):
            assert [a.tolist() for a in arrived.levels(side)] == [a.tolist() for a in expected.levels(side)]


def _opening_levels(rows: EventBatch) -> int:
    opening = rows.ts == rows.ts[0]
    return int(((rows.kind == EventKind.DEPTH) & opening).sum())


def test_a_second_instruments_lines_can_be_written_by_hand(pair: Pair) -> None:
    """Any fields, and any bytes."""
    bm, addon = pair
    bm.send(2, "OTHER", "null", 0, "0.5", "1.0", "1.0", "{}")
    bm.send_raw(b"5\xee\x80\x80garb")
    bm.send_raw(b"led\n")
    eventually(lambda: addon.lines[-1:] == [["5", "garbled"]])
    assert addon.lines[-2][1] == "OTHER"


@pytest.mark.parametrize("pair", [{"trading": True}], indirect=True)
def test_orders_can_be_placed_and_filled(pair: Pair) -> None:
    """By the stream or by hand."""
    bm, addon = pair
    addon.say(19, json.dumps({"alias": ALIAS, "isBuy": True, "size": 2, "limitPrice": 99.0, "clientId": "c"}))
    order = bm.wait(lambda bm: bm.orders)[0]
    bm.fill(order.order_id)
    eventually(lambda: addon.of("20"))
    assert (bm.position.net, len(bm.executions)) == (2, 1)


@pytest.mark.parametrize("pair", [{"trading": True}], indirect=True)
def test_late_reports_arrive(pair: Pair) -> None:
    """After the delay, in their order."""
    bm, addon = pair
    bm.faults.delay_s = 0.01
    addon.say(19, json.dumps({"alias": ALIAS, "isBuy": True, "size": 2}))
    eventually(lambda: len(addon.of("20", "21", "28")) == 5)
    assert [line[0] for line in addon.of("20", "21", "28")] == ["21", "21", "20", "21", "28"]


@pytest.mark.parametrize("pair", [{"trading": True}], indirect=True)
def test_the_connection_is_lost_with_the_order_in_it(pair: Pair) -> None:
    """A reset, and the order lives on."""
    bm, addon = pair
    bm.faults.drop_after = "send"
    addon.say(19, json.dumps({"alias": ALIAS, "isBuy": True, "size": 2}))
    eventually(lambda: addon.ended)
    bm.wait(lambda bm: not bm.connected)
    assert len(bm.orders) == 1
    assert addon.of("21") == []


def test_a_crash_ends_the_connection_without_a_word(pair: Pair) -> None:
    """No 7, no 16."""
    bm, addon = pair
    bm.crash()
    eventually(lambda: addon.ended)
    assert addon.of("7", "16") == []
    assert not bm.attached


def test_a_crash_can_be_a_reset(pair: Pair) -> None:
    """As when something was still unread."""
    bm, addon = pair
    bm.crash(reset=True)
    eventually(lambda: addon.reset)


def test_quitting_detaches_first(pair: Pair) -> None:
    """Then the connection ends."""
    bm, addon = pair
    bm.quit()
    eventually(lambda: addon.ended)
    assert addon.of("7", "16") == [["7", ALIAS], ["16"]]


def test_a_frozen_bookmap_neither_reads_nor_writes(pair: Pair) -> None:
    """The connection stays open; after the thaw everything that waited comes."""
    bm, addon = pair
    eventually(lambda: len(addon.of("8", "18")) == 4)
    bm.freeze()
    bm.send(12, ALIAS)
    addon.say(33, ALIAS, "hello")
    bm.send(12, ALIAS)
    assert (addon.of("12"), bm.messages) == ([], [])
    bm.thaw()
    eventually(lambda: len(addon.of("12")) == 2)
    bm.wait(lambda bm: bm.messages == ["hello"])


def test_deaf_before_initialisation_is_a_bookmap_that_hangs() -> None:
    """Its initialize() never returns; here the reason is told."""
    with stand_in() as bm, RawAddon(bm.port) as addon:
        addon.send_raw(b"\n")
        addon.initialise(ALIAS)
        with pytest.raises(FeedError, match="reader stopped"):
            bm.attach()


def test_nobody_there_is_an_error() -> None:
    """Whoever waits for an add-on learns that none came."""
    with stand_in() as bm, pytest.raises(FeedError, match="no add-on connected"):
        bm.attach(timeout_s=0.1)


def test_waiting_in_vain_says_how_things_stand(pair: Pair) -> None:
    """The newest lines and the log are in the message."""
    bm, _ = pair
    with pytest.raises(TimeoutError, match="attached, 8 lines"):
        bm.wait(lambda bm: bm.messages, 0.1)


def test_the_add_on_is_started_as_bookmap_starts_it(tmp_path: Path) -> None:
    """Three arguments, the middle one a single one: UTF-8 mode stays off; what it prints is kept."""
    script = tmp_path / "script.py"
    script.write_text(_PRINTING_ADDON)
    with stand_in(
        script=script, env={"PYTHONCOERCECLOCALE": "0", "LC_ALL": "C.UTF-8"}, health_check_s=0.05
    ) as bm:
        bm.attach()
        assert bm.addon is not None
        bm.detach(grace_s=30)
        assert bm.addon.wait(30) == 0
        flags, arguments = bm.addon.output[:2]
        assert flags == "utf8_mode 0"
        assert arguments == f"port {bm.port}"
    assert bm.popups == []


def test_an_exit_code_pops_up_with_the_last_errors(tmp_path: Path) -> None:
    """The instance is stopped."""
    script = tmp_path / "script.py"
    script.write_text(_PRINTING_ADDON.replace("sys.exit(0)", "sys.exit('no more')"))
    with stand_in(script=script, health_check_s=0.05) as bm:
        bm.attach()
        bm.platform.detach()
        bm.send(16)
        (popup,) = bm.wait(lambda bm: bm.popups)
    assert popup == "exit code 1\nno more"


def test_an_add_on_that_ends_at_once_is_an_error(tmp_path: Path) -> None:
    """With what it said in its last moment."""
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit('wrong python')")
    with stand_in(script=script) as bm, pytest.raises(FeedError, match="no add-on connected"):
        bm.attach()


_PRINTING_ADDON = f"""
import socket, sys
print("utf8_mode", sys.flags.utf8_mode, flush=True)
print("port", sys.argv[1], flush=True)
lines = socket.create_connection(("127.0.0.1", int(sys.argv[1]))).makefile("rw", encoding="utf-8", newline="\\n")
for line in lines:
    if line.startswith("2\\ue000"):
        print("13", {ALIAS!r}, sep="\\ue000", file=lines, flush=True)
    if line.startswith("16"):
        sys.exit(0)
"""

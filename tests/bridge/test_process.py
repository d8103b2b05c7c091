"""The add-on as Bookmap runs it: a real process, a real socket, a real client of the feed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bookmap_wire import ALIAS, BookmapWire, book, instrument_info, line
from tests.support.bridge_client import Watching, arm, buy, endpoint, health, update
from tests.support.eventually import eventually
from workbench.errors import EngineError, FeedError
from workbench.events import EventKind, Status
from workbench.feeds import discovery
from workbench.protocol import messages

OTHER = "BTCUSDT@BNF"


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where discovery files and journals of this test go."""
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(tmp_path / "run"))
    return tmp_path


@pytest.fixture
def bookmap(directory: Path) -> Iterator[BookmapWire]:
    """A bridge without orders, connected to a Bookmap worked by hand."""
    with BookmapWire(directory) as wire:
        yield wire


@pytest.fixture
def trading(directory: Path) -> Iterator[BookmapWire]:
    """A bridge with orders."""
    with BookmapWire(directory, trading=True) as wire:
        yield wire


# -- the way in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_bookmap_sends_reaches_a_client_of_the_feed(bookmap: BookmapWire, ending: str) -> None:
    """An attached instrument is asked for, announced, and served: snapshot, then events; either line ending."""
    bookmap.send(line(1, ending=ending), instrument_info(ending=ending), book(ending=ending))
    bookmap.wait_for("13", ALIAS)
    with Watching() as watching:
        bookmap.send(line(5, ALIAS, "100.5", 3, False, True, True, True, "", "", ending=ending))
        bookmap.send(line(8, ALIAS, True, 100, 0, ending=ending))
        eventually(lambda: watching.last_rows(2) == [(EventKind.TRADE, 3), (EventKind.DEPTH, 0)])
        snapshot = watching.snapshots()[0].batch
        assert watching.client.health.bad_messages == 0
    assert snapshot.price[snapshot.side == 1].tolist() == [100, 99, 98, 97, 96]


def test_lines_cut_anywhere_arrive_whole(bookmap: BookmapWire) -> None:
    """Bytes come as the network likes."""
    bookmap.attach()
    with Watching() as watching:
        for byte in line(8, ALIAS, True, 100, 1234) + line(8, ALIAS, False, 101, 4321):
            bookmap.send(bytes([byte]))
        eventually(lambda: watching.last_rows(2) == [(EventKind.DEPTH, 1234), (EventKind.DEPTH, 4321)])


def test_the_bundled_package_and_the_code_page_do_not_matter(directory: Path) -> None:
    """A name outside cp1252 is served; nothing but ASCII is printed, and nothing at all on standard output."""
    alias = "日経 225@大阪: π"
    with BookmapWire(directory) as wire:
        wire.attach(alias)
        with Watching(alias) as watching:
            assert watching.endpoint.source == f"bookmap bridge {alias}"
        wire.send(instrument_info(f"{alias}2", pips="NaN"))
        wire.wait_for("13", f"{alias}2")
        wire.close()
        output, errors = wire.process.communicate(timeout=30)
    assert output == b"" and errors.isascii() and b"not served" in errors


# -- the ends --------------------------------------------------------------------------------------------------------


def _server_off(wire: BookmapWire) -> None:
    wire.send(line(7, ALIAS), line(16))


def _interrupt(wire: BookmapWire) -> None:
    wire.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("end", [BookmapWire.close, BookmapWire.reset, _server_off, _interrupt])
def test_every_expected_end_is_quiet_and_complete(bookmap: BookmapWire, end: Any) -> None:
    """Closed, reset, switched off, interrupted: what came is handed on, clients are told, exit code 0, no file left."""
    bookmap.attach()
    with Watching() as watching:
        bookmap.send(line(8, ALIAS, True, 100, 77))
        eventually(lambda: watching.last_rows(1) == [(EventKind.DEPTH, 77)])
        end(bookmap)
        assert bookmap.process.wait(30) == 0
        ended = [(EventKind.DEPTH, 77), (EventKind.CLEAR, 0), (EventKind.STATUS, Status.ENDED)]
        eventually(lambda: watching.last_rows(3) == ended)
    assert bookmap.process.stderr is not None and b"Traceback" not in bookmap.process.stderr.read()
    assert list((bookmap.directory / "run").glob("feed-*")) == []


@pytest.mark.parametrize("arguments", [[], ["0"], ["no port"], ["99999"], ["-1"]])
def test_started_by_hand_it_says_what_it_is_for(directory: Path, arguments: list[str]) -> None:
    """One sentence and exit code 2, no traceback."""
    wire = BookmapWire(directory)
    process = wire.start_process(*arguments)
    output, errors = process.communicate(timeout=60)
    wire.stop_listening()
    assert process.returncode == 2 and output == b""
    assert b"started by Bookmap" in errors and errors.count(b"\n") == 1


def test_where_nobody_listens_it_says_so(directory: Path) -> None:
    """The port was right once: one sentence and exit code 2."""
    wire = BookmapWire(directory)
    port = wire.port
    wire.stop_listening()
    process = wire.start_process(port)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2 and b"nobody listens" in errors and errors.count(b"\n") == 1


# -- instruments that come and go ------------------------------------------------------------------------------------


def test_a_detached_instrument_takes_its_discovery_file_along(bookmap: BookmapWire) -> None:
    """The process waits: a rewound replay comes back, with the same feed and numbers that go on."""
    bookmap.attach()
    with Watching() as watching:
        bookmap.send(line(7, ALIAS))
        eventually(lambda: not discovery.running_feeds())
        bookmap.attach()
        again = endpoint()
        assert (again.uri, again.secret) == (watching.endpoint.uri, watching.endpoint.secret)
        eventually(lambda: (EventKind.SNAPSHOT_END, 0) in watching.last_rows(2))
        assert EventKind.GAP not in watching.stream(ALIAS).kind


def test_another_tick_begins_another_feed(bookmap: BookmapWire) -> None:
    """What clients hold counts in the old ticks: they are sent away, and find the new feed by its own file."""
    bookmap.attach()
    with Watching() as watching:
        bookmap.send(instrument_info(pips=0.5), book())
        bookmap.wait_for("13", ALIAS, count=2)
        eventually(lambda: endpoint().uri != watching.endpoint.uri)
        with Watching() as again:
            (live, *_) = [d for d in again.deliveries if getattr(d, "instrument", None) is not None]
            assert str(live.instrument.tick_size) == "0.5"  # type: ignore[union-attr]
        assert again.endpoint.secret != watching.endpoint.secret


def test_a_second_instrument_joins_the_feed(bookmap: BookmapWire) -> None:
    """Unsafe on Bookmap's side, but nothing here breaks: both are served and listed, and go one by one."""
    bookmap.attach()
    bookmap.attach(OTHER)
    assert eventually(lambda: endpoint().symbols == (ALIAS, OTHER))
    with Watching() as first, Watching(OTHER) as second:
        bookmap.send(line(8, ALIAS, True, 100, 1), line(8, OTHER, True, 100, 2))
        eventually(lambda: first.last_rows(1) == [(EventKind.DEPTH, 1)])
        eventually(lambda: second.last_rows(1) == [(EventKind.DEPTH, 2)])
    bookmap.send(line(7, ALIAS))
    assert eventually(lambda: endpoint(OTHER).symbols == (OTHER,))


def test_two_bridges_know_nothing_of_each_other(directory: Path) -> None:
    """One process per instrument is what Bookmap does: own ports, secrets and files."""
    with BookmapWire(directory) as one, BookmapWire(directory, trading=True) as other:
        one.attach()
        other.attach(OTHER)
        with Watching() as first, Watching(OTHER) as second:
            assert first.endpoint.uri != second.endpoint.uri
            assert second.endpoint.source == f"bookmap bridge {OTHER} (trading)"
            one.close()
            assert one.process.wait(30) == 0
            other.send(line(8, OTHER, True, 100, 2))
            eventually(lambda: second.last_rows(1) == [(EventKind.DEPTH, 2)])


# -- back to bookmap -------------------------------------------------------------------------------------------------


def test_a_drawing_reaches_the_chart_and_everyone_is_told(bookmap: BookmapWire) -> None:
    """Registered, named by Bookmap, drawn in levels, and told as DRAWN."""
    bookmap.attach()
    with Watching() as watching:
        publish = messages.Publish(symbol=ALIAS, indicator="vwap", value=25.125)
        assert isinstance(watching.client.request(publish), messages.Done)
        (registered,) = bookmap.wait_for("9", ALIAS)
        bookmap.send(line(10, registered[2], 42))
        assert bookmap.wait_for("11", ALIAS) == [["11", ALIAS, "42", "100.5"]]
        (drawn,) = eventually(lambda: watching.of(messages.Drawn))
    assert (drawn.indicator, drawn.value) == ("vwap", 25.125)


def test_messages_and_subscriptions_reach_bookmap(bookmap: BookmapWire) -> None:
    """A popup for the trader; what another add-on broadcasts comes back."""
    bookmap.attach()
    with Watching() as watching:
        watching.client.request(messages.Notify(symbol=ALIAS, text="absorption at 25"))
        watching.client.request(messages.Listen(provider="Market Pulse", generator="volume"))
        assert bookmap.wait_for("33") == [["33", ALIAS, "absorption at 25"]]
        assert bookmap.wait_for("30") == [["30", "Market Pulse", "volume", "False"]]
        bookmap.send(line(29, "volume", '{"v":1.5}'))
        (event,) = eventually(lambda: watching.of(messages.Broadcast))
    assert (event.provider, event.data) == ("Market Pulse", {"v": 1.5})


def test_a_bridge_describes_itself(bookmap: BookmapWire) -> None:
    """HEALTH once and again and again, ENGINE, and a refusal to be stopped from here."""
    bookmap.attach()
    with Watching() as watching:
        facts = health(watching)
        assert facts["symbols"] == [ALIAS] and not facts["trading"] and not facts["refused"]
        assert facts["lines"]["DEPTH"] == 10 and facts["instruments"][ALIAS]["clock"]["intervals"] == 1
        watching.client.request(messages.HealthQuery(interval_ms=100))
        eventually(lambda: len(watching.of(messages.Health)) > 1)
        engine = watching.client.request(messages.EngineQuery())
        assert isinstance(engine, messages.Engine) and engine.pid == bookmap.process.pid
        with pytest.raises(EngineError, match="belongs to Bookmap"):
            watching.client.request(messages.Shutdown())


# -- orders ----------------------------------------------------------------------------------------------------------


def test_the_script_without_orders_answers_that_it_is_read_only(bookmap: BookmapWire) -> None:
    """It has no setting that could change that."""
    bookmap.attach()
    with Watching() as watching:
        for command in (buy(), messages.CancelAll(), messages.Arm(minutes=1.0, max_orders=1, max_size=1.0)):
            with pytest.raises(EngineError, match="read_only"):
                watching.client.request(command)
    assert bookmap.of_type("14") == [] and bookmap.traded == []


def test_an_order_goes_to_bookmap_and_its_reports_come_back(trading: BookmapWire) -> None:
    """Both locks open: the line has real booleans and whole sizes; state, fill and position are told."""
    trading.attach(ALIAS, book(interval=False))
    with Watching() as watching:
        with pytest.raises(EngineError, match="Bookmap"):
            watching.client.request(buy())
        arm(trading, watching)
        placed = watching.client.request(buy())
        assert isinstance(placed, messages.Order) and placed.status == "PENDING_NEW"
        ((_, text),) = trading.wait_for("19")
        assert '"isBuy": true' in text and '"size": 2' in text and '"clientId": "a-1"' in text
        trading.send(update())
        eventually(lambda: [o for o in watching.of(messages.Order) if o.status == "NEW"])
        trading.send(
            line(20, ALIAS, '{"orderId":"77","size":2,"price":25.0,"executionId":"e1","time":1767225600000}')
        )
        trading.send(update(status="FILLED", filled=2, unfilled=0))
        eventually(lambda: [o for o in watching.of(messages.Order) if o.status == "FILLED"])
        (fill,) = eventually(lambda: watching.of(messages.Fill))
        trading.send(line(28, f'{{"instrumentAlias":"{ALIAS}","position":2,"averagePrice":25.0}}'))
        (position,) = eventually(lambda: watching.of(messages.Position))
    assert (fill.execution_id, fill.price, fill.size, position.position) == ("e1", 25.0, 2.0, 2.0)


def test_the_client_that_armed_disarms_by_leaving(trading: BookmapWire) -> None:
    """Everyone is told, and another client's order is refused."""
    trading.attach(ALIAS, book(interval=False))
    with Watching() as staying:
        with Watching() as leaving:
            arm(trading, leaving)
        eventually(lambda: [t for t in staying.of(messages.Trading) if "gone" in t.reason])
        with pytest.raises(EngineError, match="arm"):
            staying.client.request(buy())
    assert trading.traded == []


def test_an_id_that_was_sent_is_never_sent_again_also_after_a_restart(directory: Path) -> None:
    """The journal outlives a killed process: the same order again is refused by the next one."""
    for count in (1, 0):
        with BookmapWire(directory, trading=True) as wire:
            wire.attach(ALIAS, book(interval=False))
            with Watching() as watching:
                arm(wire, watching)
                try:
                    watching.client.request(buy())
                except (EngineError, FeedError):
                    assert count == 0
                watching.client.request(buy(f"fresh-{count}"))
                wire.wait_for("19", count=count + 1)
                os.kill(wire.process.pid, signal.SIGKILL)
                wire.process.wait(30)
            assert len(wire.of_type("19")) == count + 1


def test_loading_the_bridge_is_light() -> None:
    """It starts inside Bookmap's process tree: none of the heavy packages, no click, no numba."""
    code = (
        "import sys; import workbench.bridge.process; "
        "heavy = {'polars','pandas','pyarrow','numba','plotly','ipywidgets','anywidget','click','tqdm','bookmap'}; "
        "sys.exit(repr(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

"""The whole way: a notebook's session, the engine, the bridge, and a stand-in that plays Bookmap."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench as wb
from tests.support.eventually import eventually
from workbench.errors import DiscoveryError, EngineError, FeedError
from workbench.feeds import bookmap as feeds_of_bookmap
from workbench.feeds.discovery import BRIDGE_KEY, running_feeds
from workbench.feeds.engines import stop_all
from workbench.feeds.simulator import Simulator
from workbench.session import Session
from workbench.session.departure import departure
from workbench.session.engines import BOOKMAP_SPEC
from workbench.testing import BookmapStandIn

SCRIPTS = Path(wb.__file__).parent / "bridge" / "scripts"
ALLOW = "Allow orders from notebooks"
SEND_ORDER = 19


@pytest.fixture
def bookmap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BookmapStandIn]:
    """Bookmap with the trading add-on, on a simulated market; whatever runs in the end is stopped."""
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("WORKBENCH_STATE_DIR", str(tmp_path / "state"))
    script = SCRIPTS / "workbench_bridge_trading.py"
    with BookmapStandIn(Simulator(seed=7), script=script, trading=True, simulate_fills=False) as stand_in:
        stand_in.attach()
        stand_in.play()
        yield stand_in
        stop_all()


@pytest.fixture
def session(bookmap: BookmapStandIn) -> Iterator[Session]:
    with wb.connect("bookmap") as opened:
        opened.until(predicate=lambda s: bool(s.symbols) and s.book.valid and len(s.trades) > 0)
        yield opened


def test_an_order_goes_to_bookmap_and_back_only_through_both_locks(
    bookmap: BookmapStandIn, session: Session
) -> None:
    """Closed: not one line. Open: placed, filled, taken back, each told; after a panic closed again."""
    limit = session.book.best_bid - 5
    with pytest.raises(EngineError) as caught:
        session.orders.buy(1, limit=limit)
    assert caught.value.code == "not_armed"
    assert not session.arm(minutes=5, max_orders=9, max_size=2).permitted
    bookmap.set(ALLOW, True)
    state = session.arm(minutes=5, max_orders=9, max_size=2)
    eventually(lambda: state.ready)
    assert bookmap.count(SEND_ORDER) == 0

    bought = session.orders.buy(1, limit=limit).wait("NEW")
    bookmap.fill(bought.order_id)
    assert bought.wait("FILLED").filled == 1
    eventually(lambda: len(bought.fills) == 1 and session.positions["position"].to_list() == [1.0])
    assert session.orders.buy(9, limit=limit).status == "REJECTED"

    resting = [session.orders.buy(1, limit=limit).wait("NEW") for _ in range(2)]
    assert resting[0].cancel().wait().status == "CANCELED"
    report = session.panic()
    assert report.canceled and report.disarmed and resting[1].wait().status == "CANCELED"
    with pytest.raises(EngineError, match="arm"):
        session.orders.buy(1, limit=limit)
    assert bookmap.count(SEND_ORDER) == 3


def test_what_is_drawn_on_the_chart_is_what_the_frame_says(bookmap: BookmapStandIn, session: Session) -> None:
    """The newest point on Bookmap's chart is the newest row of the batch face, to the last bit."""
    line = session.publish("VWAP", wb.vwap)
    eventually(lambda: len(line.values) > 2)
    bookmap.pause()
    tick = float(session.instrument.tick_size)
    eventually(lambda: bookmap.indicators["VWAP"].points[-1][1] * tick == wb.vwap(session)["vwap"][-1])
    assert not line.error


def test_a_session_whose_engine_was_killed_says_what_to_do(session: Session) -> None:
    """Nothing brings that engine back: the session says so and how to go on, and going on works."""
    (engine,) = (feed for feed in running_feeds() if feed.key == BOOKMAP_SPEC.key)
    os.kill(engine.pid, signal.SIGKILL)
    eventually(lambda: "the engine is gone" in session.health.note)
    assert session.state == "stale" and 'wb.connect("bookmap")' in session.health.note
    with pytest.raises(FeedError, match="the engine is gone") as caught:
        session.orders.buy(1)
    assert caught.value.code == "engine_gone"
    assert "the engine is gone" in repr(session.panic())
    with wb.connect("bookmap") as again:
        eventually(lambda: again.state == "live")


def test_an_engine_that_is_not_ours_to_know_may_come_back() -> None:
    """Only of an engine that was started for the session is it known that it has ended."""
    assert departure(None, "connect ws://127.0.0.1:1/v1") is None


def test_a_bridge_whose_file_others_may_read_is_named(
    bookmap: BookmapStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not "no bridge runs": one runs, and its secret may be known."""
    (bridge,) = eventually(lambda: [feed for feed in running_feeds() if feed.key == BRIDGE_KEY])
    assert bridge.path is not None
    bridge.path.chmod(0o644)
    monkeypatch.setattr(feeds_of_bookmap, "APPEARING_S", 0.0)
    with pytest.raises(DiscoveryError, match="readable by others: chmod 600") as caught:
        wb.connect("bookmap")
    assert caught.value.code == "not_private"

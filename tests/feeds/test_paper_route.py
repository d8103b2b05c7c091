"""Paper execution in the engine: over the socket as by itself, whatever becomes of the notebook."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import workbench as wb
from tests.support.eventually import eventually
from tests.support.running_engine import RunningEngine
from workbench.cli.app import workbench
from workbench.errors import EngineError, WorkbenchError
from workbench.feeds.discovery import new_identity
from workbench.feeds.replay import Replay
from workbench.feeds.simulator.source import Simulator
from workbench.feeds.source import Source
from workbench.feeds.upstream import UpstreamSource
from workbench.frames.recording import Recording
from workbench.protocol import messages
from workbench.session import Session
from workbench.trading import journal
from workbench.trading.paper import Paper, rerun
from workbench.trading.paper_terms import PaperTerms

SECOND = 1_000_000_000


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def engine() -> Iterator[RunningEngine]:
    with RunningEngine(Simulator(seed=7), speed=5) as running:
        yield running


def connected(engine: RunningEngine) -> Session:
    return wb.connect(engine.endpoint.uri)


def paper_of(engine: RunningEngine, symbol: str = "ES-SIM") -> Paper:
    assert engine.engine.paper is not None
    return engine.engine.paper.floor.papers[symbol]


def trade(session: Session) -> None:
    """Place, change and take back, as fast as answers come; what is refused is part of it."""
    orders = session.orders
    orders.buy(2, stop_loss=6, take_profit=4)
    resting = orders.buy(3, limit=session.book.best_bid - 0.5)
    with contextlib.suppress(EngineError):  # it was filled or refused already
        orders.replace(resting, 1)
    orders.sell(1, limit=session.book.best_ask)
    orders.cancel(resting)
    orders.sell(2, stop_loss=4, trailing=1)


def traded_and_recorded(source: Source, speed: float, folder: Path) -> tuple[Recording, Paper]:
    """Recording and desk of a session that traded."""
    with RunningEngine(source, speed=speed) as engine, connected(engine) as session:
        running = session.record(folder, history=True)
        for _ in range(3):
            trade(session)
            executed = len(paper_of(engine).desk.ledger.executions)
            eventually(lambda least=executed: len(paper_of(engine).desk.ledger.executions) >= max(least, 1))
        session.clock.pause()
        return running.stop(), paper_of(engine)


@pytest.mark.parametrize("speed", [1.0, 50.0])
def test_a_session_over_the_socket_is_its_own_backtest(speed: float, tmp_path: Path) -> None:
    """What was traded at any speed comes out again from the recording and the journal's commands, byte for byte."""
    recording, paper = traded_and_recorded(Simulator(seed=7), speed, tmp_path / "live")
    written = journal.encode(paper.desk.journal)
    contract = paper.terms.contract(recording.instrument)
    again = rerun(contract, paper.desk.journal, recording.batches(), paper.now)
    assert journal.encode(again.desk.journal) == written
    assert any(isinstance(record, journal.Executed) for record in paper.desk.journal)
    replayed: list[bytes] = []
    for piece_ns in (20_000_000, SECOND, 60 * SECOND):  # as paces of 1, 50 and no limit cut it
        source, batches = Replay(recording), []
        for until in range(source.start_ns, source.end_ns + piece_ns, piece_ns):
            batches += [batch for _, batch in source.advance(until)]
        replay = rerun(contract, paper.desk.journal, batches, paper.now)
        replayed.append(journal.encode(replay.desk.journal))
    assert replayed == [written] * 3
    frame = recording.table("orders")
    assert {"ORDER", "FILL", "POSITION"} <= set(frame.collect()["kind"].to_list())


def test_at_the_end_of_a_replay_nothing_stays_under_way(tmp_path: Path) -> None:
    """Over the socket, with latency: flattened and moved back, and made again from its journal."""
    with wb.simulate(seed=7, inline=True) as session:
        running = session.record(tmp_path / "rec", history=True)
        session.advance("4s")
        recording = running.stop()
    terms = PaperTerms(entry_ns=20_000_000, response_ns=10_000_000)
    with RunningEngine(Replay(recording), speed=10, paper=terms) as engine, connected(engine) as session:
        session.orders.buy(2).wait("FILLED")
        resting = session.orders.buy(1, limit=session.book.best_bid - 8)
        eventually(lambda: session.state == "ended")
        assert session.orders.buy(1).wait("FILLED").filled == 1 and resting.is_open
        session.orders.flatten()
        eventually(lambda: session.positions["position"].to_list() == [0.0])
        assert not session.orders.open
        paper = paper_of(engine)
        again = rerun(
            terms.contract(recording.instrument), paper.desk.journal, recording.batches(), paper.now
        )
        assert journal.encode(again.desk.journal) == journal.encode(paper.desk.journal)
        session.clock.seek(session.clock.now - timedelta(seconds=2))
        eventually(lambda: session.state == "ended")


def test_the_stops_of_a_session_that_is_silent_go_off(engine: RunningEngine) -> None:
    """The engine needs nobody for it: the session asks for nothing until the bracket has closed the position."""
    with connected(engine) as session:
        order = session.orders.buy(1, stop_loss=2, take_profit=2)
        assert order.status == "FILLED"
        ledger = paper_of(engine).desk.ledger
        eventually(lambda: not ledger.account.position("ES-SIM").lots, 30)
        eventually(lambda: session.positions["position"].to_list() == [0.0])
        assert len(session.fills) == 2


def test_orders_of_a_session_that_goes_are_taken_back(engine: RunningEngine) -> None:
    """Its entries, not the exits that protect what they opened; those of others stay."""
    with connected(engine) as stays:
        kept = stays.orders.buy(1, limit=stays.book.best_bid - 10)
        goes = wb.connect(engine.endpoint.uri, inline=False)
        gone = goes.orders.buy(1, limit=goes.book.best_bid - 9).client_order_id
        goes.orders.buy(1, stop_loss=40)
        goes.close()
        eventually(lambda: stays.orders[gone].status == "CANCELED")
        assert stays.orders[gone].reason.startswith("DISCONNECTED")
        assert kept.is_open and [o.status for o in stays.orders if o.client_order_id.endswith(".sl")] == [
            "SUSPENDED"
        ]


def test_a_seek_that_is_refused_leaves_the_desk_as_it_was(engine: RunningEngine) -> None:
    """Orders go on; nothing has to be heard anew."""
    with connected(engine) as session:
        assert session.orders.buy(1).status == "FILLED"
        session.orders.flatten()
        eventually(lambda: not paper_of(engine).at_work)
        with pytest.raises(WorkbenchError):
            session.clock.seek("1999-01-01T00:00:00Z")
        assert session.orders.buy(1).status == "FILLED"


def test_a_file_halts_everything(engine: RunningEngine, state: Path) -> None:
    """While it is there nobody arms again; arming is never done by itself."""
    with connected(engine) as session:
        order = session.orders.buy(1, limit=session.book.best_bid - 5)
        state.mkdir(exist_ok=True)
        (state / "KILL").touch()
        eventually(lambda: order.status == "CANCELED" and not session.orders.trading().ready)
        assert session.orders.buy(1).reason == "TRADING_HALTED: the file KILL"
        with pytest.raises(EngineError, match="KILL is there"):
            session.arm(minutes=1, max_orders=1, max_size=1)
        (state / "KILL").unlink()
        assert not session.orders.trading().ready
        assert session.arm(minutes=1, max_orders=1, max_size=1).ready
        assert session.orders.buy(1).status == "FILLED"


def test_the_command_line_flattens(engine: RunningEngine, capsys: pytest.CaptureFixture[str]) -> None:
    """Without any notebook: orders and positions are gone, and it says so; --halt keeps it so."""
    with connected(engine) as session:
        order = session.orders.buy(1, limit=session.book.best_bid - 5)
        session.orders.buy(2)
        with pytest.raises(SystemExit) as ended:
            workbench(["flatten", "--halt"])
        assert ended.value.code == 0 and "flattened" in capsys.readouterr().out
        eventually(lambda: order.status == "CANCELED" and session.positions["position"].to_list() == [0.0])
        assert session.orders.buy(1).reason.startswith("TRADING_HALTED")


def test_one_click_is_one_order(engine: RunningEngine) -> None:
    """Sent twice, under one name, by two sessions; and a click that is old is refused with its age."""
    with connected(engine) as session:
        far = session.book.best_bid - 5
        first = session.orders.buy(1, limit=far, client_order_id="click")
        assert session.orders.buy(1, limit=far, client_order_id="click") is first
        session.orders.retry(first)
        other = wb.connect(engine.endpoint.uri, inline=False)
        other.orders.buy(1, limit=far, client_order_id="click")
        assert len(paper_of(engine).desk.ledger.orders) == 1
        other.close()
        old = session.orders.buy(1, limit=far, clicked=time.time_ns() - 10 * SECOND)
        assert old.status == "REJECTED" and old.reason.startswith("STALE_CLICK: 1")


def test_an_order_sent_again_after_a_lost_connection_is_one_order() -> None:
    """Under its own name, on the new connection: it works on, and nothing is placed twice."""
    terms = PaperTerms(cancel_on_disconnect=False)
    with RunningEngine(Simulator(seed=7), paper=terms) as engine, connected(engine) as session:
        order = session.orders.buy(1, limit=session.book.best_bid - 5)
        engine.cut()
        eventually(lambda: session.health.reconnects and session.state == "live")
        assert session.orders.retry(order) is order
        eventually(lambda: order.status == "NEW" and not order.unknown)
        assert len(paper_of(engine).desk.ledger.orders) == 1


def test_time_is_moved_only_when_flat(engine: RunningEngine) -> None:
    """A seek while something is open would make it happen in another time."""
    with connected(engine) as session:
        order = session.orders.buy(1, limit=session.book.best_bid - 5)
        start = session.clock.now
        with pytest.raises(EngineError, match="Flatten"):
            session.clock.seek(start)
        order.cancel()
        session.clock.seek(start)
        assert session.orders.buy(1).status == "FILLED"


SERVE = """
import sys
from workbench.feeds.engine_process import serve
from workbench.feeds.specification import EngineSpec, SourceSpec
from workbench.trading.paper_terms import PaperTerms
spec = SourceSpec(kind="simulate", options={"seed": 7}, paper=PaperTerms(account="kept"))
serve(EngineSpec(source=spec, identity=sys.argv[1], grace_s=None), lambda e: print(e.uri, flush=True))
"""


@contextlib.contextmanager
def serving() -> Iterator[tuple[Session, subprocess.Popen[str]]]:
    """A session on an engine in a process of its own, which is killed in the end."""
    command = [sys.executable, "-c", SERVE, new_identity()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        try:
            assert process.stdout is not None
            with wb.connect(process.stdout.readline().strip()) as session:
                yield session, process
        finally:
            process.kill()


def test_a_killed_engine_forgets_nothing_of_a_named_account() -> None:
    """Position, money and switch stand again; open orders ended with it; the name of an order is taken for good."""
    with serving() as (session, process):
        far = session.book.best_bid - 5
        session.orders.buy(2)
        session.orders.buy(1, limit=far, client_order_id="open")
        session.orders.sell(1, limit=far + 20)
        session.panic()
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    with serving() as (session, _):
        assert session.positions["position"].to_list() == [2.0]
        assert session.orders["open"].status == "CANCELED" and len(session.orders) == 3
        assert session.orders.buy(1).reason == "TRADING_HALTED: panic"
        same = session.orders.buy(1, limit=far, client_order_id="open")  # asked for again: the same order
        assert (same.status, same.reason) == ("CANCELED", "CANCEL_ALL")
        session.orders.flatten()
        eventually(lambda: session.positions["position"].to_list() == [0.0])


def test_terms_travel_with_the_source() -> None:
    """Another latency is another engine; without terms the key is what it was."""
    from workbench.feeds.specification import SourceSpec

    plain = SourceSpec(kind="simulate", options={"seed": 1})
    slow = SourceSpec(kind="simulate", options={"seed": 1}, paper=PaperTerms(entry_ns=5))
    assert plain.key != slow.key


def test_a_relayed_feed_is_traded_on_too(state: Path) -> None:
    """Its time is that of its rows and goes on without them; what was done is kept by its address."""
    with contextlib.ExitStack() as stack:
        origin = stack.enter_context(RunningEngine(Simulator(seed=7), speed=2))
        upstream = UpstreamSource.connect(origin.endpoint.uri, origin.endpoint.secret)
        session = stack.enter_context(connected(stack.enter_context(RunningEngine(upstream))))
        order = session.orders.buy(1, stop_loss=40)
        assert order.wait("FILLED").filled == 1
        stack.enter_context(origin.client()).request(messages.Replay(action="pause"))
        session.orders.flatten()
        assert not session.panic().problems
        eventually(lambda: not session.orders.open)
    assert [path.suffix for path in (state / "paper").rglob("*~*") if path.suffix != ".lock"] == [".jsonl"]


def test_two_engines_never_share_an_account() -> None:
    """The second one does not start, and says whose it is."""
    with serving():
        command = [sys.executable, "-c", SERVE, new_identity()]
        refused = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=60)
    assert refused.returncode and "the paper account 'kept' is in use: engine with pid" in refused.stderr

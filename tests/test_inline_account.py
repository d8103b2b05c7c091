"""A paper account inline: kept on disk as an engine keeps it, and halted by the same file."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

import workbench as wb
from workbench.errors import EngineError
from workbench.session import Session


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    monkeypatch.setenv("WORKBENCH_STATE_DIR", str(folder))
    return folder


def opened(account: str = "mine") -> Session:
    session = wb.simulate(seed=7, inline=True, paper=wb.PaperTerms(account=account))
    session.advance("2s")
    return session


def held(session: Session) -> float:
    return float(session.positions["position"].to_list()[-1])


def test_a_named_account_goes_on_where_it_ended() -> None:
    """Position, realised money and the switch; another name, and none, begin anew."""
    with opened() as first:
        first.orders.buy(3)
        first.orders.sell(1)
        first.arm(minutes=0)
        cash = first.balances["cash"].to_list()[-1]
    with opened() as again:
        assert held(again) == 2 and not again.orders.trading().ready
        assert again.balances["cash"].to_list()[0] == cash
        assert again.orders.buy(1).reason.startswith("TRADING_HALTED")
        again.arm()
        assert again.orders.buy(1).status == "FILLED" and held(again) == 3
    for other in ("other", ""):
        with opened(other) as session:
            assert held(session) == 0


def test_two_sessions_never_share_an_account() -> None:
    """The second is told what holds it and what to do; it is free when that is closed."""
    with opened() as first:
        with pytest.raises(EngineError, match=r"a session of this process.*Close it: s\.close\(\)"):
            opened()
        first.orders.buy(1)
    with opened() as second:
        assert held(second) == 1


def test_the_kill_file_halts_inline_too(state: Path) -> None:
    """What works is taken back, nothing new goes, and nobody arms while it is there."""
    with opened("") as session:
        order = session.orders.buy(1, limit=session.book.best_bid - 5)
        (state / "KILL").touch()
        session.advance("100ms")
        assert order.status == "CANCELED" and not session.orders.trading().ready
        assert session.orders.buy(1).reason == "TRADING_HALTED: the file KILL"
        with pytest.raises(EngineError, match="KILL is there"):
            session.arm()
        (state / "KILL").unlink()
        assert session.orders.buy(1).status == "REJECTED"  # never by itself
        session.arm()
        assert session.orders.buy(1).status == "FILLED"


def test_the_kill_file_counts_for_an_order_at_once(state: Path) -> None:
    """Without waiting for time to go on."""
    with opened("") as session:
        (state / "KILL").touch()
        assert session.orders.buy(1).reason == "TRADING_HALTED: the file KILL"


def test_on_paper_arming_needs_no_bounds() -> None:
    """Those of the terms hold, and it says so."""
    with opened("") as session:
        session.panic()
        state = session.arm()
        assert state.ready and "PaperTerms(limits=…)" in repr(state)
        for bad in ({"minutes": -1}, {"max_orders": 0}, {"max_size": 0}):
            session.panic()
            with pytest.raises(wb.WorkbenchError, match="above 0"):
                session.arm(**bad)  # type: ignore[arg-type]
            assert not session.orders.trading().ready


def test_a_refused_seek_changes_nothing() -> None:
    """Orders go on at once, also while the clock stands still."""
    with opened("") as session:
        session.advance("1s")
        with pytest.raises(wb.WorkbenchError):
            session.clock.seek("1999-01-01T00:00:00Z")
        assert session.orders.buy(1).status == "FILLED"
        session.advance("1s")
        assert session.orders.buy(1).status == "FILLED" and held(session) == 2


def test_flattening_twice_with_delays_ends_flat() -> None:
    """Also where an entry is executed while it is being taken back."""
    terms = wb.PaperTerms(entry_ns=200_000_000, response_ns=100_000_000)
    with wb.simulate(seed=9, inline=True, paper=terms) as session:
        session.advance("2s")
        session.orders.buy(5, take_profit=40, stop_loss=40)
        session.advance("1s")
        for price in (session.book.best_bid, session.book.best_bid - 0.25):
            session.orders.buy(10, limit=price, take_profit=20, stop_loss=20)
        session.advance("1s")
        session.orders.flatten()
        session.orders.flatten()
        session.advance("5s")
        assert held(session) == 0 and not session.orders.open


def test_at_the_end_of_a_replay_everything_can_be_closed(tmp_path: Path) -> None:
    """Time stands still, so what takes time would never come; a seek then brings latencies back."""
    with wb.simulate(seed=7, inline=True) as session:
        running = session.record(tmp_path / "rec", history=True)
        session.advance("5s")
        recording = running.stop()
    terms = wb.PaperTerms(entry_ns=200_000_000, response_ns=100_000_000)
    with wb.replay(recording, inline=True, paper=terms) as session:
        session.advance("2s")
        session.orders.buy(2)
        session.advance("2900ms")
        late, taken_back = session.orders.buy(1), session.orders.buy(1, limit=session.book.best_bid - 2)
        session.orders.cancel(taken_back)
        session.advance("1m")
        assert session.state == "ended" and held(session) == 2
        assert late.reason.startswith("STREAM_ENDED") and not session.orders.open
        session.orders.flatten()
        assert held(session) == 0
        session.clock.seek(session.clock.now - timedelta(seconds=3))
        session.advance("100ms")
        assert session.orders.buy(1).status == "PENDING_NEW"


def test_an_account_goes_on_with_new_bounds_and_its_own_money() -> None:
    """Limits and fees are those that were asked for last; the cash is what the account began with."""
    with opened() as first:
        first.orders.buy(50)
    terms = wb.PaperTerms(account="mine", limits=wb.Limits(size=5), per_lot=2, cash=7)
    with wb.simulate(seed=7, inline=True, paper=terms) as again:
        again.advance("2s")
        assert again.orders.buy(50).reason.startswith("QUANTITY_EXCEEDS_LIMIT")
        again.orders.sell(5)
        assert again.fills["fee"].to_list()[-1] == 10.0
        assert again.balances["cash"].to_list()[-1] > 90_000
    inverse = wb.PaperTerms(account="mine", inverse=True)
    for _ in range(2):  # and a refusal holds nothing
        with pytest.raises(wb.WorkbenchError, match="inverse True; expected inverse False"):
            wb.simulate(seed=7, inline=True, paper=inverse)


def test_clicks_in_other_threads_and_a_clock_that_moves_take_turns() -> None:
    """Views send from threads of their own while a cell advances: every order that was taken back has ended."""
    unbound = wb.Limits(per_second=None, per_minute=None, open_orders=None)
    with wb.simulate(seed=7, inline=True, paper=wb.PaperTerms(limits=unbound)) as session:
        session.advance("2s")
        problems: list[BaseException] = []

        def click() -> None:
            try:
                for _ in range(40):
                    order = session.orders.buy(1, limit=session.book.best_bid - 5)
                    session.orders.cancel(order)
                    assert order.status == "CANCELED", order.reason
            except BaseException as problem:  # noqa: BLE001 - told by the thread that tests
                problems.append(problem)

        threads = [threading.Thread(target=click) for _ in range(3)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            session.advance("10ms")
        assert not problems and len(session.orders) == 120 and not session.orders.open


def test_a_kill_file_is_there_also_as_a_link_to_nothing(state: Path) -> None:
    """Whoever makes it in a hurry is understood."""
    with opened("") as session:
        (state / "KILL").symlink_to(state / "nowhere")
        assert session.orders.buy(1).reason == "TRADING_HALTED: the file KILL"


def test_another_click_for_the_same_order_makes_no_second_one() -> None:
    """Whenever it was: the name and the terms are the order's."""
    with opened("") as session:
        first = session.orders.buy(1, client_order_id="once", clicked=time.time_ns())
        again = session.orders.buy(1, client_order_id="once", clicked=time.time_ns() - 10**9)
        assert again is first and held(session) == 1


def test_the_curve_of_a_kept_account_begins_with_this_session() -> None:
    """What was gained and paid before is not its own."""
    with opened() as first:
        first.orders.buy(3)
        first.advance("1s")
        first.orders.flatten()
    with opened() as again:
        again.advance("1s")
        curve = wb.RiskCurve(again)
        assert not curve._gained.any()


@pytest.mark.parametrize("bounds", [{}, {"daily_loss": 1_000_000}])
def test_money_over_time_does_not_depend_on_how_far_the_clock_is_moved(bounds: dict[str, int]) -> None:
    """Four values a second while a position is held, whether it advances for half a minute or for a second at a time."""
    told = []
    for pieces in (["30s"], ["1s"] * 30, ["500ms", "29500ms"]):
        terms = wb.PaperTerms(**bounds)  # type: ignore[arg-type]
        with wb.simulate(seed=7, inline=True, paper=terms) as session:
            session.advance("5s")
            session.orders.buy(2)
            for piece in pieces:
                session.advance(piece)
            told.append(session.orders.positions())
    assert told[0].height > 110
    assert told[0]["unrealized"].n_unique() > 5
    assert told[0].equals(told[1]) and told[0].equals(told[2])

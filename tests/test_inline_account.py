"""A paper account inline: kept on disk as an engine keeps it, and halted by the same file."""

from __future__ import annotations

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

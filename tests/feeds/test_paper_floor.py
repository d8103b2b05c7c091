"""The paper account on disk: what cannot be written halts, what cannot be read is not believed."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import msgspec

from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.paper_floor import PaperFloor
from workbench.protocol import messages
from workbench.trading.paper_terms import PaperTerms

ES = Instrument("ES", Decimal("0.25"), multiplier=Decimal(50))
SECOND = 1_000_000_000
BUY = messages.PlaceOrder(symbol="ES", side="BUY", order_type="MARKET", quantity=2.0, client_order_id="a")


def floor(folder: Path | None, told: list[messages.AccountMessage], symbol: str = "ES") -> PaperFloor:
    """A floor on which ten lots are bid at 99 and offered at 101 ticks."""
    opened = PaperFloor(PaperTerms(account="mine"), lambda _: ES, told.append, folder)
    kinds = [EventKind.DEPTH, EventKind.DEPTH, EventKind.SNAPSHOT_END]
    ts = [SECOND, SECOND, SECOND]
    opened.take(
        symbol, EventBatch.of(0, ts=ts, kind=kinds, side=[1, -1, 0], price=[99, 101, 0], size=[10, 10, 0])
    )
    opened.advance({symbol: SECOND})
    return opened


def answer(opened: PaperFloor, command: messages.Command) -> messages.Message:
    """Carry out a command now."""
    asked = opened.ask("ES", command, SECOND)
    opened.advance({"ES": SECOND})
    return asked.result(0)


def test_a_full_disk_halts_and_ends_nothing(tmp_path: Path) -> None:
    """The order is told as it is, the switch says why nothing more goes, and the floor lives."""
    told: list[messages.AccountMessage] = []
    opened = floor(tmp_path, told)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, opened.files["ES"].descriptor)
    os.close(full)
    assert answer(opened, BUY).status == "FILLED"  # type: ignore[union-attr]
    trading = [message for message in told if isinstance(message, messages.Trading)]
    assert not trading[-1].armed and "JOURNAL: No space left" in trading[-1].reason
    refused = answer(opened, msgspec.structs.replace(BUY, client_order_id="b"))
    assert refused.reason.startswith("TRADING_HALTED: JOURNAL")  # type: ignore[union-attr]
    opened.close()


def test_what_was_written_stands_again_at_every_cut(tmp_path: Path) -> None:
    """A last line that was cut is left out; damage before it halts; nothing else is believed."""
    opened = floor(tmp_path, [])
    answer(opened, BUY)
    path = opened.files["ES"].path
    opened.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    again = floor(tmp_path, [])
    assert again.papers["ES"].desk.ledger.switch == "ACTIVE"
    again.close()
    third = floor(tmp_path, [])  # what was written behind the cut line is read
    assert (
        third.papers["ES"].desk.ledger.switch == "ACTIVE" and len(third.papers["ES"].desk.ledger.orders) == 1
    )
    third.close()
    lines = whole.split(b"\n")
    path.write_bytes(b"\n".join([*lines[:2], b"00000000 {}", *lines[2:]]))
    told: list[messages.AccountMessage] = []
    halted = floor(tmp_path, told)
    assert halted.papers["ES"].desk.ledger.switch == "HALTED"
    assert "damaged" in halted.papers["ES"].desk.ledger.reason
    halted.close()
    assert path.with_suffix(".damaged").exists()
    still = floor(tmp_path, [])
    assert still.papers["ES"].desk.ledger.switch == "HALTED"
    still.close()


def test_what_the_paper_desk_has_no_chart_for_is_refused() -> None:
    """Drawings and messages need a platform; orders need an instrument that was heard of."""
    opened = floor(None, [])
    problem = opened.ask("ES", messages.Notify(symbol="ES", text="x"), SECOND).exception(0)
    assert getattr(problem, "code", "") == "not_supported"
    problem = opened.ask("NQ", BUY, SECOND).exception(0)
    assert getattr(problem, "code", "") == "stale_book"


def test_positions_are_valued_while_they_are_open() -> None:
    """At the mid, four times in a second of the stream's time, and not when flat."""
    told: list[messages.AccountMessage] = []
    opened = floor(None, told)
    answer(opened, BUY)
    told.clear()
    opened.advance({"ES": 3 * SECOND})
    positions = [message for message in told if isinstance(message, messages.Position)]
    assert positions[-1].unrealized == -25.0 and positions[-1].position == 2.0  # 2 lots, a tick of 12.5 each


def test_a_disk_that_cannot_keep_it_halts(tmp_path: Path) -> None:
    """What was written, but not forced to the device, may be lost with the power: nothing more goes."""
    told: list[messages.AccountMessage] = []
    opened = floor(tmp_path, told)
    answer(opened, BUY)
    opened.sync()
    opened.lose(OSError(5, "Input/output error"))
    assert answer(opened, msgspec.structs.replace(BUY, client_order_id="b")).reason == (  # type: ignore[union-attr]
        "TRADING_HALTED: JOURNAL: Input/output error"
    )
    assert not opened.files
    opened.close()

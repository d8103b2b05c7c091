"""One message is one row, and an order has the same number after every restart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bookmap_lines import mbo, trade
from workbench.bridge import wire
from workbench.bridge.rows import Rows, order_number, pack, row_of, split_price
from workbench.events import SUBTICK_SHIFT, EventKind, Flag


def row(line: bytes) -> tuple[int, ...]:
    """Row of one market line."""
    message = wire.parse(line)
    assert isinstance(message, wire.MarketMessage)
    return row_of(message)


def test_the_aggressor_of_isbidaggressor_1_bought() -> None:
    """The field says on which side the aggressor stood."""
    assert row(trade("100.0", 2, is_buy=True))[:4] == (EventKind.TRADE, 1, 100, 2)
    assert row(trade("100.0", 2, is_buy=False))[:4] == (EventKind.TRADE, -1, 100, 2)


def test_marks_of_an_execution_are_flags() -> None:
    """Also on trades of size zero, which only carry marks."""
    assert row(trade("1.0", 0, marks="010"))[6] == Flag.EXEC_START
    assert row(trade("1.0", 0, marks="101"))[6] == Flag.OTC | Flag.EXEC_END


def test_a_price_between_ticks_is_the_tick_below_and_thousandths() -> None:
    """Also below zero."""
    assert row(trade("100.5", 1, marks="000"))[2:7:4] == (100, 500 << SUBTICK_SHIFT)
    assert split_price(-0.25) == (-1, 750)
    assert split_price(7.9999999) == (8, 0)


@given(st.integers(-(10**6), 10**6), st.integers(0, 999))
def test_thousandths_are_exact(tick: int, rest: int) -> None:
    """Whatever the double makes of them."""
    assert split_price(tick + rest / 1000) == (tick, rest)


def test_ids_of_trades_say_who_was_there_first() -> None:
    """The passive order is the row's order, the other the aggressor; no text is no order."""
    assert row(trade("1.0", 1, aggressor="7", passive="5"))[4:6] == (5, 7)
    assert row(trade("1.0", 1))[4:6] == (0, 0)


def test_changes_of_orders_carry_no_side() -> None:
    """The book knows it; Bookmap does not say it."""
    assert row(mbo("BID_NEW", 9, 3, 4)) == (EventKind.MBO_NEW, 1, 3, 4, 9, 0, 0)
    assert row(mbo("ASK_NEW", 9, 3, 4)) == (EventKind.MBO_NEW, -1, 3, 4, 9, 0, 0)
    assert row(mbo("REPLACE", 9, 3, 4)) == (EventKind.MBO_REPLACE, 0, 3, 4, 9, 0, 0)
    assert row(mbo("CANCEL", 9)) == (EventKind.MBO_CANCEL, 0, 0, 0, 9, 0, 0)


@pytest.mark.parametrize("text", ["1", "6411926041234", str(2**63 - 1)])
def test_decimal_ids_are_their_numbers(text: str) -> None:
    """So that they can be compared with the venue's."""
    assert order_number(text) == int(text)


@pytest.mark.parametrize("text", ["0", "007", "-5", "a", str(2**63), "+1", "1 ", "١"])
def test_other_ids_become_negative_numbers(text: str) -> None:
    """They never meet a decimal id, and differ from each other."""
    assert order_number(text) < 0


def test_the_number_of_a_text_is_written_down() -> None:
    """BLAKE2b of eight bytes, one bit dropped: recordings of different days agree."""
    # b2sum -l 64 of "abc" says d8bb14d833d59559.
    assert order_number("abc") == -1 - (0xD8BB14D833D59559 >> 1) == -7808549525826226861
    assert order_number("") == 0


def test_columns_have_the_types_of_events() -> None:
    """Rows are columns that need no conversion."""
    rows = Rows.of([row(trade("5.5", 1)), row(mbo("CANCEL", 1))])
    assert [column.dtype for column in rows] == [
        np.dtype(t) for t in ["u1", "i1", "i4", "i8", "i8", "i8", "u2"]
    ]
    assert Rows.join([rows, Rows.zeros(0), rows.take(slice(1, 2))]).kind.tolist() == [2, 5, 5]
    assert Rows.join([]).length == 0


def test_packed_rows_are_the_same_columns() -> None:
    """Each value at its place, of its type, and writable."""
    single = [(2, -1, -(2**31), 2**31 - 1, -(2**63), 2**63 - 1, 65535), (5, 0, 7, 0, 9, 0, 0)]
    rows = Rows.packed(bytearray(b"".join(pack(*values) for values in single)))
    for packed, column in zip(rows, Rows.of(single)):
        assert packed.dtype == column.dtype
        assert packed.tolist() == column.tolist()
    rows.flags[:] = 1
    assert rows.flags.tolist() == [1, 1]

"""The journal: bytes and back, and what cannot follow is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from workbench.errors import WorkbenchError
from workbench.trading.contracts import Contract
from workbench.trading.journal import Executed, Moved, Noted, Opened, Placed, Record, decode, encode
from workbench.trading.ledger import fold
from workbench.trading.limits import Limits
from workbench.trading.states import OrderEvent
from workbench.trading.terms import Terms

X = Contract(symbol="Xé", tick_size=Decimal("0.10"), maker=Decimal("-0.0001"))
STORY: list[Record] = [
    Opened(1, {"Xé": X}, Limits(notional=Decimal("1e6")), "1/3"),
    Placed(2, Terms(client_order_id="a", symbol="Xé", side=1, lots=2, limit=100)),
    Moved(2, "a", OrderEvent.SUBMIT),
    Executed(3, "a", "x1", 99, 2, maker=True, fee=-5),
    Noted(4, "refused", reason="a text with\na line break"),
]


def test_bytes_and_back_are_the_same_records() -> None:
    """One line a record, whatever texts hold; reading gives equal records and equal bytes again."""
    data = encode(STORY)
    assert data.count(b"\n") == len(STORY)
    assert list(decode(data)) == STORY
    assert encode(decode(data)) == data


def test_the_state_is_what_the_records_add_up_to() -> None:
    """Two bought at 99 with a rebate of 5 parts: 2 long, 198 paid."""
    position = fold(STORY).account.position("Xé")
    assert (position.lots, position.flow, position.fees) == (2, -198, -5)


def test_damaged_lines_are_named() -> None:
    """The line's number is told, and what stands before it is still given."""
    lines = decode(encode(STORY[:2]) + b'{"type":"placed"\n')
    assert [next(lines), next(lines)] == STORY[:2]
    with pytest.raises(WorkbenchError, match="line 3 of the journal is no record"):
        next(lines)


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ([], "bad_journal"),
        (STORY[1:], "bad_journal"),
        ([*STORY, Moved(5, "a", OrderEvent.CANCEL)], "illegal_transition"),
        ([*STORY, STORY[3]], "illegal_transition"),
    ],
)
def test_what_cannot_follow_is_refused(records: list[Record], code: str) -> None:
    """No beginning, a cancel of what is filled, an execution counted twice: no desk writes such a journal."""
    with pytest.raises(WorkbenchError) as problem:
        fold(records)
    assert problem.value.code == code

"""The table of order states: every pair against a table typed independently, and the stories FIX tells."""

from __future__ import annotations

import pytest

from workbench.trading.states import (
    BACK_TO_REST,
    OPEN,
    STRICT,
    TERMINAL,
    TRANSITIONS,
    OrderEvent,
    OrderStatus,
    step,
)

S, E = OrderStatus, OrderEvent

# One line per state, one column per event, in the shorthand of the specification. "." is refused, "=" no change,
# "~" back to where the order rests.
TABLE = """
.                 S   A   J   F   FF  C   CA  CJ  R   RA  RJ  X   T   D
INITIALIZED       PN  .   .   .   .   CA  .   .   =   .   .   .   .   DE
PENDING_NEW       =   NW  RE  PF  FI  PC  CA  .   PR  .   .   EX  SU  .
NEW               =   =   RE  PF  FI  PC  CA  .   PR  =   .   EX  .   .
SUSPENDED         =   =   RE  .   .   PC  CA  .   PR  =   .   EX  NW  .
PARTIALLY_FILLED  =   =   .   =   FI  PC  CA  .   PR  =   .   EX  .   .
PENDING_CANCEL    =   =   RE  =   FI  =   CA  ~   .   =   =   EX  .   .
PENDING_REPLACE   =   .   RE  =   FI  PC  CA  .   =   ~   ~   EX  .   .
FILLED            =   .   .   .   .   .   .   =   .   .   =   .   .   .
CANCELED          =   .   .   =   FI  .   =   =   .   .   =   .   .   .
EXPIRED           =   .   .   =   FI  .   =   =   .   .   =   .   .   .
REJECTED          =   .   =   .   .   .   .   .   .   .   .   .   .   .
DENIED            =   .   =   .   .   .   .   .   .   .   .   .   .   .
"""
SHORT = {
    "PN": S.PENDING_NEW,
    "NW": S.NEW,
    "SU": S.SUSPENDED,
    "PF": S.PARTIALLY_FILLED,
    "PC": S.PENDING_CANCEL,
    "PR": S.PENDING_REPLACE,
    "FI": S.FILLED,
    "CA": S.CANCELED,
    "EX": S.EXPIRED,
    "RE": S.REJECTED,
    "DE": S.DENIED,
}
HEADER, *ROWS = (row.split() for row in TABLE.strip().splitlines())
CELLS = [
    (S(status), E(column), cell)
    for status, *cells in ROWS
    for column, cell in zip(HEADER[1:], cells, strict=True)
]


@pytest.mark.parametrize(("status", "event", "cell"), CELLS)
def test_every_pair_is_as_the_typed_table_says(status: S, event: E, cell: str) -> None:
    """Each of the 12 states answers each event as the specification's table does."""
    if cell == "~":
        assert (status, event) in BACK_TO_REST
        for resting in (S.NEW, S.PARTIALLY_FILLED, S.SUSPENDED, S.FILLED):
            assert step(status, event, resting=resting) is resting
        return
    expected = None if cell == "." else status if cell == "=" else SHORT[cell]
    assert step(status, event, resting=S.SUSPENDED) is expected


def test_the_typed_table_is_complete() -> None:
    """The table above names every state and every event, so nothing is left to chance."""
    assert {(status, event) for status, event, _ in CELLS} == {(s, e) for s in S for e in E}


def test_terminal_states_are_left_by_late_fills_alone() -> None:
    """What is finished stays finished, but for a fill that was on its way when the order was canceled."""
    left = {pair for pair, to in TRANSITIONS.items() if pair[0] in TERMINAL and to is not pair[0]}
    assert left == {(S.CANCELED, E.FULL_FILL), (S.EXPIRED, E.FULL_FILL)}
    assert not OPEN & TERMINAL


def test_the_strict_part_moves_no_finished_order() -> None:
    """An engine of our own never fills, moves or repeats anything once an order is finished."""
    for (status, event), to in STRICT.items():
        assert TRANSITIONS[status, event] is to
        if status in TERMINAL:
            assert to is status
            assert event in {E.SUBMIT, E.CANCEL_REJECT, E.REPLACE_REJECT}


def play(*events: E, resting: S = S.NEW) -> list[S]:
    """States an order goes through; a refused event leaves it where it is."""
    states, rest = [S.INITIALIZED], resting
    for event in events:
        following = step(states[-1], event, resting=rest) or states[-1]
        states.append(following)
        if following in {S.NEW, S.PARTIALLY_FILLED, S.SUSPENDED}:
            rest = following
        elif event is E.FILL:
            rest = S.PARTIALLY_FILLED
    return states


def test_story_filled_in_parts() -> None:
    """FIX D1: accepted, partly filled twice, filled."""
    states = play(E.SUBMIT, E.ACCEPT, E.FILL, E.FILL, E.FULL_FILL)
    assert states[1:] == [S.PENDING_NEW, S.NEW, S.PARTIALLY_FILLED, S.PARTIALLY_FILLED, S.FILLED]


def test_story_cancel_with_a_fill_under_way() -> None:
    """FIX: a fill while the cancel is pending counts, and the cancel still comes true."""
    states = play(E.SUBMIT, E.ACCEPT, E.CANCEL, E.FILL, E.CANCELED)
    assert states[-2:] == [S.PENDING_CANCEL, S.CANCELED]


def test_story_filled_before_the_cancel() -> None:
    """FIX: filled while the cancel was pending; the cancel is rejected and the order stays filled."""
    assert play(E.SUBMIT, E.ACCEPT, E.CANCEL, E.FULL_FILL, E.CANCEL_REJECT)[-2:] == [S.FILLED, S.FILLED]


def test_story_cancel_rejected_goes_back_to_the_fills() -> None:
    """A rejected cancel puts the order where its fills say, not blindly to NEW."""
    assert play(E.SUBMIT, E.ACCEPT, E.CANCEL, E.FILL, E.CANCEL_REJECT)[-1] is S.PARTIALLY_FILLED


def test_story_replaced_down_to_what_is_filled() -> None:
    """FIX: replaced down to the filled quantity, the order is FILLED."""
    assert step(S.PENDING_REPLACE, E.REPLACED, resting=S.FILLED) is S.FILLED


def test_story_replace_rejected_because_filled() -> None:
    """FIX: filled while the replace was pending; its rejection changes nothing."""
    assert play(E.SUBMIT, E.ACCEPT, E.REPLACE, E.FULL_FILL, E.REPLACE_REJECT)[-2:] == [S.FILLED, S.FILLED]


def test_story_two_replaces() -> None:
    """FIX: a second replace may be asked for while the first is pending; each acknowledgement is taken."""
    states = play(E.SUBMIT, E.ACCEPT, E.REPLACE, E.REPLACE, E.REPLACED, E.REPLACED)
    assert states[-4:] == [S.PENDING_REPLACE, S.PENDING_REPLACE, S.NEW, S.NEW]


def test_story_cancel_overtakes_a_replace() -> None:
    """FIX precedence: PENDING_CANCEL stands above PENDING_REPLACE, whatever becomes of the replace."""
    states = play(E.SUBMIT, E.ACCEPT, E.REPLACE, E.CANCEL, E.REPLACED, E.CANCELED)
    assert states[-3:] == [S.PENDING_CANCEL, S.PENDING_CANCEL, S.CANCELED]


def test_story_duplicate_submit() -> None:
    """A repeated submit is the same order in every state it may be in."""
    for status in OrderStatus:
        if status is not S.INITIALIZED:
            assert step(status, E.SUBMIT) is status


def test_story_unsolicited_cancel() -> None:
    """FIX: the far side may cancel a working order unasked; our own engine never does."""
    assert step(S.NEW, E.CANCELED) is S.CANCELED
    assert (S.NEW, E.CANCELED) not in STRICT


def test_story_ioc_remainder() -> None:
    """FIX: the rest of an immediate-or-cancel order ends CANCELED, also when part of it was filled."""
    assert play(E.SUBMIT, E.CANCELED)[-1] is S.CANCELED
    assert play(E.SUBMIT, E.FILL, E.CANCELED)[-1] is S.CANCELED


def test_story_stop_waits_and_is_triggered() -> None:
    """A stop is held back, cannot be filled before it is triggered, and then works like any other order."""
    states = play(E.SUBMIT, E.TRIGGER, E.FILL, E.TRIGGER, E.FULL_FILL)
    assert states[2:] == [S.SUSPENDED, S.SUSPENDED, S.NEW, S.FILLED]


def test_story_expiry() -> None:
    """A day order that is partly filled expires."""
    assert play(E.SUBMIT, E.ACCEPT, E.FILL, E.EXPIRE)[-1] is S.EXPIRED


def test_story_late_fill_after_the_cancel() -> None:
    """FIX precedence: a part filled late leaves CANCELED, the whole filled late is FILLED."""
    assert play(E.SUBMIT, E.ACCEPT, E.CANCELED, E.FILL, E.FULL_FILL)[-2:] == [S.CANCELED, S.FILLED]

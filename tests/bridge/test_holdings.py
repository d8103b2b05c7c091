"""Executions, positions and balances: what is news, once, and bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.desk_floor import ALIAS, update
from workbench.bridge.holdings import MAX_SEEN, MAX_WAITING, Executions, Holdings
from workbench.bridge.mirror import mirror
from workbench.bridge.reports import ExecutionReport, read_order
from workbench.instruments import Instrument

ES = Instrument(ALIAS, "0.25")  # type: ignore[arg-type]
ORDER = mirror(read_order(update("7", "a"), ES))


def execution(number: int, order_id: str = "7") -> ExecutionReport:
    """One lot."""
    return ExecutionReport(order_id, f"e{number}", 1, 4500.0, None, simulated=False)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30))
def test_each_execution_is_a_fill_once(happenings: list[tuple[int, bool]]) -> None:
    """In whichever order executions come and come again, before or after the report of their order."""
    executions, fills, reported = Executions(ES), list[str](), False
    for number, report in happenings:
        reported |= report
        order = ORDER if reported else None
        fills += [f.execution_id for f in executions.take(execution(number), order, 5)]
        if report:
            fills += [f.execution_id for f in executions.release(ORDER, 5)]
    fills += [f.execution_id for f in executions.release(ORDER, 5)]
    assert sorted(fills) == sorted({f"e{number}" for number, _ in happenings})
    assert executions.waiting == 0


def test_executions_of_no_order_are_bounded() -> None:
    """A platform that reports executions of orders it never reports costs no more than so many."""
    executions = Executions(ES)
    for number in range(MAX_WAITING + 10):
        assert not list(executions.take(execution(number, f"ghost{number}"), None, 5))
    assert executions.waiting == MAX_WAITING


def test_executions_are_remembered_for_long() -> None:
    """The oldest id is forgotten when a hundred thousand came after it, none before."""
    executions = Executions(ES)
    for number in range(MAX_SEEN):
        list(executions.take(execution(number), ORDER, 5))
    assert not list(executions.take(execution(0), ORDER, 5))


def test_an_execution_without_an_id_is_taken_as_it_comes() -> None:
    """Nothing tells two of them apart, so none is dropped."""
    executions = Executions(ES)
    nameless = ExecutionReport("7", "", 1, 4500.0, None, simulated=True)
    assert [len(list(executions.take(nameless, ORDER, 5))) for _ in range(2)] == [1, 1]


def test_a_currency_called_position_is_no_position() -> None:
    """Names are other people's: a balance is never taken for a position that was told before."""
    holdings = Holdings(ES)
    assert len(list(holdings.position({"position": 1}, 5))) == 1
    listed = [{"currency": "position", "balance": 1.0}]
    assert len(list(holdings.balances({"balancesInCurrency": listed}, 5))) == 1
    assert len(list(holdings.position({"position": 1}, 6))) == 0

"""Compiled strategies reach no parameter that was not given, and no memory that there is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.lab.example_strategies import quote_touch
from workbench.session import Session
from workbench.trading import strategy_reach
from workbench.trading.slots import Desk
from workbench.trading.strategies import buy_market, quoted


@pytest.fixture(scope="module")
def session() -> Session:
    """Five seconds of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("5s")
    return s


@wb.kernel_strategy
def second_of_two(d: Desk) -> None:
    """Buy as many lots as the second parameter says, once."""
    if quoted(d) and d.memory[63] == 0:
        d.memory[63] = 1
        _ = buy_market(d, int(d.params[1]))


@wb.kernel_strategy
def last_of_any(d: Desk) -> None:
    """Reads the last parameter."""
    d.memory[0] = d.params[-1]


@wb.kernel_strategy
def beyond_its_memory(d: Desk) -> None:
    """Counts in a slot that it has not."""
    d.memory[64] += 1


@wb.kernel_strategy
def worked_out(d: Desk) -> None:
    """Buys a lot where the parameter behind the last is no number."""
    beyond = d.params[int(d.memory[1]) + 1]
    if quoted(d) and d.memory[0] == 0 and np.isnan(beyond):
        d.memory[0] = 1
        _ = buy_market(d, 1)


@wb.kernel_strategy
def at_least_two(d: Desk) -> None:
    """Reads a second parameter where there is one."""
    d.memory[0] = d.params[1] if len(d.params) >= 2 else d.params[0]


@wb.kernel_strategy
def all_of_them(d: Desk) -> None:
    """Adds up however many there are."""
    for i in range(len(d.params)):
        d.memory[0] += d.params[i]
    if len(d.params) == 3:
        d.memory[1] = d.params[2]


@pytest.mark.parametrize(
    ("strategy", "params", "told"),
    [
        (second_of_two, (), r"'second_of_two' uses d.params\[1\] of 0; expected 2 or more"),
        (second_of_two, (3,), r"uses d.params\[1\] of 1"),
        (quote_touch, (1,), r"'quote_touch' uses d.params\[1\] of 1"),
        (at_least_two, (), r"uses d.params\[0\] of 0"),
        (last_of_any, (), r"uses d.params\[-1\] of 0; expected 1 or more"),
        (beyond_its_memory, (), r"uses d.memory\[64\] of 64; expected d.memory\[0\] to d.memory\[63\]"),
    ],
)
def test_what_a_strategy_names_must_be_there(
    session: Session, strategy: Any, params: tuple[float, ...], told: str
) -> None:
    """A number that is written down and goes beyond what was given is refused before the first step."""
    with pytest.raises(WorkbenchError, match=told):
        wb.backtest(strategy, session, params=params)


def test_what_is_given_is_used(session: Session) -> None:
    """Two parameters and the last slot of the memory are there."""
    assert wb.backtest(second_of_two, session, params=(0, 3)).fills["size"].sum() == 3
    assert len(wb.backtest(last_of_any, session, params=[1]).orders) == 0


def test_what_is_asked_for_first_may_be_missing(session: Session) -> None:
    """The example strategy looks whether there is a third parameter, others for a second or for any."""
    assert len(wb.backtest(quote_touch, session, params=(1, 4)).orders) > 0
    for strategy, params in ((at_least_two, (1,)), (all_of_them, ()), (all_of_them, (1, 2))):
        assert len(wb.backtest(strategy, session, params=params).orders) == 0


def test_numbers_that_are_worked_out_find_no_number(session: Session) -> None:
    """Behind the last parameter lies NaN, not what the machine's memory happens to hold."""
    assert len(wb.backtest(worked_out, session, params=(1,)).fills) == 1


def test_memory_is_empty_at_first() -> None:
    """Sixty-four zeros, and room behind them that nobody else owns."""
    kept = strategy_reach.memory()
    assert kept.shape == (64,)
    assert not kept.any()
    assert kept.base is not None
    assert len(kept.base) > 4000


@pytest.mark.parametrize("params", ["abc", None, [[1, 2]], ["a"], {"a": 1}])
def test_parameters_are_a_row_of_numbers(params: Any) -> None:
    """Anything else is refused by what was given."""
    with pytest.raises(WorkbenchError, match="row of numbers"):
        strategy_reach.parameters(params)


@pytest.mark.parametrize("given", [(), (1,), np.arange(3)])
def test_parameters_stay_as_many_as_they_are(given: Any) -> None:
    """What is appended is out of sight."""
    make: Callable[[Any], Any] = strategy_reach.parameters
    assert make(given).tolist() == [float(value) for value in given]

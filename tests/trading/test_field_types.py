"""Terms, bounds and contracts that can be made can be written, read again, and are equal then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from workbench.errors import WorkbenchError
from workbench.trading.contracts import Contract
from workbench.trading.limits import Limits
from workbench.trading.paper_terms import PaperTerms, encode_terms, read_terms


def test_numbers_of_any_kind_are_taken_for_what_they_say() -> None:
    """0.0002 is two basis points, not the double nearest to it."""
    terms = PaperTerms(
        maker=0.0002,  # type: ignore[arg-type]
        entry_ns=np.int64(5),  # type: ignore[arg-type]
        cash=1000,  # type: ignore[arg-type]
        daily_loss=500,  # type: ignore[arg-type]
        limits=Limits(size=np.int32(3), drawdown=0.1),  # type: ignore[arg-type]
    )
    assert (terms.maker, terms.entry_ns, terms.cash) == (Decimal("0.0002"), 5, "1000")
    assert (terms.limits.size, terms.limits.drawdown) == (3, Decimal("0.1"))
    assert type(terms.entry_ns) is int and type(terms.limits.size) is int
    assert read_terms(encode_terms(terms)) == terms


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        ({"queue": "x"}, r"PaperTerms\(queue='x'\); expected one of risk_averse"),
        ({"fills": "x"}, r"fills='x'.*one of whole, partial, shared"),
        ({"cash": "x"}, r"cash='x'.*exact decimal"),
        ({"cash": "nan"}, r"cash='nan'.*exact decimal"),
        ({"limits": 3}, r"limits=3.*of type Limits"),
        ({"maker": "x"}, r"maker='x'.*of type Decimal"),
        ({"drawdown": float("nan")}, r"drawdown=.*above 0"),
        ({"account": 3}, r"account=3.*of type str"),
        ({"entry_ns": 1.5}, r"entry_ns=1\.5.*of type int"),
        ({"entry_ns": -1}, "latency of -1 ns"),
        ({"daily_loss": 0}, "daily_loss.*above 0"),
        ({"cancel_on_disconnect": 1}, "of type bool"),
    ],
)
def test_terms_that_are_none_are_refused_at_once(bad: dict[str, Any], found: str) -> None:
    """Not by the engine, later."""
    with pytest.raises(WorkbenchError, match=found):
        PaperTerms(**bad)


@pytest.mark.parametrize("bad", ["3", 1.5, True])
def test_bounds_and_contracts_too(bad: Any) -> None:
    with pytest.raises(WorkbenchError, match=r"size=.*of type int"):
        Limits(size=bad)
    with pytest.raises(WorkbenchError, match=r"Contract\(symbol="):
        Contract(symbol=3, tick_size=Decimal(1))  # type: ignore[arg-type]
    for nothing in (0, -1, float("nan"), Decimal("NaN")):
        with pytest.raises(WorkbenchError, match="above 0"):
            Limits(drawdown=nothing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "misspelt", "meant"),
    [
        (Limits, "max_postion", "position"),
        (PaperTerms, "entry", "entry_ns"),
        (PaperTerms, "account_", "account"),
    ],
)
def test_names_that_nothing_has_are_refused_with_the_nearest(kind: Any, misspelt: str, meant: str) -> None:
    with pytest.raises(
        WorkbenchError, match=rf"{misspelt}=…\); expected any of .*Did you mean '{meant}'"
    ) as refused:
        kind(**{misspelt: 3})
    assert refused.value.code == "unknown_name"
    with pytest.raises(WorkbenchError, match=r"nothing_like_it=…\); expected any of"):
        kind(nothing_like_it=3)


def test_a_record_of_wire_numbers_costs_no_change() -> None:
    """What is right already is the very same object."""
    fee, limits = Decimal("0.1"), Limits(size=3)
    terms = PaperTerms(maker=fee, limits=limits)
    assert terms.maker is fee and terms.limits is limits

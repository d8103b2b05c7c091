"""The strategies to begin with do what they say."""

from __future__ import annotations

import polars as pl
import pytest

import workbench as wb
from workbench.lab.example_strategies import quote_touch, take_imbalance
from workbench.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    """Twenty seconds of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("20s")
    return s


@pytest.mark.parametrize("most", [1, 4])
def test_quoting_makes_and_holds_no_more_than_it_may(session: Session, most: int) -> None:
    """Every fill is a maker's, and the position stays within its bound and an order on its way."""
    result = wb.backtest(quote_touch, session, params=[1, most])
    assert result.fills["maker"].all()
    assert result.equity["position"].abs().max() == most


def test_quotes_further_away_fill_less(session: Session) -> None:
    """The third parameter is the distance in ticks."""
    near, far = (wb.backtest(quote_touch, session, params=[1, 5, away]) for away in (0, 2))
    assert len(near.fills) > len(far.fills)


def test_taking_pays_the_spread_for_its_opinion(session: Session) -> None:
    """Every fill is a taker's; a higher threshold takes less often."""
    bold, shy = (wb.backtest(take_imbalance, session, params=[1, 5, least]) for least in (0.3, 0.8))
    assert not bold.fills["maker"].any()
    assert 0 < shy.orders.filter(pl.col("filled") > 0).height < len(bold.fills)

"""Numbers too wide for the fast ways of running sums: the slow ones give the same, and the switch leaves no seam."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from workbench.events import Instrument
from workbench.flow.bars import Bars
from workbench.flow.cvd import Cvd
from workbench.flow.prints import Prints
from workbench.flow.vwap import Vwap

GRID = Instrument("X", "0.1", "0.001")
SECOND = 1_000_000_000


def _prints(sizes: list[int], prices: list[int] | None = None) -> Prints:
    """Trades a tenth of a second apart, two bought and one sold in turn; prices in thousandths of a tick."""
    n = len(sizes)
    side = np.array([(1, 1, -1)[i % 3] for i in range(n)], np.int8)
    price = np.array(prices if prices is not None else [1000 * (500 + i % 7) for i in range(n)], np.int64)
    return Prints(np.arange(n, dtype=np.int64) * (SECOND // 10), price, np.array(sizes, np.int64), side)


def _pieces(prints: Prints, cuts: list[int]) -> list[Prints]:
    edges = [0, *cuts, len(prints.ts)]
    return [Prints(*(column[a:b].copy() for column in prints)) for a, b in itertools.pairwise(edges)]


@pytest.mark.parametrize("size", [2**20, 2**30, 2**31 - 1, 2**31, 2**47, 2**49])
@pytest.mark.parametrize("cuts", [[], [1], [7, 8, 30]])
def test_a_delta_of_any_width_is_exact_in_any_pieces(size: int, cuts: list[int]) -> None:
    """2⁴⁹ lots, forty times, two thirds bought: the delta passes 2⁵¹ on its way and is the whole number, rounded once."""
    prints = _prints([size + i for i in range(40)])
    stream = Cvd(GRID)
    found = np.concatenate([stream.update(piece) for piece in _pieces(prints, cuts)])
    sums = np.cumsum((prints.size * prints.side).astype(object))
    assert found.tolist() == [float(Fraction(int(lots), 1000)) for lots in sums]


@pytest.mark.parametrize("size", [1, 2**20, 2**31 - 1, 2**31, 2**40])
@pytest.mark.parametrize("step", [1, 10**6, 2**32])
@pytest.mark.parametrize("cuts", [[], [3], [9, 10, 11, 25]])
def test_bars_of_any_width_are_exact_in_any_pieces(size: int, step: int, cuts: list[int]) -> None:
    """Σ (price − open)·size passes 2³¹, 2⁵² and 2⁶³ in the widest: volumes are exact, the average is to a part in 10¹²."""
    prints = _prints([size + i for i in range(40)], [10**9 + step * (i % 5) for i in range(40)])
    built, whole = Bars(GRID, "1s"), Bars(GRID, "1s")
    whole.update(prints)
    for piece in _pieces(prints, cuts):
        built.update(piece)
    assert built.frame.equals(whole.frame)
    second = prints.ts // SECOND
    for number, row in enumerate(whole.frame.iter_rows(named=True)):
        mine = second == number
        price, lots, side = ([int(v) for v in column[mine]] for column in prints[1:])
        deltas = np.cumsum([0, *(q * s for q, s in zip(lots, side))], dtype=object)
        told = [row[name] for name in ("volume", "buy", "sell", "delta", "delta_low", "delta_high")]
        bought = sum(q for q, s in zip(lots, side) if s > 0)
        exact = [sum(lots), bought, sum(lots) - bought, deltas[-1], min(deltas), max(deltas)]
        assert told == [float(Fraction(int(value), 1000)) for value in exact]
        average = Fraction(sum(p * q for p, q in zip(price, lots)), sum(lots)) / 10_000
        assert row["vwap"] == pytest.approx(float(average), rel=1e-12)


@pytest.mark.parametrize("size", [1, 2**31, 2**44, 2**52])
@pytest.mark.parametrize("cuts", [[], [5], [13, 14]])
def test_an_average_of_any_width_is_exact_in_any_pieces(size: int, cuts: list[int]) -> None:
    """Σ (price − first)·size and Σ size beyond what one double or one word holds: still the quotient, rounded once."""
    prints = _prints([size + i for i in range(30)], [10**9 + 10**6 * (i % 11) for i in range(30)])
    stream = Vwap(GRID, deviation=False)
    found = np.concatenate([stream.update(piece)[0] for piece in _pieces(prints, cuts)])
    value = np.cumsum(prints.price.astype(object) * prints.size.astype(object))
    lots = np.cumsum(prints.size.astype(object))
    expected = [float(Fraction(int(v), int(q)) / 10_000) for v, q in zip(value, lots)]
    assert found == pytest.approx(expected, rel=1e-15)

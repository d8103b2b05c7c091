"""How many lots: fixed, by volatility, by what a stop may cost, by Kelly's rule capped at half of it."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Final

from workbench.errors import WorkbenchError

MAX_KELLY: Final = 0.5
"""Part of Kelly's stake that is ever taken: beyond it the growth falls slowly and the swings grow fast."""


def fixed(lots: object) -> int:
    """The same size each time.

    Parameters
    ----------
    lots : int

    Examples
    --------
    >>> fixed(3)
    3
    """
    whole: object = lots
    if isinstance(whole, bool) or not isinstance(whole, Integral) or whole < 1:
        raise _bad("lots", lots, "a whole number, 1 or more")
    return int(whole)


def volatility_target(equity: float, target: float, volatility: float, value_per_lot: float) -> int:
    """Lots with which a position's volatility is a given part of the equity.

    Parameters
    ----------
    equity : float, currency
    target : float
        Volatility wanted, as a part of the equity over the same time as ``volatility``.
    volatility : float
        Of the price's returns; 0 or nan: nothing is known of it, and the answer is 0.
    value_per_lot : float, currency
        Price times lot size times multiplier.

    Returns
    -------
    int, lots
        Rounded down.

    Examples
    --------
    >>> volatility_target(100_000, 0.01, 0.02, 5_000)  # 100 000 · 0.01 / 0.02 / 5 000
    10
    """
    _positive(target=target, value_per_lot=value_per_lot)
    if not volatility > 0 or not equity > 0:
        return 0
    return _whole(equity * target / volatility / value_per_lot)


def fixed_fractional(equity: float, fraction: float, stop_ticks: int, tick_value: float) -> int:
    """Lots with which a stop that is hit costs a given part of the equity.

    Parameters
    ----------
    equity : float, currency
    fraction : float
        Part at risk, above 0 and at most 1.
    stop_ticks : int
        Distance of the stop.
    tick_value : float, currency
        One tick of one lot.

    Returns
    -------
    int, lots
        Rounded down.

    References
    ----------
    Ralph Vince, *The Mathematics of Money Management*, 1992.

    Examples
    --------
    >>> fixed_fractional(50_000, 0.01, 8, 12.5)  # 500 / (8 · 12.5)
    5
    """
    _positive(fraction=fraction, stop_ticks=stop_ticks, tick_value=tick_value)
    if fraction > 1:
        raise _bad("fraction", fraction, "at most 1, the whole equity")
    at_risk = float(equity) * float(fraction)
    return _whole(at_risk / (float(stop_ticks) * float(tick_value))) if equity > 0 else 0


def kelly_fraction(win_rate: float, payoff: float) -> float:
    """Kelly's stake of a bet that pays ``payoff`` for 1 with a probability; 0 where the bet is none to take.

    Parameters
    ----------
    win_rate : float
        0 to 1.
    payoff : float
        Average win over average loss.

    Notes
    -----
    ``f* = (b p − q) / b`` with ``q = 1 − p``.

    References
    ----------
    J. L. Kelly, *A New Interpretation of Information Rate*, 1956.

    Examples
    --------
    >>> round(kelly_fraction(0.55, 1.2), 12)  # (1.2 · 0.55 − 0.45) / 1.2
    0.175
    """
    _positive(payoff=payoff)
    if not 0 <= win_rate <= 1:
        raise _bad("win_rate", win_rate, "0 to 1")
    return max((payoff * win_rate - (1 - win_rate)) / payoff, 0.0)


def kelly(
    equity: float,
    win_rate: float,
    average_win: float,
    average_loss: float,
    *,
    part: float = MAX_KELLY,
    max_loss: float = math.inf,
) -> int:
    """Lots by Kelly's rule, at most half of it, and never more than a loss of a given size.

    Parameters
    ----------
    equity : float, currency
    win_rate : float
    average_win, average_loss : float, currency per lot
        Both positive.
    part : float, optional
        Part of Kelly's stake, at most one half.
    max_loss : float, currency, optional
        What one average loss may cost at most, as what is left of the daily loss.

    Returns
    -------
    int, lots
        Rounded down; a stake of f puts f of the equity at risk of an average loss.

    Examples
    --------
    >>> kelly(100_000, 0.55, 120, 100)  # 100 000 · 0.175 / 2 / 100
    87
    >>> kelly(100_000, 0.55, 120, 100, max_loss=2_000)
    20
    """
    _positive(average_win=average_win, average_loss=average_loss, part=part)
    if part > MAX_KELLY:
        raise _bad("part", part, f"at most {MAX_KELLY} of Kelly's stake")
    if math.isnan(max_loss):
        raise _bad("max_loss", max_loss, "an amount; inf for no bound")
    if not equity > 0:
        return 0
    at_risk = equity * part * kelly_fraction(win_rate, average_win / average_loss)
    return _whole(min(at_risk, max(max_loss, 0.0)) / average_loss)


def _whole(lots: float) -> int:
    # A millionth of a lot: 100 000 · 0.0875 / 100 is 87.49999… or 87.5 as the floats fall, 88 must not become 87
    return math.floor(lots + 1e-6) if math.isfinite(lots) else 0


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (value > 0 and math.isfinite(value)):
            raise _bad(name, value, "a finite number above 0")


def _bad(name: str, value: object, expected: str) -> WorkbenchError:
    return WorkbenchError(f"{name}={value!r}", expected=expected, code="bad_sizing", field=name)

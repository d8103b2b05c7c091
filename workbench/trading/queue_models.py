"""Where in its queue an order stands: what a print, and what a change of the level's size, takes from ahead of it.

A level feed does not tell whose lots were pulled. ``risk_averse`` believes that all of them stood behind; the
probabilistic models split them by the lots ahead and behind. Formulas and rounding are hftbacktest's, in lots. A feed of
all orders does tell, and ``by_order`` guesses nothing.

References
----------
hftbacktest, ``backtest/models/queue.rs``; R. Cont, A. de Larrard, "Price dynamics in a Markovian limit order market",
SIAM J. Financial Math. 4 (2013); rigtorp.se/2013/06/08/estimating-order-queue-position.html.
"""

from __future__ import annotations

import math
from typing import Final

from workbench.book.jit import part

RISK_AVERSE, POWER, POWER2, POWER3, LOG, LOG2, TOUCH, THROUGH, PRO_RATA, BY_ORDER = range(10)
NEVER_REACHED: Final = float(1 << 60)
NAMES: Final = (
    "risk_averse",
    "power",
    "power2",
    "power3",
    "log",
    "log2",
    "touch",
    "trade_through",
    "pro_rata",
)
"""Models for price levels."""
EXACT: Final = "by_order"
"""The model for recordings of all orders."""
EVERY: Final = (*NAMES, EXACT)


@part
def share_behind(model: int, exponent: float, unit: float, ahead: float, behind: float) -> float:
    """Share of a shrinking level that left from behind the order; NaN where nothing is known."""
    if model == LOG:
        back = math.log(1.0 + behind * unit)
        return back / (back + math.log(1.0 + ahead * unit))
    if model == LOG2:
        return math.log(1.0 + behind * unit) / math.log(1.0 + (behind + ahead) * unit)
    if model == POWER2:
        return float((behind * unit) ** exponent / ((behind + ahead) * unit) ** exponent)
    if model == POWER3:
        return float(1.0 - (ahead / (ahead + behind)) ** exponent)
    back = (behind * unit) ** exponent
    return float(back / (back + (ahead * unit) ** exponent))


@part
def ahead_after_change(
    model: int, exponent: float, unit: float, ahead: float, traded: float, before: float, after: float
) -> float:
    """Lots ahead of an order after its level went from ``before`` to ``after`` lots.

    ``traded`` lots of the change were prints that have been counted already.
    """
    if model == RISK_AVERSE:
        return min(ahead, after)
    if model in (TOUCH, THROUGH, PRO_RATA, BY_ORDER):
        return ahead
    gone = before - after - traded
    if gone < 0:
        return min(ahead, after)
    behind = before - ahead
    share = share_behind(model, exponent, unit, ahead, behind)
    if math.isinf(share):
        share = 1.0
    left = ahead - (1.0 - share) * gone + min(behind - share * gone, 0.0)
    return after if math.isnan(left) else min(left, after)


@part
def ahead_at_first(model: int, shown: float) -> float:
    """Lots ahead of an order that joins a level which shows so many."""
    if model in (TOUCH, PRO_RATA):
        return 0.0
    return NEVER_REACHED if model == THROUGH else shown


@part
def ahead_after_move(
    ahead: float, printed: float, arrived: int, lots: int, since: int
) -> tuple[float, float]:
    """Lots ahead, and lots printed that did not leave yet, when ``lots`` with a place ``since`` came (negative: left)."""
    if since > arrived or ahead >= NEVER_REACHED:
        return ahead, printed
    return max(ahead + lots, 0.0), max(printed + min(lots, 0), 0.0)


@part
def whole_lots(overshoot: float) -> int:
    """Lots by which a queue was traded through, rounded half away from zero."""
    return math.floor(overshoot + 0.5) if overshoot > 0 else 0

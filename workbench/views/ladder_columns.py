"""Columns of the ladder: their names, their titles, and which are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from workbench.errors import WorkbenchError


class LadderColumn(NamedTuple):
    """One column: the title above it, what it holds, its share of the width."""

    title: str
    meaning: str
    width: int


COLUMNS: Final[dict[str, LadderColumn]] = {
    "profit": LadderColumn("P/L", "profit or loss of the open position, were it closed at this price", 58),
    "buys": LadderColumn("My buys", "own buy orders; ≈ lots ahead in the queue of the level", 76),
    "sold": LadderColumn("Sold", "sold by aggressors since the session began", 52),
    "recent_sold": LadderColumn("Sold now", "sold here since the last pause; fades", 52),
    "bid_flow": LadderColumn(
        "± Bid", "stacked (+) or pulled (−) bids: change of size plus what was traded", 52
    ),
    "bid": LadderColumn("Bid", "resting to buy", 66),
    "price": LadderColumn("Price", "price", 76),
    "ask": LadderColumn("Ask", "resting to sell", 66),
    "ask_flow": LadderColumn(
        "± Ask", "stacked (+) or pulled (−) asks: change of size plus what was traded", 52
    ),
    "recent_bought": LadderColumn("Bgt now", "bought here since the last pause; fades", 52),
    "bought": LadderColumn("Bought", "bought by aggressors since the session began", 52),
    "sells": LadderColumn("My sells", "own sell orders; ≈ lots ahead in the queue of the level", 76),
    "print": LadderColumn("Print", "last print here: ▲ bought, ▼ sold", 62),
}


def check_columns(names: Iterable[str]) -> list[str]:
    """Names of columns, each once, in the order asked for.

    Raises
    ------
    WorkbenchError
        One is none of :data:`COLUMNS`; the price is missing, or one is named twice.
    """
    wanted = list(names)
    unknown = [name for name in wanted if name not in COLUMNS]
    if unknown or "price" not in wanted or len(set(wanted)) < len(wanted):
        raise WorkbenchError(
            f"ladder columns {wanted}",
            expected=f"'price' and others of {list(COLUMNS)}, each once",
            code="bad_columns",
        )
    return wanted

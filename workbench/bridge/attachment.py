"""One instrument as long as Bookmap keeps it attached: what was asked for it, its desk, its drawings, its pulse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from workbench.bridge.desk import SETTING
from workbench.bridge.requests import DataRequests
from workbench.bridge.watch import IntervalWatch

if TYPE_CHECKING:
    from workbench.bridge.desk import OrderDesk
    from workbench.bridge.indicators import Indicators
    from workbench.bridge.lines import Lines
    from workbench.bridge.market import Market

LABEL: Final = "Orders also need s.arm() in the notebook; that ends with its connection"


class Attachment:
    """State of one attached instrument.

    Parameters
    ----------
    market : Market
        Its books and its numbers.
    desk : OrderDesk
    indicators : Indicators
    requests : DataRequests
    trading : bool
        The script was started for orders; only then it has a setting for them.
    """

    def __init__(
        self,
        market: Market,
        desk: OrderDesk,
        indicators: Indicators,
        requests: DataRequests,
        *,
        trading: bool,
    ):
        self.market, self.instrument = market, market.instrument
        self.desk, self.indicators, self.requests = desk, indicators, requests
        self.trading = trading
        self.watch = IntervalWatch()

    def opening_lines(self, lines: Lines) -> list[bytes]:
        """What is sent at once: settings, one request per type of data, and that we are done.

        Bookmap holds a lock over all its add-ons until the last of them has come.
        """
        alias = self.instrument.symbol
        settings = [lines.boolean_setting(alias, SETTING), lines.label(alias, LABEL)] if self.trading else []
        return [*settings, *self.requests.lines(lines), lines.init_finished(alias)]

    def deadline(self) -> int | None:
        """When something of this instrument is due, monotonic ns."""
        parts: tuple[Callable[[], int | None], ...] = (
            self.desk.deadline,
            self.requests.deadline,
            self.watch.deadline,
            self.indicators.deadline,
        )
        return min((due for part in parts if (due := part()) is not None), default=None)


class BestPrices:
    """Best bid and ask of a market in ticks, None where there is none; asked twice between two events, looked up once."""

    def __init__(self, market: Market):
        self._market = market
        self._known: tuple[int | None, int | None] = (None, None)
        self._sequence = -1

    def __call__(self) -> tuple[int | None, int | None]:
        """Look at the book as it is now."""
        if self._sequence != self._market.next_sequence:
            state = self._market.book_state(1, False)
            sides = (state.bids[0], state.asks[0])
            bid, ask = (int(prices[0]) if state.valid and len(prices) else None for prices in sides)
            self._known, self._sequence = (bid, ask), self._market.next_sequence
        return self._known

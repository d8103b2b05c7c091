"""The position that came of the add-on's orders, and the account behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from workbench.events import Instrument
from workbench.testing.report import BALANCE, POSITION, Report

OPENING_BALANCE: Final = 100_000.0


@dataclass(slots=True)
class Position:
    """Net position of one instrument, in lots and ticks.

    Attributes
    ----------
    net : int, lots
    average : float, ticks
        Price that it was entered at.
    realized : float, ticks × lots
    volume : int, lots
        Everything ever filled.
    """

    net: int = 0
    average: float = 0.0
    realized: float = 0.0
    volume: int = 0
    known: bool = False

    def fill(self, is_buy: bool, size: int, ticks: int) -> None:
        """Take in one execution."""
        self.known = True
        self.volume += size
        signed = size if is_buy else -size
        closing = min(size, abs(self.net)) if signed * self.net < 0 else 0
        self.realized += closing * (ticks - self.average) * (1 if self.net > 0 else -1)
        opening = size - closing
        if opening:
            held = abs(self.net) - closing
            self.average = (self.average * held + ticks * opening) / (held + opening)
        self.net += signed
        if not self.net:
            self.average = 0.0

    def unrealized(self, ticks: float) -> float:
        """What closing at this price would bring, ticks × lots."""
        return self.net * (ticks - self.average)

    def report(
        self,
        instrument: Instrument,
        last_ticks: int | None,
        *,
        working_buys: int,
        working_sells: int,
        duplicate: bool,
    ) -> Report:
        """Say how it stands at the last price."""
        unit = _unit(instrument)
        last = self.average if last_ticks is None else last_ticks
        return Report(
            POSITION,
            {
                "instrumentAlias": instrument.symbol,
                "unrealizedPnl": self.unrealized(last) * unit,
                "realizedPnl": self.realized * unit,
                "currency": None,
                "position": self.net,
                "averagePrice": self.average * float(instrument.tick_size),
                "volume": self.volume,
                "workingBuys": working_buys,
                "workingSells": working_sells,
                "isDuplicate": duplicate,
            },
        )

    def balance_report(self, instrument: Instrument) -> Report:
        """Say what is in the account: one currency, the base currency, which has no rate."""
        realized = self.realized * _unit(instrument)
        entry = {
            "balance": OPENING_BALANCE + realized,
            "realizedPnl": realized,
            "unrealizedPnl": 0.0,
            "previousDayBalance": OPENING_BALANCE,
            "netLiquidityValue": OPENING_BALANCE + realized,
            "currency": "USD",
            "rateToBase": None,
        }
        return Report(BALANCE, {"accountName": None, "balancesInCurrency": [entry]})


def _unit(instrument: Instrument) -> float:
    """Money that one tick of one lot is worth."""
    return float(instrument.tick_size * instrument.lot_size * instrument.multiplier)

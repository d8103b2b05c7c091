"""The account: positions, average prices, what was gained and paid; integers throughout, so that no sum drifts.

A fill moves two things: the *flow* (what was paid and received, exact) and the *cost* of what is open. Equity comes
from the flow alone. The split of it into realised and unrealised takes the average price, which is no integer: what is
closed takes its share of the cost, rounded to a part of a unit, and the rest stays with what is open. So both parts
add up to the flow at every moment, and nothing is left over when the position is flat.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from workbench.trading.contracts import Contract


class Position(msgspec.Struct):
    """What is held of one contract.

    Attributes
    ----------
    lots : int
        Positive long, negative short.
    cost : int, parts of a unit
        What the open lots were worth when they were opened; signed as they are.
    realized : int, parts of a unit
        Gained by closing, before fees.
    fees : int, parts of a unit
        Paid so far; negative where rebates were larger.
    traded : dict of int to int
        Of inverse contracts: signed lots by price in ticks, from which the exact flow comes.
    flow : int, ticks × lots
        Of linear contracts: received less paid.
    """

    lots: int = 0
    cost: int = 0
    realized: int = 0
    fees: int = 0
    flow: int = 0
    traded: dict[int, int] = {}

    def fill(self, contract: Contract, signed: int, ticks: int, fee: int = 0) -> None:
        """Take in an execution.

        Parameters
        ----------
        contract : Contract
        signed : int, lots
            Positive bought, negative sold.
        ticks : int
        fee : int, parts of a unit
        """
        closed = _closed(self.lots, signed)
        if closed:
            share = self.cost if closed == -self.lots else round(Fraction(self.cost * -closed, self.lots))
            self.cost -= share
            self.realized += -closed * contract.worth(ticks) - share
        self.cost += (signed - closed) * contract.worth(ticks)
        self.lots += signed
        self.fees += fee
        if contract.inverse:
            self.traded[ticks] = self.traded.get(ticks, 0) + signed
        else:
            self.flow -= signed * ticks

    def average(self, contract: Contract) -> Fraction | None:
        """Average price of what is open, ticks; None when flat."""
        if not self.lots:
            return None
        if contract.inverse:
            return Fraction(-contract.scale * self.lots, self.cost)
        return Fraction(self.cost, self.lots * contract.scale)

    def unrealized(self, contract: Contract, half_ticks: int | None) -> int:
        """Gained by what is open at a price in half ticks, parts of a unit; nothing while no price is known."""
        if not self.lots or half_ticks is None:
            return 0
        return self.lots * contract.worth_of_half(half_ticks) - self.cost

    def gain(self, contract: Contract, half_ticks: int | None) -> Fraction:
        """Everything gained after fees, exact, in parts of a unit; open lots at cost while no price is known."""
        if self.lots and half_ticks is None:
            return Fraction(self.realized - self.fees)
        held = self.lots * contract.exact_worth(half_ticks) if half_ticks is not None and self.lots else 0
        return self._flow(contract) + held - self.fees

    def _flow(self, contract: Contract) -> Fraction:
        if not contract.inverse:
            return Fraction(self.flow * contract.scale)
        return -sum(
            (lots * contract.exact_worth(2 * ticks) for ticks, lots in self.traded.items()), Fraction(0)
        )


class Account(msgspec.Struct):
    """Positions of several contracts that are settled in one currency.

    Parameters
    ----------
    contracts : dict of str to Contract
    cash : str, optional
        Money at the beginning, an exact decimal or fraction.

    Examples
    --------
    >>> from decimal import Decimal
    >>> es = Contract(symbol="ES", tick_size=Decimal("0.25"), multiplier=Decimal(50))
    >>> account = Account({"ES": es}, cash="10000")
    >>> account.fill("ES", signed=2, ticks=16000)
    >>> account.fill("ES", signed=-1, ticks=16004)
    >>> account.realized(), account.equity({"ES": 2 * 16002})  # 4 · 12.5; 50 + 2 · 12.5
    (Fraction(50, 1), Fraction(10075, 1))
    """

    contracts: dict[str, Contract]
    cash: str = "0"
    positions: dict[str, Position] = {}

    def position(self, symbol: str) -> Position:
        """What is held of a symbol; an empty position, not kept, where nothing ever was."""
        return self.positions.get(symbol) or Position()

    def fill(self, symbol: str, signed: int, ticks: int, fee: int = 0) -> None:
        """Take in an execution; see :meth:`Position.fill`."""
        self.positions.setdefault(symbol, Position()).fill(self.contracts[symbol], signed, ticks, fee)

    def realized(self) -> Fraction:
        """Gained by closing, before fees; currency."""
        return self._sum({s: p.realized for s, p in self.positions.items()})

    def fees(self) -> Fraction:
        """Paid in fees; currency."""
        return self._sum({s: p.fees for s, p in self.positions.items()})

    def unrealized(self, marks: Mapping[str, int]) -> Fraction:
        """Gained by what is open; currency.

        Parameters
        ----------
        marks : Mapping of str to int, half ticks
        """
        held = self.positions.items()
        return self._sum({s: p.unrealized(self.contracts[s], marks.get(s)) for s, p in held})

    def equity(self, marks: Mapping[str, int]) -> Fraction:
        """Money if all were closed at the marks, without the fees of doing so; exact, currency."""
        held = self.positions.items()
        gained = (self.contracts[s].currency(p.gain(self.contracts[s], marks.get(s))) for s, p in held)
        return Fraction(self.cash) + sum(gained, Fraction(0))

    def _sum(self, parts: Mapping[str, int]) -> Fraction:
        return sum((self.contracts[s].currency(n) for s, n in parts.items()), Fraction(0))


def _closed(held: int, signed: int) -> int:
    """The part of ``signed`` lots that closes what is held."""
    if held * signed >= 0:
        return 0
    return max(signed, -held) if signed < 0 else min(signed, -held)

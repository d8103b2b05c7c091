"""How a paper account trades: latency, queue model, fees, money and bounds."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec
import numpy as np

from workbench.errors import WorkbenchError
from workbench.flow.days import MIDNIGHT_UTC, TradingDay
from workbench.instruments import Instrument
from workbench.trading import queue_models
from workbench.trading.contracts import ZERO, Contract
from workbench.trading.field_types import KnownFields, settle_types
from workbench.trading.latency import Latency
from workbench.trading.limits import Limits
from workbench.trading.matcher import FILL_RULES


class PaperTerms(msgspec.Struct, metaclass=KnownFields, frozen=True, kw_only=True):
    """Terms of a paper account.

    Parameters
    ----------
    queue : str, optional
        Queue model, one of :data:`workbench.trading.queue_models.EVERY`. With ``by_order``, lots of no known order stand
        before every own order: where a stream tells levels alone, all do.
    entry_ns, response_ns : int or tuple of int, ns, optional
        Time that a command takes to the venue, and an answer back. Several are recorded delays of which each command and
        each answer draws one: :meth:`workbench.Latency.terms` gives them.
    latency_seed : int, optional
        Of the draws.
    fills : str, optional
        ``"shared"``, ``"partial"`` or ``"whole"``, see docs/matching.md.
    maker, taker : Decimal, optional
        Fee as a part of the value traded; negative is a rebate.
    per_lot : Decimal, optional
        Fee per lot beside it, currency.
    inverse : bool, optional
        Contracts that are paid in the base coin.
    cash : str, optional
        Money at the beginning, an exact decimal.
    limits : Limits, optional
        Of each instrument.
    daily_loss, drawdown : Decimal, optional
        Bounds on what all instruments lose together, currency; default: none.
    day : str, optional
        When a day begins, for its losses and its ``DAY`` orders: an hour and a zone, like ``"17:00 America/Chicago"``.
    cancel_on_disconnect : bool, optional
        Orders of a session are taken back when its connection ends; exits that brackets placed stay.
    account : str, optional
        A name under which positions, money and the switch are kept for the next engine. Default: those of a live feed
        are kept by its address, those of a simulation or replay begin anew, as its time does.

    Raises
    ------
    WorkbenchError
        A value of another type, a latency below 0 or none at all, a bound that is not above 0, a day that is none, an
        unknown queue model or rule of filling (code ``bad_value``).

    Examples
    --------
    >>> PaperTerms(entry_ns=20_000_000, cash="100000").entry_ns
    20000000
    >>> PaperTerms(**Latency([900_000, 1_100_000, 5_000_000], "1ms", seed=3).terms()).latency
    Latency(entry=3 of 900000 to 5000000 ns (52694765), response=1000000 ns, feed=0 ns, seed=3)
    """

    queue: str = "risk_averse"
    entry_ns: int | tuple[int, ...] = 0
    response_ns: int | tuple[int, ...] = 0
    latency_seed: int = 0
    fills: str = "shared"
    maker: Decimal = ZERO
    taker: Decimal = ZERO
    per_lot: Decimal = ZERO
    inverse: bool = False
    cash: str = "100000"
    limits: Limits = Limits()
    daily_loss: Decimal | None = None
    drawdown: Decimal | None = None
    day: str = MIDNIGHT_UTC
    cancel_on_disconnect: bool = True
    account: str = ""

    def __post_init__(self) -> None:
        cash: object = self.cash
        if isinstance(cash, int | float | Decimal):  # not what is declared, but what people write
            msgspec.structs.force_setattr(self, "cash", str(cash))
        settle_types(self)
        for name, known in (("queue", queue_models.EVERY), ("fills", FILL_RULES)):
            if getattr(self, name) not in known:
                raise _bad(name, getattr(self, name), f"one of {', '.join(known)}")
        if not _is_money(self.cash):
            raise _bad("cash", self.cash, 'an exact decimal as text, like "100000"')
        _ = self.latency, self.trading_day  # refuse what is none
        for name, bound in (("daily_loss", self.daily_loss), ("drawdown", self.drawdown)):
            if bound is not None and (bound != bound or not bound > 0):
                raise _bad(name, bound, "a number above 0, or None for no bound")

    @property
    def latency(self) -> Latency:
        """Delays of commands and answers."""
        return Latency(np.array(self.entry_ns), np.array(self.response_ns), seed=self.latency_seed)

    @property
    def trading_day(self) -> TradingDay:
        """When a day begins."""
        return TradingDay.read(self.day)

    def contract(self, instrument: Instrument) -> Contract:
        """The contract that is traded on an instrument."""
        return Contract.of(
            instrument, inverse=self.inverse, maker=self.maker, taker=self.taker, per_lot=self.per_lot
        )


def _bad(name: str, value: object, expected: str) -> WorkbenchError:
    return WorkbenchError(f"PaperTerms({name}={value!r})", expected=expected, code="bad_value", field=name)


def _is_money(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def encode_terms(terms: PaperTerms) -> str:
    """One line of JSON."""
    return msgspec.json.encode(terms, order="deterministic").decode()


def read_terms(text: str) -> PaperTerms:
    """Inverse of :func:`encode_terms`."""
    return msgspec.json.decode(text, type=PaperTerms)

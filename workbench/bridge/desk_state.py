"""What the order desk knows, and the few things that all of its work does with it: check, note, tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec

from workbench.bridge.admission import RefusedError
from workbench.bridge.arming import TIME_OVER, Arming, RateLimit
from workbench.bridge.holdings import Executions, Holdings
from workbench.bridge.mirror import MirroredOrder, Sizing
from workbench.bridge.own_orders import OwnOrders
from workbench.bridge.result import Moment, Result
from workbench.instruments import Instrument
from workbench.protocol import messages

if TYPE_CHECKING:
    from workbench.bridge.lines import Lines

BestPrices = Callable[[], tuple[int | None, int | None]]

SUPPORTED: Final = (
    "trading",
    "oco",
    "oso",
    "brackets",
    "bracketTiers",
    "convertOrderToMkt",
    "trailingStopsAsIndependentOrders",
    "trailingStopsAsBracketChildren",
    "supportedLimitDurations",
    "supportedStopDurations",
    "supportedStopOrders",
    "negativeStopLimitOffset",
    "isBalanceSupported",
)
"""Keys of the platform's features that are about orders."""


class DeskState:
    """State of one order desk; see :class:`workbench.bridge.desk.OrderDesk` for the parameters."""

    def __init__(
        self,
        instrument: Instrument,
        lines: Lines,
        *,
        trading: bool,
        used_ids: Mapping[str, str],
        best_prices: BestPrices | None,
    ):
        self.instrument, self.lines, self.trading = instrument, lines, trading
        self.used = dict(used_ids)
        self.best_prices: BestPrices = best_prices or (lambda: (None, None))
        self.arming, self.rate = Arming(), RateLimit()
        self.orders = OwnOrders()
        self.denied: dict[str, tuple[str, messages.Order]] = {}
        self.executions, self.holdings = Executions(instrument), Holdings(instrument)
        self.doubtful: set[int] = set()
        self.stale, self.attached = "", True
        self.sizing: Sizing = ""
        self.batches = 0
        self._told: messages.Trading | None = None

    @property
    def alias(self) -> str:
        """Name of the instrument."""
        return self.instrument.symbol

    @property
    def possible(self) -> bool:
        """Whether orders could go at all."""
        return self.trading and self.attached and self.instrument.features.get("trading") is not False

    def check_possible(self) -> None:
        """Refuse when no order can ever go.

        Raises
        ------
        RefusedError
        """
        if not self.trading:
            raise RefusedError("read_only: this add-on was built without trading", code="read_only")
        if not self.attached:
            raise RefusedError("the instrument is not attached in Bookmap any more", code="disconnected")
        if not self.possible:
            text = f"this provider takes no orders for {self.alias}"
            raise RefusedError(text, code="not_supported")

    def check_locks(self) -> None:
        """Refuse while one of the locks is closed.

        Raises
        ------
        RefusedError
        """
        _refuse_unless_open(self.arming.refusal())

    def check_armed_by(self, owner: str) -> None:
        """Refuse a new order or a change unless this client opened the lock, and nobody is closing it.

        Raises
        ------
        RefusedError
        """
        _refuse_unless_open(self.arming.refusal_of(owner))

    def check_path(self) -> None:
        """Refuse what should not go now: the book is old, or the fate of an order is not known.

        Raises
        ------
        RefusedError
        """
        if self.doubtful:
            raise RefusedError(
                "RECONCILING: Bookmap did not answer an earlier order; look there, then arm again"
            )
        if self.stale:
            raise RefusedError(f"STALE_BOOK: {self.stale}")

    def note(self, result: Result, now: Moment, what: str, **fields: Any) -> None:
        """Put a decision into the journal, with the bounds it was taken under."""
        result.journal.append(self.entry(now, what, **fields))

    def entry(self, now: Moment, what: str, **fields: Any) -> dict[str, Any]:
        """Return an entry for the journal, with the bounds as they are."""
        limits = {
            "permitted": self.arming.permitted,
            "armed": self.arming.armed,
            "orders_left": self.arming.orders_left,
            "max_size_lots": self.arming.max_size,
        }
        kept = {key: value for key, value in fields.items() if value not in ("", None)}
        return {"ts": now.wall, "what": what, "symbol": self.alias, **kept, "limits": limits}

    def tell(self, result: Result, order: MirroredOrder) -> None:
        """Tell everyone how an order stands, if that is news."""
        self.orders.keep(order)
        message = order.message(self.instrument)
        known, order.told = order.told, message
        if known is None or msgspec.structs.replace(known, ts=message.ts) != message:
            result.account.append(message)

    def answer(self, result: Result, order: MirroredOrder, request_id: messages.RequestId) -> None:
        """Answer with how an order stands."""
        self.tell(result, order)
        result.answers.append(order.message(self.instrument, request_id))

    def trading_message(self, now: Moment, request_id: messages.RequestId = None) -> messages.Trading:
        """Both locks and what is left of the bounds."""
        arming, features = self.arming, self.instrument.features
        bounds = arming.bounds if arming.lasts(now) else None
        return messages.Trading(
            symbol=self.alias,
            ts=now.wall,
            possible=self.possible,
            permitted=arming.permitted,
            armed=bounds is not None,
            until=bounds.until if bounds is not None else None,
            orders_left=arming.orders_left if bounds is not None else 0,
            max_size=float(self.instrument.size(bounds.max_size)) if bounds is not None else 0.0,
            max_per_second=bounds.per_second if bounds is not None else 0,
            supported={key: features[key] for key in SUPPORTED if key in features},
            reason=self._why_not() if bounds is not None or not arming.armed else TIME_OVER,
            request_id=request_id,
        )

    def tell_trading(self, result: Result, now: Moment) -> None:
        """Tell everyone about the locks, if that is news."""
        message = self.trading_message(now)
        known, self._told = self._told, message
        if known is None or msgspec.structs.replace(known, ts=message.ts) != message:
            result.account.append(message)

    def _why_not(self) -> str:
        try:
            self.check_possible()
        except RefusedError as refused:
            return refused.found
        if not self.arming.permitted or not self.arming.armed:
            return self.arming.refusal()
        if self.arming.closing:
            return self.arming.reason
        try:
            self.check_path()
        except RefusedError as refused:
            return refused.found
        return ""


def _refuse_unless_open(refusal: str) -> None:
    if refusal:
        raise RefusedError(refusal, code="not_armed")

"""The order desk: decides which orders reach Bookmap, and mirrors what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from workbench.bridge.arming import Arming
from workbench.bridge.result import Moment, Result
from workbench.instruments import Instrument
from workbench.protocol import messages

if TYPE_CHECKING:
    from workbench.bridge import wire
    from workbench.bridge.lines import Lines

SETTING: Final = "Allow orders from notebooks"
"""Name of the add-on's setting in Bookmap's panel that is the first lock."""


class OrderDesk:
    """Orders of one instrument: refuses, sends, mirrors. Disarmed when it is made."""

    def __init__(
        self,
        instrument: Instrument,
        lines: Lines,
        *,
        trading: bool,
        used_ids: Mapping[str, str] | None = None,
        best_prices: Callable[[], tuple[int | None, int | None]] | None = None,
    ):
        self.instrument = instrument
        self._lines, self._trading = lines, trading
        self._used = dict(used_ids or {})
        self._best_prices = best_prices
        self.arming = Arming()

    def is_open(self, now: Moment) -> bool:
        """Whether lines that trade may go now: the last gate of whoever writes lines."""
        self.arming.expire(now.mono)
        return self._trading and self.arming.open

    def state(self, now: Moment, request_id: messages.RequestId = None) -> messages.Trading:
        """Both locks, as everyone is told."""
        raise NotImplementedError

    def permit(self, on: bool, now: Moment) -> Result:
        """The add-on's setting was read or changed."""
        raise NotImplementedError

    def detach(self, now: Moment) -> Result:
        """The link to Bookmap is gone, or the instrument is."""
        raise NotImplementedError

    def owner_left(self, owner: str, now: Moment) -> Result:
        """A client of the feed has gone."""
        raise NotImplementedError

    def command(
        self, command: messages.OrderCommand | messages.Arm | messages.Disarm, owner: str, now: Moment
    ) -> Result:
        """Carry out what a client asks; exactly one answer or error."""
        raise NotImplementedError

    def report(
        self,
        message: wire.OrderUpdate | wire.Execution | wire.PositionUpdate | wire.BalanceUpdate,
        now: Moment,
    ) -> Result:
        """Take in what Bookmap reports."""
        raise NotImplementedError

    def on_time(self, now: Moment) -> Result:
        """Do what is due."""
        raise NotImplementedError

    def deadline(self) -> int | None:
        """When :meth:`on_time` is due next, ns of the monotonic clock."""
        return self.arming.deadline()

    def book_is_stale(self, reason: str) -> None:
        """New orders are refused for this reason until it is an empty text."""
        raise NotImplementedError

    def withdraw(self, result: Result, reason: str, now: Moment) -> Result:
        """The new orders of ``result`` were not sent after all (the journal could not be written)."""
        raise NotImplementedError

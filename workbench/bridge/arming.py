"""The two locks before the order path, and the bounds that opening the second one sets.

One lock is a setting of the add-on in Bookmap's own panel, off by default (*permitted*); the other is opened by a
client of the feed, for a while and with bounds (*armed*). Both are kept here, in the process that writes to Bookmap,
and nowhere else.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from workbench.bridge.result import Moment

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
MAX_MINUTES: Final = 24 * 60
TIME_OVER: Final = "disarmed: the time it was armed for is over"
PER_SECOND: Final = 5
MAX_PER_SECOND: Final = 100
SECONDS_A_MINUTE: Final = 40
"""A minute takes what so many full seconds take: at 5 a second, 200."""


class RateLimit:
    """At most so many in any second, and forty times as many in any minute; loosened by name alone."""

    def __init__(self, per_second: int = PER_SECOND):
        self._times: deque[int] = deque(maxlen=MAX_PER_SECOND * SECONDS_A_MINUTE)
        self.allow(per_second)

    def allow(self, per_second: int) -> None:
        """Set another bound; what went out already counts against it."""
        self._bounds = ((per_second, SECOND_NS), (per_second * SECONDS_A_MINUTE, MINUTE_NS))

    def refusal(self, now: int, more: int = 1) -> str:
        """Why so many more are too much now, or an empty text."""
        for bound, span in self._bounds:
            within = bound - more + 1  # so many in the span and these are one too many
            if within < 1 or (len(self._times) >= within and now - self._times[-within] < span):
                text = f"RATE_LIMIT_EXCEEDED: {bound} in {span // SECOND_NS} s"
                return f"{text}; wait, or arm with a larger max_per_second"
        return ""

    def count(self, now: int) -> None:
        """One went out."""
        self._times.append(now)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one arming allows.

    Parameters
    ----------
    owner : str
        The client that armed; the arming ends with it.
    until, until_mono : int
        End, ns UTC and ns of the monotonic clock, whichever comes first: a wall clock that is set back prolongs
        nothing, and neither does a machine that sleeps, which stops the monotonic clock of some systems.
    max_size : int, lots
        Of one order.
    per_second : int
        Orders and changes in any second.
    """

    owner: str
    until: int
    until_mono: int
    max_size: int
    per_second: int = PER_SECOND

    def last(self, now: Moment) -> bool:
        """Whether the end has not come yet."""
        return now.wall < self.until and now.mono < self.until_mono


class Arming:
    """State of both locks."""

    def __init__(self) -> None:
        self.permitted = False
        self.bounds: Bounds | None = None
        self.orders_left = 0
        self.reason = "not armed"
        self.closing = False

    @property
    def armed(self) -> bool:
        """Whether the client's lock is open, as of the last :meth:`expire`."""
        return self.bounds is not None

    @property
    def open(self) -> bool:
        """Whether lines that trade may go, as of the last :meth:`expire`: both locks are open."""
        return self.permitted and self.bounds is not None

    @property
    def max_size(self) -> int:
        """Most lots of one order, 0 when not armed."""
        return self.bounds.max_size if self.bounds is not None else 0

    def arm(self, bounds: Bounds, max_orders: int) -> None:
        """Open the client's lock; replaces an earlier arming with all its bounds."""
        self.bounds, self.orders_left = bounds, max_orders
        self.reason, self.closing = "", False

    def disarm(self, reason: str) -> None:
        """Close the client's lock."""
        if self.bounds is not None:
            self.bounds, self.orders_left, self.reason, self.closing = None, 0, reason, False

    def wind_down(self, reason: str) -> None:
        """Take no order any more, but leave the lock open for cancels that still wait for the order's id."""
        if self.bounds is not None:
            self.orders_left, self.reason, self.closing = 0, reason, True

    def permit(self, on: bool) -> None:
        """Take the platform's lock as it is set; closing it closes the other one too."""
        self.permitted = on
        if not on:
            self.disarm("disarmed: the add-on's setting in Bookmap was switched off")

    def expire(self, now: Moment) -> None:
        """Close the client's lock when its time is over."""
        if self.bounds is not None and not self.bounds.last(now):
            self.disarm(TIME_OVER)

    def lasts(self, now: Moment) -> bool:
        """Whether the client's lock is open at that time."""
        return self.bounds is not None and self.bounds.last(now)

    def deadline(self) -> int | None:
        """When the arming ends at the latest, ns of the monotonic clock."""
        return self.bounds.until_mono if self.bounds is not None else None

    def refusal(self) -> str:
        """Why no trading line may go now, or an empty text."""
        if not self.permitted:
            return 'orders are switched off in Bookmap: tick "Allow orders from notebooks" there and press "Apply"'
        if self.bounds is None:
            return f"paper only; arm() first ({self.reason})"
        return ""

    def refusal_of(self, owner: str) -> str:
        """Why no new order and no change of this client may go now, or an empty text.

        A cancel is anybody's, and goes while the lock is being closed; more risk is the business of who armed.
        """
        refusal = self.refusal()
        if refusal or self.bounds is None:
            return refusal
        if self.closing:
            return f"paper only; arm() first ({self.reason})"
        if self.bounds.owner != owner:
            return (
                "another client armed this instrument, or this one did over an earlier connection: arm() anew"
            )
        return ""

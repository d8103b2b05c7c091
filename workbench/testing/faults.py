"""Switches for what can go wrong with orders between an add-on and its platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Faults:
    """What goes wrong; all off. Set them at any time.

    Attributes
    ----------
    swallow_orders : bool
        Orders vanish: no update ever comes, nothing is placed.
    reject_orders : bool
        Each order is rejected, without a reason, as the wire has none.
    drop_after : {"send", "ack", "fill"}, optional
        Reset the connection once an order has arrived (before any update), after its first updates, or after the
        update that says it is filled. The order itself lives on in the platform. Happens once.
    duplicate_reports : bool
        Every execution and update is sent twice, the second update marked ``isDuplicate``.
    delay_s : float, s
        Reports wait so long.
    """

    swallow_orders: bool = False
    reject_orders: bool = False
    drop_after: Literal["send", "ack", "fill"] | None = None
    duplicate_reports: bool = False
    delay_s: float = 0.0

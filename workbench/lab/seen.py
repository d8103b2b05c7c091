"""What a strategy in plain Python is told, and what it may ask of an order besides filling it."""

from __future__ import annotations

from typing import NamedTuple, TypedDict


class SeenTrade(NamedTuple):
    """A print, in real units."""

    ts: int
    price: float
    size: float
    aggressor: int


class SeenFill(NamedTuple):
    """A fill as the strategy learns of it, in real units."""

    ts: int
    order: int
    side: int
    price: float
    size: float
    maker: bool


class Exits(TypedDict, total=False):
    """What the paper desk does with an order besides filling it, docs/orders.md.

    Attributes
    ----------
    take_profit, stop_loss : float
        Bracket: distances from the price of the first execution at which exits are placed, as large as what is filled.
    trails : bool
        Whether the stop loss follows prints.
    reduce_only : bool
        The order never makes the position larger.
    oco : str
        Name of a group: what one of it executes is taken from the others.
    """

    take_profit: float
    stop_loss: float
    trails: bool
    reduce_only: bool
    oco: str


__all__ = ["Exits", "SeenFill", "SeenTrade"]

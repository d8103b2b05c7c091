"""What is set on a trading panel: size, bracket, time in force. Checked, whoever says it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, TypedDict

from workbench.errors import WorkbenchError
from workbench.events import Instrument

__all__ = ["TicketSettings", "bracket_of", "checked_settings", "distance"]

MAX_DISTANCE_TICKS: Final = 1_000_000


class TicketSettings(TypedDict):
    """Settings of a panel.

    Parameters
    ----------
    size : float, real units
    take_profit, stop_loss : int or None, ticks
        Distances of the bracket from the price of entry; None: no such order.
    trailing : bool
        The stop loss follows the price.
    tif : str
        Of limit orders.
    post_only : bool
        Limit orders never take.
    """

    size: float
    take_profit: int | None
    stop_loss: int | None
    trailing: bool
    tif: str
    post_only: bool


def checked_settings(said: dict[str, Any], before: TicketSettings, instrument: Instrument) -> TicketSettings:
    """Settings with what is said anew; what is not named stays.

    Raises
    ------
    WorkbenchError
        A name or a value that is none.
    """
    unknown = sorted(set(said) - set(before))
    if unknown:
        raise WorkbenchError(f"settings {unknown}", expected=f"some of {list(before)}", code="bad_value")
    settings: dict[str, Any] = {**before, **said}
    return {
        "size": checked_size(settings["size"], instrument),
        "take_profit": distance("take_profit", settings["take_profit"]),
        "stop_loss": distance("stop_loss", settings["stop_loss"]),
        "trailing": bool(settings["trailing"]),
        "tif": _short_text("tif", settings["tif"]),
        "post_only": bool(settings["post_only"]),
    }


def bracket_of(act: dict[str, Any]) -> dict[str, int | None]:
    """Terms of an order's bracket: distances in ticks, and with ``trailing`` a stop loss that follows.

    Raises
    ------
    WorkbenchError
        A distance that is no whole number of ticks.
    """
    bracket = {name: distance(name, act.get(name)) for name in ("stop_loss", "take_profit")}
    follows = bool(act.get("trailing")) and bracket["stop_loss"] is not None
    return {**bracket, "trailing": 1 if follows else None}


def distance(name: str, ticks: object) -> int | None:
    """A distance in ticks, or None for none."""
    if ticks is None:
        return None
    if not isinstance(ticks, int) or isinstance(ticks, bool) or not 1 <= ticks <= MAX_DISTANCE_TICKS:
        raise WorkbenchError(
            f"{name} {ticks!r}", expected="a whole number of ticks above 0, or None", code="bad_value"
        )
    return ticks


def checked_size(size: Any, instrument: Instrument) -> float:
    """A size on the instrument's grid."""
    if isinstance(size, bool) or not isinstance(size, int | float) or not 0 < size < 1e15:
        raise WorkbenchError(f"size {size!r}", expected="a number above 0", code="bad_value")
    return float(instrument.size(instrument.lots(Decimal(repr(size)))))


def _short_text(name: str, text: Any) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= 12:
        raise WorkbenchError(f"{name} {text!r}", expected="a text as 'GTC'", code="bad_value")
    return text

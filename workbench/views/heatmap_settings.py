"""Settings of the heatmap: what a reader can change while looking, checked wherever they come from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypedDict, cast, get_args
from zoneinfo import available_timezones

from workbench.errors import WorkbenchError
from workbench.views.theme import ColourMap, palette

__all__ = ["DEFAULTS", "HeatSettings", "checked"]

Rule = Literal["max", "last", "mean"]
CutBy = Literal["percentile", "size"]


class HeatSettings(TypedDict, total=False):
    """What the bar above the heatmap changes; each is a keyword of :class:`~workbench.views.heatmap.Heatmap` too."""

    rule: Rule
    colours: ColourMap
    cut: tuple[float, float]
    cut_by: CutBy
    contrast: float
    dimming: float
    bubbles: bool
    bubble_style: Literal["gradient", "pie", "split"]
    cluster: Literal["time", "volume"]
    bubble_scale: float
    min_trade: float
    min_volume: float
    bbo: Literal["range", "last", "off"]
    vwap: bool
    profile: Literal["range", "session", "off"]
    book: Literal["plain", "cumulative", "off"]
    zone: str
    linked: bool


DEFAULTS: Final = HeatSettings(
    rule="max",
    colours="bookmap",
    cut=(10.0, 98.5),
    cut_by="percentile",
    contrast=1.0,
    dimming=0.0,
    bubbles=True,
    bubble_style="gradient",
    cluster="time",
    bubble_scale=1.0,
    min_trade=0.0,
    min_volume=0.0,
    bbo="range",
    vwap=False,
    profile="range",
    book="plain",
    zone="",
    linked=True,
)


def _one_of(*values: str) -> Callable[[str, Any], Any]:
    def check(name: str, value: Any) -> Any:
        if value not in values:
            raise WorkbenchError(f"{name} {value!r}", expected=f"one of {list(values)}", code=f"bad_{name}")
        return value

    return check


def _number(low: float, high: float) -> Callable[[str, Any], float]:
    def check(name: str, value: Any) -> float:
        known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not known or not low <= value <= high:
            raise WorkbenchError(
                f"{name} {value!r}", expected=f"a number from {low:g} to {high:g}", code=f"bad_{name}"
            )
        return float(value)

    return check


def _yes_or_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WorkbenchError(f"{name} {value!r}", expected="True or False", code=f"bad_{name}")
    return value


def _colour_map(name: str, value: Any) -> str:
    palette(value if isinstance(value, str) else repr(value), "dark")
    return cast(str, value)


def _zone(name: str, value: Any) -> str:
    if value == "" or (isinstance(value, str) and value in available_timezones()):
        return cast(str, value)
    raise WorkbenchError(f"zone {value!r}", expected="an IANA name such as 'Europe/London'", code="bad_zone")


def _pair(name: str, value: Any) -> tuple[float, float]:
    known = isinstance(value, list | tuple) and len(value) == 2
    numbers = [_number(0, math.inf)(name, number) for number in value] if known else []
    if len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise WorkbenchError(
            f"{name} {value!r}",
            expected="two numbers, 0 ≤ lower < upper (≤ 100 as percentiles)",
            code=f"bad_{name}",
        )
    return numbers[0], numbers[1]


_CHECKS: Final[dict[str, Callable[[str, Any], Any]]] = {
    "rule": _one_of("max", "last", "mean"),
    "colours": _colour_map,
    "cut": _pair,
    "cut_by": _one_of(*get_args(CutBy)),
    "contrast": _number(0.25, 4),
    "dimming": _number(0, 0.9),
    "bubbles": _yes_or_no,
    "bubble_style": _one_of("gradient", "pie", "split"),
    "cluster": _one_of("time", "volume"),
    "bubble_scale": _number(0.25, 4),
    "min_trade": _number(0, 1e15),
    "min_volume": _number(0, 1e15),
    "bbo": _one_of("range", "last", "off"),
    "vwap": _yes_or_no,
    "profile": _one_of("range", "session", "off"),
    "book": _one_of("plain", "cumulative", "off"),
    "zone": _zone,
    "linked": _yes_or_no,
}


def checked(settings: Mapping[str, Any], base: HeatSettings = DEFAULTS) -> HeatSettings:
    """All settings: those given, and for the rest ``base``.

    Parameters
    ----------
    settings : mapping, possibly from a page
    base : HeatSettings

    Raises
    ------
    WorkbenchError
        An unknown name or a value out of range: says which, and what is expected.

    Examples
    --------
    >>> checked({"contrast": 2})["contrast"]
    2.0
    """
    unknown = sorted(set(settings) - set(_CHECKS))
    if unknown:
        raise WorkbenchError(f"settings {unknown}", expected=f"some of {sorted(_CHECKS)}", code="bad_setting")
    merged: dict[str, Any] = {**base, **settings}
    found = {name: _CHECKS[name](name, value) for name, value in merged.items()}
    if found["cut_by"] == "percentile" and found["cut"][1] > 100:
        raise WorkbenchError(
            f"cut {found['cut']}", expected="two percentiles, 0 ≤ lower < upper ≤ 100", code="bad_cut"
        )
    return cast(HeatSettings, found)

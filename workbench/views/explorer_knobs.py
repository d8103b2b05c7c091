"""Sliders of a signal's parameters, from the types and bounds of its record; and the signal again from their values."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import inspect as kinds

from workbench.errors import WorkbenchError
from workbench.flow.signals.contract import Parameters, Signal, checked

__all__ = ["knob_groups", "rebuilt", "values_of"]

Value = bool | int | float | str | None
_REACH: Final = 50.0
"""A slider of an open range goes so many times below and above the default."""
_MOST_WHOLE: Final = 20
"""Whole numbers go on a slider up to this, or to twice the default; beyond it they are typed."""
_WIDE: Final = 20.0
"""Ranges whose ends are so many times apart are on a logarithmic slider."""


def knob_groups(signal: Signal) -> list[dict[str, Any]]:
    """Return what the page needs for its sliders: for each signal with parameters its name and its knobs.

    Parameters
    ----------
    signal : Signal
        Its parts come after it.

    Returns
    -------
    list of dict
        ``title`` and ``knobs``: ``id``, ``name``, ``kind`` (whole, real, switch, choice), ``value``, ``default`` and, of
        numbers, ``low`` and ``high`` of the slider, ``log``, and ``zero`` (whether its left end is 0).

    Examples
    --------
    >>> from workbench.flow.signals.book_imbalance import BookImbalance
    >>> [group] = knob_groups(BookImbalance(levels=3))
    >>> group["title"], [knob["id"] for knob in group["knobs"]]
    ('BookImbalance', ['levels', 'half_life_s', 'enter', 'leave'])
    """
    groups = []
    for path, part in _walk(signal):
        knobs = [_knob(path, field, part) for field in msgspec.structs.fields(type(part).record)]
        known = [knob for knob in knobs if knob is not None]
        if known:
            groups.append({"title": part.name, "knobs": known})
    return groups


def values_of(signal: Signal) -> dict[str, Value]:
    """Return the values of all its knobs, by their ids."""
    return {knob["id"]: knob["value"] for group in knob_groups(signal) for knob in group["knobs"]}


def rebuilt(signal: Signal, values: Mapping[str, Any]) -> Signal:
    """Return a signal with other values, those that are not given as they are.

    Parameters
    ----------
    signal : Signal
    values : mapping
        By the ids of :func:`knob_groups`; what a page says, so anything.

    Raises
    ------
    WorkbenchError
        An id that is none of its own, or a value of another type or out of its bounds.
    """
    known = values_of(signal)
    for name in values:
        if name not in known:
            raise WorkbenchError(
                f"parameter {name!r:.60}",
                expected=f"one of {', '.join(known) or 'none'}",
                code="bad_parameter",
            )
    return _rebuilt(signal, values, "")


def _rebuilt(signal: Signal, values: Mapping[str, Any], path: str) -> Signal:
    parts = tuple(_rebuilt(part, values, f"{path}{n}.") for n, part in enumerate(signal.parts))
    fields = msgspec.structs.asdict(signal.params)
    chosen = {**fields, **{name: values[path + name] for name in fields if path + name in values}}
    if chosen == fields and parts == signal.parts:
        return signal
    checked(type(signal).record, chosen, signal.name)
    return signal.remade(*parts, **chosen)


def _walk(signal: Signal, path: str = "") -> Iterator[tuple[str, Signal]]:
    yield path, signal
    for number, part in enumerate(signal.parts):
        yield from _walk(part, f"{path}{number}.")


def _knob(path: str, field: msgspec.structs.FieldInfo, signal: Signal) -> dict[str, Any] | None:
    """One knob; None of what no slider can set."""
    params: Parameters = signal.params
    value = getattr(params, field.name)
    default = value if field.default is msgspec.NODEFAULT else field.default
    knob = {"id": path + field.name, "name": field.name, "value": value, "default": default}
    kind = kinds.type_info(field.type)
    if isinstance(kind, kinds.BoolType):
        return {**knob, "kind": "switch"}
    if isinstance(kind, kinds.LiteralType):
        return {**knob, "kind": "choice", "choices": list(kind.values)}
    if isinstance(kind, kinds.IntType) and _is_number(value, default):
        return {**knob, "kind": "whole", **_whole_range(kind, default)}
    if isinstance(kind, kinds.FloatType) and _is_number(value, default):
        return {**knob, "kind": "real", **_real_range(kind, float(default))}
    return None


def _is_number(*values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _whole_range(kind: kinds.IntType, default: int) -> dict[str, Any]:
    low = kind.ge if kind.ge is not None else kind.gt + 1 if kind.gt is not None else min(0, default)
    top = kind.le if kind.le is not None else kind.lt - 1 if kind.lt is not None else None
    reach = max(_MOST_WHOLE, 2 * default)
    return {"low": low, "high": reach if top is None else min(top, reach), "log": False, "zero": False}


def _real_range(kind: kinds.FloatType, default: float) -> dict[str, Any]:
    """Bounds of the slider: those of the parameter, an open or far one drawn in around the default."""
    least = kind.ge if kind.ge is not None else kind.gt
    most = kind.le if kind.le is not None else kind.lt
    if least is None or least < 0:
        wide = max(abs(default) * 4, 1.0)
        ends = {"low": -wide if least is None else least, "high": wide if most is None else most}
        return {**ends, "log": False, "zero": False}
    base = default if default > 0 else 1.0
    near_top = base * _REACH if most is None else min(float(most), max(base * _REACH, 1.0))
    if most is not None and most <= _WIDE:
        return {"low": _inside(kind, float(least), near_top), "high": near_top, "log": False, "zero": False}
    low = least if least > 0 else _round(base / _REACH)
    return {"low": _inside(kind, float(low), near_top), "high": near_top, "log": True, "zero": kind.ge == 0}


def _inside(kind: kinds.FloatType, low: float, high: float) -> float:
    """The left end of a slider, inside of an open bound."""
    if kind.gt != low:
        return low
    return low * 1.05 if low > 0 else _round(high / 100)


def _round(value: float) -> float:
    """To one digit."""
    return float(f"{value:.0e}") if math.isfinite(value) else value

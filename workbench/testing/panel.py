"""What an add-on put into Bookmap's windows: settings in its panel, indicators on the chart, messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from workbench.testing.spelling import double

FIRST_INDICATOR_ID: Final = 42

SettingValue = bool | float | str | tuple[int, ...]


@dataclass(slots=True)
class Setting:
    """One row of the add-on's panel."""

    name: str
    kind: str
    value: SettingValue
    reloads: bool

    @property
    def spelled(self) -> str:
        """The value as the wire has it."""
        match self.value:
            case bool():
                return "true" if self.value else "false"
            case str():
                return self.value
            case tuple():
                return "java.awt.Color[r={},g={},b={}]".format(*self.value)
            case _:
                return double(self.value)


@dataclass(slots=True)
class Indicator:
    """One line on the chart or in a panel below; ``points`` are (data time in ns, value in levels)."""

    number: int
    name: str
    where: str
    initial: float
    colour: tuple[int, ...]
    style: str
    points: list[tuple[int, float]] = field(default_factory=list)


def setting_of(fields: tuple[Any, ...]) -> Setting:
    """Make the row that an ``ADD_SETTING`` asks for, with its default; a label holds its own text."""
    _, kind, name, reloads, *rest = fields
    value: SettingValue = rest[0] if rest else name
    return Setting(name, kind, value, reloads)


def typed(kind: str, value: SettingValue) -> SettingValue:
    """Value that a user could give a setting of this kind.

    Raises
    ------
    TypeError
        The panel has no such entry.
    """
    if kind == "NUMBER" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    kinds = {"BOOLEAN": bool, "STRING": str, "COLOR": tuple}
    if kind not in kinds or not isinstance(value, kinds[kind]):
        raise TypeError(f"{value!r} for a setting of kind {kind}")
    return value

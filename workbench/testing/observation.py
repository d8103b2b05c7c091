"""What a test may look at while the stand-in runs."""

from __future__ import annotations

from typing import Any

from workbench.events import Instrument
from workbench.testing.faults import Faults
from workbench.testing.orders import OwnOrder
from workbench.testing.panel import Indicator, Setting, SettingValue
from workbench.testing.platform import Platform
from workbench.testing.position import Position
from workbench.testing.reader import Sent


class Observation:
    """State of the platform, as copies that do not change under whoever reads them."""

    platform: Platform

    @property
    def alias(self) -> str:
        """Name of the instrument."""
        return self.platform.instrument.symbol

    @property
    def instrument(self) -> Instrument:
        """What is played."""
        return self.platform.instrument

    @property
    def attached(self) -> bool:
        """Whether the add-on has said that it is initialised, and was not detached since."""
        return self.platform.attached

    @property
    def received(self) -> list[Sent]:
        """Every line that came from add-ons, also those that Bookmap was deaf to."""
        return self.platform.received

    def count(self, number: int) -> int:
        """How many lines of a type came."""
        return sum(sent.type == number for sent in list(self.received))

    @property
    def deaf(self) -> bool:
        """Whether one bad line has ended Bookmap's reader."""
        return self.platform.deaf

    @property
    def mute(self) -> bool:
        """Whether an exception has ended Bookmap's event loop: nothing is sent any more."""
        return self.platform.mute

    @property
    def settings(self) -> dict[str, SettingValue]:
        """What the add-on's panel shows."""
        return {name: setting.value for name, setting in list(self.platform.settings.items())}

    @property
    def panel(self) -> dict[str, Setting]:
        """The panel's rows."""
        return dict(self.platform.settings)

    @property
    def orders(self) -> list[OwnOrder]:
        """Every order that was placed, oldest first."""
        return list(self.platform.exchange.orders.values())

    @property
    def executions(self) -> list[dict[str, Any]]:
        """Every execution, as it was sent."""
        return list(self.platform.exchange.executions)

    @property
    def position(self) -> Position:
        """The position that came of them."""
        return self.platform.exchange.position

    @property
    def indicators(self) -> dict[str, Indicator]:
        """What the add-on draws, by name; the newest of a name."""
        return {indicator.name: indicator for indicator in list(self.platform.indicators.values())}

    @property
    def messages(self) -> list[str]:
        """What the add-on told the user."""
        return list(self.platform.messages)

    @property
    def log(self) -> list[str]:
        """What Bookmap's log says of the add-on."""
        return list(self.platform.log)

    @property
    def faults(self) -> Faults:
        """Switches for what goes wrong with orders."""
        return self.platform.faults

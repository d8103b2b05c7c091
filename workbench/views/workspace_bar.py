"""The workspace's head: symbol, theme, and the hands of a clock that can be steered; and the grips between views."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

from workbench.errors import WorkbenchError
from workbench.views.esm import joined, styled
from workbench.views.live import LiveView, Message
from workbench.views.picture import blank

__all__ = ["Grip", "WorkspaceBar"]


class BarModel:
    """Core of the head: clock, speed and state, when they changed."""

    def __init__(self, session: Any):
        self._session = session
        self._told: dict[str, Any] = {}

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Facts of the clock that changed."""
        told = {"symbols": list(getattr(self._session, "symbols", ())), **self._clock(now_ns)}
        news = {name: value for name, value in told.items() if full or self._told.get(name) != value}
        self._told = told
        return ({"k": "bar", **news}, []) if news else None

    def _clock(self, now_ns: int) -> dict[str, Any]:
        clock = self._session.clock
        if not getattr(clock, "is_steerable", False):
            return {"steerable": False, "second": now_ns // 1_000_000_000}
        (start, end), speed = clock.span_ns, clock.speed
        return {
            "steerable": True,
            "second": now_ns // 1_000_000_000,
            "speed": "max" if math.isinf(speed) else speed,
            "start": start / 1e6,
            "end": None if end is None else end / 1e6,
            "paused": self._session.state == "paused",
        }


class WorkspaceBar(LiveView):
    """Head of a workspace.

    Parameters
    ----------
    session : Showable
    choose : callable
        Shows another instrument.
    options : dict
    """

    _esm = joined("workspace_bar.js")
    _css = styled("profile_controls.css", "workspace.css")

    def __init__(
        self, session: Any, symbol: str | None, choose: Callable[[str], None], options: dict[str, Any]
    ):
        self._choose = choose
        super().__init__(session, session.capture(symbol), lambda: BarModel(session), options)

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        clock: Any = self._session.clock
        do = act.get("do")
        if do == "symbol":
            self._choose(str(act.get("symbol")))
        elif do == "pause":
            clock.pause()
        elif do == "resume":
            clock.resume()
        elif do == "speed":
            clock.speed = act["speed"]
        elif do == "seek":
            clock.seek(_moment(act))
        else:
            return super()._act(act)
        return {}

    def _draw(self, message: Message) -> bytes:
        return blank(repr(self))


def _moment(act: dict[str, Any]) -> int:
    ms = act.get("ms")
    if not isinstance(ms, int | float) or not math.isfinite(ms):
        raise WorkbenchError(f"moment {ms!r}", expected="milliseconds since the epoch", code="bad_value")
    return round(ms * 1e6)


class Grip(anywidget.AnyWidget):
    """Grip between two views of a row, or two rows: drag, or arrow keys, to share the room anew; the page remembers it."""

    _esm = joined("workspace_grip.js")
    _css = styled("workspace.css")
    options = traitlets.Dict().tag(sync=True)

    def __repr__(self) -> str:
        return "Grip()"

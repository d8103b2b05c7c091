"""Health: connection, lag, gaps, rates, recorder and disk in plain words. Live, as text and as figures."""

from __future__ import annotations

import threading
import time
from typing import Any, Literal

from workbench.errors import WorkbenchError
from workbench.views.axes import plain
from workbench.views.esm import joined, styled
from workbench.views.health_facts import report
from workbench.views.health_model import HealthModel
from workbench.views.live import LiveView, Message, Sender
from workbench.views.pacing import Mode
from workbench.views.picture import Canvas
from workbench.views.showable import showable
from workbench.views.theme import still_theme
from workbench.views.theme import theme as theme_colours

__all__ = ["Health"]

ROLES = {"good": "bid", "calm": "text", "warn": "warn", "bad": "ask"}
WIDTH, ROW_PX = 900, 20


class Health(LiveView):
    """Live health of a session, or of a recording: text first, with what to do where something is bad.

    Parameters
    ----------
    session : Session or Recording
    symbol : str, optional
        Whose gaps and rates are listed; default: the session's first instrument.
    theme : {"dark", "light", "auto"}
    group : str, optional
        Views of one group share a theme switch; default: views of one session do.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Health(s)
    Health('ES-SIM')
    """

    _esm = joined("health.js")
    _css = styled("profile_controls.css", "health.css")

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        theme: Literal["auto", "dark", "light"] = "dark",
        group: str | None = None,
    ):
        shown = showable(session)
        capture = shown.capture(symbol)
        self._found: dict[str, Any] = {}
        self._checking: threading.Thread | None = None
        self._still_theme = still_theme(theme)
        sender = Sender.of(shown)

        def make() -> HealthModel:
            return HealthModel(
                shown, capture, time.monotonic_ns, lambda: _views(sender.modes()), lambda: dict(self._found)
            )

        self._recording = getattr(shown, "recording", None)
        options: dict[str, Any] = {"theme": theme, "verifiable": self._recording is not None}
        super().__init__(shown, capture, make, options if group is None else {**options, "group": group})

    def report(self) -> str:
        """Everything known now as text, to be pasted into a message."""
        model = self._looked()
        return report(f"Health of {self._capture.instrument.symbol}", model.facts, model.gaps)

    def verify(self) -> None:
        """Check the recording, whole; the verdict and its reasons join the facts.

        Raises
        ------
        WorkbenchError
            This is no recording.
        """
        if self._recording is None:
            raise WorkbenchError(
                "only recordings can be verified", action="Open one: wb.open_recording(path)"
            )
        verified = self._recording.verify()
        self._found = {
            "verdict": str(verified.verdict),
            "reasons": [str(reason) for reason in verified.reasons],
        }

    def _looked(self) -> HealthModel:
        model = self._make_model()
        assert isinstance(model, HealthModel)
        model.look(0)
        return model

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        if act.get("do") == "report":
            return {"text": self.report()}
        if act.get("do") != "verify":
            return super()._act(act)
        if self._recording is None:
            self.verify()
        if self._checking is None or not self._checking.is_alive():
            # it reads the whole recording: the thread that feeds the views must not wait
            self._checking = threading.Thread(target=self._verify_aside, name="workbench-verify", daemon=True)
            self._checking.start()
        return {}

    def _verify_aside(self) -> None:
        self._found = {"verdict": "checking …", "reasons": []}
        try:
            self.verify()
        except Exception as error:  # noqa: BLE001 - shown as the verdict
            self._found = {"verdict": "INVALID", "reasons": [f"{type(error).__name__}: {error}"]}

    def _draw(self, message: Message) -> bytes:
        facts = message[0].get("facts", [])
        canvas = Canvas(WIDTH, 30 + ROW_PX * max(len(facts), 1), self._still_theme)
        canvas.text(10, 14, f"Health of {self._capture.instrument.symbol[:60]}", "text", 13)
        for i, (name, text, level, advice) in enumerate(facts):
            y = 34 + ROW_PX * i
            canvas.text(10, y, name, "faint")
            canvas.text(100, y, _short(text if not advice else f"{text}. {advice}"), ROLES[level])
        return canvas.png()

    def figure(self) -> Any:
        """Return the static Plotly twin: the facts as a table (``plotly.graph_objects.Figure``)."""
        import plotly.graph_objects as go

        colours = theme_colours(self._still_theme)
        facts = self._still()[0].get("facts", [])
        columns = [[plain(str(row[i])) for row in facts] for i in (0, 1, 3)]
        inks = [colours[ROLES[row[2]]] for row in facts]
        table = go.Table(
            header={"values": ["fact", "now", "what to do"], "fill_color": colours["panel"]},
            cells={
                "values": columns,
                "align": "left",
                "fill_color": colours["background"],
                "font": {"color": [[colours["faint"]] * len(facts), inks, [colours["text"]] * len(facts)]},
            },
            columnwidth=[1, 4, 4],
        )
        title = {"text": plain(self._capture.instrument.symbol[:120]), "font": {"size": 14}}
        return go.Figure(
            table,
            {
                "title": title,
                "paper_bgcolor": colours["background"],
                "font": {"color": colours["text"]},
                "height": 110 + 30 * len(facts),
            },
        )


def _views(modes: list[Mode]) -> str:
    """What the views do, in words."""
    shown, slow = sum(mode is not Mode.IDLE for mode in modes), modes.count(Mode.SLOW)
    late = f", {slow} slowed down because the page is late" if slow else ""
    return f"{len(modes)}, {shown} on a page{late}"


def _short(text: str) -> str:
    return text if len(text) <= 130 else f"{text[:129]}…"

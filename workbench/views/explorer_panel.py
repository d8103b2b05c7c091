"""Panel of the explorer: which signal with which parameters, and what came of it. Studies are made aside, newest first."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.flow import signals
from workbench.flow.signals.contract import Signal
from workbench.frames.recording import Recording
from workbench.lab.excerpt import Window
from workbench.lab.study import Study, Terms
from workbench.views import explorer_still
from workbench.views.esm import joined, styled
from workbench.views.explorer_desk import Choice, Outcome, Workplace, marks_of
from workbench.views.explorer_knobs import knob_groups, rebuilt
from workbench.views.explorer_presets import Kind, Presets
from workbench.views.explorer_words import code_of, study_words
from workbench.views.explorer_work import NewestWork
from workbench.views.first_look import waited
from workbench.views.heatmap import Heatmap
from workbench.views.live import Captured, LiveView, Message, Showable
from workbench.views.mark_sets import marks_content
from workbench.views.sender import Sender
from workbench.views.theme import still_theme
from workbench.views.words import finite

__all__ = ["SEEDS", "ExplorerPanel"]

SEEDS: Final = (
    "LiquidityFade",
    "BookImbalance",
    "OfiMomentum",
    "VolumeCliff",
    "IcebergFollow",
    "AbsorptionContinuation",
    "SweepContinuation",
)
MARKS: Final = "Explorer"
_BUSY_AFTER_S: Final = 0.3
"""A study that is done earlier is shown at once, with no word before it that it is being made."""
_MARKS_WAIT_S: Final = 0.1
"""Marks on the heatmaps come after the study itself, and no later than this."""
_NEWER_EVERY: Final = 20
"""Pulls between two words of how many events came since: a second at 20 Hz."""


class PanelModel:
    """Core of the panel: what is chosen, what came of it; told when it changed."""

    def __init__(self, panel: ExplorerPanel):
        self._panel = weakref.ref(panel)
        self._told: tuple[int, int] | None = None
        self._pulls = 0
        self._newer = 0

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None:
        """Everything there is to show, None while nothing changed."""
        panel = self._panel()
        if panel is None:
            return None
        if full or self._pulls % _NEWER_EVERY == 0:
            self._newer = panel.workplace.newer
            panel.mark_newcomers()
        self._pulls += 1
        state = (panel.version, self._newer)
        if not full and (state in (self._told, panel.told) or panel.is_soon_told):
            return None
        self._told = state
        return {"k": "explorer", **panel.words(), "newer": self._newer}, []


class ExplorerPanel(LiveView):
    """Parameters, event study and scorecard of one signal at a time.

    Parameters
    ----------
    source : session or recording
        As it was given: its trials and presets are counted and kept.
    session : Showable
    capture : Captured
    signal : Signal
    terms : Terms
    options : dict
    window : str, timedelta or (start, end), optional
    """

    _esm = joined("explorer.js")
    _css = styled("profile_controls.css", "explorer.css")
    _needs_every_trade = False

    def __init__(
        self,
        source: Any,
        session: Showable,
        capture: Captured,
        signal: Signal,
        terms: Terms,
        options: dict[str, Any],
        window: Window | None = None,
    ):
        self._source = source
        self.workplace = Workplace(source, capture, window)
        self.presets = Presets.of(source)
        self.kinds: dict[str, Kind] = {name: getattr(signals, name) for name in SEEDS}
        self.starts: dict[str, Signal] = {}
        self.version = 0
        self.told: tuple[int, int] | None = None  # version and newer events of what was sent at once
        self.outcome: Outcome | None = None
        self.choice = Choice(signal, terms)
        self._guard = threading.RLock()
        self._height = options["height"]
        self._still_theme = still_theme(options["theme"])
        self.work: NewestWork[Choice] = NewestWork(
            _worker(weakref.ref(self)), must=lambda choice: choice.settled
        )
        self._fresh = self._outdated = False
        self._chosen_at = 0.0
        self._shown = threading.Event()
        self._content: dict[str, Any] | None = None
        self._marked: weakref.WeakSet[Heatmap] = weakref.WeakSet()
        self.know(signal)
        super().__init__(session, capture, lambda: PanelModel(self), options)
        self.choose(self.choice)

    # -- choosing --------------------------------------------------------------------------------------------------
    def know(self, signal: Signal) -> None:
        """Let a signal be chosen on the page and loaded from presets: what makes it, and what makes its parts."""
        self._know_kind(signal)
        if signal.name not in SEEDS:
            self.starts[signal.name] = signal

    def _know_kind(self, signal: Signal) -> None:
        if signal.name == type(signal).__name__:
            self.kinds.setdefault(signal.name, type(signal))
        else:
            self.kinds[signal.name] = signal  # of several functions of one name the newest
        for part in signal.parts:
            self._know_kind(part)

    def choose(self, choice: Choice) -> None:
        """Study something else; returns at once."""
        with self._guard:
            self.choice = choice
            self.version += 1
            self._chosen_at = time.monotonic()
        self.work.wish(choice)

    def renew(self) -> None:
        """Take in what came since, and study the choice again."""
        self._outdated = True
        self.choose(replace(self.choice))

    def _changed(self, said: dict[str, Any], settled: bool) -> Choice:
        """What a page has chosen, or the reason why that cannot be."""
        signal = self.choice.signal
        name = said.get("signal")
        if name is not None and name != signal.name:
            signal = self._start(name)
        values = said.get("values")
        if isinstance(values, dict):
            signal = rebuilt(signal, values)
        return Choice(signal, _terms(self.choice.terms, said), settled, _token(said))

    def _start(self, name: Any) -> Signal:
        if name in self.starts:
            return self.starts[name]
        if name not in SEEDS:
            known = ", ".join([*SEEDS, *self.starts])
            raise WorkbenchError(f"signal {name!r:.80}", expected=f"one of {known}", code="unknown_signal")
        made: Signal = getattr(signals, name)()
        return made

    def _answers(self, look: dict[str, Any]) -> Iterable[Message]:
        """A slider in motion: the newest position counts; what came of it is told when it is there."""
        try:
            self.choose(self._changed(look, settled=False))
        except WorkbenchError as refused:
            yield {"k": "refused", "error": str(refused), "token": _token(look)}, []

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        do = act.get("do")
        if do == "choose":
            self.choose(self._changed(act, settled=True))
        elif do == "save":
            self.save(act.get("name"))
        elif do == "load":
            self.load(str(act.get("name")))
        elif do == "renew":
            self.renew()
        else:
            return super()._act(act)
        return {}

    def save(self, name: Any) -> None:
        """Keep the signal under a name."""
        self.presets.save(name, self.choice.signal)
        self.version += 1

    def load(self, name: str) -> None:
        """Choose what was saved under a name."""
        signal = self.presets.load(name, {**_every_kind(), **self.kinds})
        self.know(signal)
        self.choose(Choice(signal, self.choice.terms))

    # -- studying, on the thread of the work -------------------------------------------------------------------------
    def carry_out(self, choice: Choice) -> None:
        """Study a choice, and show what came of it."""
        if self._outdated:
            self._outdated = False
            self.workplace.renew()
        outcome = self.workplace.outcome(choice)
        with self._guard:
            self.outcome = outcome
            self._fresh = True
            self.version += 1
        self._shown.clear()
        Sender.of(self._session).wake()
        if outcome.study is not None and not self.work.is_outdated:
            self._shown.wait(_MARKS_WAIT_S)
            self._mark(outcome.study)

    def _mark(self, study: Study) -> None:
        """Show the marks on every heatmap of the same instrument and group."""
        instrument = self._capture.instrument
        self._content = marks_content(marks_of(study), instrument, "price", "side", None, "warn")
        self._marked.clear()
        self.mark_newcomers()

    def mark_newcomers(self) -> None:
        """Show the marks on heatmaps that came since; where somebody took them off they stay off."""
        content = self._content
        for heatmap in self._heatmaps() if content is not None else ():
            if content is not None and heatmap not in self._marked:
                self._marked.add(heatmap)
                heatmap._marks.put_marks(MARKS, content)

    def _heatmaps(self) -> list[Heatmap]:
        beside = Sender.of(self._session).views
        mine = (self._capture.instrument.symbol, self.options["group"])
        return [
            view
            for view in beside
            if isinstance(view, Heatmap) and (view._capture.instrument.symbol, view.options["group"]) == mine
        ]

    # -- telling -----------------------------------------------------------------------------------------------------
    def words(self) -> dict[str, Any]:
        """State of the panel for the page."""
        with self._guard:
            choice, outcome = self.choice, self.outcome
        told: dict[str, Any] = {
            "signals": [*SEEDS, *self.starts],
            "signal": choice.signal.name,
            "groups": knob_groups(choice.signal),
            "token": choice.token,
            "costs": choice.terms.costs,
            "latency": choice.terms.latency,
            "busy": outcome is None or outcome.choice is not choice,
            "presets": list(self.presets.recipes),
            "code": self.code,
            "count": self.workplace.events.count,
        }
        if outcome is None:
            return told
        told |= {"took_ms": round(outcome.took_ms, 1), "read": outcome.read, "refused": outcome.error}
        if outcome.study is not None:
            told["study"] = study_words(outcome.study)
        return told

    @property
    def is_soon_told(self) -> bool:
        """Whether a study is under way that will be there before anybody misses a word of it."""
        with self._guard:
            working = self._fresh or self.outcome is None or self.outcome.choice is not self.choice
            return working and time.monotonic() - self._chosen_at < _BUSY_AFTER_S

    @property
    def code(self) -> str:
        """Text of the next cell."""
        path = str(self._source.path) if isinstance(self._source, Recording) else None
        return code_of(self.choice.signal, self.choice.terms, path, self.workplace.window)

    def _serve(self) -> None:
        """What was asked for, and at once what came of the newest choice."""
        super()._serve()
        if self._fresh:
            self._fresh = False
            newer = self.workplace.newer
            self.told = (self.version, newer)
            self.send({"k": "explorer", **self.words(), "newer": newer})
            self._shown.set()

    # -- static ------------------------------------------------------------------------------------------------------
    def finished(self) -> Outcome | None:
        """What came of the newest choice; waits for it, on a first look only as long as that may last."""
        waited(self.work.wait)
        return self.outcome

    def _still(self) -> Message:
        self.finished()
        return {"k": "explorer", **self.words(), "newer": 0}, []

    def figure(self) -> Any:
        """Return the static Plotly twin (``plotly.graph_objects.Figure``)."""
        outcome = self.finished()
        study = None if outcome is None else outcome.study
        return explorer_still.figure(study, self._capture.instrument, self._still_theme, self._height)

    def _draw(self, message: Message) -> bytes:
        return explorer_still.png(message[0], self._capture.instrument, self._still_theme, repr(self))

    def __repr__(self) -> str:
        return f"Explorer({self._capture.instrument.symbol!r})"

    def close(self) -> None:
        """Take the marks off, forget what waits, and leave the page."""
        if self.__dict__.get("_fed"):
            self.work.forget()
            for heatmap in self._heatmaps():
                if MARKS in heatmap.marks:
                    heatmap.unmark(MARKS)
        super().close()


def _worker(panel: weakref.ref[ExplorerPanel]) -> Any:
    """Work that keeps no panel alive that somebody forgot."""

    def work(choice: Choice) -> None:
        mine = panel()
        if mine is not None:
            mine.carry_out(choice)

    return work


def _terms(terms: Terms, said: dict[str, Any]) -> Terms:
    """Terms with what a page has said of costs and latency."""
    costs, latency = said.get("costs", terms.costs), said.get("latency", terms.latency)
    if costs != "spread" and (number := finite(costs)) is not None:
        costs = number
    elif costs != "spread":
        raise WorkbenchError(
            f"costs {costs!r:.40}", expected='ticks of a round trip, or "spread"', code="bad_value"
        )
    if not isinstance(latency, str) or len(latency) > 20:
        raise WorkbenchError(f"latency {latency!r:.40}", expected="a time as 5ms", code="bad_value")
    return Terms(terms.horizons, costs, latency).verified()


def _token(said: dict[str, Any]) -> str:
    return str(said.get("token", ""))[:60]


def _every_kind() -> dict[str, type[Signal]]:
    """The signals of this package that presets may make."""
    found = {name: getattr(signals, name) for name in signals.__all__}
    return {
        n: k for n, k in found.items() if isinstance(k, type) and issubclass(k, Signal) and k is not Signal
    }

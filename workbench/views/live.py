"""What every live view shares: two message channels to the page, one sender thread per session, a static fallback.

Two channels: ``data`` (the widget itself) only ever sends, and ``control`` only ever receives. Handlers may run on
another thread beside a running cell; all they do is note what the page wants, under a lock, and wake the sender, which
carries it out:

- ``view`` wishes say what to show; only the newest counts, and the next message obeys;
- a ``look`` is answered at once, whatever the pace, by :meth:`LiveView._answers`; a newer look replaces an older one;
- an ``act`` (a label, an order) is never dropped: each is carried out once, in order, by :meth:`LiveView._act`, and
  told ``did``; what nobody answers the page says again (:mod:`workbench.views.acts`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

import anywidget
import ipywidgets
import traitlets

from workbench.errors import WorkbenchError
from workbench.events import Array, Instrument
from workbench.views import theme as colours
from workbench.views.acts import Acts
from workbench.views.esm import styled
from workbench.views.first_look import wait_for
from workbench.views.options import check_options
from workbench.views.pacing import HEARTBEAT_NS, Mode, Pacing
from workbench.views.picture import blank
from workbench.views.pictured import Pictured
from workbench.views.sender import Sender

__all__ = ["LiveView", "Message", "Sender", "Showable"]

_log = logging.getLogger("workbench.views")
_LEAVE_S: Final = 0.001
"""The kernel's own thread sends what it is handed, once it gets to run: a coarse tile leaves before the sharp one is made."""

Message = tuple[dict[str, Any], list[Array]]


class Columns(Protocol):
    """Append-only store of events as columns."""

    def __len__(self) -> int: ...
    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[Array, ...]]: ...
    def row_at(self, ts_ns: int) -> int: ...


class Book(Protocol):
    """What the ladder reads of a price-level book."""

    @property
    def best_bid(self) -> int | None: ...
    @property
    def best_ask(self) -> int | None: ...
    @property
    def valid(self) -> bool: ...
    def window(self, low_tick: int, high_tick: int) -> tuple[Array, Array]: ...
    def levels(self, side: int, limit: int | None = None) -> tuple[Array, Array]: ...


class Captured(Protocol):
    """What views read of one instrument's capture."""

    @property
    def instrument(self) -> Instrument: ...
    @property
    def columns(self) -> Columns: ...
    @property
    def trades(self) -> Columns: ...
    @property
    def book(self) -> Book: ...
    @property
    def lock(self) -> AbstractContextManager[Any]: ...


class ViewModel(Protocol):
    """Core of a view: what to send next, given what the page wants and the time."""

    def pull(self, wants: Sequence[dict[str, Any]], full: bool, now_ns: int) -> Message | None: ...


class Timekeeper(Protocol):
    """What tells the time."""

    @property
    def now_ns(self) -> int: ...


class Showable(Protocol):
    """Anything with these four can be shown: a session, live or inline."""

    @property
    def clock(self) -> Timekeeper: ...
    @property
    def state(self) -> str: ...
    @property
    def health(self) -> object: ...
    def capture(self, symbol: str | None = None) -> Any: ...


class LiveView(Pictured, anywidget.AnyWidget):
    """Base of the live views: subclasses say what to send and how the static picture looks."""

    control = traitlets.Instance(ipywidgets.Widget).tag(sync=True, **ipywidgets.widget_serialization)
    options = traitlets.Dict().tag(sync=True)
    _css = styled()
    _every_ticks = 1
    """At how many ticks of the sender, 20 a second, it sends once."""
    _needs_every_trade = True
    """Whether a first picture without the trades that are still being read would not be what it seems."""

    def __init__(
        self,
        session: Showable,
        capture: Captured,
        make_model: Callable[[], ViewModel],
        options: dict[str, Any],
    ):
        check_options(options)
        self._session = session
        self._capture = capture
        self._model = make_model()
        self._make_model: Callable[[], ViewModel] = lambda: self._when_read(make_model)
        self._drawn_from: Sequence[Captured] = (capture,)
        self._pacing = Pacing(self._every_ticks)
        self._wants: deque[dict[str, Any]] = deque(maxlen=64)
        self._look: dict[str, Any] | None = None
        self._acts = Acts()
        self._wants_lock = threading.Lock()
        self._failure = ""
        self._owes_all = False  # what a pull that failed had taken from its model is lost to the page
        self._said: tuple[int, str, str] | None = None
        self._said_at = 0
        self._fed = False
        self._health: tuple[int, dict[str, Any]] = (0, {})
        instrument = self._capture.instrument
        fixed = {
            "symbol": instrument.symbol,
            "tick": format(instrument.tick_size, "f"),
            "lot": format(instrument.lot_size, "f"),
            "themes": colours.THEMES,
            "group": Sender.of(session).group,
        }
        super().__init__(control=_control(), options={**fixed, **options})
        self.control.on_msg(self._on_control)
        Sender.of(session).add(self)
        self._fed = True

    # -- page → kernel -------------------------------------------------------------------------------------------
    def _on_control(
        self, channel: ipywidgets.Widget, content: dict[str, Any], buffers: Sequence[Any]
    ) -> None:
        kind = content.get("k")
        now = time.monotonic_ns()
        with self._wants_lock:
            page = str(content.get("page", ""))[:40]
            if kind == "ready":
                self._pacing.on_ready(now, page)
            elif kind == "ack" and isinstance(content.get("s"), int):
                self._pacing.on_ack(content["s"], now, page)
            elif kind == "bye":
                self._pacing.on_leave(page)
            if kind in ("ready", "view"):
                self._wants.append(content)
            elif kind == "look":
                self._look = content
            elif kind == "act":
                self._acts.put(content)
        if kind in ("ready", "view", "look", "act"):
            Sender.of(self._session).wake()

    # -- kernel → page -------------------------------------------------------------------------------------------
    def _serve(self) -> None:
        """Carry out what the page asked for. Runs on the sender thread only."""
        while (act := self._acts.next()) is not None:
            self.send({"k": "did", "id": act.get("id"), **self._guarded_act(act)})
        look = self._newest_look()
        if look is not None:
            try:
                self._answer(look)
            except Exception as error:  # noqa: BLE001 - shown under the widget; the other views go on
                self._fail(error)

    def _newest_look(self) -> dict[str, Any] | None:
        with self._wants_lock:
            look, self._look = self._look, None
        return look

    def _answer(self, look: dict[str, Any]) -> None:
        for content, arrays in self._answers(look):
            self.send(content, [array.tobytes() for array in arrays])
            time.sleep(_LEAVE_S)
            if self._look is not None:
                return  # the page looks elsewhere already

    def _guarded_act(self, act: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._act(act)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever clicked must learn of it
            _log.info("%r: an act failed", self, exc_info=error)
            return {"error": f"{type(error).__name__}: {error}"}

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        """Do what somebody did on the page; ``late_ms`` says how long ago. Returns what the page is told."""
        raise WorkbenchError(f"{self!r} knows no act {act.get('do')!r}")

    def _answers(self, look: dict[str, Any]) -> Iterable[Message]:
        """Messages that answer a look, coarse ones first; the page may have looked elsewhere before the last."""
        return ()

    def _tick(self, now: int) -> None:
        """Send what is due. Runs on the sender thread only."""
        with self._wants_lock:
            if not self._pacing.due(now):
                return
            wants, mode = list(self._wants), self._pacing.mode(now)
            self._wants.clear()
        full = self._owes_all or any(want.get("k") == "ready" for want in wants)
        message = self._guarded_pull(wants, full) if mode is not Mode.IDLE or wants else None
        if message is None and not wants and self._is_still(now):
            return
        with self._wants_lock:
            number = self._pacing.note_sent(now)
        content, arrays = message or ({"k": "idle"}, [])
        content.update(self._header(number))
        self.send(content, [array.tobytes() for array in arrays])

    def _is_still(self, now: int) -> bool:
        """Whether a message without news would say nothing that was not said within a heartbeat: time stands still."""
        said = (self._session.clock.now_ns, self._session.state, self._failure)
        if said == self._said and now - self._said_at < HEARTBEAT_NS:
            return True
        self._said, self._said_at = said, now
        return False

    def _guarded_pull(self, wants: Sequence[dict[str, Any]], full: bool) -> Message | None:
        self._owes_all = True
        try:
            message = self._model.pull(wants, full, self._session.clock.now_ns)
        except Exception as error:  # noqa: BLE001 - shown under the widget; the other views go on
            self._fail(error)
            return None
        self._failure, self._owes_all = "", False
        return message

    def _fail(self, error: Exception) -> None:
        if not self._failure:
            _log.warning("a view of %s failed", self._capture.instrument.symbol, exc_info=error)
        self._failure = f"{type(error).__name__}: {error}"

    def _header(self, number: int) -> dict[str, Any]:
        return {
            "s": number,
            "acked": self._pacing.acknowledged,
            "sent": time.time() * 1e3,
            "now": self._session.clock.now_ns / 1e6,
            "state": self._session.state,
            "error": self._failure,
            **self._health_facts(time.monotonic_ns()),
        }

    def _health_facts(self, now: int) -> dict[str, Any]:
        """Facts of the session's health, asked for once a second at most: they may cost a pass over the gaps."""
        asked, facts = self._health
        if not facts or now - asked > HEARTBEAT_NS:
            health = self._session.health
            names = ("lag_ms", "gaps", "note")
            facts = {name: getattr(health, name) for name in names if hasattr(health, name)}
            self._health = (now, facts)
        return facts

    # -- static --------------------------------------------------------------------------------------------------
    def picture(self) -> bytes:
        """Still picture of what there is to see now, as a PNG."""
        return self._draw(self._still())

    def _draw(self, message: Message) -> bytes:
        return blank(repr(self))

    def _when_read(self, make_model: Callable[[], ViewModel]) -> ViewModel:
        """Make the model of a still picture; of a long recording not before its trades are read."""
        self._read_on()
        return make_model()

    def _read_on(self) -> None:
        """Wait for trades that are still being read from disk; a still picture comes after them."""
        for capture in self._drawn_from:
            wait_for(capture, on_first_look=self._needs_every_trade)

    def _still(self) -> Message:
        """Everything there is to see now, from a fresh model: the live one belongs to the sender thread."""
        message = self._make_model().pull([], True, self._session.clock.now_ns)
        return message if message is not None else ({"k": "idle"}, [])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._capture.instrument.symbol!r})"

    def close(self) -> None:
        """Leave the sender and take the widget off the page."""
        if self.__dict__.get("_fed"):  # a view refused while it was being built is closed too, by ipywidgets
            Sender.of(self._session).remove(self)
            self.control.close()
        super().close()


def _control() -> ipywidgets.Widget:
    """Make the channel on which a page speaks to its view, served by the kernel's thread that the page asks for.

    Notes
    -----
    A page names the thread that is to serve it (a subshell), so that its words need not wait for the running cell. Since
    7.4 ipykernel sends them to the thread that spoke last on the channel instead: the cell that made the view. A channel
    on which the kernel never speaks has no use for that.
    """
    channel = ipywidgets.Widget()
    channel.comm._reply_subshell_for = None
    return channel

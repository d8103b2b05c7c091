"""One thread per session that keeps what it publishes up to date."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.cvd import Cvd, cvd
from workbench.flow.vwap import Vwap, vwap
from workbench.protocol import messages
from workbench.session.drawing import Style, one_line
from workbench.session.line import without_platform
from workbench.session.publication import Live, Publication

if TYPE_CHECKING:
    from workbench.frames.capture import Capture
    from workbench.frames.live import LiveColumns
    from workbench.session.facade import Session
    from workbench.session.line import Line

PERIOD_S: Final = 0.1
"""As often as the platform's own indicators get their time."""
JOIN_S: Final = 5.0
FACES: Final[tuple[tuple[Callable[..., Any], type[Vwap] | type[Cvd]], ...]] = ((vwap, Vwap), (cvd, Cvd))
"""The streaming face of each of our indicators that can be published."""


class Publisher:
    """Everything that a session publishes; an indicator of the same name replaces the one before."""

    def __init__(self, line: Line):
        self._line = line
        self._publications: dict[tuple[str, str], Publication] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def publish(
        self, session: Session, capture: Capture, name: str, what: object, style: Style
    ) -> Publication:
        """Begin to publish; see :meth:`Session.publish`."""
        one_line(name, "name")
        if not self._line.has_platform:
            raise without_platform(
                messages.Publish(symbol=capture.instrument.symbol, indicator=name, value=0.0),
                self._line.source,
            )
        publication = Publication(self._line, capture, name, style, _live(session, capture, what))
        self._replace(publication)
        if publication.live is not None:
            self._keep_up_to_date()
        elif what is not None:
            publication.add(what)
        return publication

    def stop(self) -> None:
        """Stop all of them, and the thread."""
        self._stopping = True
        self._wake.set()
        for publication in list(self._publications.values()):
            publication.stop()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(JOIN_S)

    def _replace(self, publication: Publication) -> None:
        with self._lock:
            earlier = self._publications.get((publication.symbol, publication.name))
            if earlier is not None and earlier.drawn and earlier.style != publication.style:
                raise WorkbenchError(
                    f"{publication.name!r} is drawn as {earlier.style} already",
                    expected="the same colour, style and where, or another name",
                    code="bad_value",
                )
            self._publications[publication.symbol, publication.name] = publication
        if earlier is not None:
            earlier.stop()

    def _keep_up_to_date(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="workbench-publish", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        seen: tuple[int | None, ...] = ()
        while not self._stopping and self._line.state != "closed":
            is_asked = self._wake.is_set()
            self._wake.clear()
            reached = tuple(capture.next_sequence for capture in self._line.captures.values())
            if is_asked or reached != seen:
                for publication in list(self._publications.values()):
                    publication.update()
            seen = reached
            self._wake.wait(PERIOD_S)


class StreamingFace:
    """An indicator of ours over a capture: each call takes in the trades since the one before.

    Notes
    -----
    Its value is that of the batch face's last row at the same moment, bit for bit: both rest on one kernel.
    """

    def __init__(self, capture: Capture, face: type[Vwap] | type[Cvd]):
        self._capture, self._face = capture, face
        self._trades: LiveColumns
        self._indicator: Vwap | Cvd
        self._seen: int
        self._begin()

    def __call__(self) -> float | None:
        """Value now; None before the first trade."""
        with self._capture.lock:
            if self._capture.trades is not self._trades:  # everything was forgotten
                self._begin()
            for piece in self._trades.chunks(self._seen):
                self._indicator.apply(EventBatch.trusted(piece[:-1], 0))
            self._seen = len(self._trades)
            return self._indicator.value if self._seen else None

    def _begin(self) -> None:
        self._trades = self._capture.trades
        self._seen = 0
        self._indicator = self._face(self._capture.instrument)


def notify(line: Line, symbol: str, text: str) -> None:
    """Show the trader a line of text, in the platform."""
    line.ask(messages.Notify(symbol=symbol, text=one_line(text, "message")))


def _live(session: Session, capture: Capture, what: object) -> Live | None:
    if not callable(what):
        return None
    face = next((face for batch, face in FACES if batch is what), None)
    return _asking(session, what) if face is None else StreamingFace(capture, face)


def _asking(session: Session, function: Callable[[Session], object]) -> Live:
    reference = weakref.ref(session)  # a forgotten session must not live on for what it publishes

    def ask() -> object:
        alive = reference()
        return None if alive is None else function(alive)

    return ask

"""Channels and the sender thread, without a page: what a page would say is put on the control channel."""

from __future__ import annotations

import itertools
import math
import threading
import time

from tests.support.eventually import eventually
from tests.support.view_events import shown, trades
from workbench.errors import WorkbenchError
from workbench.views.heatmap import Heatmap
from workbench.views.ladder import Ladder
from workbench.views.live import Sender
from workbench.views.profile import Profile


class Page:
    """The other end of a view's channels."""

    def __init__(self, view):
        self.view = view
        self.heard = []
        self.answers = []
        view.send = lambda content, buffers=None: self.heard.append((content, buffers))
        view.control.send = lambda content, buffers=None: self.answers.append(content)

    def say(self, **content):
        self.view._on_control(self.view.control, content, [])

    def kinds(self):
        return [content["k"] for content, _ in self.heard]


def ended(market) -> None:
    sender = Sender.of(market)
    sender.join(10)
    assert not any(thread.name == "workbench-views" for thread in threading.enumerate())


def traded(market) -> None:
    """One more print, a tenth of a second after every row so far."""
    rows = len(market.captured.columns)
    market.apply(trades(rows, (rows * 100, 101, 1, 1)))


def test_a_page_that_is_ready_gets_everything_then_columns():
    """The first message after `ready` is a snapshot; later ones are small; numbers rise by one."""
    market = shown()
    view = Heatmap(market, column_ms=100)
    page = Page(view)
    page.say(k="ready")
    assert eventually(lambda: traded(market) or len(page.heard) >= 4)
    assert page.kinds()[0] == "snap"
    assert "cols" in page.kinds() and set(page.kinds()[1:]) <= {"cols", "idle"}
    assert page.answers == []
    numbers = [content["s"] for content, _ in page.heard]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(isinstance(buffer, bytes) for _, buffers in page.heard for buffer in buffers)
    view.close()
    ended(market)


def test_a_market_at_rest_is_told_once():
    """Nothing new, no time that passes: a heartbeat a second and no picture, until something happens."""
    market = shown()
    view = Heatmap(market, column_ms=100)
    page = Page(view)
    page.say(k="ready")
    assert eventually(lambda: page.kinds().count("idle") >= 2)
    first, later = page.kinds()[0], page.heard[1:]
    assert first == "snap" and {content["k"] for content, _ in later} == {"idle"}
    sent = [content["sent"] for content, _ in later]
    assert all(after - before >= 1000 for before, after in itertools.pairwise(sent))
    traded(market)
    assert eventually(lambda: page.kinds()[-1] == "cols")
    view.close()
    ended(market)


def test_one_thread_feeds_all_views_of_a_session_and_ends_with_the_last():
    """Three views, one thread; nothing is left when they are closed."""
    market = shown()
    views = [Heatmap(market), Ladder(market), Profile(market)]
    assert sum(thread.name == "workbench-views" for thread in threading.enumerate()) == 1
    for view in views:
        view.close()
    ended(market)


def test_a_closed_session_says_so_and_lets_the_thread_go():
    """The last message carries the state `closed`."""
    market = shown()
    view = Ladder(market)
    page = Page(view)
    page.say(k="ready")
    assert eventually(lambda: page.heard)
    market.state = "closed"
    ended(market)
    assert page.heard[-1][0]["state"] == "closed"
    view.close()


def test_a_page_that_comes_after_the_session_was_closed_gets_the_last_picture():
    """Pages draw a view when it is scrolled into sight: that may be after the last cell has closed the session."""
    market = shown()
    view = Heatmap(market, column_ms=100)
    page = Page(view)
    market.state = "closed"
    ended(market)
    page.say(k="ready")
    assert eventually(lambda: page.heard)
    ended(market)
    assert page.kinds() == ["snap"] and page.heard[-1][0]["state"] == "closed"
    view.close()


def test_a_broken_channel_does_not_keep_the_others_from_the_end():
    """Every page whose channel works learns that the session is closed."""
    market = shown()
    views = [Ladder(market) for _ in range(6)]
    pages = [Page(view) for view in views]
    for page in pages:
        page.say(k="ready")
    assert eventually(lambda: all(page.heard for page in pages))
    for view in views[::2]:
        view.send = None
    market.state = "closed"
    ended(market)
    assert all(page.heard[-1][0]["state"] == "closed" for page in pages[1::2])
    for view in views:
        view.close()


def test_a_view_that_fails_shows_its_error_and_the_others_go_on(caplog):
    """The error travels to the strip under the widget; it is logged once."""
    market = shown()
    broken, good = Heatmap(market), Ladder(market)
    pages = [Page(broken), Page(good)]
    broken._model._capture = None
    for page in pages:
        page.say(k="ready")
    assert eventually(lambda: len(pages[0].heard) >= 3 and len(pages[1].heard) >= 3)
    assert pages[0].heard[-1][0]["error"].startswith("AttributeError")
    assert pages[1].heard[-1][0]["error"] == ""
    assert len(caplog.records) == 1
    broken.close()
    good.close()
    ended(market)


def test_what_a_failure_swallowed_is_sent_again_whole():
    """A model that fails once may have forgotten what the page lacks: the next message carries everything."""
    market = shown()
    view = Heatmap(market)
    page, pull, calls = Page(view), view._model.pull, []

    def failing(wants, full, now_ns):
        traded(market)
        calls.append(full)
        if len(calls) in (1, 4):
            raise WorkbenchError("for once")
        return pull(wants, full, now_ns)

    view._model.pull = failing
    page.say(k="ready")
    assert eventually(lambda: len(page.heard) >= 6)
    assert page.kinds()[:6] == ["idle", "snap", "cols", "idle", "snap", "cols"]
    assert calls[:6] == [True, True, False, False, True, False]
    assert [content["error"] for content, _ in page.heard[:2]] == ["WorkbenchError: for once", ""]
    view.close()
    ended(market)


def test_words_that_are_no_words_are_ignored():
    """A page may send anything."""
    market = shown()
    view = Ladder(market)
    page = Page(view)
    for content in ({}, {"k": "ack", "s": "x"}, {"k": "view", "centre": []}, {"k": "boom"}):
        page.say(**content)
    page.say(k="ready")
    assert eventually(lambda: "rows" in page.kinds())
    assert page.heard[-1][0]["error"] == ""
    view.close()
    ended(market)


class Acting(Ladder):
    """A view that notes what it is asked to do, and answers looks with two pictures."""

    def _act(self, act):
        self.done = [*getattr(self, "done", []), act]
        if act["do"] == "fail":
            raise WorkbenchError("no such thing")
        return {"number": len(self.done)}

    def _answers(self, look):
        yield {"k": "tile", "id": look["id"], "part": 0}, []
        yield {"k": "tile", "id": look["id"], "part": 1}, []


def test_every_act_is_carried_out_once_in_order_and_its_end_is_told():
    """Also those of the second before the kernel had time; one that fails tells why, with the others unharmed."""
    market = shown()
    view = Acting(market)
    page = Page(view)
    for number in range(200):
        page.say(k="act", id=number, do="fail" if number == 7 else "note", kernel_ms=time.time() * 1e3)
    told = lambda: [c for c, _ in page.heard if c["k"] == "did"]  # noqa: E731
    assert eventually(lambda: len(told()) == 200)
    assert [content["id"] for content in told()] == list(range(200))
    assert [content.get("error") for content in told()][6:9] == [None, "WorkbenchError: no such thing", None]
    assert all(act["late_ms"] >= 0 for act in view.done)
    view.close()
    ended(market)


def test_an_act_that_is_said_again_is_carried_out_once():
    """Also when its first word comes last: behind a running cell, after the second was answered."""
    market = shown()
    view = Acting(market)
    page = Page(view)
    for name in ("a", "a", "b", "a", "b"):
        page.say(k="act", id=name, do="note", kernel_ms=time.time() * 1e3)
    assert eventually(lambda: len(page.heard) == 2)
    page.say(k="act", id="a", do="note", kernel_ms=time.time() * 1e3)
    page.say(k="act", id="c", do="note", kernel_ms=time.time() * 1e3)
    assert eventually(lambda: len(page.heard) >= 3)
    assert [act["id"] for act in view.done] == ["a", "b", "c"]
    view.close()
    ended(market)


def test_an_act_without_a_time_is_infinitely_late():
    """Whoever checks for lateness lets nothing through whose age is not known."""
    market = shown()
    view = Acting(market)
    page = Page(view)
    page.say(k="act", id=1, do="note")
    assert eventually(lambda: page.heard)
    assert view.done[0]["late_ms"] == math.inf
    view.close()
    ended(market)


def test_a_look_is_answered_at_once_and_outside_the_numbered_stream():
    """Coarse first, then fine; no page need be attached for it."""
    market = shown()
    view = Acting(market)
    page = Page(view)
    page.say(k="look", id=5)
    assert eventually(lambda: len(page.heard) == 2)
    assert [(c["k"], c["id"], c["part"]) for c, _ in page.heard] == [("tile", 5, 0), ("tile", 5, 1)]
    assert all("s" not in content for content, _ in page.heard)
    view.close()
    ended(market)

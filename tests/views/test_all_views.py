"""What every view promises: silence without a page, the newest state on return, names that harm nobody."""

from __future__ import annotations

import json

import pytest

import workbench as wb
from tests.support.shown import Shown
from tests.support.view_events import SECOND_NS, opening, shown, trades
from workbench.errors import InstrumentError
from workbench.events import Instrument
from workbench.views.pacing import TICK_NS, Mode, Pacing
from workbench.views.workspace import VIEWS

HOSTILE = (
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</script><script>alert(1)</script>",
    "javascript:alert(1)", "'\" onmouseover=alert(1) x=\"", "`${alert(1)}`", "{{7*7}}", "{%x%}", "%{y}<extra></extra>",
    "<b>bold</b>", "<a href='javascript:alert(1)'>x</a>", "a<br>b", "&lt;i&gt;", "&#60;svg onload=alert(1)&#62;",
    "\u202eSEE\u202c", "\u2066abc\u2069", "nul\x00inside", "line\nbreak", "tab\tab", "\r\nSet-Cookie: a=b",
    "😀👩‍👩‍👧‍👦", "a\u0301" * 40, "\ud7ff\ue000", "x" * 10_000, "../../etc/passwd", "C:\\con\\nul", "$\\alpha$",
    "__proto__", "constructor", "' OR 1=1 --",
)  # fmt: skip


def market_of(symbol: str) -> Shown:
    """One capture with a book and three prints."""
    market = Shown(Instrument(symbol, "0.25"))
    market.apply(opening())
    market.apply(
        trades(market.captured.next_sequence or 0, (300, 101, 4, 1), (600, 101, 2, 1), (900, 100, 5, -1))
    )
    return market


def allowed(symbol: str) -> bool:
    """Whether an instrument may be called so: control characters are refused where it is made."""
    try:
        return bool(Instrument(symbol, "0.25"))
    except InstrumentError:
        return False


@pytest.mark.parametrize("name", [*VIEWS, "Workspace"])
def test_hostile_names_are_only_text(name):
    """Thirty names: repr and PNG are made, and no figure holds markup that Plotly would read."""
    assert len(HOSTILE) == 30
    for symbol in filter(allowed, HOSTILE[:: 5 if name == "Workspace" else 1]):
        view = getattr(wb, name)(market_of(symbol))
        assert repr(view) == f"{name}({symbol!r})"
        assert view.picture().startswith(b"\x89PNG")
        told = json.dumps(view.figure().to_plotly_json()["layout"], default=str)
        assert not any(tag in told for tag in ("<img", "<script", "</script", "<svg", "<a ", "<b>bold"))
        view.close()


@pytest.mark.parametrize("name", VIEWS)
def test_a_page_that_returns_sees_what_one_that_stayed_sees(name):
    """After a time without a page the full message equals that of a fresh model: nothing was lost."""
    market = shown()
    view = getattr(wb, name)(market)
    view._model.pull([], True, market.clock.now_ns)
    for second in range(60):
        number = market.captured.next_sequence or 0
        rows = ((1000 * second + 1000 + i, 100 + i % 3, 1 + i, 1 - 2 * (i % 2)) for i in range(20))
        market.apply(trades(number, *rows))
    back = view._model.pull([{"k": "ready"}], True, market.clock.now_ns)
    fresh = view._make_model().pull([{"k": "ready"}], True, market.clock.now_ns)
    assert back is not None
    assert fresh is not None
    assert back[0]["k"] == fresh[0]["k"]
    if name in ("Tape", "Ladder", "Profile"):
        assert [array.tobytes() for array in back[1]] == [array.tobytes() for array in fresh[1]]
    assert market.captured.events == len(market.captured.columns)
    view.close()


def test_ten_minutes_without_a_page_cost_a_minute_of_small_words_and_no_memory():
    """Virtual time: a page answers, leaves without a word, and comes back to be served at once."""
    pacing, now = Pacing(), 0
    pacing.on_ready(now)
    sent_at = []
    while now < 600 * SECOND_NS:
        if pacing.due(now):
            pacing.note_sent(now)
            sent_at.append(now)
        now += TICK_NS
    assert sent_at[-1] <= 60 * SECOND_NS
    assert len(pacing._waiting) <= 200
    assert pacing.mode(now) is Mode.IDLE
    pacing.on_ready(now)
    assert pacing.due(now)
    assert pacing.mode(now) is Mode.LIVE

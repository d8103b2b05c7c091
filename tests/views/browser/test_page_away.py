"""A page that goes away and comes back: nothing lost, nothing hoarded, the picture as if it had never left."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

CELLS = [
    """\
import workbench as wb
from tests.support.away_cell import SEED, beside, facts, truth
s = wb.simulate(seed=SEED)
views, desk = beside(s)
desk""",
    "print(facts(s, views))",
    "s.close()\nprint(truth(s))",
    "beside(s)[1]",
]
SAVED = "() => window.jupyterapp.commands.execute('docmanager:save').then(() => true)"
DRAWN = (
    "['.ow-heatmap', '.ow-ladder'].every((name) => Number(document.querySelector(name)?.dataset.frames) > 0)"
)
WAKES_BYTES = 60_000_000
"""For what a kernel that goes on needs beside the events: books, the heatmap's ring and checkpoints, the collector."""
TWIN = """() => {
  const [mine, theirs] = [...document.querySelectorAll('.ow-heatmap')].map((root) => root.parentElement.workbench.store);
  const [first, last] = [Math.max(mine.first, theirs.first), theirs.last];
  const [low, high] = [Math.max(mine.lowTick, theirs.lowTick), Math.min(mine.highTick, theirs.highTick)];
  let [cells, wrong] = [0, 0];
  for (let column = first; column <= last; column++) {
    for (let which = 0; which < 3; which++) wrong += mine.edge(column, which) !== theirs.edge(column, which);
    for (let tick = low; tick < high; tick++, cells++) wrong += mine.code(column, mine.rowAt(tick)) !== theirs.code(column, theirs.rowAt(tick));
  }
  return {columns: last - first + 1, cells, wrong, ends: [mine.last, theirs.last]}; }"""
RUNGS = """() => [...document.querySelectorAll('.ow-ladder')].map((root) => Object.fromEntries(
  [...root.querySelectorAll('tbody tr')].map((row) => [row.querySelector('.ow-col-price').innerText,
    ['bid', 'ask', 'bought', 'sold'].map((name) => row.querySelector(`.ow-col-${name}`)?.innerText)])))"""


def said(page: Any, word: str, index: int) -> Any:
    """Run a cell and read what it printed behind a word."""
    cell = f"window.jupyterapp.shell.currentWidget.content.model.cells.get({index})"
    ran = f"{cell}.executionCount"
    before = page.page.evaluate(ran)
    page.run_cell(index)
    page.until(f"{ran} !== {json.dumps(before)} && {ran} > 0", 120)
    text = f"{cell}.outputs.toJSON().map((one) => [one.text ?? ''].flat().join('')).join('')"
    return json.loads(page.until(f"(({text}).split('{word}')[1] ?? '').trim()", 120))


def idle(page: Any) -> None:
    page.until("window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")


def left(open_notebook: Any, name: str) -> tuple[Any, dict[str, Any], str]:
    """A notebook in which both views have drawn, saved and left; what the kernel told last, and the address."""
    page = open_notebook(name, CELLS)
    idle(page)
    page.run_cell(0)
    page.until(DRAWN, 180)
    before = said(page, "FACTS", 1)
    page.page.evaluate(SAVED)
    address = page.page.url
    page.page.goto("about:blank")
    return page, before, address


@pytest.mark.parametrize("seconds", [12, pytest.param(600, marks=pytest.mark.slow)])
@pytest.mark.timeout(1200)
def test_a_page_that_was_away_finds_everything(open_notebook, seconds):
    """The kernel goes on: no event is lost, next to nothing is sent, memory grows by the events, the picture is whole."""
    page, before, address = left(open_notebook, f"away{seconds}")
    threading.Event().wait(seconds)  # what is tested is that time passes
    page.page.goto(address)
    page.until(DRAWN, 180)
    idle(page)
    after = said(page, "FACTS", 1)
    print(json.dumps({"seconds": seconds, "before": before, "after": after}))
    assert after["gaps"] == after["lost"] == 0
    assert max(after["held"]) < 64
    own = after["event_bytes"] - before["event_bytes"]
    assert after["resident"] - before["resident"] < own + WAKES_BYTES
    same_as_the_source(page, after)
    same_as_fresh_views(page)
    assert page.complaints == []


def same_as_the_source(page: Any, after: dict[str, Any]) -> None:
    """All events of the market are there, in order, to the last column of the last one."""
    found = said(page, "TRUTH", 2)
    assert found["same"]
    assert found["last"] + 1 == found["events"] >= after["events"]


def same_as_fresh_views(page: Any) -> None:
    """The page that came back holds and shows what views made now hold and show."""
    page.run_cell(3)
    for name in (".ow-heatmap", ".ow-ladder"):
        both = f"[...document.querySelectorAll('{name}')].map((root) => Number(root.dataset.frames))"
        page.until(f"{both}.length === 2 && {both}.every((frames) => frames > 0)", 120)
    twin = eventually(
        lambda: ended(page.page.evaluate(TWIN)), 60, what="both heatmaps at the end of the session"
    )
    assert twin["wrong"] == 0
    assert twin["columns"] > 20
    assert page.colours(".ow-heatmap canvas")["colours"] > 40
    mine, theirs = page.page.evaluate(RUNGS)
    shared = set(mine) & set(theirs) - {""}
    assert len(shared) > 8
    assert {price: mine[price] for price in shared} == {price: theirs[price] for price in shared}


def ended(twin: dict[str, Any]) -> dict[str, Any] | None:
    """What the comparison found, once both stores hold the last column."""
    return twin if twin["ends"][0] == twin["ends"][1] else None

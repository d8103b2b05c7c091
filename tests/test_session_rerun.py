"""Running cells again, in a real IPython shell of its own process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.synthetic import reference
from workbench.events import Instrument
from workbench.frames.recording import write_recording

SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.loads(sys.argv[1]):
    result = shell.run_cell(cell, store_history=True)
    result.raise_error()
print("ANSWER", json.dumps(shell.user_ns["answer"]))
"""

OPEN = "import workbench as wb\nall_of_them = []\npath = {path!r}"
COUNT = "answer = [s.state for s in all_of_them]"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("rerun")
    return str(write_recording(folder, Instrument("SYN", "0.25"), [reference(50)], source={}).path)


def answer(path: str, *cells: str) -> list[object]:
    """What the cells, run one after another in an IPython shell, leave in ``answer``."""
    run = subprocess.run(
        [sys.executable, "-c", SHELL, json.dumps([OPEN.format(path=path), *cells])],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).resolve().parent.parent,
    )
    lines = [line for line in run.stdout.splitlines() if line.startswith("ANSWER ")]
    assert run.returncode == 0 and lines, run.stdout + run.stderr
    states: list[object] = json.loads(lines[-1].removeprefix("ANSWER "))
    return states


def test_a_cell_that_runs_three_times_has_one_session(path: str) -> None:
    """The earlier sessions are closed, although somebody still holds them."""
    cell = "s = wb.replay(path, inline=True)\nall_of_them.append(s)"
    assert answer(path, cell, cell, cell, COUNT) == ["closed", "closed", "live"]


def test_a_session_without_a_name_is_closed_when_its_cell_runs_again(path: str) -> None:
    """The place is then the cell and the line."""
    cell = "all_of_them.append(wb.replay(path, inline=True))"
    assert answer(path, cell, cell, COUNT) == ["closed", "live"]


def test_other_names_loops_and_functions_keep_their_sessions(path: str) -> None:
    """Only running the same thing again closes: two variables, a loop or a function of the user's do not."""
    cells = (
        "a = wb.replay(path, inline=True)\nb = wb.replay(path, inline=True)\nall_of_them += [a, b]",
        "for _ in range(2):\n    all_of_them.append(wb.replay(path, inline=True))",
        "def mine():\n    return wb.replay(path, inline=True)\nall_of_them += [mine(), mine()]",
    )
    assert answer(path, *cells, COUNT) == ["live"] * 6


def test_a_variable_that_gets_another_source_keeps_the_first_one_alive(path: str) -> None:
    """Comparing two sources under one name is the user's right."""
    cells = (
        "s = wb.replay(path, inline=True)\nall_of_them.append(s)",
        "s = wb.replay(path, inline=True, end='20ms')\nall_of_them.append(s)",
    )
    assert answer(path, *cells, COUNT) == ["live", "live"]


def test_a_cell_that_runs_again_doubles_no_order_and_no_drawing(path: str) -> None:
    """One session, one order under its name, one line on the chart: whatever was run how often."""
    begin = """
import os, tempfile, threading
os.environ["WORKBENCH_RUNTIME_DIR"] = tempfile.mkdtemp()
from tests.support.eventually import eventually
from tests.support.scripted_engine import ScriptedEngine
from workbench.protocol import messages
engine = ScriptedEngine().__enter__()
uri = engine.announce().uri
"""
    cell = """
s = wb.connect(uri)
s.arm(minutes=1, max_orders=5, max_size=5)
mine = s.orders.buy(1, limit=99.75, client_order_id="cell-1")
line = s.publish("trades", lambda s: len(s.trades) + 1)
all_of_them.append(line)
"""
    end = """
eventually(lambda: engine.of_type(messages.Publish) and len(engine.server.clients) == 1)
threads = sum(t.name == "workbench-publish" for t in threading.enumerate())
ids = {c.client_order_id for c in engine.of_type(messages.PlaceOrder)}
answer = [line.running for line in all_of_them] + [threads, len(ids), len(s.orders)]
s.close()
engine.stop()
"""
    assert answer(path, begin, cell, cell, cell, end) == [False, False, True, 1, 1, 1]

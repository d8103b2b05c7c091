"""Identity of signals: equal in every process, another one when parameters or code change."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl

import workbench as wb
from workbench.flow.signals.code_identity import code_identity

S = wb.signals
WRITTEN = """
import numpy as np
import workbench as wb
LIMIT = {limit}
class Rule:
    def apply(self, sight):
        names = {{"a", "b", "c"}}
        return np.array([{value} for _ in sight.mid if "a" in {{"a", "b", "c"}}]), np.zeros(len(sight.mid), np.int8)
class Mine(wb.signals.Signal):
    @property
    def needs(self):
        return wb.signals.Needs({levels} if LIMIT else 1)
    def rule(self):
        return Rule()
"""


def written(value: float = 0.5, levels: int = 1, limit: int = 3) -> str:
    """Identity of a signal whose class is made from text, as a notebook's cell makes it."""
    names: dict[str, object] = {"__name__": "notebook"}
    exec(compile(WRITTEN.format(value=value, levels=levels, limit=limit), "<cell>", "exec"), names)
    return names["Mine"]().identity()  # type: ignore[operator]


def test_same_code_is_the_same_signal() -> None:
    """A cell that is run twice makes no new signal."""
    assert written() == written()


def test_changed_code_is_another_signal() -> None:
    """In its methods, in the rule that it makes, in a constant that they read."""
    assert len({written(), written(value=0.6), written(levels=2), written(limit=4)}) == 4


def test_every_process_says_the_same() -> None:
    """Neither addresses nor the order of sets get into it."""
    here = S.And(S.BookImbalance(levels=2), S.OfiMomentum()).identity()
    code = (
        "import workbench as wb; S = wb.signals; import sys; from pathlib import Path\n"
        "print(S.And(S.BookImbalance(levels=2), S.OfiMomentum()).identity())\n"
        "names = {'__name__': 'notebook'}; exec(compile(sys.argv[1], '<cell>', 'exec'), names)\n"
        "print(names['Mine']().identity())"
    )
    text = WRITTEN.format(value=0.5, levels=1, limit=3)
    told = subprocess.run(
        [sys.executable, "-c", code, text], capture_output=True, text=True, check=True, timeout=120
    )
    assert told.stdout.split() == [here, written()]


def test_functions_count_by_their_code() -> None:
    """Two functions of one name that do something else are two signals."""
    makers = [lambda frame: frame["mid"], lambda frame: -frame["mid"]]
    one, other = (S.from_frame(f) for f in makers)
    assert one != other
    assert one == S.from_frame(makers[0])
    table = np.arange(3.0)
    held = [code_identity(lambda frame: table), code_identity(lambda frame: table + 1)]
    assert held[0] != held[1]


def test_equal_signals_are_one_key() -> None:
    """Signals hash by what they are."""
    assert len({S.BookImbalance(), S.BookImbalance(levels=1), S.BookImbalance(levels=2)}) == 2
    assert code_identity(S.BookImbalance) == ""


def held(value: object) -> str:
    """Identity of a function that refers to a value of its module."""
    names: dict[str, object] = {"__name__": "notebook", "held": value}
    exec(compile("def follow(sight):\n    return held\n", "<cell>", "exec"), names)
    return code_identity(names["follow"])  # type: ignore[arg-type]


def test_what_a_function_refers_to_counts_by_what_it_holds() -> None:
    """Settings in lists, dictionaries and sets, frames, and what they hold; what holds itself has an end."""
    endless: list[object] = []
    endless.append(endless)
    frame = pl.DataFrame({"edge": [1.0, 2.0]})
    values: list[object] = [
        {"edge": 1},
        {"edge": 2},
        {"edge": [1, 2]},
        {"edge": (1, {3})},
        [1],
        {1, 2},
        np.arange(3),
        {"levels": np.arange(4)},
        frame,
        frame.with_columns(edge=pl.lit(3.0)),
        frame["edge"],
        endless,
    ]
    told = [held(value) for value in values]
    assert len(set(told)) == len(told)
    assert held({"edge": [1, 2]}) == told[2]
    assert held(frame.clone()) == told[8]

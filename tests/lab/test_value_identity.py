"""Identities of values: equal content is equal in every process, other content is another value, however it is printed."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.lab.value_identity import value_identity, value_told

Pair = namedtuple("Pair", "left right")
LONG = np.arange(5000.0)


class Plain:
    """Printed by its address."""

    def __init__(self, held: Any):
        self.held = held


class Slotted:
    """Keeps what it holds in a slot."""

    __slots__ = ("held",)

    def __init__(self, held: Any):
        self.held = held


@dataclass
class Fielded:
    """Printed with its field, which may leave something out."""

    held: Any


def adding(held: Any) -> Any:
    """Make a function of what it closes over."""
    return lambda x: (x, held)


def changed(array: Any) -> Any:
    """An array that differs where numpy prints three dots."""
    other = array.copy()
    other[len(other) // 2] += 1
    return other


MAKERS: dict[str, Any] = {
    "itself": lambda held: held,
    "list": lambda held: [1, [held]],
    "tuple": lambda held: (held, 2),
    "named tuple": lambda held: Pair(held, 2),
    "mapping": lambda held: {"weights": held},
    "object": Plain,
    "slots": Slotted,
    "dataclass": Fielded,
    "function": adding,
    "array of objects": lambda held: np.array([Plain(held), None], object),
    "frame": lambda held: pl.DataFrame({"weight": held}),
    "column": lambda held: pl.Series("weight", held),
    "column of text": lambda held: pl.Series("weight", held.astype(str)),
    "column of categories": lambda held: pl.Series("weight", held.astype(str), pl.Categorical),
    "column of truths": lambda held: pl.Series("weight", held == 2501),
    "column of lists": lambda held: pl.Series("weight", [held.tolist()]),
    "frame of pandas": lambda held: pd.DataFrame({"weight": held}),
    "latency": lambda held: wb.Latency(held.astype(np.int64)),
    "masked": lambda held: np.ma.masked_array(held, held == 7),
}


@pytest.mark.parametrize("name", MAKERS)
def test_values_are_equal_by_content_and_other_by_content(name: str) -> None:
    """Made twice it is one value; made of an array that differs in the middle it is another, also for readers."""
    make = MAKERS[name]
    assert value_identity(make(LONG)) == value_identity(make(LONG.copy()))
    assert value_identity(make(LONG)) != value_identity(make(changed(LONG)))
    assert value_told(make(LONG)) == value_told(make(LONG.copy())) != value_told(make(changed(LONG)))
    assert "\n" not in value_told(make(LONG)) and " at 0x" not in value_told(make(LONG))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ("1", 1),
        ([1, 2], (1, 2)),
        ([1, [2, 3]], [1, 2, [3]]),
        (["a,b"], ["a", "b"]),
        (np.zeros(4), np.zeros((2, 2))),
        (np.zeros(4), np.zeros(4, np.int64)),
        (np.array([0.1]), np.array([0.1 + 1e-16])),
        (np.ma.masked_array([1, 2], [0, 1]), np.ma.masked_array([1, 2], [0, 0])),
        (pl.DataFrame({"a": [1, None]}), pl.DataFrame({"a": [1, 0]})),
        (pl.DataFrame({"a": [1]}), pl.DataFrame({"b": [1]})),
        (pl.Series(["ab", "c"]), pl.Series(["a", "bc"])),
        (pl.Series(["a", None]), pl.Series(["a", ""])),
        (pl.Series([True, None]), pl.Series([True, False])),
        (Plain(1), Fielded(1)),
        (min, max),
        (adding(1), adding(2)),
        (lambda x: x + 1, lambda x: x + 2),
        (Plain, Fielded),
        (None, "None"),
    ],
)
def test_what_is_alike_is_not_the_same(one: Any, other: Any) -> None:
    """Type, shape, order and name count."""
    assert value_identity(one) != value_identity(other)


def test_sets_have_no_order_and_what_holds_itself_has_an_end() -> None:
    """Sets are equal whatever order they were filled in; circles are followed once."""
    assert value_identity({"a", "b", "c"}) == value_identity({"c", "b", "a"})
    circles = [Plain(n) for n in (1, 1, 2)]
    for circle in circles:
        circle.me = circle  # type: ignore[attr-defined]
    one, same, other = map(value_identity, circles)
    assert one == same != other


def test_another_process_gives_the_same_identity() -> None:
    """Neither addresses nor seeds of hashes count."""
    value = (
        "{'a': {'x', 'y', 'z'}, 'b': np.arange(3000), 'c': np.random.default_rng(3), 'd': wb.Latency('2ms')}"
    )
    lines = f"import numpy as np, workbench as wb\nfrom workbench.lab.value_identity import value_identity\nprint(value_identity({value}))"
    told = [
        subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert told[0] == told[1]
    assert told[0].strip() == value_identity(eval(value, {"np": np, "wb": wb}))


def test_plain_values_are_told_as_they_are_written() -> None:
    """What repr tells whole stands alone; for the rest the identity begins to be told."""
    assert value_told(("1ms", 2)) == "('1ms', 2)"
    assert value_told({"a": [None, True]}) == "{'a': [None, True]}"
    assert value_told(Plain(1)).startswith("Plain #")
    assert value_told(adding).startswith("adding #")


@pytest.mark.parametrize("value", [threading.Lock(), (n for n in [1]), Plain(threading.Lock())])
def test_what_has_no_content_is_refused_by_name(value: Any) -> None:
    """The sentence names the parameter and what to do."""
    with pytest.raises(WorkbenchError, match=r"^gate=.*cannot be told from others.*let the strategy make it"):
        value_identity(value, "gate")

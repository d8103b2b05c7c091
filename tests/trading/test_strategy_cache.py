"""Compiled strategies on disk: found by what they do, never by where they stand."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from workbench.errors import WorkbenchError
from workbench.trading import strategy_cache
from workbench.trading.strategies import buy_market, kernel_strategy

TEXT = """
def strategy(d):
    if d.memory[0] == 0:
        d.memory[0] = settings.LOTS + {extra}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for each test."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    return tmp_path / "strategies"


def written(extra: int = 0, lots: int = 1) -> Any:
    """A strategy as a cell would define it: without a file, with a constant in a module."""
    settings = ModuleType("settings")
    settings.LOTS = lots  # type: ignore[attr-defined]
    names: dict[str, Any] = {"settings": settings, "__name__": __name__}
    exec(TEXT.format(extra=extra), names)
    return kernel_strategy(names["strategy"])


def hits(strategy: Any) -> int:
    """How often it was found on disk."""
    return sum(strategy.stats.cache_hits.values())


def test_the_same_strategy_is_compiled_once(place: Path) -> None:
    """A second definition of the same text finds what the first left; other constants anywhere do not."""
    assert hits(written()) == 0
    assert hits(written()) == 1
    assert hits(written(extra=1)) == 0
    assert hits(written(lots=2)) == 0
    assert len(list(place.glob("*.strategy"))) == 3


BELOW = """
def first(d):
    return second(d) + 1

first_of_all = call(first)

def second(d):
    return {value}

second = call(second)
"""


def test_what_is_called_may_stand_below_in_its_file() -> None:
    """A part of strategies that calls one from further down is another when that one changes."""

    def prints(value: int) -> str:
        names: dict[str, Any] = {"call": strategy_cache.call, "__name__": __name__}
        exec(BELOW.format(value=value), names)
        return str(names["first_of_all"]._cache._print)

    assert prints(1) == prints(1)
    assert prints(1) != prints(2)


def test_a_name_that_is_not_defined_is_named() -> None:
    """A strategy that calls what no cell has defined yet says so, and does not wait for the compiler to."""
    names: dict[str, Any] = {"__name__": __name__}
    exec("def strategy(d):\n    helper(d)\n", names)
    with pytest.raises(WorkbenchError, match="strategy uses 'helper'; expected a name that is defined"):
        kernel_strategy(names["strategy"])


def test_what_a_default_says_is_part_of_a_strategy() -> None:
    """Two functions of one code that call with another default do not share a result."""

    def strategy(d: Any, lots: int = 1) -> None:
        _ = buy_market(d, lots)

    one = strategy_cache.StrategyCache(strategy)._print
    strategy.__defaults__ = (2,)
    assert strategy_cache.StrategyCache(strategy)._print != one


@pytest.mark.parametrize("damage", [b"", b"not a strategy", b"\x80\x05K\x01."])
def test_a_damaged_file_is_compiled_anew(place: Path, damage: bytes) -> None:
    """Nobody has to clear a cache by hand."""
    written()
    (file,) = place.glob("*.strategy")
    file.write_bytes(damage)
    assert hits(written()) == 0
    assert hits(written()) == 1


def test_the_longest_unused_are_removed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the most that are kept, the one that was used longest ago goes."""
    monkeypatch.setattr(strategy_cache, "KEPT", 1)
    written()
    (old,) = place.glob("*.strategy")
    os.utime(old, (1, 1))
    written(extra=1)
    (kept,) = place.glob("*.strategy")
    assert kept != old


def test_a_folder_that_cannot_be_made_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A strategy compiles where nothing can be kept."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert hits(written()) == 0

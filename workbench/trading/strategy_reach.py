"""What compiled strategies may reach of their parameters and memory: compiled code has no bounds of its own."""

from __future__ import annotations

import dis
import math
from typing import Any, Final

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import Array

MEMORY_SLOTS: Final = 64
_BEYOND: Final = 4096  # slots behind the last one that nobody else owns
_READS: Final = frozenset({"BINARY_SUBSCR", "STORE_SUBSCR", "BINARY_OP", "COPY", "DUP_TOP_TWO"})


def parameters(values: Any) -> Array:
    """Parameters as a strategy finds them, float64; what it reads behind the last one is NaN.

    Raises
    ------
    WorkbenchError
        No row of numbers (code ``bad_value``).
    """
    try:
        given = np.array(values, np.float64)
    except (TypeError, ValueError):
        given = np.zeros((0, 0))
    if given.ndim != 1:
        raise WorkbenchError(
            f"params {values!r:.60}", expected="a row of numbers, like (2, 0.5)", code="bad_value"
        )
    room = np.full(len(given) + _BEYOND, np.nan)
    room[: len(given)] = given
    return room[: len(given)]


def memory() -> Array:
    """Memory of a strategy, float64, all 0."""
    return np.zeros(MEMORY_SLOTS + _BEYOND)[:MEMORY_SLOTS]


def check_reach(strategy: Any, params: int) -> None:
    """Refuse a strategy that names a parameter which was not given, or memory that there is not.

    Parameters
    ----------
    strategy : kernel strategy
    params : int
        How many there are.

    Raises
    ------
    WorkbenchError
        Code ``bad_value``.

    Notes
    -----
    Numbers that are written down are seen (``d.params[1]``), but for those that ``len(d.params) > 1`` looks for first. Otherwise
    what lies behind the last parameter is NaN.
    """
    function = strategy.py_func
    for what, size in (("params", params), ("memory", MEMORY_SLOTS)):
        optional = _looked_for(function.__code__, what)
        for index in sorted(_indices(function.__code__, what)):
            if not -size <= index < size and index < optional:
                raise WorkbenchError(
                    f"strategy {function.__name__!r:.60} uses d.{what}[{index}] of {size}",
                    expected=f"{index + 1 if index >= 0 else -index} or more"
                    if what == "params"
                    else f"d.memory[0] to d.memory[{MEMORY_SLOTS - 1}]",
                    action="Give them with params=(…)" if what == "params" else "Use fewer slots",
                    code="bad_value",
                )


def _indices(code: Any, name: str) -> set[int]:
    """Numbers by which an attribute of this name is indexed, as they are written."""
    steps = list(dis.get_instructions(code))
    found = zip(steps, steps[1:], steps[2:], strict=False)
    return {
        int(index.argval)
        for owner, index, what in found
        if owner.opname == "LOAD_ATTR"
        and owner.argval == name
        and index.opname in ("LOAD_CONST", "LOAD_SMALL_INT")
        and type(index.argval) is int
        and what.opname in _READS
    }


def _looked_for(code: Any, name: str) -> float:
    """The first index that a strategy asks for, by the length, before it uses it; infinity: none."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("PRECALL", "PUSH_NULL")]
    asked = [at for at, step in enumerate(steps) if step.argval == "len"]
    found = (_bound(steps[at : at + 6]) for at in asked if steps[at + 2].argval == name)
    return min(found, default=math.inf)


def _bound(steps: list[dis.Instruction]) -> float:
    """Of ``len(d.params) > 2`` 2, of ``>= 3`` too; of anything else 0."""
    *_, number, compared = steps
    if compared.opname != "COMPARE_OP" or type(number.argval) is not int or ">" not in str(compared.argval):
        return 0
    return float(number.argval - (">=" in str(compared.argval)))


__all__ = ["MEMORY_SLOTS", "check_reach", "memory", "parameters"]

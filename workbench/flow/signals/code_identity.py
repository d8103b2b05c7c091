"""What the code of a user's signal is: a text that changes when the code does, equal in every process.

It is made from compiled code, so that it is there in notebooks too, where no file holds the source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, Final

import numpy as np
import polars as pl

_SINGLE: Final = (bool, int, float, complex, str, bytes, type(None))
_PLAIN: Final = (*_SINGLE, tuple, frozenset)
_HOLDERS: Final = (list, dict, set)
_DEEPEST: Final = 16  # what holds itself has an end
_OWN: Final = "workbench"


def code_identity(thing: type | Callable[..., Any]) -> str:
    """Code and constants of a class or function and of all it refers to in its own package.

    Parameters
    ----------
    thing : class or function

    Returns
    -------
    str
        "" for what belongs to the workbench: its version stands for its code.

    Notes
    -----
    Lists, dictionaries, sets, arrays and Polars frames that it refers to count by what they hold; of other objects only that
    they are there. Bytecode differs between versions of Python: there the same signal counts as another one.
    """
    found: dict[str, str] = {}
    home = _root(thing)
    if home != _OWN:
        _collect(thing, home, found)
    return "\n".join(f"{name} {text}" for name, text in sorted(found.items()))


def _root(thing: Any) -> str:
    return str(getattr(thing, "__module__", None) or "").partition(".")[0]


def _collect(thing: Any, home: str, found: dict[str, str]) -> None:
    thing = getattr(thing, "py_func", thing)
    if not isinstance(thing, type | FunctionType) or _root(thing) != home:
        return
    place = f"{thing.__module__}.{thing.__qualname__}"
    if place in found:
        return
    found[place] = ""
    if isinstance(thing, type):
        for base in thing.__bases__:
            _collect(base, home, found)
        members = list(vars(thing).items())
    else:
        found[place] = _text(thing.__code__) + repr(_plain(thing.__defaults__))
        members = list(_referred(thing))
    for name, value in members:
        _note(name, value, place, home, found)


def _note(name: str, value: Any, place: str, home: str, found: dict[str, str]) -> None:
    if isinstance(value, property):
        value = value.fget
    value = getattr(value, "__func__", value)
    if isinstance(value, np.ndarray):
        found[f"{place}.{name}"] = f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    elif isinstance(value, pl.DataFrame | pl.Series):
        held = value.to_frame() if isinstance(value, pl.Series) else value
        rows = hashlib.sha256(held.rechunk().write_ipc(None).getvalue()).hexdigest()
        found[f"{place}.{name}"] = f"{type(value).__name__} {held.schema!r} {rows}"
    elif isinstance(value, (*_PLAIN, *_HOLDERS)) and not name.startswith("__"):
        found[f"{place}.{name}"] = repr(_plain(value))
    else:
        _collect(value, home, found)


def _referred(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Values of the names that a function takes from its module and from around it."""
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield name, cell.cell_contents
        except ValueError:
            continue


def _names(code: CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _text(code: CodeType) -> str:
    constants = [_text(c) if isinstance(c, CodeType) else repr(_plain(c)) for c in code.co_consts]
    return f"{code.co_code.hex()} {constants} {code.co_names} {code.co_varnames}"


def _plain(value: Any, depth: int = 0) -> Any:
    """What a value holds, but for objects; sets have an order of their own in every process."""
    if isinstance(value, (frozenset, tuple, *_HOLDERS)) and depth < _DEEPEST:
        if isinstance(value, dict):
            return [(_plain(key, depth + 1), _plain(held, depth + 1)) for key, held in value.items()]
        parts = [_plain(part, depth + 1) for part in value]
        return sorted(map(repr, parts)) if isinstance(value, frozenset | set) else tuple(parts)
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    return value if isinstance(value, _SINGLE) or value is ... else type(value).__qualname__


__all__ = ["code_identity"]

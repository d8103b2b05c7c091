"""What a parameter or setting is: a text made from its whole content, equal for equal values in every process.

``repr`` will not do: it leaves out the middle of long arrays and names many an object by its address.
"""

from __future__ import annotations

import copyreg
import datetime
import enum
import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.flow.signals.code_identity import code_identity
from workbench.flow.signals.contract import Signal

_TIMES: Final = (datetime.date, datetime.time, datetime.datetime, datetime.timedelta)
_NUMBERS: Final = (bool, int, float, complex, Decimal, Fraction)
_TOLD_BY_REPR: Final = frozenset((*_NUMBERS, *_TIMES, str, bytes, type(None), type(...), range, slice))
_PICKLE_PROTOCOL: Final = 4
_LIBRARIES: Final = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def value_identity(value: Any, name: str = "value") -> str:
    """Hash of a value's content, shape (32,) hexadecimal.

    Parameters
    ----------
    value : object
        Numbers, text and times count by type and value; sequences, mappings and sets by what they hold; arrays by dtype,
        shape and bytes; Polars frames by names, types and rows; signals as in studies; functions and classes by name and,
        but for those of installed packages, code; all other objects by class and by what pickle would keep of them.
    name : str, optional
        What an error calls it.

    Raises
    ------
    WorkbenchError
        It holds what has no content to go by, as an open file, a lock or a generator (code ``no_identity``).

    Examples
    --------
    >>> import numpy as np
    >>> one, other = np.zeros(5000), np.zeros(5000)
    >>> value_identity(one) == value_identity(other)
    True
    >>> other[2500] = 1
    >>> value_identity(one) == value_identity(other)
    False
    """
    try:
        text = _told(value, ())
    except (TypeError, AttributeError, RecursionError) as problem:
        raise WorkbenchError(
            f"{name}={value!r:.60}, which cannot be told from others: {problem}",
            expected="something that pickle can write down",
            action="Give what it is made from, and let the strategy make it",
            code="no_identity",
        ) from problem
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def value_told(value: Any, identity: str = "") -> str:
    """A value as one line for readers; where its ``repr`` may leave something out, with the begin of its identity.

    Parameters
    ----------
    value : object
    identity : str, optional
        Where it is known already.

    Examples
    --------
    >>> value_told(("1ms", 2.5))
    "('1ms', 2.5)"
    """
    if _is_plain(value):
        return repr(value)
    text = getattr(value, "__qualname__", None) or " ".join(repr(value).split())
    short = text if len(text) <= 60 and " at 0x" not in text else type(value).__qualname__
    return f"{short} #{(identity or value_identity(value))[:8]}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return type(value) is dict and all(map(_is_plain, (*value, *value.values())))
    if isinstance(value, list | tuple):
        return (type(value) is list or hasattr(value, "_fields") or type(value) is tuple) and all(
            map(_is_plain, value)
        )
    return type(value) in _TOLD_BY_REPR or isinstance(value, np.number | np.bool_)


def _told(value: Any, around: tuple[Any, ...]) -> str:
    """Text of a value within those that hold it: what holds itself is named by how far out it lies."""
    if type(value) in _TOLD_BY_REPR:
        return f"{type(value).__name__} {value!r}"
    for distance, holder in enumerate(reversed(around)):
        if holder is value:
            return f"holder {distance}"
    kind, parts = _taken_apart(value)
    return f"{kind}({','.join(_told(part, (*around, value)) for part in parts)})"


def _taken_apart(value: Any) -> tuple[str, Iterable[Any]]:
    """A name for the kind of a value, and what it holds."""
    kind = _place(type(value))
    if isinstance(value, enum.Enum):
        return kind, [value.name]
    if type(value) in (list, tuple):
        return kind, value
    if type(value) is dict:
        return kind, (part for pair in value.items() for part in pair)
    if isinstance(value, set | frozenset):
        return kind, sorted(_told(part, ()) for part in value)
    if isinstance(value, np.ndarray):
        return kind, _of_array(value)
    if isinstance(value, pl.Series):
        return kind, _of_series(value)
    if isinstance(value, pl.DataFrame):
        return kind, value.get_columns()
    if isinstance(value, PurePath):
        return "path", [str(value)]
    if isinstance(value, Signal):
        return kind, [value.identity()]
    return _of_code(value) or (kind, _of_object(value))


def _of_array(array: Any) -> Iterator[Any]:
    yield from (repr(array.dtype), array.shape)
    if isinstance(array, np.ma.MaskedArray):
        yield np.ma.getmaskarray(array)
        array = array.filled()
    yield array.tolist() if array.dtype.hasobject else hashlib.sha256(array.tobytes()).hexdigest()


def _of_series(series: pl.Series) -> Iterator[Any]:
    yield from (series.name, repr(series.dtype), len(series))
    yield series.is_null().to_numpy()
    kind = series.dtype
    if kind == pl.Boolean or kind.is_integer() or kind.is_float() or kind.is_temporal():
        yield series.to_physical().fill_null(False if kind == pl.Boolean else 0).to_numpy()
    elif kind in (pl.String, pl.Categorical, pl.Enum):
        text = series.cast(pl.String).fill_null("")
        yield from (text.str.len_bytes().to_numpy(), "".join(text))
    else:
        yield series.to_list()


def _of_code(value: Any) -> tuple[str, Iterable[Any]] | None:
    """Functions with what they closed over, classes, modules; None for anything else."""
    code = getattr(value, "py_func", value)
    if isinstance(code, ModuleType):
        return "module", [code.__name__]
    if isinstance(code, BuiltinFunctionType) and not isinstance(code.__self__, ModuleType):
        return None
    if not isinstance(code, type | FunctionType | BuiltinFunctionType):
        return None
    if isinstance(code, BuiltinFunctionType) or _is_installed(code.__module__):
        return "code", [_place(code)]
    held = list(_closed_over(code)) if isinstance(code, FunctionType) else []
    return "code", [_place(code), code_identity(code), *held]


def _closed_over(function: FunctionType) -> Iterator[Any]:
    yield from (function.__defaults__, function.__kwdefaults__)
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            yield "nothing yet"


def _of_object(value: Any) -> Iterator[Any]:
    """Class and what pickle would keep."""
    yield type(value)
    own: Any = copyreg.dispatch_table.get(type(value))
    reduced: Any = value.__reduce_ex__(_PICKLE_PROTOCOL) if own is None else own(value)
    if isinstance(reduced, str):
        yield reduced
        return
    kept: list[Any] = [*tuple(reduced), None, None, None]
    yield from kept[:3]  # what makes it, out of what, and its state
    yield from (None if held is None else list(held) for held in kept[3:5])


def _place(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


@lru_cache(256)
def _is_installed(module: str) -> bool:
    """Whether code comes from the language or from a package: their releases stand for their code."""
    root = module.partition(".")[0]
    if root == "workbench" or (root in sys.stdlib_module_names and root != "__main__"):
        return True
    file = getattr(sys.modules.get(root), "__file__", None)
    return file is not None and any(Path(file).is_relative_to(folder) for folder in _LIBRARIES)


__all__ = ["value_identity", "value_told"]

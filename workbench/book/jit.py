"""How kernels are compiled here: explicit signatures, cached on disk, without the interpreter's lock.

An explicit signature compiles (or loads from the cache) when the module is imported, so that the first event of a live
feed never waits for a compiler. Input columns are declared read-only: decoded messages and Arrow buffers are.
"""

from __future__ import annotations

import builtins
import dis
import gc
import hashlib
import inspect
from collections.abc import Callable
from types import CodeType, ModuleType
from typing import Any, Final, TypeVar, cast

import numpy as np
from numba import njit, types

from workbench.errors import WorkbenchError
from workbench.events import Array

Function = TypeVar("Function", bound=Callable[..., Any])


_CONSTANTS: Final = (bool, int, float, complex, str, bytes, tuple, np.generic)
_NUMERIC: Final = ("math", "numpy", "builtins")


def _column(dtype: types.Type) -> types.Type:
    return types.Array(dtype, 1, "C", readonly=True)


U1_COLUMN: Final = _column(types.uint8)
I1_COLUMN: Final = _column(types.int8)
I4_COLUMN: Final = _column(types.int32)
I8_COLUMN: Final = _column(types.int64)
U2_COLUMN: Final = _column(types.uint16)


def kernel(signature: Any = None) -> Callable[[Function], Function]:
    """Compile without a lock held and with IEEE division, cached on disk beside the module.

    Parameters
    ----------
    signature : str or numba signature, optional
        Compile for it now; unset: for the types of the first call, when it comes.
    """

    def compiled(function: Function) -> Function:
        dispatcher: Any = njit(nogil=True, error_model="numpy")(function)
        _cache(dispatcher)
        if signature is not None:
            compile_once(dispatcher, signature)
        return cast(Function, dispatcher)

    return compiled


def part(function: Function) -> Function:
    """Compile as a part of kernels: never called from Python, so without the wrappers that cost as much.

    Calls with constants (``below(m, 2)``) share one version: numba would compile one for each constant.
    """
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    dispatcher: Any = njit(nogil=True, error_model="numpy", **options)(function)
    unliteral = getattr(types, "unliteral")  # noqa: B009  # missing in its type stubs
    template = dispatcher.get_call_template
    dispatcher.get_call_template = lambda args, kws: template(tuple(unliteral(a) for a in args), kws)
    return cast(Function, dispatcher)


def _cache(dispatcher: Any) -> None:
    # numba's own cache looks at the date of the file that a function is in. It would go on using the old code of
    # kernels and constants that come from other files, so what they are becomes part of that stamp.
    dispatcher.enable_caching()
    file = dispatcher._cache._cache_file
    file._source_stamp = (*file._source_stamp, fingerprint(dispatcher.py_func))


def compile_once(dispatcher: Any, signature: Any) -> None:
    """Compile for one signature, and for no other ever after."""
    # A compiler makes millions of objects that all stay: looking for garbage among them costs a seventh of its time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        dispatcher.compile(signature)
    finally:
        if collecting:
            gc.enable()
    dispatcher.disable_compile()


def fingerprint(function: Callable[..., object]) -> str:
    """Return the hash of all that decides what a kernel does: code and constants, of it and of all that it calls.

    Raises
    ------
    WorkbenchError
        It uses a name that is not defined yet, which could not be part of the hash.
    """
    found: dict[str, str] = {}
    _collect(function, found)
    text = "\n".join(f"{name} {value}" for name, value in sorted(found.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _collect(function: Any, found: dict[str, str]) -> None:
    place = f"{function.__module__}.{function.__qualname__}"
    if place in found:
        return
    defaults = f" {function.__defaults__!r}" if function.__defaults__ else ""
    found[place] = " ".join(_said(code) for code in _codes(function.__code__)) + defaults
    _check_defined(function)
    cells = inspect.getclosurevars(function).nonlocals
    names = {name for code in _codes(function.__code__) for name in code.co_names}
    known = {name: function.__globals__[name] for name in names if name in function.__globals__}
    for name, value in {**known, **cells}.items():
        _collect_value(f"{place}.{name}", value, names, found)


def _check_defined(function: Any) -> None:
    for code in _codes(function.__code__):
        for step in dis.get_instructions(code):
            name = step.argval
            if (
                step.opname == "LOAD_GLOBAL"
                and name not in function.__globals__
                and not hasattr(builtins, name)
            ):
                raise WorkbenchError(
                    f"{function.__qualname__} uses {name!r}",
                    expected="a name that is defined",
                    action=f"Define {name} before it, or import it",
                )


def _codes(code: CodeType) -> list[CodeType]:
    """A function's code, and the code of what is defined inside it."""
    inner = [c for constant in code.co_consts if isinstance(constant, CodeType) for c in _codes(constant)]
    return [code, *inner]


def _said(code: CodeType) -> str:
    # A code object's repr is its address: what it says is told by its own line.
    constants = tuple(c.co_name if isinstance(c, CodeType) else c for c in code.co_consts)
    return f"{code.co_code.hex()} {constants!r} {code.co_names!r}"


def _collect_value(place: str, value: Any, names: set[str], found: dict[str, str]) -> None:
    if called := getattr(value, "py_func", None):
        _collect(called, found)
    elif isinstance(value, _CONSTANTS):
        found[place] = repr(value)
    elif isinstance(value, np.ndarray):
        found[place] = f"{value.dtype} {value.shape} {value.tobytes().hex()}"
    elif isinstance(value, ModuleType) and value.__name__.partition(".")[0] not in _NUMERIC:
        for name in sorted(names & set(vars(value))):  # any of them may be meant: settings.LIMIT
            _collect_value(f"{value.__name__}.{name}", vars(value)[name], names - {name}, found)


def aligned(column: Array) -> Array:
    """Return the column as kernels take it: contiguous and aligned; copied only where it is not."""
    flags = column.flags
    if flags.c_contiguous and flags.aligned:
        return column
    # A column inside a received message starts at any byte.
    return np.require(column, requirements=["C", "A"])

"""How kernels are compiled here: explicit signatures, cached on disk, without the interpreter's lock.

An explicit signature compiles (or loads from the cache) when the module is imported, so that the first event of a live
feed never waits for a compiler. Input columns are declared read-only: decoded messages and Arrow buffers are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numpy as np
from numba import njit, types

from workbench.events import Array

Function = TypeVar("Function", bound=Callable[..., Any])


def _column(dtype: types.Type) -> types.Type:
    return types.Array(dtype, 1, "C", readonly=True)


U1_COLUMN: Final = _column(types.uint8)
I1_COLUMN: Final = _column(types.int8)
I4_COLUMN: Final = _column(types.int32)
I8_COLUMN: Final = _column(types.int64)
U2_COLUMN: Final = _column(types.uint16)


def kernel(signature: Any) -> Callable[[Function], Function]:
    """Compile for one signature: no lock held, IEEE division, cached beside the module."""
    compiled: Callable[[Function], Function] = njit(signature, nogil=True, cache=True, error_model="numpy")
    return compiled


def aligned(column: Array) -> Array:
    """Return the column as kernels take it: contiguous and aligned; copied only where it is not."""
    flags = column.flags
    if flags.c_contiguous and flags.aligned:
        return column
    # A column inside a received message starts at any byte.
    return np.require(column, requirements=["C", "A"])

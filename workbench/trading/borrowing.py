"""Arrays that a kernel uses without counting who holds them.

Each pass of an array to a function counts its holders up and down, by atomic steps of the processor; with the dozen
arrays of the engine that cost more than a row. The caller of a kernel holds its arrays until it returns.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

# numba's own parts come without types
_view: Any = make_array
_null: Any = cgutils.get_null_value


def _typed(context: Any, array: Any) -> Any:
    if not isinstance(array, types.Array):
        return None

    def code(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        view = _view(array)(target, builder, value=arguments[0])
        view.meminfo = _null(view.meminfo.type)
        view.parent = _null(view.parent.type)
        return view._getvalue()

    return array(array), code


borrowed: Any = intrinsic(_typed)
"""The same array, uncounted; only for arguments of a kernel, never to be returned."""

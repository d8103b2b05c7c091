"""The desk of a kernel strategy as one address.

A strategy is called at every step. Passed by value, the ten arrays of its desk are eighty numbers that are copied for
each call: with a step at every message that was a third of the whole time. So the engine lays the desk down once, and
says where.
"""

from __future__ import annotations

from typing import Any, Final

from numba import types
from numba.core import cgutils
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)
from numba.np.arrayobj import make_array, populate_array

from workbench.trading.slots import DESK_TYPE, Desk

# numba's own parts come without types
_build: Any = cgutils
_view: Any = make_array
_fill: Any = populate_array
_attributes: Any = AttributeTemplate
_reading: Any = lower_getattr_generic
_inferring: Any = infer_getattr
_modelled: Any = register_model


class DeskAddress(types.Type):
    """Where a :class:`~workbench.trading.slots.Desk` lies; its fields are read as those of the tuple."""

    def __init__(self) -> None:
        super().__init__("DeskAddress")


DESK: Final[Any] = DeskAddress()
STRATEGY: Final[Any] = types.void(DESK)
"""What a kernel strategy is compiled for."""


class _Fields(_attributes):  # type: ignore[misc]
    key = DeskAddress

    def generic_resolve(self, _desk: Any, name: str) -> Any:
        return DESK_TYPE.types[Desk._fields.index(name)] if name in Desk._fields else None


def _place(context: Any, builder: Any, desk: Any) -> Any:
    return builder.bitcast(_build.alloca_once_value(builder, desk), context.get_value_type(DESK))


def _read(context: Any, builder: Any, _desk: Any, address: Any, name: str) -> Any:
    """One array, uncounted: the caller of the engine holds it."""
    index = Desk._fields.index(name)
    array = DESK_TYPE.types[index]
    desk = builder.bitcast(address, context.get_value_type(DESK_TYPE).as_pointer())
    there = _view(array)(context, builder, ref=_build.gep_inbounds(builder, desk, 0, index))
    here = _view(array)(context, builder)
    shape = _build.unpack_tuple(builder, there.shape, array.ndim)
    strides = _build.unpack_tuple(builder, there.strides, array.ndim)
    _fill(here, data=there.data, shape=shape, strides=strides, itemsize=there.itemsize, meminfo=None)
    return here._getvalue()


def _typed(_context: Any, desk: Any) -> Any:
    def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _place(context, builder, arguments[0])

    return (DESK(desk), code) if desk == DESK_TYPE else None


_modelled(DeskAddress)(models.OpaqueModel)
_inferring(_Fields)
_reading(DeskAddress)(_read)

address_of: Any = intrinsic(_typed)
"""Lay a desk down where the calling kernel keeps its variables; good until that kernel returns."""

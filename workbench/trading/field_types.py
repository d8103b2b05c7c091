"""Values of a record are of the types that it declares, whatever numbers a caller has at hand."""

from __future__ import annotations

import difflib
from decimal import Decimal
from functools import cache
from numbers import Integral, Real
from typing import Any, get_type_hints

import msgspec

from workbench.errors import WorkbenchError


class KnownFields(msgspec.StructMeta):
    """Makes records that refuse the names of fields they do not have, as people misspell them."""

    def __call__(cls, *values: Any, **named: Any) -> Any:  # noqa: N805 - a class is made by it
        """Make one; a WorkbenchError for an unknown name, with the nearest one."""
        known = cls.__struct_fields__
        unknown = next((name for name in named if name not in known), None)
        if unknown is not None:
            near = difflib.get_close_matches(unknown, known, 1)
            raise WorkbenchError(
                f"{cls.__name__}({unknown}=…)",
                expected=f"any of {', '.join(known)}",
                action=f"Did you mean {near[0]!r}?" if near else "",
                code="unknown_name",
                field=unknown,
            )
        return super().__call__(*values, **named)


def settle_types(record: msgspec.Struct) -> None:
    """Make whole numbers of any kind ``int`` and real ones ``Decimal`` where the record declares these.

    Parameters
    ----------
    record : Struct
        A frozen one may be given from its ``__post_init__``. What is no value of its field is refused, so that a record
        which can be made can be written and read again, and is equal then.

    Raises
    ------
    WorkbenchError
        A value of another type (code ``bad_value``).
    """
    kind = type(record)
    for name, declared in _types(kind).items():
        value = getattr(record, name)
        settled = _settled(value, declared)
        if not _fits(settled, declared):
            raise WorkbenchError(
                f"{kind.__name__}({name}={value!r:.60})",
                expected=f"a value of type {getattr(declared, '__name__', declared)}",
                code="bad_value",
                field=name,
            )
        if settled is not value:
            msgspec.structs.force_setattr(record, name, settled)


def _fits(value: Any, declared: Any) -> bool:
    try:
        msgspec.convert(value, declared)
    except msgspec.ValidationError:
        return False
    return True


def _settled(value: Any, declared: Any) -> Any:
    if type(value) in (bool, Decimal):
        return value
    texts, number = str(declared), value
    if "Decimal" in texts and isinstance(number, Real):
        return Decimal(str(number))  # 0.1 is what was written, not the double nearest to it
    if "int" in texts and isinstance(number, Integral):
        return int(number)
    return value


@cache
def _types(kind: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__}


__all__ = ["KnownFields", "settle_types"]

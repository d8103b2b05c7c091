"""Running a notebook cell again: the session it made before is closed first.

A cell that says ``s = wb.simulate(seed=7)`` and runs three times must not leave three readers behind. The earlier
session would usually be dropped by the new assignment, but views, ``Out[…]`` and the user's own callbacks keep it
alive. So in an interactive shell every session is remembered with the place that made it: the variable it was
assigned to, or else the cell and line. Scripts and the plain interpreter are left alone, and so are functions and
loops of the user's, which may make as many sessions as they like.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
import weakref
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from workbench.session.facade import Session

_PACKAGE: Final = __name__.partition(".")[0]
_CELL_NUMBER: Final = re.compile(r"^<ipython-input-\d+-")


@dataclass(frozen=True)
class Place:
    """Where in an interactive session something was made."""

    variable: str | None
    cell: str
    line: int
    run: weakref.ref[CodeType]  # each run of a cell compiles it anew


_made: list[tuple[Place, weakref.ref[Session]]] = []


def calling_place() -> Place | None:
    """Place of the cell that is calling into this package, None outside of interactive shells."""
    shell = _shell()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] == _PACKAGE:
        frame = frame.f_back
    if shell is None or frame is None or frame.f_globals is not shell.user_ns:
        return None
    if frame.f_code.co_name != "<module>":
        return None
    return Place(
        _assigned_variable(frame), _cell_name(shell, frame), frame.f_lineno, weakref.ref(frame.f_code)
    )


def close_earlier(place: Place | None, source: str) -> None:
    """Close what an earlier run of the same place made.

    Parameters
    ----------
    place : Place or None
    source : str
        Deterministic name of the source that is about to be opened.
    """
    for entry in list(_made):
        earlier, session = entry[0], entry[1]()
        if session is None or session.state == "closed":
            _made.remove(entry)
        elif place is not None and _is_rerun(earlier, place, session, source):
            session.close()
            _made.remove(entry)


def remember(place: Place | None, session: Session) -> None:
    """Keep (weakly) which session a place made."""
    if place is not None:
        _made.append((place, weakref.ref(session)))


def _is_rerun(earlier: Place, place: Place, session: Session, source: str) -> bool:
    if earlier.run() is place.run():
        return False  # a loop in one run of the cell
    same_source = session.source == source
    if place.variable is None or earlier.variable is None:
        return (earlier.cell, earlier.line) == (place.cell, place.line) and same_source
    shell = _shell()
    is_losing = shell is not None and shell.user_ns.get(place.variable) is session
    return earlier.variable == place.variable and is_losing and (same_source or earlier.cell == place.cell)


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return None if module is None else module.get_ipython()


def _cell_name(shell: Any, frame: FrameType) -> str:
    # JupyterLab tells the cell's id, which survives edits; elsewhere the name carries a hash of the cell's text
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell_id = (parent or {}).get("metadata", {}).get("cellId")
    return str(cell_id) if cell_id else _CELL_NUMBER.sub("", frame.f_code.co_filename)


def _assigned_variable(frame: FrameType) -> str | None:
    source = "".join(linecache.getlines(frame.f_code.co_filename))
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return None
    for statement in body:
        if statement.lineno <= frame.f_lineno <= (statement.end_lineno or statement.lineno):
            return _plain_target(statement)
    return None


def _plain_target(statement: ast.stmt) -> str | None:
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.With):
        targets = [item.optional_vars for item in statement.items if item.optional_vars]
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else None

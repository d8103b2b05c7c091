"""Join the plain ES modules of a view into the one text that anywidget loads, without a bundler.

Each script stays a file that ``node --test`` and a browser can import as it is. anywidget serves one text from a blob
address, where relative imports lead nowhere; so imports of sibling files are replaced by their text, each once.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) )", re.MULTILINE)


@cache
def joined(script: str) -> str:
    """Text of ``script`` with the modules it imports in front; only its default export stays an export."""
    order: list[str] = []
    _visit(script, order)
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", source(name))) for name in order)


@cache
def styled(*names: str) -> str:
    """Text of the style sheet that all views share, and of a view's own ones behind it."""
    return "\n".join(source(name) for name in ("view.css", *names))


def source(name: str) -> str:
    """Text of one file of this folder."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def _visit(name: str, order: list[str]) -> None:
    for needed in _IMPORT.findall(source(name)):
        if needed not in order:
            _visit(needed, order)
    if name not in order:
        order.append(name)

"""Small tables for notebooks. Every text in them is somebody else's and is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence


def html_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A title above a table; None is an empty cell."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div><b>{html.escape(title)}</b><table><tr>{head}</tr>{body}</table></div>"


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return html.escape(f"{cell:.12g}" if isinstance(cell, float) else str(cell))

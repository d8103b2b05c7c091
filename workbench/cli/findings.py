"""What ``doctor`` found: one line each, with what to do when something is not as it should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    check : str
        What was looked at.
    ok : bool
        Whether it is as it should be.
    detail : str
        What was seen.
    needed : bool
        Without it the workbench does not work; else it works, with less.
    advice : str
        What to do; empty when there is nothing to be done.
    """

    check: str
    ok: bool
    detail: str
    needed: bool = True
    advice: str = ""

    @property
    def mark(self) -> Literal["ok", "MISSING", "LOOK", "absent"]:
        """How the line begins."""
        if self.ok:
            return "ok"
        if self.needed:
            return "MISSING"
        return "LOOK" if self.advice else "absent"

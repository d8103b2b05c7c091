"""Exceptions of our own code while it worked on one line or command: counted, kept, told at most once a second."""

from __future__ import annotations

import logging
from typing import Final

MAX_EXAMPLES: Final = 5
TELL_NS: Final = 1_000_000_000

_log = logging.getLogger("workbench.bridge")


class Failures:
    """Count what must not happen, so that the add-on lives on."""

    def __init__(self) -> None:
        self.count = 0
        self.examples: list[str] = []
        self._told_at: int | None = None

    def take(self, problem: Exception, what: str, mono: int) -> None:
        """Note an exception; ``what`` was being worked on."""
        self.count += 1
        text = f"{what[:80]}: {type(problem).__name__}: {str(problem)[:200]}"
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(text)
        if self._told_at is None or mono - self._told_at >= TELL_NS:
            self._told_at = mono
            _log.error("%s", ascii(text), exc_info=problem)

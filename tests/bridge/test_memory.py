"""What the C library is told of memory."""

from __future__ import annotations

import platform

from workbench.bridge.memory import keep_freed


def test_only_glibc_takes_the_advice() -> None:
    """Elsewhere nothing is done and nothing fails."""
    assert keep_freed() == (platform.libc_ver()[0] == "glibc")

"""Warming: every part that the launcher compiles in advance really runs, and leaves nothing to compile."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import warm

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("part", warm.PARTS)
def test_each_part_comes_through(part: str) -> None:
    """A part compiles what it names, without a screen and without a network, and leaves nothing open."""
    assert warm.main([part]) == 0


def versions_after(what: str) -> dict[str, set[str]]:
    """Versions of kernels in a fresh process that was warmed, or that showed everything."""
    command = [sys.executable, "-m", "tests.support.compiled", what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return {kernel: set(found) for kernel, found in json.loads(done.stdout.splitlines()[-1]).items()}


def test_showing_every_view_compiles_nothing_after_warming():
    """Every kernel is warmed, and for all types of columns that live sessions and recordings bring."""
    warmed, shown = versions_after("warmed"), versions_after("shown")
    assert [kernel for kernel, found in warmed.items() if not found] == []
    assert {kernel: found - warmed[kernel] for kernel, found in shown.items() if found - warmed[kernel]} == {}

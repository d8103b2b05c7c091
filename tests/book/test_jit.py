"""Kernels on disk: what was compiled is used again until anything that it rests on changes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CALLED = """
from workbench.book.jit import part
FACTOR = 3
@part
def scaled(x):
    return x * FACTOR
"""
LIMITS = "LIMIT = 100\n"
CALLING = """
from called import scaled
from limits import LIMIT
from workbench.book.jit import kernel
@kernel("int64(int64)")
def run(x):
    return min(scaled(x), LIMIT)
(hits,) = [sum(run.stats.cache_hits.values())]
print(run(7), "loaded" if hits else "compiled")
"""


def _write(folder: Path, **modules: str) -> None:
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)


def _run(folder: Path) -> str:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "import calling"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return run.stdout.strip()


def test_an_edit_in_another_file_compiles_anew(tmp_path: Path) -> None:
    """A cached kernel notices that a kernel or a constant of another file changed, and is loaded if none did."""
    _write(tmp_path, called=CALLED, limits=LIMITS, calling=CALLING)
    assert _run(tmp_path) == "21 compiled"
    assert _run(tmp_path) == "21 loaded"
    _write(tmp_path, called=CALLED.replace("x * FACTOR", "x + FACTOR"))
    assert _run(tmp_path) == "10 compiled"
    _write(tmp_path, called=CALLED.replace("FACTOR = 3", "FACTOR = 30"))
    assert _run(tmp_path) == "100 compiled"
    _write(tmp_path, limits="LIMIT = 5\n")
    assert _run(tmp_path) == "5 compiled"
    assert _run(tmp_path) == "5 loaded"

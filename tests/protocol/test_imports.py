"""The protocol is light enough to start inside Bookmap's process tree."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import workbench.protocol

MODULES = sorted(m.name for m in pkgutil.iter_modules(workbench.protocol.__path__))
HEAVY = {
    "polars",
    "pyarrow",
    "numba",
    "pandas",
    "websockets",
    "plotly",
    "ipywidgets",
    "IPython",
    "asyncio",
    "threading",
}


def test_protocol_loads_numpy_and_msgspec_at_most() -> None:
    """All modules together import none of the heavy packages."""
    code = "import sys, json\nbase = set(sys.modules)\nimport numpy\nbase |= set(sys.modules)\n"
    code += "".join(f"import workbench.protocol.{name}\n" for name in MODULES)
    code += "print(json.dumps(sorted(set(sys.modules) - base)))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = {name.split(".")[0] for name in json.loads(run.stdout)}
    assert not loaded & HEAVY
    assert loaded - set(sys.stdlib_module_names) <= {"workbench", "msgspec", "numpy", "typing_extensions"}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_stays_a_core(name: str) -> None:
    """No clock, socket, thread or randomness is imported by name."""
    module = __import__(f"workbench.protocol.{name}", fromlist=["_"])
    forbidden = {"time", "socket", "threading", "asyncio", "random", "secrets", "ssl", "os"}
    assert not {n for n, v in vars(module).items() if n in forbidden and type(v).__name__ == "module"}

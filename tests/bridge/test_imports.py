"""The bridge is light enough to start inside Bookmap's process tree, and its cores stay cores."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import pytest

import workbench.bridge

SHELLS = {"process", "feed"}
MODULES = sorted(m.name for m in pkgutil.iter_modules(workbench.bridge.__path__) if not m.ispkg)
HEAVY = {
    "polars",
    "pyarrow",
    "numba",
    "pandas",
    "plotly",
    "ipywidgets",
    "IPython",
    "click",
    "tqdm",
    "bookmap",
}


def loaded_by(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after some code."""
    code += "\nimport sys, json\nprint(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(run.stdout))


def test_the_package_itself_loads_nothing() -> None:
    """Only asking for ``run`` loads what runs."""
    assert not loaded_by("import workbench.bridge") & {"numpy", "msgspec", "websockets", "asyncio", *HEAVY}


def test_all_of_the_bridge_stays_light() -> None:
    """Every module together loads numpy, msgspec, websockets and platformdirs at most."""
    loaded = loaded_by("".join(f"import workbench.bridge.{name}\n" for name in MODULES))
    assert not loaded & HEAVY
    foreign = {"numpy", "msgspec", "websockets", "platformdirs", "workbench", "typing_extensions"}
    started = loaded_by("")  # an installation may load some of its own at every start
    assert {
        name for name in loaded - started - foreign if not name.startswith("_")
    } <= sys.stdlib_module_names


@pytest.mark.parametrize("name", [name for name in MODULES if name not in SHELLS])
def test_every_core_stays_a_core(name: str) -> None:
    """No clock, socket, thread or randomness is imported by name; time is an argument."""
    module = __import__(f"workbench.bridge.{name}", fromlist=["_"])
    forbidden = {"time", "socket", "threading", "asyncio", "random", "secrets", "ssl"}
    assert not {n for n, v in vars(module).items() if n in forbidden and type(v).__name__ == "module"}

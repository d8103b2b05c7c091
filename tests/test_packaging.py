"""Packaging: what is installed, what an import loads, and what the two commands rest on."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import workbench

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _conda_dependencies() -> set[str]:
    lines = (ROOT / "environment.yml").read_text(encoding="utf-8").splitlines()
    listed = {m[1] for line in lines if (m := re.match(r"  - ([a-z][^:]*)$", line))}
    return listed - {"pip", "conda-forge"}


def test_conda_and_pip_list_the_same_packages_and_bounds() -> None:
    """environment.yml names exactly the core dependencies of pyproject.toml, with the same bounds."""
    core = {str(r) for d in PROJECT["dependencies"] if not (r := Requirement(d)).marker}
    conda = {str(Requirement(d)) for d in _conda_dependencies() if not d.startswith("python>")}
    assert conda == core
    assert f"python{PROJECT['requires-python']}" in _conda_dependencies()
    assert "-e .[dev]" in (ROOT / "environment.yml").read_text(encoding="utf-8")


def test_constraints_pin_every_dependency_exactly() -> None:
    """Every package named by pyproject.toml has an exact version in constraints.txt, and no address of a registry."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    pinned = {re.split(r"[=\[ ;]", line)[0].lower() for line in text.splitlines() if "==" in line}
    extras = [d for group in PROJECT["optional-dependencies"].values() for d in group]
    named = {Requirement(d).name.lower() for d in [*PROJECT["dependencies"], *extras]} - {PROJECT["name"]}
    assert named <= pinned
    assert {line.split(";")[0].strip().count("==") for line in text.splitlines() if line.strip()} == {1}


def test_constraints_satisfy_the_declared_bounds() -> None:
    """No pinned version lies outside the range that pyproject.toml allows."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.split(";")[0].strip().partition("==")
        pins.setdefault(name.lower(), []).append(version)
    for declared in PROJECT["dependencies"]:
        requirement = Requirement(declared)
        assert all(requirement.specifier.contains(v) for v in pins[requirement.name.lower()]), declared


def test_launcher_is_standard_library_only() -> None:
    """``workbench/__main__.py`` and ``workbench/__init__.py`` import nothing that a bare Python lacks."""
    for name in ("__main__.py", "__init__.py"):
        tree = ast.parse((ROOT / "workbench" / name).read_text(encoding="utf-8"))
        for node in tree.body:  # imports inside functions and TYPE_CHECKING blocks run later, or never
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert all(m.split(".")[0] in sys.stdlib_module_names for m in modules), (name, modules)


def _modules_after(statement: str) -> set[str]:
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return {name.split(".")[0] for name in json.loads(run.stdout)}


def test_import_loads_no_heavy_package() -> None:
    """``import workbench`` loads none of the packages that cost more than a few milliseconds."""
    heavy = {
        "numpy",
        "numba",
        "pandas",
        "polars",
        "plotly",
        "ipywidgets",
        "anywidget",
        "pyarrow",
        "websockets",
        "click",
    }
    assert not heavy & _modules_after("import workbench")


def test_vocabulary_and_protocol_are_light_enough_for_the_bridge() -> None:
    """What runs inside Bookmap's process tree loads numpy and msgspec at most."""
    loaded = _modules_after("import workbench.events, workbench.protocol.codec, workbench.protocol.server")
    assert not loaded & {"numba", "pandas", "polars", "plotly", "ipywidgets", "pyarrow", "IPython"}


@pytest.mark.parametrize("name", sorted(set(workbench.__all__) - {"__version__"}))
def test_every_exported_name_resolves(name: str) -> None:
    """Each public name of the package exists where the lazy surface says it lives, and is documented."""
    value = getattr(workbench, name)
    assert value is not None
    assert value.__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as on any module."""
    with pytest.raises(AttributeError, match="no attribute 'heatmapp'"):
        workbench.heatmapp  # noqa: B018  # the access is the test

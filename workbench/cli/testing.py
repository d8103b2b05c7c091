"""``workbench test``: everything that must hold: style, types, layers, tests, notebooks."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import click

from workbench.errors import WorkbenchError

ROOT: Final = Path(__file__).resolve().parents[2]
NOTEBOOK_TIMEOUT_S: Final = 180

CHECKS: Final = {
    "style": ("-m", "ruff", "check", "."),
    "format": ("-m", "ruff", "format", "--check", "."),
    "types": ("-m", "mypy"),
    "layers": ("-c", "import importlinter.cli as cli; cli.lint_imports_command()"),
}
"""Static checks: what this interpreter runs in the clone's root. import-linter has no module to run."""


@click.command("test", context_settings={"ignore_unknown_options": True})
@click.option("--slow", is_flag=True, help="Also soak, long fuzz and many kills.")
@click.argument("pytest_options", nargs=-1, type=click.UNPROCESSED)
def test_command(slow: bool, pytest_options: tuple[str, ...]) -> None:
    """Check style, types and layers, run all tests, then all notebooks (nbval, strict).

    With further options or paths, which go to pytest, only those tests are run.
    """
    if not (ROOT / "tests").is_dir():
        raise WorkbenchError(f"no tests in {ROOT}", action="Run this from a clone of the project")
    selection = [] if slow else ["-m", "not slow"]
    # in the order of collection: a browser's driver keeps an event loop running in its worker, so those tests come last
    order = ["--dist", "loadfile", "--no-loadscope-reorder"]
    workers = ["-n", str(min(os.cpu_count() or 1, 4)), *order]
    steps = {"tests": ("-m", "pytest", *selection, *workers, *pytest_options)}
    if not pytest_options:
        steps = CHECKS | steps | {"notebooks": ("-m", "pytest", *notebook_options(), *workers)}
    failed = [name for name, command in steps.items() if not _passed(name, command)]
    if failed:
        raise WorkbenchError(f"failed: {', '.join(failed)}", action="The reasons are above")
    click.echo("everything passed")


def notebook_options() -> list[str]:
    """Options of pytest that run the notebooks and compare every output."""
    folder = ROOT / "notebooks"
    return [
        "--nbval",
        "--nbval-current-env",
        f"--nbval-cell-timeout={NOTEBOOK_TIMEOUT_S}",
        f"--nbval-sanitize-with={folder / 'nbval.cfg'}",
        "-W",
        "default",  # warnings of a kernel's own libraries are not ours; those of our code fail the tests above
        str(folder),
    ]


def _passed(name: str, command: tuple[str, ...]) -> bool:
    click.echo(f"── {name}", err=True)
    began = time.monotonic()
    run = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)
    click.echo(
        f"── {name}: {'passed' if run.returncode == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s",
        err=True,
    )
    return run.returncode == 0

"""``workbench test``: everything that must hold, the notebooks included."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import click

from workbench.errors import WorkbenchError

ROOT: Final = Path(__file__).resolve().parents[2]
NOTHING_COLLECTED: Final = 5


@click.command("test", context_settings={"ignore_unknown_options": True})
@click.option("--slow", is_flag=True, help="Also soak, long fuzz and many kills.")
@click.option("--notebooks/--no-notebooks", default=True, show_default=True, help="Run the notebooks too.")
@click.argument("pytest_options", nargs=-1, type=click.UNPROCESSED)
def test_command(slow: bool, notebooks: bool, pytest_options: tuple[str, ...]) -> None:
    """Run all tests, then all notebooks (nbval, strict). Further options go to pytest."""
    if not (ROOT / "tests").is_dir():
        raise WorkbenchError(f"no tests in {ROOT}", action="Run this from a clone of the project")
    selection = [] if slow else ["-m", "not slow"]
    workers = ["-n", str(min(os.cpu_count() or 1, 4))]
    runs = {"tests": [*selection, *workers, *pytest_options]}
    if notebooks and not pytest_options:
        runs["notebooks"] = notebook_options()
    failed = [name for name, options in runs.items() if not _passed(options)]
    if failed:
        raise WorkbenchError(f"{' and '.join(failed)} failed", action="The reasons are above")
    click.echo("everything passed")


def notebook_options() -> list[str]:
    """Options of pytest that run the notebooks and compare every output."""
    folder = ROOT / "notebooks"
    config = folder / "nbval.cfg"
    sanitizer = ["--nbval-sanitize-with", str(config)] if config.is_file() else []
    return ["--nbval", *sanitizer, "-p", "no:randomly", "-W", "default", str(folder)]


def _passed(options: list[str]) -> bool:
    environment = os.environ | {"PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "")}
    run = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=ROOT, env=environment, check=False)
    return run.returncode in (0, NOTHING_COLLECTED)

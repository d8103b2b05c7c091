"""``workbench notebooks refresh``: execute the notebooks and keep their outputs, without widget state."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import click

from workbench.errors import WorkbenchError

FOLDER: Final = Path(__file__).resolve().parents[2] / "notebooks"
TIMEOUT_S: Final = 120
WIDGET_VIEW: Final = "application/vnd.jupyter.widget-view+json"


@click.group("notebooks")
def notebooks_command() -> None:
    """Look after the notebooks."""


@notebooks_command.command("refresh")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
def refresh_command(paths: tuple[Path, ...]) -> None:
    """Execute notebooks (default: all) in place; outputs are kept, widget state and timings are not."""
    from tqdm import tqdm

    chosen = list(paths) or sorted(FOLDER.glob("*.ipynb"))
    for path in tqdm(chosen, unit="notebook", disable=None):
        _execute(path)
        path.write_text(cleaned(path.read_text(encoding="utf-8")), encoding="utf-8")
        click.echo(path.name)


def cleaned(text: str) -> str:
    """Notebook without what differs from run to run: widget state, cell timings, the kernel's version."""
    notebook = json.loads(text)
    notebook["metadata"].pop("widgets", None)
    notebook["metadata"].get("language_info", {}).pop("version", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _execute(path: Path) -> None:
    command = [
        sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace",
        f"--ExecutePreprocessor.timeout={TIMEOUT_S}", str(path),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        lines = [line for line in run.stderr.strip().splitlines() if line.strip()]
        raise WorkbenchError(f"{path.name} failed: {lines[-1] if lines else 'no message'}")

"""``workbench lab``: JupyterLab on the first notebook, with the feed running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from workbench.cli.answers import say
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.feeds.specification import SourceSpec

FIRST_NOTEBOOK: Final = "00_first_look.ipynb"
GRACE_S: Final = 600.0
"""The feed outlives a killed JupyterLab by this time only; ended properly, JupyterLab takes it along."""

LABEXTENSIONS: Final = Path(__file__).parent / "labextension"
"""Holds the plugin that runs the first notebook once, so that the picture moves as soon as the page is there."""

SERVER_EXTENSION: Final = "workbench.lab_extension"
"""Lets answers of kernels reach the page without waiting for a delayed acknowledgement."""


@click.command("lab", context_settings={"ignore_unknown_options": True})
@click.option(
    "--recording", type=click.Path(path_type=Path), help="Default: real data if here, else simulated."
)
@click.option("--speed", default="1", show_default=True, help="Virtual seconds per second.")
@click.option("--port", type=click.IntRange(0, 65535), help="Of JupyterLab; default: its own choice.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab_command(
    recording: Path | None, speed: str, port: int | None, no_browser: bool, jupyter_options: tuple[str, ...]
) -> None:
    """Open JupyterLab on the first notebook, with a feed running. Further options go to JupyterLab."""
    from workbench.feeds.engines import spawn_engine, stop_engine
    from workbench.session.demo import FEED_VARIABLE, HEAD_START_S

    notebook = _notebooks() / FIRST_NOTEBOOK
    endpoint = spawn_engine(_source(recording, speed), grace_s=GRACE_S, head_start_s=HEAD_START_S)
    say(f"the feed: {endpoint.source} ({', '.join(endpoint.symbols)}) at {endpoint.uri}")
    command = [sys.executable, "-m", "jupyter", "lab", str(notebook)]
    command += [f"--ServerApp.port={port}"] * (port is not None) + ["--no-browser"] * no_browser
    command += [f"--LabApp.extra_labextensions_path={LABEXTENSIONS}"]
    command += [f"--ServerApp.jpserver_extensions={SERVER_EXTENSION}=True"]
    try:
        code = _run([*command, *jupyter_options], os.environ | {FEED_VARIABLE: endpoint.uri})
    finally:
        stop_engine(endpoint)
    if code:
        raise WorkbenchError(f"JupyterLab ended with exit code {code}", action="Its messages are above")


def _source(recording: Path | None, speed: str) -> SourceSpec:
    from workbench.cli.engines import replay_spec, spoken_speed
    from workbench.session.demo import demo_spec

    if recording is not None:
        return replay_spec((recording,), speed, None, None)
    return msgspec.structs.replace(demo_spec(progress=True), speed=spoken_speed(speed))


def _notebooks() -> Path:
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    if not (folder / FIRST_NOTEBOOK).is_file():
        raise WorkbenchError(
            f"no {FIRST_NOTEBOOK} in {folder}", action="Run this from a clone of the project"
        )
    return folder


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run JupyterLab; an interrupt or a request to end is passed on, and it gets time to shut its kernels down."""
    process = subprocess.Popen(command, env=environment)
    for name in ("SIGTERM", "SIGHUP"):  # asked to end, or the terminal was closed; Windows has no SIGHUP
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: process.terminate())
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # the terminal told JupyterLab too; without one it would wait for an answer to "shut down?"
            process.terminate()
            continue
        return 0 if code in (0, -signal.SIGINT, -signal.SIGTERM) else code

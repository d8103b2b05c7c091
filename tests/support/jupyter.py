"""A JupyterLab of the tests' own: its folders, its port, its process, its notebooks; and how a browser is started for it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Arguments of a headless Chromium that asks nobody anything."""
IDLE = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_CELL = (
    "index => { const n = window.jupyterapp.shell.currentWidget.content; n.activeCellIndex = index;"
    " n.deselectAll(); window.jupyterapp.commands.execute('notebook:run-cell'); }"
)


def own_jupyter(home: Path) -> dict[str, str]:
    """Environment in which Jupyter keeps everything of its own below ``home``."""
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
    )
    places = {name: str(home / name.lower()) for name in names}
    return {**os.environ, **places, "JUPYTER_PLATFORM_DIRS": "0", "PYTHONPATH": str(ROOT)}


def free_port() -> int:
    """Port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(address: str, token: str) -> bool:
    """Whether a JupyterLab is up at this address."""
    try:
        with urllib.request.urlopen(f"{address}/api?token={token}", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def start_lab(
    home: Path, folder: Path, token: str, environment: dict[str, str] | None = None
) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server on the notebooks of a folder; its process and its address, which may not answer yet."""
    port = free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", "--allow-root", f"--port={port}",
        "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    with (home / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=own_jupyter(home) | (environment or {}), stdout=log, stderr=log, cwd=folder
        )
    return process, f"http://127.0.0.1:{port}"


def notebook_of(cells: list[str]) -> dict[str, Any]:
    """Notebook of code cells that nobody has run."""
    blank = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    return {
        "cells": [{**blank, "id": f"c{i}", "source": text} for i, text in enumerate(cells)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }

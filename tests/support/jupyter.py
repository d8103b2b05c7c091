"""A JupyterLab of the tests' own: its folders, its port, whether it is up."""

from __future__ import annotations

import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]


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

"""docs/connect-bookmap.md: every command and every line of Python there runs, against the stand-in."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.eventually import eventually
from workbench.bridge.desk import SETTING
from workbench.cli.app import HOMES
from workbench.cli.bridge import bridge_command
from workbench.cli.bridge_scripts import STEPS, TRADING_STEPS

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "connect-bookmap.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^```sh\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)
BACKGROUND = re.findall(r"^```sh background\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
TIMEOUT_S = 240


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    """A user of our own, with folders of its own."""
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    ours = {
        "HOME": str(home),
        "WORKBENCH_RUNTIME_DIR": str(runtime),
        "WORKBENCH_STATE_DIR": str(home / "state"),
        "PYTHONPATH": str(ROOT),
    }
    return os.environ | ours


def run(environment: dict[str, str], home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=home, env=environment, check=False
    )


def words(command: str) -> list[str]:
    name, *rest = command.split()
    assert name == "workbench"
    return ["-m", "workbench", *rest]


@pytest.fixture(scope="module")
def bookmap(environment: dict[str, str], home: Path) -> Iterator[None]:
    """The stand-in, started by the command that the page shows."""
    (command,) = BACKGROUND
    with subprocess.Popen(
        [sys.executable, *words(command)], cwd=home, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert "plays" in process.stderr.readline()
        eventually(lambda: list((home / "runtime").glob("feed-*.json")))
        yield
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="processes are interrupted otherwise there")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("bookmap")
def test_commands_run(environment: dict[str, str], home: Path, command: str) -> None:
    """As shown, with a Bookmap that plays."""
    done = run(environment, home, *words(command))
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.name == "nt", reason="processes are interrupted otherwise there")
@pytest.mark.usefixtures("bookmap")
def test_python_runs(environment: dict[str, str], home: Path) -> None:
    """All of it in order, as one notebook would; the order ends canceled."""
    script = home / "notebook.py"
    check = "s.until(predicate=lambda s: order.status == 'CANCELED')\nprint(order.status)\ns.close()\n"
    script.write_text("\n".join([*PYTHON, check]), encoding="utf-8")
    done = run(environment, home, str(script))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "CANCELED"


def test_the_page_says_what_install_says() -> None:
    """Words that stand in Bookmap's windows are the same on both, and each of them is on the page."""
    said = set(re.findall(r'"([^"]+)"', STEPS + TRADING_STEPS))
    assert [text for text in sorted(said - {"bookmap"}) if f'"{text}"' not in TEXT] == []
    assert SETTING in said


def test_every_command_that_the_page_names_exists() -> None:
    """Also in its prose."""
    for group, name in re.findall(r"`workbench (\w+)(?: ([a-z-]+))?", TEXT):
        assert group in HOMES
        if group == "bridge" and name:
            assert name in bridge_command.commands

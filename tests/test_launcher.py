"""The launcher: sets up once, never touches a system Python, runs itself inside what it made."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
posix_only = pytest.mark.skipif(os.name == "nt", reason="the stand-in installer is a shell script")

# Stands in for uv: notes each call, and "makes" an environment whose interpreter is this one, started from its own
# prefix, with the stub command line of the clone on its path.
FAKE_UV = """#!/bin/sh
echo "$@" >> "$UV_CALLS"
if [ "$1" = venv ]; then
  for place; do :; done
  mkdir -p "$place/bin"
  printf '#!/bin/sh\\nexec "{python}" -S "$@"\\n' > "$place/bin/python"
  chmod +x "$place/bin/python"
fi
exit ${{UV_EXIT:-0}}
"""
STUB_CLI = "def main(arguments):\n    print('ran', arguments)\n    return 7\n"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone that holds only what the launcher reads, and an installer on PATH that only takes notes."""
    root = tmp_path / "clone"
    (root / "workbench").mkdir(parents=True)
    for name in ("__main__.py", "__init__.py"):
        shutil.copy(ROOT / "workbench" / name, root / "workbench" / name)
    (root / "workbench" / "cli.py").write_text(STUB_CLI)
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "constraints.txt").write_text("")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "uv").write_text(FAKE_UV.format(python=sys.executable))
    (tools / "uv").chmod(stat.S_IRWXU)
    return root


def _start(clone: Path, *arguments: str, **extra: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    calls = clone.parent / "calls"
    environment = os.environ | {
        "PATH": f"{clone.parent / 'tools'}:{os.environ['PATH']}",
        "UV_CALLS": str(calls),
        "PYTHONPATH": str(clone),
        **extra,
    }
    environment.pop("WORKBENCH_VENV", None)
    for name in ("CONDA_PREFIX", "WORKBENCH_INSIDE"):
        environment.pop(name, None)
    command = [sys.executable, "-S", "-m", "workbench", *arguments]
    run = subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, timeout=120)
    return run, calls.read_text().splitlines() if calls.exists() else []


@posix_only
def test_first_start_installs_with_the_constraints(clone: Path) -> None:
    """The first start makes .venv beside the sources and installs the package, editable and pinned."""
    _, calls = _start(clone, "doctor")
    assert calls[0].startswith("venv") and calls[0].endswith(str(clone / ".venv"))
    assert "--constraint " + str(clone / "constraints.txt") in calls[1]
    assert f"--editable {clone}[formats]" in calls[1]


@posix_only
def test_it_runs_itself_inside_and_passes_the_exit_code(clone: Path) -> None:
    """The command line runs in the new environment, and its exit code is the launcher's."""
    run, _ = _start(clone, "doctor", "--json")
    assert run.returncode == 7
    assert run.stdout.strip() == "ran ['doctor', '--json']"


@posix_only
def test_it_becomes_the_program_inside(clone: Path) -> None:
    """No process stands between: what ends the launcher ends the command line, which gets to clean up."""
    (clone / "workbench" / "cli.py").write_text(
        "import os\n\ndef main(arguments):\n    print(os.getpid())\n    return 0\n"
    )
    calls = clone.parent / "calls"
    environment = os.environ | {
        "PATH": f"{clone.parent / 'tools'}:{os.environ['PATH']}",
        "UV_CALLS": str(calls),
    }
    for name in ("CONDA_PREFIX", "WORKBENCH_INSIDE", "WORKBENCH_VENV"):
        environment.pop(name, None)
    command = [sys.executable, "-S", "-m", "workbench", "doctor"]
    started = subprocess.Popen(
        command, cwd=clone, env=environment | {"PYTHONPATH": str(clone)}, stdout=subprocess.PIPE, text=True
    )
    output, _ = started.communicate(timeout=120)
    assert output.strip() == str(started.pid)


@posix_only
def test_second_start_installs_nothing(clone: Path) -> None:
    """The stamp makes a later start free of any installer call, until the constraints change."""
    _, first = _start(clone, "doctor")
    _, second = _start(clone, "doctor")
    assert second == first
    (clone / "constraints.txt").write_text("numpy==2.4.6\n")
    _, third = _start(clone, "doctor")
    assert len(third) > len(second)


@posix_only
def test_tests_get_the_tools_of_contributors(clone: Path) -> None:
    """``test`` installs the dev extra, and a later ``doctor`` is content with it."""
    _, calls = _start(clone, "test")
    assert f"--editable {clone}[dev]" in calls[1]
    _, later = _start(clone, "doctor")
    assert later == calls


@posix_only
def test_failed_installation_is_one_sentence_and_leaves_no_stamp(clone: Path) -> None:
    """A failing installer ends with exit code 1 and no traceback, and the next start tries again."""
    run, first = _start(clone, "doctor", UV_EXIT="3")
    assert run.returncode == 1
    assert "set-up stopped" in run.stderr and "exit code 3" in run.stderr
    assert "Traceback" not in run.stderr
    _, second = _start(clone, "doctor", UV_EXIT="3")
    assert len(second) > len(first)


@posix_only
def test_it_compiles_once_after_installing_and_goes_on_if_that_fails(clone: Path) -> None:
    """Set-up ends with compiling in the new environment; a failure is one sentence, and no later start repeats it."""
    (clone / "workbench" / "warm.py").write_text("print('compiled')\nraise SystemExit(3)\n")
    run, _ = _start(clone, "doctor")
    assert run.returncode == 7
    assert run.stdout.splitlines() == ["compiled", "ran ['doctor']"]
    assert "compiling in advance failed" in run.stderr
    again, _ = _start(clone, "doctor")
    assert again.stdout.splitlines() == ["ran ['doctor']"]


def test_old_python_is_refused_in_one_sentence() -> None:
    """A Python below 3.11 is told so before anything is installed."""
    code = (
        "import sys, collections\n"
        "sys.version_info = collections.namedtuple('v', 'major minor micro releaselevel serial')(3, 9, 1, 'final', 0)\n"
        "from workbench.__main__ import main\n"
        "raise SystemExit(main(['doctor']))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 1
    assert run.stderr.strip() == "workbench: Python 3.9.1 found, 3.11 or newer expected"

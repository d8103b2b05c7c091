"""``python3 -m workbench …``: sets up its own environment on a fresh clone, then runs there.

Standard library only, because nothing else is installed when it first runs. A system Python is never touched: the
packages go into ``.venv`` beside the sources (or ``$WORKBENCH_VENV``), pinned by ``constraints.txt``. A stamp of what
was installed makes every later start cost a fraction of a second.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MINIMUM_PYTHON = (3, 11)
NEEDED = ("numpy", "numba", "polars", "pandas", "pyarrow", "msgspec", "websockets", "plotly", "anywidget")
NEEDED_FOR_TESTS = ("pytest", "nbval", "hypothesis", "playwright", "databento")
STAMP = "workbench-stamp"
INSIDE_MARK = "WORKBENCH_INSIDE"
LINUX_VENV_HINT = "sudo apt-get install python3-venv   (or install uv, which needs none)"


class SetupError(Exception):
    """Set-up cannot go on; the text is one sentence for a person."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line, in the environment that has what it needs.

    Parameters
    ----------
    arguments : list of str, optional
        Command line without the program's name; default ``sys.argv[1:]``.

    Returns
    -------
    int
        Exit code: 0 done, 1 the work failed, 2 wrong usage.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        _check_python()
        extras = "dev" if arguments[:1] == ["test"] else "formats"
        if _is_clone() and not _inside(environment := _environment()) and not _ready_here(extras):
            prepare(environment, extras)
            return _run_inside(environment, arguments)
    except SetupError as problem:
        print(f"workbench: {problem}", file=sys.stderr)
        return 1
    from workbench import cli

    return cli.main(arguments)


def prepare(environment: Path, extras: str) -> None:
    """Make ``environment`` and install the package with its extras, unless a stamp says that this is done."""
    stamp = environment / f"{STAMP}-{extras}"
    wanted = fingerprint()
    if _python(environment).exists() and any(_holds(environment, name, wanted) for name in (extras, "dev")):
        return
    _say(f"setting up {environment} (once; a few minutes without a package cache)")
    stamp.unlink(missing_ok=True)
    if uv := shutil.which("uv"):
        _call([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(environment)])
        installer = [uv, "pip", "install", "--quiet", "--python", str(_python(environment))]
    else:
        _make_venv(environment)
        installer = [
            str(_python(environment)),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
    _call([*installer, "--editable", f"{ROOT}[{extras}]", "--constraint", str(ROOT / "constraints.txt")])
    stamp.write_text(wanted, encoding="utf-8")
    _warm(environment)
    _say("ready")


def _warm(environment: Path) -> None:
    # Only a convenience: what is not compiled now is compiled when it is first used.
    if not (ROOT / "workbench" / "warm.py").is_file():
        return
    child = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    }
    child.pop("PYTHONHOME", None)
    try:
        command = [str(_python(environment)), "-m", "workbench.warm"]
        code = subprocess.run(command, env=child, check=False).returncode
    except OSError as problem:
        code = problem.errno or 1
    if code:
        _say("compiling in advance failed; the first use will compile instead")


def _holds(environment: Path, extras: str, wanted: str) -> bool:
    stamp = environment / f"{STAMP}-{extras}"
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted


def fingerprint() -> str:
    """Return the hash of all that decides what gets installed: project file, constraints, place and interpreter."""
    digest = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    digest.update(f"{ROOT}|{sys.version_info[:2]}|{sysconfig.get_platform()}".encode())
    return digest.hexdigest()


def _make_venv(environment: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupError(
            f"this Python has no ensurepip, so it cannot make a virtual environment. {LINUX_VENV_HINT}"
        )
    if not _python(environment).exists():
        _call([sys.executable, "-m", "venv", str(environment)])


def _environment() -> Path:
    return Path(os.environ.get("WORKBENCH_VENV") or ROOT / ".venv").absolute()


def _python(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _inside(environment: Path) -> bool:
    # The mark ends what could otherwise be an endless chain of starts, should an interpreter report another prefix.
    return Path(sys.prefix).resolve() == environment.resolve() or os.environ.get(INSIDE_MARK) == str(
        environment
    )


def _is_clone() -> bool:
    return (ROOT / "pyproject.toml").is_file() and (ROOT / "constraints.txt").is_file()


def _ready_here(extras: str) -> bool:
    # Somebody's own virtual or conda environment that has everything is used as it is; a system Python never is.
    isolated = sys.prefix != sys.base_prefix or "CONDA_PREFIX" in os.environ
    needed = NEEDED + NEEDED_FOR_TESTS if extras == "dev" else NEEDED
    return isolated and all(importlib.util.find_spec(name) for name in needed)


def _run_inside(environment: Path, arguments: list[str]) -> int:
    command = [str(_python(environment)), "-m", "workbench", *arguments]
    # The sources must be importable from any working directory, and the child sees itself as inside.
    child = os.environ | {"VIRTUAL_ENV": str(environment), INSIDE_MARK: str(environment)}
    child.pop("PYTHONHOME", None)
    if os.name != "nt":
        # This process becomes the one inside: signals, terminal and exit code are its own.
        sys.stdout.flush()
        sys.stderr.flush()
        os.execve(command[0], command, child)  # noqa: S606  # our own interpreter, arguments as a list
    process = subprocess.Popen(command, env=child)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue  # the child got the interrupt too and decides how to end


def _call(command: list[str]) -> None:
    result = subprocess.run(command, check=False)
    if result.returncode:
        step = " ".join(command[:4])
        raise SetupError(
            f"set-up stopped: `{step} …` ended with exit code {result.returncode}; its message is above"
        )


def _check_python() -> None:
    if sys.version_info < MINIMUM_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SetupError(f"Python {found} found, {'.'.join(map(str, MINIMUM_PYTHON))} or newer expected")


def _say(text: str) -> None:
    print(f"workbench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

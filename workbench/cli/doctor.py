"""``workbench doctor``: is everything here that the workbench needs?"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

from workbench.cli.answers import json_option, print_json
from workbench.cli.bridge_checks import BRIDGE_CHECKS
from workbench.cli.findings import Finding
from workbench.errors import WorkbenchError, pip_install

NEEDED: Final = (
    "numpy", "numba", "polars", "pandas", "pyarrow", "msgspec", "websockets", "plotly", "anywidget", "ipywidgets",
    "ipykernel", "jupyterlab", "platformdirs", "pillow", "click", "tqdm",
)  # fmt: skip
EXTRAS: Final = {"databento": "formats", "sklearn": "ml", "nbval": "dev"}
MINIMUM_FREE_GIB: Final = 1.0


@click.command("doctor")
@json_option
@click.pass_context
def doctor_command(context: click.Context, as_json: bool) -> None:
    """Look whether everything needed is here; exit code 1 if not."""
    findings = [finding for check in CHECKS for finding in _looked(check)]
    healthy = all(f.ok or not f.needed for f in findings)
    if as_json:
        print_json({"ok": healthy, "checks": [vars(f) for f in findings]})
    else:
        for finding in findings:
            click.echo(f"{finding.mark:<8}{finding.check:<26}{finding.detail}")
            if finding.advice:
                click.echo(f"{'':<34}-> {finding.advice}")
    if not healthy:
        first = next(f for f in findings if f.needed and not f.ok)
        click.echo(f"workbench: {first.check}: {first.detail}", err=True)
        context.exit(1)


def _looked(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except (WorkbenchError, OSError, subprocess.SubprocessError) as problem:
        yield Finding(check.__name__.strip("_").replace("_", " "), False, str(problem))


def _python() -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding(
        "python", sys.version_info >= (3, 11), f"{version} on {platform.system()} {platform.machine()}"
    )


def _packages() -> Iterator[Finding]:
    for name in NEEDED:
        try:
            yield Finding(name, True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, False, "not installed", advice=pip_install(name))


def _extras() -> Iterator[Finding]:
    for name, extra in EXTRAS.items():
        here = importlib.util.find_spec(name) is not None
        hint = "here" if here else pip_install(f"orderflow-workbench[{extra}]")
        yield Finding(f"{name} (extra {extra})", here, hint, needed=False)


def _runtime_folder() -> Iterator[Finding]:
    from workbench.feeds.discovery import running_feeds, runtime_dir

    yield Finding("runtime folder", True, f"private, running feeds: {len(running_feeds())}; {runtime_dir()}")


def _disk() -> Iterator[Finding]:
    free = shutil.disk_usage(Path.cwd()).free / 2**30
    yield Finding("disk", free >= MINIMUM_FREE_GIB, f"{free:.1f} GiB free here")


def _loopback() -> Iterator[Finding]:
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
    yield Finding("loopback", True, "127.0.0.1 can be bound")


def _proxies() -> Iterator[Finding]:
    names = sorted(n for n in os.environ if n.lower() in ("http_proxy", "https_proxy", "all_proxy"))
    yield Finding("proxies", True, f"{', '.join(names) or 'none'} (feeds on loopback never use one)")


CHECKS: Final = (
    _python, _packages, _extras, *BRIDGE_CHECKS, _runtime_folder, _disk, _loopback, _proxies,
)  # fmt: skip

"""The group of all commands; each is imported when it is asked for, so that ``--help`` answers at once."""

from __future__ import annotations

import importlib
from typing import Final

import click

from workbench import __version__

HOMES: Final = {
    "demo": "demo",
    "lab": "lab",
    "test": "testing",
    "serve": "engines",
    "replay": "engines",
    "engines": "engines",
    "flatten": "flattening",
    "stop": "engines",
    "bridge": "bridge",
    "record": "recording",
    "import": "recordings",
    "info": "recordings",
    "verify": "recordings",
    "export": "recordings",
    "doctor": "doctor",
    "notebooks": "notebooks",
}
"""Module of each command, in the order of the help text."""


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, in the order of :data:`HOMES`."""
        return list(HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in HOMES:
            return None
        module = importlib.import_module(f"workbench.cli.{HOMES[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="workbench")
def workbench() -> None:
    """Order-flow workbench: capture, record, replay and see order flow.

    Start with `workbench lab` (JupyterLab on the first notebook, the feed running) or `workbench demo` (the same
    line without a screen).
    """

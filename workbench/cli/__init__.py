"""The command line: ``workbench …`` or ``python3 -m workbench …``."""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from workbench.cli.app import workbench
from workbench.errors import WorkbenchError

__all__ = ["main", "workbench"]

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
DEBUG_VARIABLE: Final = "WORKBENCH_DEBUG"


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : list of str, optional
        Without the program's name; default ``sys.argv[1:]``.

    Returns
    -------
    int
        0 done, 1 the work failed (one sentence on standard error), 2 wrong usage.
    """
    try:
        code = workbench.main(arguments, prog_name="workbench", standalone_mode=False)
    except click.UsageError as problem:
        problem.show()
        return WRONG_USAGE
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _failed("interrupted")
    except click.ClickException as problem:
        return _failed(problem.format_message())
    except WorkbenchError as problem:
        return _failed(problem.message, problem)
    except BrokenPipeError:
        _silence_stdout()
        return FAILED
    except OSError as problem:
        return _failed(f"{problem.strerror or problem}: {problem.filename or ''}".rstrip(": "), problem)
    return code if isinstance(code, int) else DONE


def _failed(sentence: str, problem: BaseException | None = None) -> int:
    if problem is not None and os.environ.get(DEBUG_VARIABLE):
        raise problem
    click.echo(f"workbench: {' '.join(sentence.split())}", err=True)
    return FAILED


def _silence_stdout() -> None:
    # whoever read our output has gone; the interpreter must not complain about it at exit
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

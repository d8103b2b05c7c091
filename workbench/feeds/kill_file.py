"""The file ``KILL`` in the folder of lasting state: while it is there, nothing trades on paper, in engines and inline."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from workbench.errors import EngineError
from workbench.feeds.checked_lines import state_directory
from workbench.feeds.paper_floor import PaperFloor, is_halted
from workbench.protocol import messages
from workbench.trading import paper_commands as ask

KILL: Final = "KILL"

_log = logging.getLogger("workbench.feeds.engine")


def kill_file() -> Path:
    """Where it lies when it is there."""
    return state_directory() / KILL


def is_there() -> bool:
    """Whether it lies there, also as a link to nothing, or where nobody may look."""
    try:
        os.lstat(kill_file())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def look_for_kill(floor: PaperFloor) -> None:
    """Halt everything if the file is there."""
    if all(is_halted(paper) for paper in floor.papers.values()) or not is_there():
        return
    _log.warning("the file %s halts trading", kill_file())
    for symbol, paper in floor.papers.items():
        if not is_halted(paper):
            floor.command(symbol, ask.Halt(f"the file {KILL}"))


def refuse_to_arm(command: messages.Command) -> None:
    """Let nobody open the switch while the file is there.

    Raises
    ------
    EngineError
        The command is ``ARM``, and it is (code ``kill_file``).
    """
    if isinstance(command, messages.Arm) and is_there():
        raise EngineError(
            f"TRADING_HALTED: the file {kill_file()} is there",
            action="Remove it first",
            code="kill_file",
        )

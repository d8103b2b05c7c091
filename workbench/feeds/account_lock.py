"""One engine at a time for an account that is kept: two would each believe to know its positions."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any, Final

from workbench.errors import EngineError
from workbench.feeds.checked_lines import journal_path, open_to_append
from workbench.feeds.processes import process_start
from workbench.frames.moments import to_datetime

MAX_BYTES: Final = 4096


class AccountLock:
    """Holds an account for this process, until :meth:`release` or the end of the process.

    Parameters
    ----------
    account : str
    folder : Path
        Where the account is kept.

    Raises
    ------
    EngineError
        Another engine holds it (code ``account_in_use``); names its process and since when.
    OSError
        The file cannot be made.

    Notes
    -----
    The system lets go of a lock when its process ends, however that happens: a file that was left behind is taken over.
    Where the system has no such locks, the file counts while the process runs that it names, by number and start time.
    """

    def __init__(self, account: str, folder: Path):
        self.path = journal_path(account, folder).with_suffix(".lock")
        self._descriptor = open_to_append(self.path)
        try:
            self._take(account)
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let go; a second time is no error."""
        if self._descriptor >= 0:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = -1

    def _take(self, account: str) -> None:
        holder, locked = _holder(self.path), _lock(self._descriptor)
        runs = bool(holder) and process_start(holder["pid"]) == holder.get("process_start")
        if locked is False or (locked is None and runs):
            pid, since = holder.get("pid", "unknown"), to_datetime(holder.get("since_ns", 0))
            is_ours = pid == os.getpid()
            raise EngineError(
                f"the paper account {account!r} is in use: "
                f"{'a session of this process' if is_ours else f'engine with pid {pid}'}, since {since:%Y-%m-%d %H:%M:%S} UTC",
                expected="one engine or inline session for one account",
                action=f"{'Close it: s.close()' if is_ours else 'Use that one, end it (workbench stop)'}, or name another: "
                "PaperTerms(account=…)",
                code="account_in_use",
                pid=holder.get("pid"),
            )
        pid = os.getpid()
        facts = {"pid": pid, "process_start": process_start(pid), "since_ns": time.time_ns()}
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, json.dumps(facts).encode())


def _lock(descriptor: int) -> bool | None:
    """Whether the system gave us the file; None where it has no such locks (Windows)."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:
        return None
    except OSError:
        return False
    return True


def _holder(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_bytes()[:MAX_BYTES])
        if isinstance(found, dict) and isinstance(found.get("pid"), int):
            return found
    return {}

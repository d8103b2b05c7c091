"""A kept account belongs to one engine at a time, and to the next one when that has ended, however it did."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import EngineError
from workbench.feeds.account_lock import AccountLock

HOLD = """
import sys
from pathlib import Path
from workbench.feeds.account_lock import AccountLock
AccountLock("mine", Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_second_engine_is_told_who_has_it(tmp_path: Path) -> None:
    """With process and time; another account is free, and so is this one when it is let go."""
    first = AccountLock("mine", tmp_path)
    with pytest.raises(EngineError, match="'mine' is in use: a session of this process, since 20") as refused:
        AccountLock("mine", tmp_path)
    assert refused.value.code == "account_in_use"
    AccountLock("yours", tmp_path).release()
    first.release()
    first.release()
    AccountLock("mine", tmp_path).release()


def test_a_killed_engine_holds_nothing(tmp_path: Path) -> None:
    """Its file is still there and is taken over."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(EngineError, match=f"pid {other.pid}"):
            AccountLock("mine", tmp_path)
        other.kill()
    taken = AccountLock("mine", tmp_path)
    assert f'"pid": {os.getpid()}' in taken.path.read_text()
    taken.release()


def test_a_file_that_says_nothing_is_no_lock(tmp_path: Path) -> None:
    """Cut, empty or foreign: what counts is whether somebody holds it."""
    lock = AccountLock("mine", tmp_path)
    lock.release()
    for text in ("", "{", "[]", '{"pid": "x"}'):
        lock.path.write_text(text)
        AccountLock("mine", tmp_path).release()

"""The add-on's own process, started and ended as Bookmap does it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final

STDERR_LINES_SHOWN: Final = 30


class AddonProcess:
    """Run ``[python, "-X utf8", script, port]`` and keep what it prints.

    The second argument is one argument: Python reads an option named `` utf8`` and its UTF-8 mode stays off.

    Parameters
    ----------
    python : str
    script : Path
    port : int
    env : mapping, optional
        Its whole environment; this process's own by default.
    on_exit : callable
        Called once with the exit code, by the health check.
    health_check_s : float, s
        How often it is looked at; a death is found no sooner.
    """

    def __init__(
        self,
        python: str,
        script: Path,
        port: int,
        *,
        env: Mapping[str, str] | None = None,
        on_exit: Callable[[int], None],
        health_check_s: float = 3.0,
    ):
        self.output: list[str] = []
        self.errors: list[str] = []
        self._on_exit, self._health_check_s = on_exit, health_check_s
        self._destroyed = threading.Event()
        self._process = subprocess.Popen(
            [python, "-X utf8", str(script.resolve()), str(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=script.resolve().parent,
            env=dict(os.environ if env is None else env),
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            _start(_keep, self._process.stdout, self.output),
            _start(_keep, self._process.stderr, self.errors),
        ]
        self._checker = _start(self._check_health)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it lives; negative: the signal that ended it."""
        return self._process.poll()

    @property
    def last_errors(self) -> str:
        """What Bookmap's popup shows of its stderr."""
        return "\n".join(self.errors[-STDERR_LINES_SHOWN:])

    def wait(self, timeout_s: float) -> int:
        """Exit code, once it is gone and all its output is read.

        Raises
        ------
        subprocess.TimeoutExpired
            It is still there.
        """
        code = self._process.wait(timeout_s)
        for reader in self._readers:
            reader.join(timeout_s)
        return code

    def destroy(self) -> None:
        """End it as ``destroyForcibly`` does, without a word; nothing is left of it afterwards."""
        self._destroyed.set()
        self._process.kill()
        self._process.wait()
        for thread in (*self._readers, self._checker):
            if thread is not threading.current_thread():
                thread.join()

    def _check_health(self) -> None:
        while not self._destroyed.wait(self._health_check_s):
            if self._process.poll() is not None:
                for reader in self._readers:
                    reader.join()
                self._on_exit(self._process.returncode)
                return


def _start(work: Callable[..., None], *args: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=args, name="bookmap stand-in add-on", daemon=True)
    thread.start()
    return thread


def _keep(stream: IO[bytes], lines: list[str]) -> None:
    with stream:
        lines.extend(raw.decode("utf-8", errors="replace").rstrip("\r\n") for raw in stream)

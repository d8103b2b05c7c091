"""Engines from outside: start one, find the one that runs, list them, stop them."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Final

from workbench.errors import DiscoveryError, EngineError
from workbench.feeds import discovery
from workbench.feeds.discovery import Endpoint
from workbench.feeds.processes import terminate
from workbench.feeds.specification import GRACE_S, EngineSpec, SourceSpec, encode

START_TIMEOUT_S: Final = 240.0
STOP_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.02
LOG_NAME: Final = "engine.log"
MAX_LOG_BYTES: Final = 1 << 20
LOG_LINES_SHOWN: Final = 5

# Held so that ended engines are collected; one whose starter is gone is collected by the system.
_started: list[subprocess.Popen[bytes]] = []


def spawn_engine(
    source: SourceSpec,
    *,
    port: int = 0,
    grace_s: float | None = GRACE_S,
    wait_for_subscriber: bool = True,
    head_start_s: float = 0.0,
    timeout: float = START_TIMEOUT_S,
) -> Endpoint:
    """Start an engine in a process of its own, which survives this one.

    Parameters
    ----------
    source : SourceSpec
    port : int
        0 takes a free one.
    grace_s : float or None, seconds
        It leaves so long after its last client has gone and nothing is recorded; None: never by itself.
    wait_for_subscriber : bool
        Virtual time begins with the first subscriber, who then gets everything.
    head_start_s : float, virtual seconds
        Handed over at once when virtual time begins.
    timeout : float, seconds

    Returns
    -------
    Endpoint
        Clients can connect now.

    Raises
    ------
    EngineError
        It did not start; the message ends with the last lines of its log.
    """
    spec = EngineSpec(
        source=source,
        identity=discovery.new_identity(),
        port=port,
        grace_s=grace_s,
        wait_for_subscriber=wait_for_subscriber,
        head_start_s=head_start_s,
    )
    log = log_path()
    with open_log(log) as file:
        begin = file.tell()
        process = _launch(encode(spec), file)
    return _wait_until_ready(process, spec.identity, log, begin, timeout)


def engine_for(source: SourceSpec, **options: float | bool | None) -> Endpoint:
    """Return the running engine that serves these events, or start one (options as of :func:`spawn_engine`)."""
    running = discovery.find(source.key)
    return running or spawn_engine(source, **options)  # type: ignore[arg-type]


def stop_engine(endpoint: Endpoint, timeout: float = STOP_TIMEOUT_S) -> None:
    """Ask an engine to finish its recordings and leave, and wait until it has.

    Raises
    ------
    EngineError
        It still runs after ``timeout`` seconds.
    """
    if endpoint.running:
        terminate(endpoint.pid)
    give_up = time.monotonic() + timeout
    while endpoint.running:
        _collect()
        if time.monotonic() > give_up:
            raise EngineError(
                f"engine {endpoint.pid} still runs after {timeout:g} s", action="See its log or kill it"
            )
        time.sleep(POLL_S)
    if endpoint.path is not None:
        endpoint.path.unlink(missing_ok=True)


def stop_all(timeout: float = STOP_TIMEOUT_S) -> list[Endpoint]:
    """Stop every feed of this user that runs; returns what was stopped."""
    running = discovery.running_feeds()
    for endpoint in running:
        terminate(endpoint.pid)
    for endpoint in running:
        stop_engine(endpoint, timeout)
    return running


def log_path() -> Path:
    """Log of all engines of this user."""
    return discovery.runtime_dir() / LOG_NAME


def open_log(path: Path) -> IO[bytes]:
    """Open the log for appending, after moving one that has grown too long aside."""
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o600), "ab", buffering=0)


def _launch(line: bytes, log: IO[bytes]) -> subprocess.Popen[bytes]:
    _collect()
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [sys.executable, "-m", "workbench.feeds.engine_process"],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        **_detached(),
    )
    _started.append(process)
    assert process.stdin is not None
    try:
        with process.stdin as pipe:
            pipe.write(line + b"\n")
    except OSError:
        return process  # it ended at once; its log says why
    return process


def _detached() -> dict[str, Any]:
    # A session of its own: Ctrl-C in the notebook's terminal, or its end, does not reach the engine.
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return {"creationflags": flags | subprocess.CREATE_BREAKAWAY_FROM_JOB}
    return {"start_new_session": True}


def _wait_until_ready(
    process: subprocess.Popen[bytes], identity: str, log: Path, begin: int, timeout: float
) -> Endpoint:
    path = discovery.file_of(identity)
    give_up = time.monotonic() + timeout
    while process.poll() is None and time.monotonic() < give_up:
        try:
            return discovery.read(path)
        except DiscoveryError:
            time.sleep(POLL_S)
    ended = process.poll()
    if ended is None:
        process.kill()
    happened = f"did not start within {timeout:g} s" if ended is None else f"ended with exit code {ended}"
    raise EngineError(
        f"the engine {happened}: {_last_lines(log, begin)}", action=f"Its log is {log}", exit_code=ended
    )


def _last_lines(log: Path, begin: int) -> str:
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return " | ".join(lines[-LOG_LINES_SHOWN:]) or "it said nothing"


@atexit.register
def _let_go() -> None:
    """Engines outlive who started them, by design: the interpreter's end need not warn of it."""
    _collect()
    for process in _started:
        process.returncode = 0


def _collect() -> None:
    _started[:] = [process for process in _started if process.poll() is None]

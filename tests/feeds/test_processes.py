"""A process is known by its id and its start time together."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from tests.support.eventually import eventually
from workbench.feeds.processes import listener_of, process_start, terminate


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)


def test_the_start_time_of_a_running_process_stays_the_same():
    """Asked twice, a running process has one start time."""
    assert process_start(os.getpid()) is not None
    assert process_start(os.getpid()) == process_start(os.getpid())


def test_an_ended_process_that_nobody_collected_does_not_run():
    """A zombie counts as gone: its id is taken, but nobody answers."""
    child = sleeper()
    try:
        assert process_start(child.pid) is not None
        terminate(child.pid)
        assert eventually(lambda: process_start(child.pid) is None)
    finally:
        child.communicate()
    terminate(child.pid)  # gone already: no error


def test_impossible_ids_do_not_run():
    """Zero and negative ids, which address groups elsewhere, are no processes."""
    assert process_start(0) is None
    assert process_start(-1) is None
    assert process_start(2**22 + 1) is None


def test_the_process_behind_a_port_is_named():
    """Where the system tells, the listener of a port is found by its process id."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = listener_of(server.getsockname()[1])
    assert found == (os.getpid() if sys.platform == "linux" else None)

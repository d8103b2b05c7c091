"""Bad inputs 25–31 of the reliability promises: who is not there, not alone, or not who he should be."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import workbench as wb
from tests.support.recordings import SECOND_NS
from tests.support.running_engine import RunningEngine
from workbench.errors import (
    AuthenticationError,
    DiscoveryError,
    FeedError,
)
from workbench.feeds import discovery
from workbench.feeds.addresses import bind
from workbench.feeds.client import FeedClient, Target

posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes and links are POSIX's")
DAY_NS = 86_400 * SECOND_NS


@pytest.fixture(scope="module", autouse=True)
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of our own for discovery files."""
    folder = tmp_path_factory.mktemp("runtime")
    folder.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
        yield folder


@pytest.fixture(scope="module")
def engine() -> Iterator[RunningEngine]:
    """One engine for everything that only asks who is there."""
    from tests.support.synthetic import SyntheticSource

    with RunningEngine(SyntheticSource()) as running:
        yield running


def test_25_wrong_token_names_file_and_start(engine: RunningEngine) -> None:
    """The refusal says how old the file is and when the bridge began, and no token."""
    now = engine.endpoint
    old = replace(now, secret="canary-of-yesterday", started_ns=now.started_ns - DAY_NS // 24)
    with pytest.raises(AuthenticationError) as caught:
        FeedClient(Target.of(old), lambda _: None).open()
    clock = time.strftime("%H:%M:%S", time.localtime(now.started_ns // SECOND_NS))
    before = time.strftime("%H:%M:%S", time.localtime(old.started_ns // SECOND_NS))
    port = now.uri.split(":")[2].removesuffix("/v1")
    assert (
        f"token rejected by bridge on 127.0.0.1:{port} "
        f"(file {now.path} is from {before}, bridge started {clock}: restart or reload)"
    ) in str(caught.value)
    assert "canary" not in str(caught.value)


@posix_only
@pytest.mark.parametrize("by_address", [False, True])
def test_26_token_file_that_others_may_read(engine: RunningEngine, by_address: bool) -> None:
    """It is not used, and not passed over in silence either."""
    path = engine.endpoint.path
    assert path is not None
    path.chmod(0o644)
    try:
        with pytest.raises(DiscoveryError, match="readable by others: chmod 600"):
            wb.connect(engine.endpoint.uri if by_address else None)
    finally:
        path.chmod(0o600)


def test_27_no_bridge() -> None:
    """The address, and what to start."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(FeedError, match=f"nothing listens on 127.0.0.1:{port}") as caught:
        wb.connect(f"ws://127.0.0.1:{port}/v1")
    assert "Start the Bookmap add-on or simulator" in str(caught.value)
    assert caught.value.code == "no_feed"


def test_28_port_in_use_names_the_process() -> None:
    """Who has it, where the system tells."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(FeedError, match=f"port {port} is in use") as caught:
            bind(("127.0.0.1",), port)
    if Path("/proc/net/tcp").exists():
        assert f"by process {os.getpid()}" in str(caught.value)


def test_29_something_else_on_the_port() -> None:
    """A web server is not a bridge."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve_page() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

        threading.Thread(target=serve_page, daemon=True).start()
        with pytest.raises(FeedError, match="not a workbench bridge"):
            wb.connect(f"ws://127.0.0.1:{port}/v1")


def test_30_another_machine_without_tls() -> None:
    """Refused before a byte leaves."""
    with pytest.raises(FeedError, match="non-loopback needs tls"):
        wb.connect("ws://192.168.1.7:8765/v1")


def test_31_two_bridges(engine: RunningEngine) -> None:
    """Both are listed, and the user is asked which."""
    other = discovery.publish(replace(engine.endpoint, identity="other", uri="ws://127.0.0.1:9/v1"))
    try:
        with pytest.raises(DiscoveryError, match="2 feeds are running") as caught:
            wb.connect()
    finally:
        discovery.withdraw(other)
    assert engine.endpoint.uri in str(caught.value)
    assert "Say which: wb.connect(uri)" in str(caught.value)

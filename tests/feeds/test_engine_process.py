"""The engine as a process: started on demand, shared, recording, and leaving no trace."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.collecting import EVERYTHING, Collected
from tests.support.eventually import eventually
from tests.support.synthetic import SNAPSHOT_ROWS, reference
from workbench.errors import EngineError
from workbench.events import EventBatch
from workbench.feeds import discovery, engines
from workbench.feeds.client import FeedClient, Target
from workbench.feeds.discovery import Endpoint
from workbench.feeds.engines import engine_for, spawn_engine, stop_all, stop_engine
from workbench.feeds.pacing import MAX
from workbench.feeds.specification import SourceSpec
from workbench.frames.recording import open_recording
from workbench.protocol import messages

ROOT = Path(__file__).parents[2]
COUNT = 50_000
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture(autouse=True)
def runtime_dir(tmp_path, monkeypatch) -> Iterator[Path]:
    folder = tmp_path / "run"
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield folder
    stop_all()


def synthetic(speed: float = MAX, **options: object) -> SourceSpec:
    options = {"factory": "tests.support.synthetic:make", "count": COUNT} | options
    return SourceSpec(kind="custom", options=options, speed=speed)


def attach(endpoint: Endpoint, collected: Collected | None = None) -> FeedClient:
    return FeedClient(Target.of(endpoint), (collected or Collected()).take, "test").open()


def test_the_first_client_gets_every_event_of_the_source():
    """Live through the engine equals the source driven by hand: the same columns, the same numbers."""
    collected = Collected()
    with attach(spawn_engine(synthetic()), collected) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        eventually(lambda: collected.rows() == COUNT + SNAPSHOT_ROWS)
        assert collected.stream() == reference(COUNT)
        health = client.request(messages.HealthQuery())
    assert isinstance(health, messages.Health)
    assert health.state == "ended"
    assert health.counts == {"SYN": COUNT + SNAPSHOT_ROWS}


def test_the_second_client_attaches_to_what_runs():
    """Same events asked for: same engine; it gets the book and what follows."""
    spec = synthetic(speed=1.0, count=None)
    first = engine_for(spec)
    assert engine_for(spec) == first
    with attach(first) as one:
        one.subscribe("SYN", EVERYTHING)
        two = Collected()
        with attach(first, two) as client:
            client.subscribe("SYN", EVERYTHING)
            eventually(lambda: two.rows() > 100)
            assert len(client.request(messages.EngineQuery()).clients) == 2
    assert engine_for(synthetic(count=7)).pid != first.pid


def test_nothing_secret_is_on_the_command_line_or_in_the_environment():
    """Neither the feed's secret nor the token of an upstream can be read off the process."""
    endpoint = spawn_engine(synthetic(seed="canary-option"))
    proc = Path("/proc") / str(endpoint.pid)
    if proc.exists():
        shown = (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
        assert b"canary-option" not in shown
        assert endpoint.secret.encode() not in shown
    log = engines.log_path().read_text()
    assert "canary-option" not in log
    assert endpoint.secret not in log


def test_it_leaves_after_its_last_client():
    """The grace over, process and file are gone."""
    endpoint = spawn_engine(synthetic(), grace_s=0.2)
    attach(endpoint).close()
    eventually(lambda: not endpoint.running)
    assert discovery.running_feeds() == []
    assert endpoint.path is not None
    assert not endpoint.path.exists()


def test_it_stays_while_a_client_is_there():
    """The grace of an absent client does not count once another has come."""
    endpoint = spawn_engine(synthetic(speed=1.0, count=None), grace_s=0.5)
    collected = Collected()
    with attach(endpoint, collected) as client:
        client.subscribe("SYN", EVERYTHING)
        eventually(lambda: collected.rows() > 1_000)
        assert endpoint.running


def test_a_killed_client_harms_nobody():
    """kill -9 of a kernel: the other client's stream is complete, the engine runs on."""
    endpoint = spawn_engine(synthetic(speed=1.0, count=None))
    script = f"""
        from pathlib import Path
        from workbench.feeds import discovery
        from workbench.feeds.client import FeedClient, Target
        client = FeedClient(Target.of(discovery.read(Path({str(endpoint.path)!r}))), lambda d: None).open()
        client.subscribe("SYN", {EVERYTHING!r})
        print("attached", flush=True)
        import sys; sys.stdin.read()
    """
    collected = Collected()
    with attach(endpoint, collected) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as kernel:
            assert kernel.stdout is not None
            assert kernel.stdout.readline() == b"attached\n"
            kernel.kill()
        seen = collected.rows()
        eventually(lambda: collected.rows() > seen + 100)
        eventually(lambda: len(client.request(messages.EngineQuery()).clients) == 1)
        stream = collected.stream()
    assert stream == reference(len(stream) - SNAPSHOT_ROWS)


@posix_only
def test_an_interrupted_engine_finishes_its_recording(tmp_path):
    """SIGTERM: everything handed out is on disk, the recording is closed, the exit code is 0."""
    endpoint = spawn_engine(synthetic(speed=1.0, count=None), grace_s=None)
    collected = Collected()
    with attach(endpoint, collected) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        started = client.request(messages.Record(out=str(tmp_path / "rec")))
        eventually(lambda: collected.rows() > 500)
        os.kill(endpoint.pid, signal.SIGTERM)
        eventually(lambda: not endpoint.running)
    recording = open_recording(started.paths["SYN"])
    recorded = EventBatch.concatenate(recording.batches())
    assert recording.verify().verdict == "VALID"
    common = recorded[SNAPSHOT_ROWS:]
    assert common == reference(COUNT)[common.first_sequence : common.next_sequence]
    assert common.next_sequence >= collected.stream().next_sequence
    assert not discovery.running_feeds()


@posix_only
def test_a_killed_engine_leaves_a_file_that_is_recognised():
    """kill -9: the file stays, is seen to be stale, and a new engine takes over at once."""
    spec = synthetic()
    endpoint = spawn_engine(spec)
    os.kill(endpoint.pid, signal.SIGKILL)
    eventually(lambda: not endpoint.running)
    assert endpoint.path is not None
    assert endpoint.path.exists()
    again = engine_for(spec)
    assert again.pid != endpoint.pid
    assert discovery.running_feeds() == [again]


def test_what_could_not_start_says_why():
    """The last lines of its log are in the error: a taken port, a source that cannot be made."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(EngineError, match=f"port {port} is in use") as caught:
            spawn_engine(synthetic(), port=port)
    assert caught.value.fields["exit_code"] == 1
    with pytest.raises(EngineError, match="profile"):
        spawn_engine(SourceSpec(kind="simulate", options={"profile": "no-such"}))
    assert "Traceback" not in engines.log_path().read_text()


def test_engines_are_stopped_by_whoever_may():
    """One, then all; stopping what is gone is no error."""
    one, two = spawn_engine(synthetic(), grace_s=None), spawn_engine(synthetic(count=7), grace_s=None)
    stop_engine(one)
    stop_engine(one)
    assert discovery.running_feeds() == [two]
    assert stop_all() == [two]
    assert stop_all() == []


def test_a_client_may_end_the_engine():
    """SHUTDOWN is answered, then carried out."""
    endpoint = spawn_engine(synthetic(), grace_s=None)
    with attach(endpoint) as client:
        assert isinstance(client.request(messages.Shutdown()), messages.Done)
        eventually(lambda: not endpoint.running)


def test_the_tutorial_client_reads_market_data(capsys):
    """The ten lines of docs/protocol.md, run as they stand against a real engine."""
    endpoint = spawn_engine(synthetic(speed=1.0, count=None))
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    found = re.search(r"```python tutorial\n(.*?)```", text, re.DOTALL)
    assert found, "docs/protocol.md has no block ```python tutorial"
    code = found[1]
    for literal, value in {"ws://127.0.0.1:8765/v1": endpoint.uri, "ESZ6": "SYN"}.items():
        code = code.replace(literal, value)
    code = re.sub(r"(\"token\": )[^,}]+", rf'\1"{endpoint.secret}"', code)
    run = subprocess.run([sys.executable, "-u", "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert "TRADE" in run.stdout, run.stderr
    assert asyncio  # the tutorial needs nothing but asyncio, json and websockets

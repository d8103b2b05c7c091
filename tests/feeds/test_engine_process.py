"""The engine as a process: started on demand, shared, recording, and leaving no trace."""

from __future__ import annotations

import ast
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


@pytest.fixture(scope="module", autouse=True)
def runtime_dir(tmp_path_factory) -> Iterator[Path]:
    """One folder for the module; whatever a test leaves running is stopped at the end."""
    folder = tmp_path_factory.mktemp("feeds") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(folder))
        patch.setenv("PYTHONPATH", str(ROOT))
        yield folder
        stop_all()


@pytest.fixture(scope="module")
def shared(runtime_dir) -> Endpoint:
    """An endless engine for the tests that do not end it: a start costs seconds."""
    return spawn_engine(ENDLESS, grace_s=None)


def synthetic(speed: float = MAX, **options: object) -> SourceSpec:
    options = {"factory": "tests.support.synthetic:make", "count": COUNT} | options
    return SourceSpec(kind="custom", options=options, speed=speed)


ENDLESS = synthetic(speed=1.0, count=None, seed="canary-option")


def attach(endpoint: Endpoint, collected: Collected | None = None) -> FeedClient:
    return FeedClient(Target.of(endpoint), (collected or Collected()).take, "test").open()


def test_the_first_client_gets_every_event_and_the_engine_leaves_after_it():
    """Live through the engine equals the source driven by hand; when nobody is left, process and file go."""
    collected = Collected()
    endpoint = spawn_engine(synthetic(), grace_s=0.1)
    with attach(endpoint, collected) as client:
        client.subscribe("SYN", EVERYTHING, from_sequence=0)
        eventually(lambda: collected.rows() == COUNT + SNAPSHOT_ROWS)
    assert collected.stream() == reference(COUNT)
    eventually(lambda: not endpoint.running)
    assert endpoint not in discovery.running_feeds()
    assert endpoint.path is not None
    assert not endpoint.path.exists()


def test_the_second_client_attaches_to_what_runs(shared):
    """Same events asked for: same engine; it gets the book and what follows."""
    assert engine_for(ENDLESS) == shared
    two = Collected()
    with attach(shared) as one, attach(shared, two) as client:
        one.subscribe("SYN", EVERYTHING)
        client.subscribe("SYN", EVERYTHING)
        eventually(lambda: two.rows() > 100)
        assert len(client.request(messages.EngineQuery()).clients) == 2


def test_nothing_secret_is_on_the_command_line_or_in_the_environment(shared):
    """Neither the feed's secret nor the token of an upstream can be read off the process."""
    proc = Path("/proc") / str(shared.pid)
    if proc.exists():
        shown = (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
        assert b"canary-option" not in shown
        assert shared.secret.encode() not in shown
    log = engines.log_path().read_text()
    assert "canary-option" not in log
    assert shared.secret not in log


def test_an_engine_that_outlives_its_starter_is_no_warning():
    """A program that runs with warnings as errors ends in silence while the engine it started still runs."""
    program = textwrap.dedent("""
        from workbench.feeds.engines import spawn_engine
        from workbench.feeds.specification import SourceSpec
        print(spawn_engine(SourceSpec(kind="simulate", options={"seed": 3})).pid)
    """)
    command = [sys.executable, "-W", "error", "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert int(ended.stdout) in {endpoint.pid for endpoint in discovery.running_feeds()}
    assert not ended.stderr


def test_a_killed_client_harms_nobody(shared):
    """kill -9 of a kernel: the other client's stream is complete, the engine runs on."""
    endpoint = shared
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
        client.subscribe("SYN", EVERYTHING)
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
    assert stream == reference(stream.next_sequence - SNAPSHOT_ROWS)[stream.first_sequence :]


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
    assert endpoint not in discovery.running_feeds()


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
    assert again in discovery.running_feeds()
    assert endpoint not in discovery.running_feeds()
    assert not endpoint.path.exists()


def test_what_could_not_start_says_why():
    """The last lines of its log are in the error: here a taken port."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(EngineError, match=f"port {port} is in use") as caught:
            spawn_engine(synthetic(), port=port)
    assert caught.value.fields["exit_code"] == 1
    assert "Traceback" not in engines.log_path().read_text()


def test_the_tutorial_client_reads_market_data(shared):
    """The ten lines of docs/protocol.md, run as they stand against a real engine."""
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
    tutorial = re.search(r"```python tutorial\n(.*?)```", text, re.DOTALL)
    assert tutorial, "docs/protocol.md has no block ```python tutorial"
    command = [sys.executable, "-u", "-c", tutorial[1], shared.uri, shared.secret, "SYN"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        seen: list[str] = []
        for line in reader.stdout:
            seen.append(str(ast.literal_eval(line)["type"]))
            if "TRADE" in seen and "DEPTH" in seen:
                break
        reader.kill()
    assert seen[:4] == ["WELCOME", "SUBSCRIBED", "SNAPSHOT", "SNAPSHOT_END"]
    assert {"DEPTH", "TRADE"} <= set(seen)


def test_a_client_may_end_the_engine_and_stopping_what_is_gone_is_no_error(shared):
    """SHUTDOWN is answered, then carried out. (The last test of the shared engine.)"""
    with attach(shared) as client:
        assert isinstance(client.request(messages.Shutdown()), messages.Done)
        eventually(lambda: not shared.running)
    stop_engine(shared)
    left = discovery.running_feeds()
    assert stop_all() == left
    assert stop_all() == []

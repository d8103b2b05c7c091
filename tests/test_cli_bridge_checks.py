"""``workbench doctor`` on the bridge: each complaint of a bridge is told with what to do, and no secret ever is."""

from __future__ import annotations

import importlib.resources
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.eventually import eventually
from workbench.cli import bridge_checks as checks
from workbench.cli import main
from workbench.cli.bridge_health import Bridge, running_bridges
from workbench.cli.findings import Finding
from workbench.feeds.discovery import Endpoint, publish
from workbench.feeds.processes import process_start
from workbench.feeds.simulator import Simulator
from workbench.testing import BookmapStandIn

LIVE: dict[str, Any] = {
    "state": "live",
    "trading": False,
    "lines": {"DEPTH": 100, "MBO": 200, "TRADE": 5},
    "backlog": {"events": 0, "age_ms": 0.0, "degraded": False},
    "bad_lines": 0,
    "instruments": {
        "ES": {"clock": {"intervals": 600, "speed": 1.0}, "unanswered": [], "orders_open": False}
    },
}


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of our own, for this process and for what it starts."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("WORKBENCH_STATE_DIR", str(tmp_path / "state"))
    return folder


@pytest.fixture
def bookmap() -> Iterator[BookmapStandIn]:
    """A Bookmap with the real add-on attached."""
    script = importlib.resources.files("workbench").joinpath(
        "bridge", "scripts", "workbench_bridge_trading.py"
    )
    with (
        importlib.resources.as_file(script) as path,
        BookmapStandIn(Simulator(seed=7), script=path, trading=True) as stand_in,
    ):
        stand_in.attach()
        stand_in.play()  # on and on: a bridge that hears no interval for 3 s is stale
        eventually(lambda: bool(running_bridges()))
        yield stand_in


def test_a_running_bridge_is_listed_with_what_it_says(
    bookmap: BookmapStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status and doctor ask it, over the feed protocol."""
    assert main(["bridge", "status", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["bridges"]
    assert (told["symbols"], told["state"], told["trading"]) == ([bookmap.alias], "live", True)
    assert told["orders_open"] is False
    assert main(["bridge", "status"]) == 0
    assert "orders locked (" in capsys.readouterr().out
    first, *said = list(checks.bridges())
    assert first.ok
    assert any(finding.detail.startswith("orders are locked: ") for finding in said)


def changed(**facts: Any) -> Bridge:
    return Bridge(("ES",), 4711, 1, LIVE | facts)


def instrument(**facts: Any) -> dict[str, Any]:
    return {"instruments": {"ES": LIVE["instruments"]["ES"] | facts}}


@pytest.mark.parametrize(
    ("permitted", "armed", "words"),
    [(False, False, ["not ticked", "armed"]), (True, False, ["armed"]), (False, True, ["not ticked"])],
)
def test_it_is_said_which_lock_is_shut(permitted: bool, armed: bool, words: list[str]) -> None:
    """In the status and by the doctor; one that is open is not named."""
    bridge = changed(trading=True, **instrument(locks={"permitted": permitted, "armed": armed}))
    assert len(bridge.shut) == len(words)
    assert all(word in said for word, said in zip(words, bridge.shut, strict=True))
    said = checks.locked(bridge)
    assert said is not None and "; ".join(bridge.shut) in said[0]


def test_a_bridge_that_is_well_has_nothing_said_of_it() -> None:
    """No complaint at all."""
    assert [complains(changed()) for complains in checks.COMPLAINTS] == [None] * len(checks.COMPLAINTS)


@pytest.mark.parametrize(
    ("complains", "facts", "words"),
    [
        (checks.no_data, {"lines": {"ON_INTERVAL": 9}}, "no depth"),
        (checks.only_orders, {"lines": {"MBO": 9}}, "only market-by-order"),
        (checks.unanswered, instrument(unanswered=["MBO", "BALANCE"]), "BALANCE, MBO"),
        (checks.replay_clock, instrument(clock={"intervals": 600, "speed": 10.0}), "10.00 seconds"),
        (checks.backlog, {"backlog": {"events": 2000, "age_ms": 450.0, "degraded": True}}, "450 ms behind"),
        (checks.bad_lines, {"bad_lines": 3, "examples": ["\x1b[2J99"]}, "3 lines"),
        (checks.locked, {"trading": True}, "locked"),
        (checks.refused, {"refused": {"BAD": "pips nan"}}, "BAD: pips nan"),
    ],
)
def test_each_complaint_says_what_was_seen_and_what_to_do(complains: Any, facts: Any, words: str) -> None:
    """And that nothing printed can steer a terminal."""
    detail, advice = complains(changed(**facts))
    assert words in detail
    assert advice
    assert detail.isprintable()


@pytest.mark.parametrize("complains", checks.COMPLAINTS)
def test_a_bridge_that_does_not_answer_is_not_judged(complains: Any) -> None:
    """Its silence is told once, by its state."""
    assert complains(Bridge(("ES",), 4711, 1)) is None


def test_the_runtime_is_tried_as_bookmap_would_start_it() -> None:
    """With the very packages that the bridge needs."""
    (finding,) = checks.runtime()
    assert finding.ok, finding
    assert sys.executable in finding.detail
    assert "websockets" in finding.detail


def test_a_runtime_without_the_workbench_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to install where; the last line of its complaint is enough."""
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\necho Traceback >&2\necho \"ModuleNotFoundError: No module named 'workbench'\" >&2\nexit 1\n"
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    (finding,) = checks.runtime()
    assert (finding.ok, finding.mark) == (False, "LOOK")
    assert "No module named 'workbench'" in finding.detail
    assert "pip install" in finding.advice


def test_taken_ports_are_told_without_touching_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever connects first is Bookmap's add-on: looking must not be connecting."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.setblocking(False)
        monkeypatch.setattr(checks, "FIRST_PORT", port)
        monkeypatch.setattr(checks, "PORTS", 1)
        (finding,) = checks.ports()
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert not finding.ok
    assert str(port) in finding.detail


def test_files_that_cannot_be_used_are_told_without_their_secret(runtime: Path) -> None:
    """Readable by others, damaged, or left behind: each with what to do, and the token in none."""
    secret = "s3cret-token-of-the-feed"
    endpoint = Endpoint(
        "0" * 12,
        "ws://127.0.0.1:1/v1",
        secret,
        os.getpid(),
        process_start(os.getpid()) or "",
        "test",
        "key",
        ("ES",),
        1,
    )
    publish(endpoint)
    (runtime / "feed-damaged.json").write_text(f'{{"secret": "{secret}"')
    (runtime / "feed-damaged.json").chmod(0o600)
    open_to_all = runtime / "feed-open.json"
    open_to_all.write_text(f'{{"secret": "{secret}"}}')
    open_to_all.chmod(0o644)
    found = list(checks.discovery_files())
    assert [finding.ok for finding in found] == [False, False, False]
    assert any("readable by others" in finding.detail for finding in found)
    assert any("damaged" in finding.detail for finding in found)
    assert all(finding.advice for finding in found[:-1])
    assert secret not in repr(found)


def test_the_clock_is_judged_by_its_pace() -> None:
    """The zone is told, because Bookmap's chart shows local time and recordings do not."""
    (finding,) = checks.clock()
    assert finding.ok
    assert "UTC" in finding.detail


def test_marks_tell_how_bad_it_is() -> None:
    """Fine, needed, worth a look, merely absent."""
    found = [
        Finding("a", True, ""),
        Finding("a", False, ""),
        Finding("a", False, "", needed=False, advice="do this"),
        Finding("a", False, "", needed=False),
    ]
    assert [finding.mark for finding in found] == ["ok", "MISSING", "LOOK", "absent"]


def test_doctor_says_all_of_it_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    """As before, with advice; the bridge's troubles are no failure of the workbench."""
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert {"bridge runtime", "Bookmap's ports", "discovery files", "clock", "bridges"} <= {
        check["check"] for check in told["checks"]
    }
    assert all({"check", "ok", "detail", "needed", "advice"} == check.keys() for check in told["checks"])
    assert running_bridges() == []

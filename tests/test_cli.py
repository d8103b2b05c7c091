"""The command line: exit codes, one sentence on standard error, JSON alone on standard output."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.synthetic import reference
from workbench.cli import main
from workbench.cli.engines import _under_way
from workbench.cli.notebooks import cleaned
from workbench.events import Instrument
from workbench.frames.recording import Recording, write_recording

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("cli")
    return write_recording(folder, Instrument("SYN", "0.25"), [reference(2_000)], source={"kind": "test"})


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime folder of our own."""
    folder = tmp_path / "runtime"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("WORKBENCH_RUNTIME_DIR", str(folder))
    return folder


def facts(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    """JSON that a command prints, which must be all that it prints."""
    assert main([*map(str, arguments), "--json"]) == 0
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([c, "--help"] for c in ("serve", "record"))]
)
def test_help_is_no_failure(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help and version end with 0."""
    assert main(arguments) == 0
    assert capsys.readouterr().out


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The promised commands are all there."""
    main(["--help"])
    text = capsys.readouterr().out
    for command in [
        "demo",
        "lab",
        "test",
        "serve",
        "record",
        "replay",
        "import",
        "info",
        "verify",
        "export",
        "doctor",
        "engines",
        "stop",
    ]:
        assert f"  {command}" in text


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["info"], ["serve", "--port", "x"], ["demo", "--seconds", "0"],
     ["record", "simulate", "--seconds", "nan"], ["record", "simulate", "--seconds", "inf"],
     ["bridge", "stand-in", "simulate", "--seconds", "nan"], ["demo", "--seconds", "nan"]],
)  # fmt: skip
def test_wrong_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Unknown commands, missing arguments and impossible values."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert not captured.out and "Usage" in captured.err


@pytest.mark.parametrize(
    "arguments",
    [["info", "/nowhere"], ["verify", "/nowhere", "--json"], ["serve", "--source", "/nowhere"],
     ["import", "/nowhere", "--json"], ["replay", "/nowhere"],
     ["serve", "--speed", "0"], ["stop"], ["record", "ws://192.168.1.2:1/v1", "--seconds", "1"]],
)  # fmt: skip
def test_a_failure_is_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, one line on standard error, no traceback, nothing on standard output."""
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err.startswith("workbench: ") and captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_info_and_verify(recording: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """The facts of a recording and the verdict on it, for programs and for people."""
    info = facts(capsys, "info", recording.path)
    assert info["symbol"] == "SYN" and info["events"] == 2_012 and info["gaps"] == 0
    verdict = facts(capsys, "verify", recording.path)
    assert verdict["verdict"] == "VALID" and verdict["reasons"] == []
    assert main(["info", str(recording.path)]) == 0
    assert "2,012" in capsys.readouterr().out


def test_an_invalid_recording_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict is still told, and the exit code is 1."""
    bad = write_recording(tmp_path, Instrument("SYN", "0.25"), [reference(100)], source={})
    file = next(bad.path.glob("events-*.parquet"))
    bytes_ = bytearray(file.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    file.write_bytes(bytes_)
    assert main(["verify", str(bad.path), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["verdict"] == "INVALID" and "INVALID" in captured.err


@pytest.mark.parametrize(
    ("name", "kind"), [("x.parquet", "trades"), ("x.csv", "depth"), ("x.arrow", "events")]
)
def test_export(
    recording: Recording, tmp_path: Path, name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The format is told from the file's name; a file that exists is never overwritten."""
    target = tmp_path / name
    assert facts(capsys, "export", recording.path, target, "--kind", kind)["bytes"] == target.stat().st_size
    assert main(["export", str(recording.path), str(target)]) == 1
    assert main(["export", str(recording.path), str(tmp_path / "x.what")]) == 2


def test_no_engines_is_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list, not a failure."""
    assert facts(capsys, "engines") == {"engines": []}
    assert facts(capsys, "stop", "--all") == {"stopped": []}


def test_a_recording_that_is_over_is_not_counted() -> None:
    """An engine goes on telling of it; ``engines`` counts what is being written or finished."""
    states = ("recording", "closing", "closed", "failed")
    assert _under_way([{"state": state} for state in states]) == 2


def test_doctor_finds_everything_here(capsys: pytest.CaptureFixture[str]) -> None:
    """The environment that runs the tests is healthy."""
    answer = facts(capsys, "doctor")
    assert answer["ok"] is True


def test_serve_tells_where_it_is_and_ends_on_interrupt(recording: Recording) -> None:
    """One JSON line once clients can connect, then nothing; an interrupt is the normal end."""
    command = [sys.executable, "-m", "workbench.cli", "serve", "--source", str(recording.path), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["symbols"] == ["SYN"] and Path(ready["discovery_file"]).is_file()
        assert ready["uri"].startswith("ws://127.0.0.1:") and ready["uri"].endswith("/v1")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and not rest and "Traceback" not in errors


def test_demo_runs_the_whole_line(
    recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Serve, capture, record, close, verify, draw: facts, a PNG and a page."""
    answer = facts(capsys, "demo", "--recording", recording.path, "--seconds", 3, "--out", tmp_path / "out")
    assert answer["verdict"] == "VALID" and int(str(answer["recorded_events"])) > 1_000
    assert answer["symbol"] == "SYN" and answer["captured_gaps"] == 0
    assert Path(str(answer["picture"])).read_bytes().startswith(b"\x89PNG")
    assert "plotly" in Path(str(answer["page"])).read_text(encoding="utf-8").lower()


def test_refreshed_notebooks_keep_outputs_but_no_state() -> None:
    """Widget state, cell timings and the kernel's version differ from run to run; outputs are what readers want."""
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "Heatmap('ES')"}
    cell = {
        "cell_type": "code",
        "metadata": {"execution": {"a": 1}},
        "outputs": [{"data": widget}],
        "source": "",
    }
    metadata = {"widgets": {}, "language_info": {"name": "python", "version": "3.11"}}
    clean = json.loads(cleaned(json.dumps({"cells": [cell], "metadata": metadata})))
    assert clean["metadata"] == {"language_info": {"name": "python"}}
    assert clean["cells"][0]["metadata"] == {}
    assert clean["cells"][0]["outputs"] == [{"data": {"text/plain": "Heatmap('ES')"}}]

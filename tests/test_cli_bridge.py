"""``workbench bridge``: scripts that are never lost, bridges that are told, a Bookmap for those who have none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.synthetic import reference
from workbench import __version__
from workbench.cli import main
from workbench.cli.bridge_health import Bridge
from workbench.cli.bridge_scripts import SCRIPT, TRADING_SCRIPT, source_of, write_script
from workbench.errors import WorkbenchError
from workbench.events import Instrument
from workbench.frames.recording import write_recording

ROOT = Path(__file__).resolve().parent.parent


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


def test_install_writes_both_scripts_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Paths are absolute, the Python is this one, and the steps name both."""
    told = facts(capsys, "bridge", "install", "--out", tmp_path / "new" / "folder")
    script, trading = Path(str(told["script"])), Path(str(told["trading_script"]))
    assert (script.name, trading.name) == (SCRIPT, TRADING_SCRIPT)
    assert script.is_absolute()
    assert script.read_text().startswith(
        f'# Written by "workbench bridge install" (orderflow-workbench {__version__})'
    )
    assert script.read_bytes().endswith(source_of(SCRIPT))
    assert told["python"] == sys.executable
    steps = " ".join(told["steps"])  # type: ignore[arg-type]
    for words in (
        str(script),
        sys.executable,
        "Set custom runtime",
        "Is trading strategy",
        "Configure addons",
    ):
        assert words in steps


def test_people_are_told_the_same_in_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbered steps; those for orders only when asked for."""
    assert main(["bridge", "install", "--out", str(tmp_path)]) == 0
    plain = capsys.readouterr().out
    assert main(["bridge", "install", "--out", str(tmp_path), "--trading"]) == 0
    trading = capsys.readouterr().out
    assert "\n1. In Bookmap" in plain
    assert "Allow orders from notebooks" not in plain
    assert "Allow orders from notebooks" in trading
    assert plain.isascii()


def test_each_script_is_python_that_bookmap_would_build(tmp_path: Path) -> None:
    """It compiles, in plain ASCII, and imports nothing but the bridge."""
    for name in (SCRIPT, TRADING_SCRIPT):
        text = write_script(tmp_path, name).path.read_bytes()
        compile(text, name, "exec")
        assert text.isascii()
        imports = [
            line for line in text.decode().splitlines() if "import " in line and not line.startswith("#")
        ]
        assert imports == ["from workbench.bridge import run"]


def test_installing_again_changes_nothing(tmp_path: Path) -> None:
    """Neither the bytes nor the time of the file."""
    first = write_script(tmp_path, SCRIPT)
    before = first.path.stat().st_mtime_ns
    again = write_script(tmp_path, SCRIPT)
    assert (first.outcome, again.outcome) == ("written", "unchanged")
    assert again.path.stat().st_mtime_ns == before


def test_an_older_script_of_ours_is_updated(tmp_path: Path) -> None:
    """Its header proves that it is as we wrote it, also when an editor changed the line ends."""
    from workbench.cli import bridge_scripts as module

    path = tmp_path / SCRIPT
    for ends in (b"\n", b"\r\n"):
        path.write_bytes(module._with_header(b"an older text\nof ours\n").replace(b"\n", ends))
        assert write_script(tmp_path, SCRIPT).outcome == "updated"
        assert path.read_bytes().endswith(source_of(SCRIPT))


@pytest.mark.parametrize("content", [b"", b"print('mine')\n", b"\xff\x00", b"changed"])
def test_a_file_that_is_not_ours_stays(tmp_path: Path, content: bytes) -> None:
    """Ours is put beside it, and updated there; a foreign file at that place too is told, not lost."""
    path = tmp_path / SCRIPT
    if content == b"changed":
        content = write_script(tmp_path, SCRIPT).path.read_bytes().replace(b"run()", b"run() ")
    path.write_bytes(content)
    for _ in range(2):
        beside = write_script(tmp_path, SCRIPT)
        assert (beside.outcome, beside.path.name) == ("beside", f"{SCRIPT}.new")
        assert path.read_bytes() == content
    beside.path.write_bytes(b"mine too")
    with pytest.raises(WorkbenchError, match="not as we wrote it"):
        write_script(tmp_path, SCRIPT)
    assert (path.read_bytes(), beside.path.read_bytes()) == (content, b"mine too")


def test_a_link_is_never_followed(tmp_path: Path) -> None:
    """Whatever it points to stays as it is."""
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / SCRIPT).symlink_to(target)
    assert write_script(tmp_path, SCRIPT).outcome == "beside"
    assert target.read_text() == "precious"


def test_each_instrument_gets_an_add_on_name_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bookmap calls the add-on after the file."""
    told = facts(capsys, "bridge", "install", "--out", tmp_path, "--for", "ES", "--for", "NQ")
    names = [Path(path).name for path in told["scripts"]]  # type: ignore[attr-defined]
    assert names == [
        "workbench_bridge_ES.py",
        "workbench_bridge_trading_ES.py",
        "workbench_bridge_NQ.py",
        "workbench_bridge_trading_NQ.py",
    ]


@pytest.mark.parametrize("suffix", ["ES-1", "../x", "a/b", "x" * 60, "Ä"])
def test_a_name_that_bookmap_would_refuse_is_refused(tmp_path: Path, suffix: str) -> None:
    """A letter first, then letters, digits, _ and blanks, at most 64; nothing is written."""
    with pytest.raises(WorkbenchError, match="add-on name"):
        write_script(tmp_path / "new", SCRIPT, suffix)
    assert not list(tmp_path.rglob("*.py"))


@pytest.mark.parametrize("bad", ["\u00e9", "../x", ""])
def test_one_bad_name_writes_nothing_at_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    """All names are looked at before the first file is written; no name is no name."""
    assert main(["bridge", "install", "--out", str(tmp_path / "new"), "--for", "E S", "--for", bad]) == 1
    assert "name" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_name_given_twice_is_one_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written or told twice."""
    told = facts(capsys, "bridge", "install", "--out", tmp_path, "--for", "ES", "--for", "ES")
    assert len(told["scripts"]) == 2  # type: ignore[arg-type]
    assert set(told["outcomes"].values()) == {"written"}  # type: ignore[attr-defined]


def test_installing_does_not_import_the_bridge(tmp_path: Path) -> None:
    """The command line reads the scripts as files; help answers without loading anything."""
    code = (
        "import sys; from workbench.cli import main; main(['bridge', '--help']); "
        f"main(['bridge', 'install', '--json', '--out', {str(tmp_path)!r}]); "
        "print([m for m in sys.modules if m.startswith(('workbench.bridge', 'polars', 'numba'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_no_bridge_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """It is said what to do."""
    assert facts(capsys, "bridge", "status") == {"bridges": []}
    assert main(["bridge", "status"]) == 0
    assert "enable the add-on in Bookmap" in capsys.readouterr().out


def test_a_bridge_that_does_not_answer_is_told_as_such() -> None:
    """Whatever it leaves out, describing it never fails."""
    bridge = Bridge(("ES",), 4711, 1)
    assert bridge.describe()["state"] == "not answering"
    assert (bridge.speed, bridge.intervals, bridge.unanswered, bridge.orders_open) == (None, 0, [], False)


def test_the_stand_in_plays_a_recording_to_people_without_bookmap(tmp_path: Path) -> None:
    """The script is attached as it was installed, and the command ends with the recording."""
    recording = write_recording(
        tmp_path / "rec", Instrument("SYN", "0.25"), [reference(2_000)], source={"kind": "test"}
    )
    script = write_script(tmp_path / "Order-Flow Workbench", SCRIPT).path
    command = [
        sys.executable,
        "-m",
        "workbench",
        "bridge",
        "stand-in",
        str(recording.path),
        "--script",
        str(script),
    ]
    done = subprocess.run(
        [*command, "--speed", "max"], capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert 'wb.connect("bookmap")' in done.stderr
    assert "Bookmap would show" not in done.stderr


def test_the_plain_add_on_has_nothing_to_allow(capsys: pytest.CaptureFixture[str]) -> None:
    """Said before anything is started."""
    assert main(["bridge", "stand-in", "simulate", "--allow-orders"]) == 2
    assert "--trading" in capsys.readouterr().err


def test_a_script_put_beside_is_told_under_the_name_it_shall_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bookmap takes only names that end with .py."""
    (tmp_path / SCRIPT).write_text("mine")
    told = facts(capsys, "bridge", "install", "--out", tmp_path)
    assert str(told["script"]).endswith(".py.new")
    assert f"name it {SCRIPT}," in " ".join(told["steps"])  # type: ignore[arg-type]

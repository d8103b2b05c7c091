"""The error tree: one shape for every message."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from collections.abc import Iterator

import pytest
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

from workbench import errors
from workbench.errors import DEBUG_VARIABLE, EngineError, MissingExtraError, WorkbenchError, pip_install

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, WorkbenchError)]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_message_says_found_expected_and_action(cls: type[WorkbenchError]) -> None:
    """Every error reads: what was found; expected what. What to do."""
    error = cls("size −1", expected="size ≥ 0", action="Send the new total", field="size")
    assert str(error) == "size −1; expected size ≥ 0. Send the new total"
    assert (error.fields, bool(error.code), bool(cls.__doc__)) == ({"field": "size"}, True, True)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_errors_cross_process_boundaries_whole(cls: type[WorkbenchError]) -> None:
    """An error from the engine process keeps its class, code and fields."""
    error = cls("a", expected="b", action="c", code="special", offset=7)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.code, copy.fields) == (cls, str(error), "special", {"offset": 7})


def test_the_tree_in_the_docstring_is_complete() -> None:
    """The module's drawing names every class."""
    assert errors.__doc__ is not None
    assert [c.__name__ for c in CLASSES if c.__name__ not in errors.__doc__] == []


def test_missing_extra_prints_the_install_command() -> None:
    """The user can copy the command from the message; it is an ImportError for those who probe."""
    error = MissingExtraError.of("databento", "formats")
    assert f'{sys.executable} -m pip install "orderflow-workbench[formats]"' in str(error)
    assert isinstance(error, ImportError)


def test_the_install_command_names_the_python_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path with blanks is quoted; an environment without pip of its own is served by uv."""
    monkeypatch.setattr(sys, "executable", "/my venv/python")
    assert pip_install("numpy") == '"/my venv/python" -m pip install numpy'
    monkeypatch.setattr(errors, "find_spec", lambda _: None)
    assert pip_install("numpy") == 'uv pip install --python "/my venv/python" numpy'


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell as a notebook's kernel has it, without history on disk."""
    monkeypatch.delenv(DEBUG_VARIABLE, raising=False)
    monkeypatch.setattr(HistoryManager, "enabled", False)
    yield InteractiveShell()


def test_a_notebook_shows_an_error_in_two_lines(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line that failed, then name, code and message; not our own code."""
    notebook.run_cell("import workbench as wb\nwb.open_recording('/nowhere')")
    shown = capsys.readouterr().out.strip().splitlines()
    assert len(shown) == 2
    assert shown[0] == "line 2: wb.open_recording('/nowhere')"
    assert shown[1].startswith("RecordingError: not_found: nothing at ")


def test_the_full_trace_is_shown_on_demand(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For whoever looks for the reason in this package."""
    monkeypatch.setenv(DEBUG_VARIABLE, "1")
    notebook.run_cell("import workbench as wb\nwb.open_recording('/nowhere')")
    shown = capsys.readouterr().out
    assert "Traceback (most recent call last)" in shown and "open_recording" in shown


def test_plain_python_shows_its_usual_trace() -> None:
    """Only notebooks shorten it."""
    done = subprocess.run(
        [sys.executable, "-c", "import workbench as wb; wb.open_recording('/nowhere')"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and "Traceback (most recent call last)" in done.stderr


def test_a_code_is_told_once() -> None:
    """Bridges begin some refusals with it."""
    assert EngineError("read_only: no orders", code="read_only").coded_message == "read_only: no orders"
    assert EngineError("no orders", code="read_only").coded_message == "read_only: no orders"

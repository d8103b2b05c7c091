"""Presets: kept under any name that can be printed, read from any file without harm."""

from __future__ import annotations

import gc

import msgspec
import pytest

import workbench as wb
from tests.support.view_events import HOSTILE, shown
from workbench.errors import RecordingError, WorkbenchError
from workbench.views.explorer_presets import FILE, MOST, Presets, recipe_of

KINDS = {
    name: getattr(wb.signals, name) for name in ("BookImbalance", "OfiMomentum", "And", "Reverse", "Cooldown")
}
SIGNAL = wb.signals.Cooldown(wb.signals.BookImbalance(levels=3) & ~wb.signals.OfiMomentum(), rest_s=2)
NAMES = ("plain", HOSTILE, "../../etc/passwd", "C:\\con", "😀", "' OR 1=1 --", "__proto__", "x" * 80)


@pytest.mark.parametrize("name", NAMES)
def test_any_printable_name_keeps_its_signal(tmp_path, name):
    """A name is data: it makes no path, and another process reads the same signal under it."""
    Presets(tmp_path / FILE).save(name, SIGNAL)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert Presets(tmp_path / FILE).load(name, KINDS) == SIGNAL


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\nb", "\u202eSEE", "nul\0", None, 3, ["a"]])
def test_names_that_cannot_be_read_are_refused(tmp_path, name):
    """Empty, too long, with signs that do not show, or no text: nothing is written."""
    with pytest.raises(WorkbenchError, match="expected a text"):
        Presets(tmp_path / FILE).save(name, SIGNAL)
    assert not list(tmp_path.iterdir())


def test_the_last_one_of_a_name_holds(tmp_path):
    """Saving again replaces, in the same place of the order."""
    presets = Presets(tmp_path / FILE)
    for name, levels in (("a", 1), ("b", 2), ("a", 3)):
        presets.save(name, wb.signals.BookImbalance(levels=levels))
    assert list(presets.recipes) == ["a", "b"]
    assert presets.load("a", KINDS) == wb.signals.BookImbalance(levels=3)


def test_damaged_lines_are_passed_over(tmp_path):
    """Torn, foreign and hostile lines cost themselves alone; a line after a torn end is whole."""
    path = tmp_path / FILE
    deep = b'{"name":"d","signal":' + b'{"kind":"And","parts":[' * 3000
    torn = b'\xff\xfe\n{"name": 3}\n[]\n' + deep + b'\n{"name":"a\\u0000","signal":{"kind":"x"}}\n{"name":"t'
    path.write_bytes(torn)
    presets = Presets(path)
    assert presets.recipes == {}
    presets.save("good", SIGNAL)
    assert list(presets.recipes) == ["good"]


def test_only_known_classes_are_made(tmp_path):
    """A file cannot name a class to import, nor parameters that its record refuses."""
    path = tmp_path / FILE
    lines = (
        {"name": "a", "signal": {"kind": "os.system", "params": {"command": "x"}}},
        {"name": "b", "signal": {"kind": "BookImbalance", "params": {"enter": 7}}},
        {"name": "c", "signal": {"kind": "BookImbalance", "params": {"evil": 1}}},
        {"name": "d", "signal": {"kind": "And", "parts": []}},
    )
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    for name in "abcd":
        with pytest.raises(WorkbenchError, match="expected"):
            Presets(path).load(name, KINDS)
    with pytest.raises(WorkbenchError, match="a, b, c, d"):
        Presets(path).load("nobody", KINDS)


def test_a_link_is_not_followed(tmp_path):
    """Whoever plants a link in place of the file does not make us write elsewhere."""
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordingError, match="symbolic link"):
        Presets(tmp_path / FILE).save("a", SIGNAL)


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    """The error names the file and what to do."""
    with pytest.raises(RecordingError, match="writable"):
        Presets(tmp_path / "nowhere" / FILE).save("a", SIGNAL)


def test_a_session_keeps_its_presets_as_long_as_it_lives():
    """Who asks again for the same session finds them; another one has none, and nothing keeps it alive."""
    market = shown()
    Presets.of(market).save("a", SIGNAL)
    assert Presets.of(market).load("a", KINDS) == SIGNAL
    assert Presets.of(shown()).recipes == {}
    del market
    gc.collect()


def test_there_is_an_end_of_names():
    """Too many names are refused; one that is there can still be replaced."""
    presets = Presets()
    for number in range(MOST):
        presets.save(str(number), wb.signals.BookImbalance())
    with pytest.raises(WorkbenchError, match="at most"):
        presets.save("one more", SIGNAL)
    presets.save("0", SIGNAL)
    assert presets.recipes["0"] == recipe_of(SIGNAL)

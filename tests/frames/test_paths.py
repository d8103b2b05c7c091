"""Names of strangers never become dangerous paths."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import RecordingError
from workbench.frames.paths import inside, safe_name, session_name

HOSTILE = [
    "../../etc/passwd", "BTC/USD@BMX", "CON", "con.txt", "NUL", "a:b", "a\\b", ".", "..", "", " ", "x" * 500,
    "\u202eABC", "e\u0301", "\u00e9", "ES", "es", "ES.", "ES ", "日経225", "a~b", "-rf", "\x00", "a\nb", "\ud800",
]  # fmt: skip
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


def assert_portable(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_~-]{1,80}", name)
    assert not RESERVED.match(name)
    assert name.encode("ascii").decode() == unicodedata.normalize("NFC", name)


@given(st.text(max_size=600))
def test_any_text_gives_a_portable_single_component(text: str) -> None:
    """Whatever the name, the directory is one plain ASCII component below the root, valid on Windows."""
    name = safe_name(text)
    assert_portable(name)
    root = Path("/data")
    assert inside(root, name).parent == root


def test_names_stay_different_on_any_file_system() -> None:
    """Names that differ only in case, spelling or forbidden characters get different directories."""
    names = {safe_name(text).casefold() for text in HOSTILE}
    assert len(names) == len(HOSTILE)


@given(st.lists(st.text(max_size=80), unique=True, max_size=50))
def test_the_rule_is_injective(texts: list[str]) -> None:
    """Different names never share a directory."""
    assert len({safe_name(text).casefold() for text in texts}) == len(texts)


def test_the_rule_is_stable() -> None:
    """Directories of old recordings are found again: the rule never changes."""
    assert safe_name("BTC/USD@BMX") == "BTC-USD-BMX~04f6cf966461"
    assert safe_name("ESZ6") == "ESZ6~17dd0c098bab"


@given(st.text(max_size=100))
def test_session_names_are_portable(text: str) -> None:
    """A session keeps its own name when that is portable, else it gets a safe one."""
    assert_portable(session_name(text))


def test_plain_session_names_stay_readable() -> None:
    """The names that the workbench makes itself are kept as they are."""
    assert session_name("20241122T103643Z-7f3a") == "20241122T103643Z-7f3a"
    assert session_name("con") != "con"


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\\b", "c:x", "a\0b"])
def test_no_way_out_of_the_root(tmp_path: Path, name: str) -> None:
    """Components that could leave the root are refused."""
    with pytest.raises(RecordingError):
        inside(tmp_path, name)


def test_links_are_refused(tmp_path: Path) -> None:
    """A symbolic link below the root was planted by somebody and is not followed."""
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(RecordingError, match="symbolic link"):
        inside(tmp_path, "link")

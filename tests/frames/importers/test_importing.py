"""The one way in: formats told from content, foreign files named, nothing left behind."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.binance import depth, snapshot, trade, write
from workbench.errors import ImportFailedError
from workbench.frames.importers import import_recording
from workbench.frames.importers.importing import default_directory, sniff

FUTURES = (
    snapshot(1, 100, [("10.0", "1.000")], [("10.5", "1.000")]),
    depth(2, 99, 101, 98, [("10.0", "3.000")]),
    trade(3, 1, "10.5", "1.000"),
)
SPOT = (snapshot(1, 100, [("10.0", "1.0")]), depth(2, 101, 102, None, [("9.0", "1.0")]))
TABLE = b"time,price,size,side\n1700000000,1.25,3,buy\n"
TARDIS = b"exchange,symbol,timestamp,local_timestamp,id,side,price,amount\nx,Y,1,2,,buy,1.5,2\n"


@pytest.fixture
def bybit_lines() -> bytes:
    """A snapshot, a delta, and one after a hole."""
    lines = []
    for kind, number, bids in (
        ("snapshot", 1, [["1.5", "10"]]),
        ("delta", 2, [["1.4", "5"]]),
        ("delta", 4, []),
    ):
        data = {"s": "XRPUSDT", "b": bids, "a": [["1.6", "7"]], "u": number, "seq": number}
        lines.append(
            json.dumps({"topic": "orderbook.500.XRPUSDT", "type": kind, "ts": 1000 + number, "data": data})
        )
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("data", "format"),
    [
        (b"".join(FUTURES), "binance-futures"),
        (gzip.compress(b"".join(SPOT)), "binance-spot"),
        (TABLE, "csv"),
        (TARDIS, "tardis"),
        (b"wss://ws.kraken.com <-> 1.0\n", "kraken"),
        (b"DBN\x01", "databento"),
    ],
)
def test_format_is_told_from_the_content(data: bytes, format: str, tmp_path: Path) -> None:
    """Name and ending do not matter."""
    path = tmp_path / "file"
    path.write_bytes(data)
    assert sniff((path,)) == format


def test_unsure_is_an_error(tmp_path: Path) -> None:
    """Content of no known format is refused with the list of formats."""
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")
    with pytest.raises(ImportFailedError, match=r"none of the formats.*format="):
        import_recording(path, out=tmp_path / "out", progress=False)


def test_recording_says_where_it_comes_from(tmp_path: Path) -> None:
    """Format, files with their hashes, counts and synchronisation stand in the manifest; the stream is complete."""
    path = write(tmp_path / "a.gz", *FUTURES, packed=True)
    recording = import_recording(str(path), out=tmp_path / "out", progress=False)
    source = recording.manifest.source
    assert source["format"] == "binance-futures"
    assert source["files"][0]["name"] == "a.gz"
    assert source["counts"] == {"depth": 1, "trade": 1, "snapshot": 1}
    assert recording.count == 5
    assert recording.book_at(recording.end_ns).bids == [(10.0, 3.0)]
    assert recording.verify().verdict == "VALID"


@pytest.mark.parametrize("format", ["lobster", "databento", "kraken", "bybit", "csv", "tardis"])
def test_foreign_files_are_named(format: str, tmp_path: Path) -> None:
    """A file given as another format is refused, and the message says what it looks like."""
    path = write(tmp_path / "capture", *FUTURES)
    with pytest.raises(ImportFailedError, match=r"looks like binance-futures.*format='binance-futures'"):
        import_recording(path, format, tmp_path / "out", progress=False)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """A failure in the middle of a file leaves no recording and no half of one."""
    path = write(tmp_path / "capture", *FUTURES, b"garbage\n")
    with pytest.raises(ImportFailedError, match="line 4"):
        import_recording(path, out=tmp_path / "out", progress=False)
    assert not list((tmp_path / "out").rglob("*"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"format": "mt5"}, "one of binance-futures"),
        ({"tick_size": "0"}, "tick_size='0'"),
        ({"lot_size": "x"}, "lot_size='x'"),
        ({"tick_size": float("nan")}, "tick_size=nan"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], says: str, tmp_path: Path) -> None:
    """Unknown formats and grids that cannot be are refused before anything is read."""
    path = write(tmp_path / "capture", *FUTURES)
    with pytest.raises(ImportFailedError, match=says):
        import_recording(path, out=tmp_path / "out", progress=False, **arguments)


def test_missing_empty_and_directory(tmp_path: Path) -> None:
    """A path that is no file, or an empty one, is refused by name."""
    (tmp_path / "empty").write_bytes(b"")
    for path, says in (("absent", "does not exist"), ("empty", "is empty"), (".", "is a directory")):
        with pytest.raises(ImportFailedError, match=says):
            import_recording(tmp_path / path, progress=False)
    with pytest.raises(ImportFailedError, match="no files"):
        import_recording([], progress=False)


def test_default_directory_follows_the_data_directory(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Recordings go beside the others unless told otherwise."""
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    assert default_directory() == tmp_path / "imported"


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The bar is on standard error, and not at all when not wanted."""
    path = write(tmp_path / "capture", *FUTURES)
    import_recording(path, out=tmp_path / "out", progress=False)
    assert capsys.readouterr() == ("", "")
    import_recording(path, out=tmp_path / "out", progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Importing" in err


def test_hole_in_bybit_updates_is_a_gap(bybit_lines: bytes, tmp_path: Path) -> None:
    """An update id that jumps gives a gap; the book is not valid behind it."""
    path = tmp_path / "a.data"
    path.write_bytes(bybit_lines)
    recording = import_recording(path, out=tmp_path / "out", progress=False)
    assert recording.manifest.source["counts"]["u_gaps"] == 1
    assert len(recording.gaps) == 1
    assert not recording.book_at(recording.end_ns).valid


def test_wrong_kraken_checksum_is_a_gap(tmp_path: Path) -> None:
    """A checksum that does not fit the digits is counted and ends the book's validity."""
    snap = [1, {"as": [["1.500", "2.0", "1.0"]], "bs": [["1.400", "3.0", "1.0"]]}, "book-10", "A/B"]
    update = [1, {"b": [["1.300", "1.0", "2.0"]], "c": "1"}, "book-10", "A/B"]
    path = tmp_path / "capture"
    path.write_text(f"10.5: {json.dumps(snap)}\n11.5: {json.dumps(update)}\n")
    recording = import_recording(path, "kraken", tmp_path / "out", progress=False)
    assert recording.manifest.source["counts"]["checksum_wrong"] == 1
    assert len(recording.gaps) == 1

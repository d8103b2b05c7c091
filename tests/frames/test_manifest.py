"""The manifest: proves itself, and is old or new but never half."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from workbench.errors import DamagedError, SchemaError
from workbench.events import Instrument
from workbench.frames.manifest import FILE_NAME, FileFact, Manifest

MANIFEST = Manifest(
    Instrument("BTC/USD ₿", "0.1", "0.00001", features={"mbo": True}),
    "20241122T103643Z",
    {"format": "test", "files": [{"name": "a.gz", "bytes": 5}], 7: (1, 2)},  # type: ignore[dict-item]
    start_ns=1,
    end_ns=2**62,
    counts={"TRADE": 3},
    gaps=((5, 6, -1),),
    files=(FileFact("events-0000.parquet", 3, 100, "ab"),),
)


def test_round_trip(tmp_path: Path) -> None:
    """What is written is what is read, exact to the last digit of tick sizes and times."""
    MANIFEST.write(tmp_path)
    found = Manifest.read(tmp_path)
    assert found.with_(source={}) == MANIFEST.with_(source={})
    assert found.source["files"] == [{"name": "a.gz", "bytes": 5}]
    assert [p.name for p in tmp_path.iterdir()] == [FILE_NAME]


def test_cut_at_every_byte_is_a_clear_error() -> None:
    """No cut manifest is taken for a whole one."""
    whole = MANIFEST.to_bytes().rstrip()
    for cut in range(len(whole)):
        with pytest.raises((DamagedError, SchemaError)):
            Manifest.from_bytes(whole[:cut])


def test_flipped_bits_are_noticed() -> None:
    """A changed manifest no longer matches its own checksum."""
    whole, rng = MANIFEST.to_bytes(), random.Random(5)
    for _ in range(400):
        content = bytearray(whole)
        bit = rng.randrange(len(content) * 8)
        content[bit // 8] ^= 1 << bit % 8
        try:
            found = Manifest.from_bytes(bytes(content))
        except (DamagedError, SchemaError):
            continue
        assert found == Manifest.from_bytes(whole), f"bit {bit} changed the meaning unnoticed"


def resigned(**changes: object) -> bytes:
    """A manifest with other fields and a sound checksum, as another program could write it."""
    from workbench.frames.manifest import _digest

    document = json.loads(MANIFEST.to_bytes()) | changes
    return json.dumps(document | {"sha256": _digest(document)}).encode()


def test_newer_versions_say_what_to_do() -> None:
    """A manifest of a later version names both versions and the command that helps."""
    with pytest.raises(SchemaError, match=r"written by wb 9.*version 3.*expected version 1.*pip install -U"):
        Manifest.from_bytes(resigned(version=3, software="wb 9"))


def test_unknown_fields_are_ignored() -> None:
    """A field that this version does not know changes nothing."""
    assert Manifest.from_bytes(resigned(mood="fine")).count == MANIFEST.count


@pytest.mark.parametrize(
    "name", ["../x.parquet", "/etc/passwd", "events-0000.parquet/..", "manifest.json", "x"]
)
def test_file_names_cannot_leave_the_directory(name: str) -> None:
    """Only the names that recordings use are accepted."""
    with pytest.raises(DamagedError):
        Manifest.from_bytes(resigned(files=[{"name": name, "rows": 1, "bytes": 1, "sha256": ""}]))


@pytest.mark.parametrize(
    "changes",
    [{"instrument": {}}, {"instrument": 5}, {"gaps": [1]}, {"files": 5}, {"instrument": {"symbol": "\n"}}],
)
def test_garbled_fields_are_a_clear_error(changes: dict[str, object]) -> None:
    """Fields of the wrong shape are damage, not a traceback."""
    with pytest.raises(DamagedError):
        Manifest.from_bytes(resigned(**changes))


@pytest.mark.parametrize("text", [b"[]", b"{}", b"null", b'{"format": "other"}', b"[" * 100_000, b"\xff\xfe"])
def test_foreign_json_is_refused(text: bytes) -> None:
    """Other JSON is no manifest of ours."""
    with pytest.raises((SchemaError, DamagedError)):
        Manifest.from_bytes(text)

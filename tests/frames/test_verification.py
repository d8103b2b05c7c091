"""Verdicts: VALID, DEGRADED with reasons, INVALID when the data is not what it says."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.support.recordings import INSTRUMENT, START_NS, crashed, reference
from workbench.events import EventBatch, EventKind
from workbench.frames.recording import Recording, open_recording, write_recording

EVENTS = reference(800)
SECOND_NS = 1_000_000_000


def written(out: Path, *batches: EventBatch) -> Recording:
    return write_recording(out, INSTRUMENT, batches, source={})


def quotes(*rows: tuple[float, int, int]) -> EventBatch:
    """A valid book from the start, then rows of (second, side, price) of size 1."""
    seconds, side, price = zip(*rows)
    ts = START_NS + (np.array([0, 0, *seconds]) * SECOND_NS).astype(np.int64)
    kind = [EventKind.CLEAR, EventKind.SNAPSHOT_END, *[EventKind.DEPTH] * len(rows)]
    return EventBatch.of(
        0, ts=ts, kind=kind, side=[0, 0, *side], price=[0, 0, *price], size=[0, 0, *[1] * len(rows)]
    )


def test_a_sound_recording_is_valid(tmp_path: Path) -> None:
    """Nothing to say about a whole recording; the facts count its events."""
    verification = written(tmp_path, EVENTS).verify()
    assert (verification.verdict, verification.reasons) == ("VALID", ())
    assert verification.facts["events"] == len(EVENTS)
    assert repr(verification) == "Verification(VALID)"


def test_gaps_degrade(tmp_path: Path) -> None:
    """A gap is reported with the number of lost events."""
    verification = written(tmp_path, EVENTS[:400], EVENTS[433:]).verify()
    assert verification.verdict == "DEGRADED"
    assert "1 gaps: 33 events known to be lost" in verification.reasons[0]


def test_any_flipped_bit_is_invalid(tmp_path: Path) -> None:
    """Forty flipped bits in the finished file: each makes the recording INVALID, none raises."""
    recording, rng = written(tmp_path, EVENTS), random.Random(9)
    path = recording.path / "events-0000.parquet"
    sound = path.read_bytes()
    for _ in range(40):
        content = bytearray(sound)
        bit = rng.randrange(len(content) * 8)
        content[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bytes(content))
        assert open_recording(recording.path).verify().verdict == "INVALID"
    path.write_bytes(sound)
    assert recording.verify().verdict == "VALID"


def test_missing_file_is_invalid(tmp_path: Path) -> None:
    """A file that the manifest names and nobody finds makes the recording INVALID, with its name."""
    recording = written(tmp_path, EVENTS)
    (recording.path / "events-0000.parquet").unlink()
    verification = open_recording(recording.path).verify()
    assert verification.verdict == "INVALID"
    assert "events-0000.parquet" in verification.reasons[0]


def test_exchanged_files_are_invalid(tmp_path: Path) -> None:
    """A sound file of other events, re-hashed or not, is not what the manifest says."""
    recording, other = written(tmp_path / "a", EVENTS), written(tmp_path / "b", EVENTS[:-1])
    target = recording.path / "events-0000.parquet"
    target.write_bytes((other.path / "events-0000.parquet").read_bytes())
    assert open_recording(recording.path).verify().verdict == "INVALID"
    recording.manifest.with_(files=other.manifest.files).write(recording.path)
    verification = open_recording(recording.path).verify()
    assert verification.verdict == "INVALID"
    assert "rows found, the manifest says" in verification.reasons[0]


def test_unclosed_is_degraded(tmp_path: Path) -> None:
    """A crashed recording is usable, and known to be unfinished."""
    verification = open_recording(crashed(tmp_path, [EVENTS])).verify()
    assert verification.verdict == "DEGRADED"
    assert "never closed" in verification.reasons[0]


def test_crossed_time_is_counted_and_explained(tmp_path: Path) -> None:
    """A book crossed for 1.5 s, as before an auction, degrades with the time; it does not invalidate."""
    verification = written(tmp_path, quotes((0, 1, 100), (1, -1, 99), (2.5, 1, 98), (2.5, -1, 97))).verify()
    assert verification.verdict == "DEGRADED"
    assert "book crossed for 1.500 s: an auction or pre-open book" in verification.reasons[0]
    assert verification.facts["crossed_seconds"] == 1.5


def test_crossed_inside_a_message_does_not_count(tmp_path: Path) -> None:
    """Rows of one time are one message: only the state after it counts."""
    rows = quotes((0, 1, 100), (0, -1, 101), (1, 1, 102), (1, -1, 101), (1, -1, 103))
    size = rows.size.copy()
    size[5] = 0
    message = EventBatch((*rows.columns[:5], size, *rows.columns[6:]), 0)
    assert written(tmp_path, message).verify().verdict == "VALID"


def test_locked_books_are_a_fact_not_a_fault(tmp_path: Path) -> None:
    """Bid equal to ask happens on some venues; it is counted only."""
    verification = written(tmp_path, quotes((0, 1, 100), (1, -1, 100), (3, -1, 105))).verify()
    assert verification.verdict == "VALID"
    assert verification.facts["locked_seconds"] == 2.0


def test_crossed_before_the_snapshot_or_in_a_gap_does_not_count(tmp_path: Path) -> None:
    """A book that is not known to be right is not judged."""
    rows = quotes((0, 1, 100), (1, -1, 99), (2, -1, 98))
    assert written(tmp_path, rows[2:]).verify().facts["crossed_seconds"] == 0.0


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"kind": 77}, "rows that no market sends"),
        ({"kind": EventKind.DEPTH, "side": 0, "size": 1}, "rows that no market sends"),
        ({"kind": EventKind.TRADE, "side": 5, "size": 1}, "rows that no market sends"),
        ({"kind": EventKind.TRADE, "side": 1, "size": -4}, "rows that no market sends"),
    ],
)
def test_impossible_rows_are_invalid(tmp_path: Path, columns: dict[str, int], reason: str) -> None:
    """Unknown kinds, sides and negative sizes cannot be what a market sent."""
    verification = written(tmp_path, EventBatch.of(0, ts=[START_NS], **columns)).verify()
    assert verification.verdict == "INVALID"
    assert reason in verification.reasons[0]


def test_time_going_back_is_degraded(tmp_path: Path) -> None:
    """A clock that was set back is reported."""
    rows = EventBatch.of(0, ts=[START_NS, START_NS - 1, START_NS], kind=EventKind.CLOCK)
    assert written(tmp_path, rows).verify().reasons == ("time goes back 1 times",)


@pytest.mark.parametrize("cut", [3, 4, 5, 9])
def test_a_clock_set_back_takes_no_crossed_time_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """Crossed from second 1, set back from 4 to 0 and healed at 2: three seconds, however the rows are cut."""
    monkeypatch.setattr("workbench.frames.verification._READ_ROWS", cut)
    rows = quotes((0, -1, 100), (1, 1, 101), (4, 1, 90), (0, 1, 89), (1, 1, 88), (2, -1, 100))
    size = rows.size.copy()
    size[-1] = 0
    healed = EventBatch([*rows.columns[:5], size, *rows.columns[6:]], rows.first_sequence)
    verification = written(tmp_path, healed).verify()
    assert verification.facts["crossed_seconds"] == 3.0
    assert "time goes back 1 times" in verification.reasons


def test_without_its_manifest_nothing_vouches_for_the_files(tmp_path: Path) -> None:
    """Hashes that are taken from the files themselves prove nothing, and the reasons say so; a journal has its own."""
    path = written(tmp_path, EVENTS).path
    (path / "manifest.json").unlink()
    verification = open_recording(path).verify()
    assert verification.verdict == "DEGRADED"
    assert any(reason.startswith("not verified: the hashes of 1 files") for reason in verification.reasons)
    live = crashed(tmp_path, [EVENTS])
    (live / "manifest.json").unlink()
    assert not any("not verified" in reason for reason in open_recording(live).verify().reasons)

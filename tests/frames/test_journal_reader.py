"""A journal after a cut, a flipped bit, a tail of zeros or garbage: exact rows and gaps, nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.recordings import START_NS, assert_accounted, crashed, pieces, reference
from workbench.events import EventBatch, EventKind
from workbench.frames.journal import INDEX_RECORD, Mark, index_path, journal_path, pack_record
from workbench.frames.journal_reader import JournalReader

EVENTS = reference(300)
BATCH_ROWS = 40


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crashed recording of eight flushes."""
    return crashed(tmp_path_factory.mktemp("template"), pieces(EVENTS, BATCH_ROWS))


class Damaged:
    """The template's files in memory, to be damaged and read again and again."""

    def __init__(self, template: Path, place: Path):
        self.place = place
        self.data = journal_path(template, 0).read_bytes()
        self.index = index_path(journal_path(template, 0)).read_bytes()

    def read(
        self, data: bytes | None = None, index: bytes | None = None
    ) -> tuple[JournalReader, list[EventBatch]]:
        journal_path(self.place, 0).write_bytes(self.data if data is None else data)
        index_path(journal_path(self.place, 0)).write_bytes(self.index if index is None else index)
        reader = JournalReader.open(self.place)
        return reader, list(reader.batches())


@pytest.fixture
def damaged(template: Path, tmp_path: Path) -> Damaged:
    return Damaged(template, tmp_path)


def last_batch(damaged: Damaged) -> tuple[int, int]:
    """First and last byte of the last batch in the data file."""
    damaged.read()
    entry = JournalReader.open(damaged.place).entries[-1]
    return entry.offset, entry.offset + entry.length


def test_whole_journal_reads_back_exactly(damaged: Damaged) -> None:
    """Without damage every row comes back, and a gap of unknown length says that nobody closed it."""
    reader, found = damaged.read()
    assert assert_accounted(found, EVENTS) == len(EVENTS)
    assert found[-1].kind[0] == EventKind.GAP
    assert found[-1].size[0] == -1
    assert reader.damage == []


def test_cut_at_every_byte_of_the_last_batch(tmp_path: Path) -> None:
    """A data file cut anywhere in its last batch loses that batch, with its exact sequence numbers."""
    events = reference(38)
    damaged = Damaged(crashed(tmp_path, pieces(events, BATCH_ROWS)), tmp_path)
    start, stop = last_batch(damaged)
    for cut in range(start, stop):
        reader, found = damaged.read(data=damaged.data[:cut])
        assert assert_accounted(found, events) == BATCH_ROWS
        lost = [(b.first_sequence, int(b.size[0])) for b in found if b.kind[0] == EventKind.GAP]
        assert lost == [(40, 10), (50, -1)]
        assert "seq 40–49 skipped" in reader.damage[0]


def test_index_cut_at_every_byte(damaged: Damaged) -> None:
    """An index cut anywhere gives the batches whose records are whole and a gap for the rest."""
    damaged.read()
    for cut in range(len(damaged.index)):
        reader, found = damaged.read(index=damaged.index[:cut])
        rows = assert_accounted(found, EVENTS)
        assert rows == min(len(EVENTS), BATCH_ROWS * len(reader.entries))


def test_every_flipped_bit_is_noticed(damaged: Damaged) -> None:
    """Five hundred flipped bits in either file: never a wrong row, never a silent hole, never an exception."""
    rng = random.Random(7)
    end_of_schema = min(e.offset for e in damaged.read()[0].entries)
    for _ in range(500):
        in_index = rng.random() < 0.3
        content = bytearray(damaged.index if in_index else damaged.data)
        bit = rng.randrange(0 if in_index else end_of_schema * 8, len(content) * 8)
        content[bit // 8] ^= 1 << bit % 8
        flipped = {"index" if in_index else "data": bytes(content)}
        reader, found = damaged.read(**flipped)
        rows = assert_accounted(found, EVENTS)
        assert reader.damage, f"bit {bit} of {flipped.keys()} went unnoticed"
        assert rows >= len(EVENTS) - BATCH_ROWS


@pytest.mark.parametrize("zeros", [1, 7, 32, 64, 4096, 100_000])
def test_zero_tails_are_no_rows(damaged: Damaged, zeros: int) -> None:
    """File systems may leave zeros after a power cut; they are reported and never read as events."""
    for changes in ({"data": damaged.data + bytes(zeros)}, {"index": damaged.index + bytes(zeros)}):
        reader, found = damaged.read(**changes)
        assert assert_accounted(found, EVENTS) == len(EVENTS)
        assert reader.damage


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_zeroed_second_part(damaged: Damaged, kept: float) -> None:
    """A data file whose end became zeros gives what stood before, and the gap's exact numbers."""
    cut = int(len(damaged.data) * kept)
    _, found = damaged.read(data=damaged.data[:cut] + bytes(len(damaged.data) - cut))
    assert 0 <= assert_accounted(found, EVENTS) < len(EVENTS)


def test_random_garbage_instead_of_the_journal(damaged: Damaged) -> None:
    """Garbage in one file or both gives gaps, not exceptions."""
    rng = random.Random(11)
    for length in (0, 1, 31, 32, 33, 1000, 50_000):
        garbage = rng.randbytes(length)
        for changes in ({"data": garbage}, {"index": garbage}, {"data": garbage, "index": garbage}):
            _, found = damaged.read(**changes)
            assert not any(len(b) and b.kind[0] != EventKind.GAP for b in found)


def test_missing_index(damaged: Damaged) -> None:
    """Without its index a journal is not believed; what it may have held is a gap."""
    damaged.read()
    index_path(journal_path(damaged.place, 0)).unlink()
    reader = JournalReader.open(damaged.place)
    assert [int(b.size[0]) for b in reader.batches()] == [-1]
    assert "index cannot be read" in reader.damage[0]


def test_forged_index_with_a_bomb(damaged: Damaged) -> None:
    """A record with a sound checksum that claims impossible sizes is refused before memory is taken."""
    damaged.read()
    entry = JournalReader.open(damaged.place).entries[0]
    for offset, length, count in (
        (entry.offset, entry.length, 2**31),
        (entry.offset, 2**32 - 1, 40),
        (2**63 + 5, 100, 40),
        (entry.offset, entry.length, 41),
    ):
        forged = pack_record(offset, length, entry.crc, entry.first_sequence, count)
        index = damaged.index[: INDEX_RECORD.size * entry.number] + forged
        reader, found = damaged.read(index=index)
        assert all(b.kind[0] == EventKind.GAP for b in found)
        assert reader.damage


def test_closing_mark_ends_the_recording(damaged: Damaged) -> None:
    """With a closing mark there is no gap at the end."""
    closing = pack_record(START_NS, 0, 0, EVENTS.next_sequence, Mark.CLOSED)
    reader, found = damaged.read(index=damaged.index + closing)
    assert reader.closed
    assert EventBatch.concatenate(found) == EVENTS


def test_lost_last_batch_is_known_from_a_later_mark(damaged: Damaged) -> None:
    """A sign of life after the last batch tells how many events that batch had, even when its record is gone."""
    alive = pack_record(START_NS, 0, 0, EVENTS.next_sequence, Mark.ALIVE)
    broken = damaged.index[:-1] + b"\xff"
    _, found = damaged.read(index=broken + alive)
    gaps = [(b.first_sequence, int(b.size[0])) for b in found if b.kind[0] == EventKind.GAP]
    assert gaps == [(280, 32), (312, -1)]


def test_plain_arrow_reads_the_journal(template: Path) -> None:
    """Any Arrow tool opens the stream: schema first, then one batch per flush, the instrument in the metadata."""
    with pa.OSFile(str(journal_path(template, 0))) as file, pa.ipc.open_stream(file) as stream:
        assert b"orderflow" in stream.schema.metadata
        assert sum(batch.num_rows for batch in stream) == len(EVENTS)


def test_live_journal_has_no_gap_at_its_end(tmp_path: Path) -> None:
    """While somebody records, the end is not yet known to be missing anything."""
    from tests.support.recordings import recorder

    with recorder(tmp_path) as live:
        live.append(EVENTS)
        live.flush(START_NS)
        reader = JournalReader.open(live.path)
        assert reader.live
        assert EventBatch.concatenate(reader.batches()) == EVENTS

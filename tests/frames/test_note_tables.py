"""Tables of orders and annotations: what the protocol says is what the columns hold."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import polars as pl
import pyarrow.parquet as pq
import pytest

from tests.support.recordings import START_NS, recorder, reference
from workbench.errors import DamagedError, DiskFullError
from workbench.frames import note_tables
from workbench.frames.note_tables import LEFT_OUT, SCHEMAS, table_frames, write_tables
from workbench.frames.notes import Note
from workbench.frames.recording import Recording, open_recording
from workbench.protocol import messages

ORDER = messages.Order(
    symbol="SYN/1", client_order_id="a-1", status="WORKING", side="BUY", order_type="LIMIT",
    quantity=2.0, filled=0.0, leaves=2.0, ts=START_NS, order_id="77", price=100.25,
)  # fmt: skip
FILL = messages.Fill(
    symbol="SYN/1", client_order_id="a-1", execution_id="e-1", side="BUY", price=100.25, size=2.0, ts=START_NS + 1
)  # fmt: skip
POSITION = messages.Position(symbol="SYN/1", position=-2.0, ts=START_NS + 2, working_buys=3)
BALANCE = messages.Balance(currency="USD", cash=1e6, equity=1.5e6, ts=START_NS + 3)
TRADING = messages.Trading(symbol="SYN/1", ts=START_NS + 4, possible=True, reason="locked in the platform")
BROADCAST = messages.Broadcast(
    symbol="SYN/1", ts=START_NS + 5, provider="Market Pulse", generator="Speed", data={"value": [1, None]}
)
DRAWN = messages.Drawn(symbol="SYN/1", ts=START_NS + 6, indicator="imbalance", value=0.25)
ALL = (ORDER, FILL, POSITION, BALANCE, TRADING, BROADCAST, DRAWN)


def recorded(directory: Path) -> Recording:
    """One message of each type, as it goes over the wire."""
    live = recorder(directory)
    live.append(reference(50))
    for message in ALL:
        plain = msgspec.to_builtins(message)
        table = "annotations" if isinstance(message, messages.Broadcast | messages.Drawn) else "orders"
        live.note(table, message.ts, plain["type"], plain)
    return live.close()


def test_every_message_is_a_row(tmp_path: Path) -> None:
    """In order, under the names of the protocol, with the whole message beside it."""
    recording = recorded(tmp_path)
    orders = recording.table("orders").collect()
    assert orders["kind"].to_list() == ["ORDER", "FILL", "POSITION", "BALANCE", "TRADING"]
    assert orders["ts"].dtype == pl.Datetime("ns", "UTC")
    assert [int(ts.timestamp() * 1000) for ts in orders["ts"]] == [START_NS // 10**6] * 5
    assert orders["price"].to_list() == [100.25, 100.25, None, None, None]
    assert orders["position"].to_list() == [None, None, -2.0, None, None]
    assert orders["equity"].to_list() == [None, None, None, 1.5e6, None]
    assert orders["possible"].to_list() == [None, None, None, None, True]
    annotations = recording.table("annotations").collect()
    assert annotations["generator"].to_list() == ["Speed", None]
    assert annotations["value"].to_list() == [None, 0.25]
    texts = [*orders["data"], *annotations["data"]]
    assert [json.loads(text) for text in texts] == [msgspec.to_builtins(message) for message in ALL]
    assert recording.verify().verdict == "VALID"


def test_what_the_wire_leaves_out_is_what_the_protocol_means(tmp_path: Path) -> None:
    """A column holds a message's field, also where it is at its default; empty text is null."""
    recording = recorded(tmp_path)
    rows = [row for name in recording.tables for row in recording.table(name).collect().to_dicts()]
    for message, row in zip(ALL, rows, strict=True):
        for name in row.keys() - {"ts", "kind", "data"}:
            said = getattr(message, name, None)
            assert row[name] == (None if said == "" else said), (row["kind"], name)


def test_fields_that_are_left_out_are_fields_of_the_protocol() -> None:
    """Each default is the message's own."""
    kinds = {struct.__struct_config__.tag: struct for struct in map(type, ALL)}
    for kind, fields in LEFT_OUT.items():
        for name, value in fields.items():
            field = next(f for f in msgspec.structs.fields(kinds[kind]) if f.name == name)
            assert field.default == value


@pytest.mark.parametrize("value", ["text", 2**64, True, [1], {"a": 1}, "", None])
def test_a_value_of_another_type_is_null(value: object) -> None:
    """A column never holds something else in disguise; the message itself stays in ``data``."""
    note = Note(
        0, "orders", START_NS, "ORDER", {"working_buys": value, "price": [1], "side": 5, "armed": "yes"}
    )
    (row,) = next(table_frames([note], "orders")).to_dicts()
    assert [row[name] for name in ("working_buys", "price", "side", "armed")] == [None] * 4
    assert json.loads(row["data"])["working_buys"] == value


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_batches_of_any_size_are_the_same_rows(rows: int) -> None:
    """Nothing is lost or repeated where one batch ends."""
    notes = [Note(n, ("orders", "annotations")[n % 3 == 0], n, "ORDER", {"price": n}) for n in range(20)]
    found = [row["price"] for batch in table_frames(notes, "orders", rows) for row in batch.to_dicts()]
    assert found == [float(n) for n in range(20) if n % 3]


def test_large_tables_have_several_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written and checked one batch at a time, so that memory stays bounded."""
    monkeypatch.setattr(note_tables.table_frames, "__defaults__", (4,))
    notes = [Note(n, "orders", n, "ORDER", {"price": n}) for n in range(10)]
    (fact,) = write_tables(tmp_path, notes)
    assert fact.rows == 10
    assert pq.ParquetFile(tmp_path / fact.name).num_row_groups == 3
    assert pl.read_parquet(tmp_path / fact.name)["price"].to_list() == [float(n) for n in range(10)]


def test_a_table_that_reads_back_wrong_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk returns other bytes than were written, the notes stay what counts."""

    def flip(aside: Path) -> None:
        content = bytearray(aside.read_bytes())
        content[len(content) // 10] ^= 4
        aside.write_bytes(bytes(content))

    monkeypatch.setattr(note_tables, "sync_file", flip)
    with pytest.raises(DamagedError, match=r"orders\.parquet"):
        write_tables(tmp_path, [Note(0, "orders", 1, "ORDER", {"price": 5.0})])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC inside the Parquet writer surfaces as DiskFullError and leaves nothing behind."""

    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", no_room)
    with pytest.raises(DiskFullError):
        write_tables(tmp_path, [Note(0, "orders", 1, "ORDER", {"price": 5.0})])
    assert not list(tmp_path.glob("*.parquet"))


def test_tables_survive_a_lost_manifest(tmp_path: Path) -> None:
    """They are found by their names, and the recording says that nothing proves them any more."""
    path = recorded(tmp_path).path
    (path / "manifest.json").unlink()
    recording = open_recording(path)
    assert recording.tables == tuple(SCHEMAS)
    assert recording.verify().verdict == "DEGRADED"

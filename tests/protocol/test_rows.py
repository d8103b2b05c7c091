"""JSON market data: columns to messages and back."""

from __future__ import annotations

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tests.support.wire import CRYPTO, INSTRUMENT, columns_of, market_batches
from workbench.errors import ProtocolError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.protocol.rows import RowReader, encode_rows
from workbench.protocol.strict import parse


def _read(texts: list[str], instrument: Instrument) -> list[EventBatch]:
    reader = RowReader(instrument)
    done = [reader.add(parse(text)) for text in texts]
    return [covered.batch for covered in [*done, reader.take()] if covered is not None]


@given(market_batches(), st.sampled_from([INSTRUMENT, CRYPTO, Instrument("X", "0.00000001", "0.00001")]))
def test_batch_comes_back_from_its_messages(batch: EventBatch, instrument: Instrument) -> None:
    """Real units on the wire lose nothing: the columns come back to the last bit."""
    assert _read(encode_rows(batch, instrument), instrument) == [batch]


@given(market_batches(gaps=False), st.data())
def test_filtered_messages_cover_what_was_left_out(batch: EventBatch, data: st.DataObject) -> None:
    """``previous`` joins the messages of a filtered subscription without a hole."""
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(batch), max_size=len(batch))))
    reader = RowReader(INSTRUMENT)
    for text in encode_rows(batch, INSTRUMENT, mask):
        assert reader.add(parse(text)) is None
    covered = reader.take()
    if not mask.any():
        assert covered is None
        return
    assert covered is not None
    sequence, columns = batch.where(mask)
    assert covered.first == batch.first_sequence
    assert covered.next == int(sequence[-1]) + 1
    assert np.array_equal(covered.batch.sequence if covered.sequence is None else covered.sequence, sequence)
    assert all(np.array_equal(a, b) for a, b in zip(covered.batch.columns, columns))


def test_messages_are_readable() -> None:
    """Prices and sizes are real units, sides are words, and unused columns are left out."""
    batch = EventBatch.of(
        5,
        ts=[1, 2, 3],
        kind=[1, 2, 9],
        side=[1, -1, 0],
        price=[18001, 18000, 0],
        size=[12, 3, 33],
        flags=[0, 32008, 0],
    )
    assert [json.loads(text) for text in encode_rows(batch, INSTRUMENT)] == [
        {"type": "DEPTH", "symbol": "ESZ6", "sequence": 5, "ts": 1, "side": "BID", "price": 4500.25, "size": 12},
        {"type": "TRADE", "symbol": "ESZ6", "sequence": 6, "ts": 2, "flags": ["EXEC_END"], "price": 4500.125, "size": 3,
         "aggressor": "SELL"},
        {"type": "GAP", "symbol": "ESZ6", "sequence": 7, "ts": 3, "lost": 33},
    ]  # fmt: skip


def test_rows_after_a_skipping_gap_start_a_new_batch() -> None:
    """A batch ends at a gap that skips numbers, also when it came as messages."""
    gap = EventBatch.of(3, ts=1, kind=int(EventKind.GAP), size=10)
    after = EventBatch.of(13, ts=[2, 2], kind=int(EventKind.CLOCK))
    batches = _read(encode_rows(gap, INSTRUMENT) + encode_rows(after, INSTRUMENT), INSTRUMENT)
    assert batches == [gap, after]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"price": 4500.1}, "off_grid", "price must be integer ticks"),
        ({"size": 1.5}, "off_grid", "size must be integer lots"),
        ({"size": True}, "bad_type", "size must be .*, got bool"),
        ({"size": -1}, "bad_value", "size < 0"),
        ({"price": "1"}, "bad_type", "price must be .*, got str"),
        ({"price": 1e300}, "out_of_range", "32 bits"),
        ({"size": 1e300}, "out_of_range", "size"),
        ({"side": "UP"}, "bad_value", "side"),
        ({"previous": 99}, "bad_value", "previous 99 of sequence 7"),
        ({"flags": ["LOUD"]}, "bad_value", "flags"),
    ],
)
def test_bad_row_is_named(change: dict[str, object], code: str, words: str) -> None:
    """A row off the grid or of wrong types is refused with field and value."""
    good = {
        "type": "DEPTH",
        "symbol": "ESZ6",
        "sequence": 7,
        "ts": 1,
        "side": "BID",
        "price": 4500,
        "size": 1,
    }
    with pytest.raises(ProtocolError, match=words) as caught:
        RowReader(INSTRUMENT).add(good | change)
    assert caught.value.code == code


def test_missing_field_is_named() -> None:
    """The message says which field of which type is missing."""
    with pytest.raises(ProtocolError, match="missing field 'price' in TRADE"):
        RowReader(INSTRUMENT).add({"type": "TRADE", "symbol": "ESZ6", "sequence": 1, "ts": 1})


def test_whole_lots_stay_exact_beyond_doubles() -> None:
    """Sizes in whole units go over as integers, exact to 63 bits."""
    batch = EventBatch.of(0, ts=1, kind=1, side=1, size=2**62 + 1)
    assert columns_of(_read(encode_rows(batch, INSTRUMENT), INSTRUMENT)) == columns_of([batch])

"""Snapshots: the same rows through both faces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import CRYPTO, INSTRUMENT
from workbench.errors import ProtocolError
from workbench.events import EventBatch, EventKind, Flag
from workbench.protocol.codec import decode_frame
from workbench.protocol.decoding import convert_to
from workbench.protocol.limits import MAX_MESSAGE_BYTES, MAX_ROWS_PER_FRAME
from workbench.protocol.snapshot import (
    BookState,
    SnapshotMessage,
    binary_snapshot,
    json_dom,
    json_snapshot,
    state_of,
)
from workbench.protocol.strict import parse


def _state(levels: int, orders: int) -> BookState:
    prices, sizes = np.arange(levels), np.arange(1, levels + 1)
    resting = (
        np.arange(orders) + 5,
        np.where(np.arange(orders) % 2, -1, 1),
        np.arange(orders),
        np.arange(orders) + 1,
    )
    return BookState(
        100, 7, (1000 - prices, sizes), (1001 + prices, sizes), orders=resting if orders else None
    )


@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from([INSTRUMENT, CRYPTO]))
def test_both_faces_give_the_same_rows(levels: int, orders: int, instrument: object) -> None:
    """Binary and JSON snapshots decode to the same batch."""
    state = _state(levels, orders)
    frames = [decode_frame(data) for data in binary_snapshot(state, 1, 2)]
    *texts, end = json_snapshot(state, instrument)  # type: ignore[arg-type]
    parts = [convert_to(parse(text), SnapshotMessage) for text in texts]
    again = state_of(parts, instrument)  # type: ignore[arg-type]
    assert EventBatch.concatenate(frame.batch for frame in frames) == state.to_batch() == again.to_batch()
    assert parse(end) == {"type": "SNAPSHOT_END", "symbol": instrument.symbol, "sequence": 99, "ts": 7}  # type: ignore[attr-defined]


def test_rows_are_framed_by_clear_and_end() -> None:
    """CLEAR, bids best first, asks best first, orders, SNAPSHOT_END; all flagged, numbered to end before the next."""
    batch = _state(2, 1).to_batch()
    assert batch.kind.tolist() == [6, 1, 1, 1, 1, EventKind.MBO_NEW, 7]
    assert batch.price.tolist() == [0, 1000, 999, 1001, 1002, 0, 0]
    assert batch.side.tolist() == [0, 1, 1, -1, -1, 1, 0]
    assert set(batch.flags.tolist()) == {Flag.SNAPSHOT}
    assert batch.next_sequence == 100


def test_long_snapshot_keeps_every_message_within_the_limit() -> None:
    """A hundred thousand orders go over in parts, none above 1 MiB."""
    state = _state(7_000, 100_000)
    frames, texts = binary_snapshot(state, 1, 2), json_snapshot(state, CRYPTO)
    assert len(frames) > 1 and len(texts) == -(-100_000 // MAX_ROWS_PER_FRAME) + 1
    assert max(map(len, [*frames, *texts])) <= MAX_MESSAGE_BYTES


def test_ladder_is_best_first_in_real_units() -> None:
    """DOM lists price and size, best first."""
    dom = parse(json_dom(_state(2, 0), INSTRUMENT))
    assert (dom["bids"], dom["asks"]) == ([[250.0, 1], [249.75, 2]], [[250.25, 1], [250.5, 2]])


@pytest.mark.parametrize("orders", [[[1, "UP", 1, 1]], [[1, "BID", 0.1, 1]], [[1, "BID", 1, -1]]])
def test_impossible_orders_are_refused(orders: list[object]) -> None:
    """Sides that are none, prices off the grid and sizes below 0 are ProtocolErrors."""
    plain = {
        "type": "SNAPSHOT",
        "symbol": "ESZ6",
        "sequence": 1,
        "ts": 1,
        "bids": [],
        "asks": [],
        "orders": orders,
    }
    with pytest.raises(ProtocolError):
        state_of([convert_to(plain, SnapshotMessage)], INSTRUMENT)

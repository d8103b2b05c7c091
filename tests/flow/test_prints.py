"""How sessions, recordings and batches become arrays of trades."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.trades import COARSE, FINE, Trades, plain_prints, prints, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch
from workbench.flow.prints import prints_of, prints_of_batch


@given(batch=trade_streams(), otc=st.booleans(), instrument=st.sampled_from([COARSE, FINE]))
def test_frames_and_batches_give_the_same_prints(batch: EventBatch, otc: bool, instrument) -> None:
    """Real prices of a frame lead back to the exact thousandths of a tick, off-book prints only when asked for."""
    expected = plain_prints(batch, otc=otc)
    for taken in (prints_of(Trades(batch, instrument), otc=otc), prints_of_batch(batch, otc=otc)):
        assert list(zip(*(column.tolist() for column in taken))) == expected


def test_a_size_that_is_none_is_no_trade() -> None:
    """Marks of size zero and sizes below it, as damaged data may hold them, are left out of frames and batches."""
    batch = prints([1, 2, 3], [0, -5, 4])
    for taken in (prints_of(Trades(batch, COARSE)), prints_of_batch(batch)):
        assert taken.size.tolist() == [4] and taken.price.tolist() == [3000]


def test_something_without_trades_is_refused() -> None:
    """The error names what was given."""
    with pytest.raises(WorkbenchError, match="events of Instrument"):
        prints_of(COARSE)

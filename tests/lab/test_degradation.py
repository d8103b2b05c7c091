"""What detectors lose without order rows."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import workbench as wb
from tests.support.detectors import K
from workbench.errors import WorkbenchError
from workbench.flow.batches import event_batches
from workbench.flow.detectors.icebergs import icebergs
from workbench.flow.detectors.large_lots import LargeLots
from workbench.lab.degradation import PAIRS, WithoutOrders, degradation


@pytest.fixture(scope="module")
def session():  # type: ignore[no-untyped-def]
    """A market with icebergs in it."""
    with wb.simulate(seed=7, inline=True, plants=wb.plants("iceberg", every="8s")) as session:
        session.advance("30s")
        yield session


def test_rows_keep_number_and_time(session) -> None:  # type: ignore[no-untyped-def]
    """Order rows become clock rows, trades lose names, all else is as it was."""
    for before, after in zip(event_batches(session), WithoutOrders(session).batches()):
        np.testing.assert_array_equal(before.ts, after.ts)
        assert before.first_sequence == after.first_sequence
        orders = np.isin(before.kind, (K.MBO_NEW, K.MBO_REPLACE, K.MBO_CANCEL))
        assert np.all(after.kind[orders] == K.CLOCK)
        np.testing.assert_array_equal(before.size[~orders], after.size[~orders])
        assert not after.order_id.any()
        assert not after.aggressor_id.any()


def test_table_adds_up(session) -> None:  # type: ignore[no-untyped-def]
    """Found with = both + lost, found without = both + invented; what needs no order rows loses nothing."""
    table = degradation(session)
    assert table["detector"].to_list() == list(PAIRS)
    for _, full, poor, both, lost, invented, kept in table.iter_rows():
        assert (full, poor) == (both + lost, both + invented)
        assert kept is None or kept == pytest.approx(both / full)
    assert table["with_orders"][0] == len(icebergs(session)) > 0
    every_print = partial(LargeLots, min_lots=1)
    alone = degradation(session, {"prints": (every_print, every_print)})
    assert alone["kept"].to_list() == [1.0]


def test_bad_tolerance_is_refused(session) -> None:  # type: ignore[no-untyped-def]
    """A price cannot be nearer than equal."""
    with pytest.raises(WorkbenchError):
        degradation(session, price_within=-1.0)

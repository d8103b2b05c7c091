"""Native icebergs and hidden executions against the figures of a plain program."""

from __future__ import annotations

import numpy as np

import workbench as wb
from tests.support.truth import Case


def test_all_native_refills_and_none_invented(esh4: Case) -> None:
    """All 83 refills in 12 orders: time, side, price, order, executed, shown before and after, revealed."""
    truth = esh4.truth["native_icebergs"]
    found = wb.icebergs(esh4.recording, "native")
    evidence = found["evidence"].struct.unnest()
    names = ("order_id", "executed_lots", "shown_before_lots", "shown_after_lots", "revealed_lots")
    columns = [evidence[name].to_list() for name in names]
    times = found["ts"].to_physical().to_list()
    rows = [
        (ts, "B" if side > 0 else "A", f"{price:.2f}", str(order), *rest)
        for ts, side, price, order, *rest in zip(times, found["side"], found["price"], *columns)
    ]
    assert rows == [tuple(row) for row in truth["refills"]]
    assert evidence["first_order_id"].n_unique() == truth["refill_orders"]


def test_hidden_executions(amzn: Case) -> None:
    """Number, volume and sides of the executions against hidden orders."""
    truth = amzn.truth["trades_hidden"]
    found = wb.hidden(amzn.recording)
    lots = found["evidence"].struct.field("size_lots").to_numpy()
    bought = found["side"].to_numpy() < 0
    assert (len(found), int(lots.sum())) == (truth["n"], int(truth["volume"]))
    assert (np.count_nonzero(bought), int(lots[bought].sum())) == (truth["n_buy"], int(truth["buy_volume"]))


def test_no_native_icebergs_where_orders_have_none(amzn: Case) -> None:
    """A venue whose orders are never refilled gives none."""
    assert len(wb.icebergs(amzn.recording)) == 0

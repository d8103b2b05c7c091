"""Detectors on levels over real recordings: sweeps against a plain count, walls and their fates in order."""

from __future__ import annotations

import polars as pl

import workbench as wb
from tests.support.truth import Case


def test_sweeps_of_amzn_are_its_executions_at_one_time(amzn: Case):
    """Visible executions of one side and time at two prices or more, ever further: LOBSTER stamps an order's prints alike."""
    trades = amzn.recording.trades().filter(~pl.col("hidden")).collect()
    expected = {
        (ts, side)
        for (ts, side), group in trades.group_by(["ts", "aggressor"])
        if side and group["price_ticks"].n_unique() >= 2
    }
    found = wb.sweeps(amzn.recording, levels=2)
    assert len(expected) > 50
    assert set(zip(found["ts"], found["side"])) == expected


def test_walls_of_real_markets_end_after_they_began(usdm: Case, esh4: Case):
    """Every fate belongs to a wall that appeared before, and no wall has two."""
    for case in (usdm, esh4):
        found = wb.walls(case.recording, multiple=3).unnest("evidence")
        began = found.filter(pl.col("event") == "appeared")
        ended = found.filter(pl.col("event") != "appeared")
        assert ended["wall"].is_unique().all() and set(ended["wall"]) <= set(began["wall"])
        assert (ended["ts"].to_physical() >= ended["since_ts"]).all()
        assert len(began) >= len(ended)

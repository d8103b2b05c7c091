"""Volatility and VPIN of a real session, against arithmetic written from the definitions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.support.truth import Case
from workbench.events import EventKind

BAR_NS, WINDOW, SCALE = 1_000_000_000, 30, 5
BUCKET_LOTS, BUCKETS = 20_000, 10


def _trades(case: Case) -> pd.DataFrame:
    """Trades behind the last break of the stream as plain columns; prices in ticks with their thousandths."""
    batch = case.events
    broken = np.flatnonzero(np.isin(batch.kind, [EventKind.CLEAR, EventKind.GAP]))
    at = np.flatnonzero(batch.kind == EventKind.TRADE)
    at = at[at > broken[-1]]
    price = batch.price[at] + ((batch.flags[at] >> 6) & 1023) / 1000
    return pd.DataFrame({"ts": batch.ts[at], "price": price, "size": batch.size[at], "side": batch.side[at]})


def _bars(trades: pd.DataFrame) -> np.ndarray:
    """Logarithms of open, high, low and close of each second that has ended, but the one in which the stream broke."""
    ohlc = trades.groupby(trades.ts // BAR_NS)["price"].agg(["first", "max", "min", "last"])
    return np.log(ohlc.to_numpy()[1:-1])


def _estimates(bars: np.ndarray, end: int) -> dict[str, float]:
    """The seven estimators of the window that ends with bar ``end``, one sum after the other."""
    o, h, low, c = bars[end - WINDOW + 1 : end + 1].T
    before = bars[end - WINDOW : end, 3]
    r, n = c - before, WINDOW
    rs = (h - c) * (h - o) + (low - c) * (low - o)
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    closes = bars[end - WINDOW : end + 1, 3]
    slow = sum((closes[i] - closes[i - SCALE]) ** 2 for i in range(SCALE, n + 1)) / SCALE
    share = (n - SCALE + 1) / (SCALE * n)
    variances = {
        "realised": (r**2).sum() / n,
        "bipower": math.pi / 2 * (abs(r[1:]) * abs(r[:-1])).sum() / (n - 1),
        "parkinson": ((h - low) ** 2).sum() / (4 * n * math.log(2)),
        "garman_klass": (0.5 * (h - low) ** 2 - (2 * math.log(2) - 1) * (c - o) ** 2).mean(),
        "rogers_satchell": rs.mean(),
        "yang_zhang": np.var(o - before, ddof=1) + k * np.var(c - o, ddof=1) + (1 - k) * rs.mean(),
        "two_scale": (slow - share * (r**2).sum()) / (1 - share) / n,
    }
    return {name: math.sqrt(value) if value >= 0 else math.nan for name, value in variances.items()}


def test_volatility_of_a_real_session_is_what_the_formulas_say(usdm: Case) -> None:
    """Seven estimators at forty places of the session."""
    found = wb.volatility(usdm.recording, "1s", WINDOW, SCALE)
    bars = _bars(_trades(usdm))
    found = found.tail(len(bars))
    assert len(found) == len(bars) > 100
    for end in np.linspace(WINDOW, len(bars) - 1, 40).astype(int).tolist():
        for name, value in _estimates(bars, end).items():
            told = found[name][end]
            assert (math.nan if told is None else told) == pytest.approx(value, rel=1e-6, nan_ok=True), (
                end,
                name,
            )


def _buckets(trades: pd.DataFrame) -> np.ndarray:
    """Bought lots of each full bucket: every lot by itself, in order."""
    signed = trades[trades.side != 0]
    bought = np.repeat((signed.side > 0).to_numpy(), signed["size"].to_numpy())
    whole = len(bought) // BUCKET_LOTS
    return bought[: whole * BUCKET_LOTS].reshape(whole, BUCKET_LOTS).sum(axis=1)


def test_vpin_of_a_real_session_counts_every_lot(usdm: Case) -> None:
    """Lots laid one after the other and cut into buckets give the same volumes and the same mean imbalance."""
    lot = float(usdm.recording.instrument.lot_size)
    found = wb.vpin(usdm.recording, BUCKET_LOTS * lot, BUCKETS)
    bought = _buckets(_trades(usdm))
    found = found.tail(len(bought))  # a break empties the bucket
    assert len(found) == len(bought) > 3 * BUCKETS
    assert found["buy"].to_numpy() == pytest.approx(bought * lot)
    imbalance = pd.Series(abs(2 * bought - BUCKET_LOTS) / BUCKET_LOTS)
    expected = imbalance.rolling(BUCKETS).mean()
    assert found["vpin"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-12, nan_ok=True)

"""Imbalance of queues and of depth against worked examples and a plain book."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.support.books import DictBook, chunks, depth_streams
from tests.support.touches import Recorded, states
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind
from workbench.flow.queue_imbalance import Imbalances, ImbalanceStream, imbalance

CUTS = st.lists(st.integers(0, 130), max_size=4)
RULES = st.sampled_from(
    [
        {"levels": 1},
        {"levels": 4, "decay": 2},
        {"levels": 3, "weights": (1.0, 0.5, 0.0)},
        {"levels": "all"},
        {"levels": "all", "decay": 3},
        {"percent": 0.05},
        {"percent": 30.0, "decay": 2},
    ]
)


def streamed(parts: list[EventBatch], *, close: bool = True, **rule) -> Imbalances:
    stream = ImbalanceStream(**rule)
    pieces = [stream.update(part) for part in parts] + ([stream.close()] if close else [])
    return Imbalances(*(np.concatenate([np.empty(0), *column]) for column in zip(*pieces)))


def deep() -> EventBatch:
    """Bids 100 × 8, 99 × 4, 98 × 2, 90 × 100; asks 102 × 2, 103 × 6, 110 × 50."""
    price = [100, 99, 98, 90, 102, 103, 110]
    size, side = [8, 4, 2, 100, 2, 6, 50], [1] * 4 + [-1] * 3
    kind = [EventKind.CLEAR, *[EventKind.DEPTH] * 7, EventKind.SNAPSHOT_END]
    return EventBatch.of(ts=1, kind=kind, side=[0, *side, 0], price=[0, *price, 0], size=[0, *size, 0])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, (8 - 2) / (8 + 2)),
        ({"levels": 2}, (12 - 8) / (12 + 8)),
        ({"levels": 3, "decay": 1}, (8 + 2 + 0.5 - 2 - 3 - 12.5) / (8 + 2 + 0.5 + 2 + 3 + 12.5)),
        ({"levels": 2, "weights": [1, 3]}, (8 + 12 - 2 - 18) / (8 + 12 + 2 + 18)),
        ({"levels": "all"}, (114 - 58) / (114 + 58)),
        ({"levels": "all", "decay": 2}, (12 + 51 - 8 - 25) / (12 + 51 + 8 + 25)),
        ({"percent": 2}, (12 - 8) / (12 + 8)),  # mid 101 ± 2.02: 98.98 to 103.02
        ({"percent": 3, "decay": 1}, (8 + 2 + 0.5 - 2 - 3) / (8 + 2 + 0.5 + 2 + 3)),  # 97.97 to 104.03
    ],
)
def test_worked_examples(rule, expected):
    """Levels, percent of the mid, all; plain, halved by blocks, weighted."""
    assert streamed([deep()], **rule).value.tolist() == [pytest.approx(expected, rel=1e-12)]
    assert imbalance(Recorded([deep()]), **rule)["imbalance"][-1] == pytest.approx(expected, rel=1e-12)


def plain(book: DictBook, rule: dict) -> float:
    """The formula over dicts; NaN unknown."""
    bids, asks = book.levels(1), book.levels(-1)
    if not (book.valid and bids and asks):
        return math.nan
    if "percent" in rule:
        mid = (bids[0][0] + asks[0][0]) / 2
        reach = abs(mid) * (rule["percent"] / 100)
        bids = [level for level in bids if level[0] >= mid - reach]
        asks = [level for level in asks if level[0] <= mid + reach]
    elif rule["levels"] != "all":
        bids, asks = bids[: rule["levels"]], asks[: rule["levels"]]
    ranks = range(max(len(bids), len(asks)))
    weights = rule.get("weights") or [0.5 ** (k // rule.get("decay", 10**9)) for k in ranks]
    b, a = (sum(w * size for w, (_, size) in zip(weights, side)) for side in (bids, asks))
    return (b - a) / (b + a) if b + a else math.nan


def oracle(batch: EventBatch, rule: dict) -> list[tuple[int, float]]:
    """Time and value of each change; a loss of the book is one at once."""
    book, found, last = DictBook(), [], math.nan
    rows = list(zip(*(c.tolist() for c in (batch.ts, batch.kind, batch.side, batch.price, batch.size))))
    for i, (ts, kind, side, price, size) in enumerate(rows):
        if kind != EventKind.DEPTH or size > 0 or price in book.sides.get(side, {}):
            book.row(kind, side, price, size)
        over = i + 1 == len(rows) or rows[i + 1][0] != ts
        if over or kind in (EventKind.CLEAR, EventKind.GAP):
            now = plain(book, rule)
            if now != last and not (math.isnan(now) and math.isnan(last)):
                found.append((ts, now))
            last = now
    return found


@given(stream=depth_streams(), seed=st.integers(0, 1000), cuts=CUTS, rule=RULES)
def test_every_change_is_the_plain_books(stream, seed, cuts, rule):
    """Of any stream, in any chunking, near and far levels; pieces give the same bits."""
    steps = np.random.default_rng(seed).choice([0, 0, 1, 3], len(stream))
    names = ("kind", "side", "price", "size")
    batch = EventBatch.of(ts=50 + steps.cumsum(), **{name: getattr(stream, name) for name in names})
    found = streamed([batch], **rule)
    expected = oracle(batch, rule)
    cut = streamed(chunks(batch, cuts), **rule)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(found, cut))
    assert found.ts.tolist() == [ts for ts, _ in expected]
    np.testing.assert_allclose(found.value, [value for _, value in expected], rtol=1e-12, atol=1e-12)


@given(stream=depth_streams(), keep=st.integers(0, 120), rule=RULES)
def test_the_future_changes_nothing_before_it(stream, keep, rule):
    """What is told of the first rows is told first, with or without what follows."""
    whole = streamed([stream], **rule)
    short = streamed([stream[: keep % (len(stream) + 1)]], close=False, **rule)
    assert all(a[: len(b)].tobytes() == b.tobytes() for a, b in zip(whole, short))


def test_a_gap_is_null():
    """Unknown from the gap to the end of the next snapshot."""
    batch = states([(100, 8, 101, 2), None, (100, 8, 101, 2)])
    for rule in ({}, {"levels": "all"}):
        assert imbalance(Recorded([batch]), **rule)["imbalance"].to_list() == [0.6, None, 0.6]


def test_the_last_row_is_the_book_of_a_session():
    """What a frame ends with is what the session's book shows."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("5s")
    b, a = s.book.best_bid_size, s.book.best_ask_size
    assert wb.imbalance(s)["imbalance"][-1] == pytest.approx((b - a) / (b + a), rel=1e-12)


@pytest.mark.parametrize(
    "rule",
    [
        {"levels": 0},
        {"percent": 0},
        {"percent": 1, "levels": 3},
        {"decay": 0},
        {"levels": 2, "weights": [1]},
        {"levels": 2, "weights": [1, -1]},
        {"levels": "all", "weights": [1]},
    ],
)
def test_parameters_that_make_no_sense(rule):
    """Each is refused with what was expected."""
    with pytest.raises(WorkbenchError, match="expected"):
        ImbalanceStream(**rule)

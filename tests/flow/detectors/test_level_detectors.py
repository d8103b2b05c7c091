"""What all detectors on levels promise: the same in any chunking, nothing known early, nothing carried over a gap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.support.books import chunks
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument, Side
from workbench.flow.detectors.absorption import Absorption
from workbench.flow.detectors.cliffs import Cliffs
from workbench.flow.detectors.detections import Detections, Detector, frame, joined
from workbench.flow.detectors.divergence import DeltaDivergence
from workbench.flow.detectors.exhaustion import Exhaustion
from workbench.flow.detectors.layering_like import LayeringLike
from workbench.flow.detectors.spoof_like import SpoofLike
from workbench.flow.detectors.sweeps import Sweeps
from workbench.flow.detectors.walls import Walls

ES = Instrument("ES", "0.25", "1")
SECOND = 10**9
DETECTORS: dict[str, Callable[[], Detector]] = {
    "absorption": lambda: Absorption(ES, time="1s", deviations=1, over="10s"),
    "absorption of a size": lambda: Absorption(ES, time="2s", size=20),
    "sweeps": lambda: Sweeps(ES, levels=2),
    "sweeps in a time": lambda: Sweeps(ES, levels=2, time="200ms"),
    "walls": lambda: Walls(ES, multiple=2),
    "spoof-like": lambda: SpoofLike(ES, multiple=0, quantile=0.8),
    "spoof-like by level": lambda: SpoofLike(ES, multiple=0, quantile=0.8, by="levels"),
    "layering-like": lambda: LayeringLike(ES, levels=2, multiple=0, quantile=0.8),
    "cliffs": lambda: Cliffs(ES, ratio=1.5, quantile=0.2, gap=1),
    "exhaustion": lambda: Exhaustion(ES, n=2, bar="1s", pushes=2, fade=1.0),
    "divergence": lambda: DeltaDivergence(ES, n=2, bar="1s"),
}


@pytest.fixture(scope="module")
def market() -> EventBatch:
    """Half a minute of the simulator, its snapshot first."""
    session = wb.simulate(seed=3, inline=True)
    session.advance("30s")
    pieces = [
        EventBatch.trusted(tuple(chunk[:9]), int(chunk[-1][0]))
        for chunk in session.capture().columns.chunks()
    ]
    return EventBatch.concatenate(pieces)


def run(detector: Detector, pieces: list[EventBatch], *, close: bool = True) -> Detections:
    parts = [detector.update(piece) for piece in pieces]
    return joined([*parts, detector.close()] if close else parts)


def same(a: Detections, b: Detections) -> bool:
    plain = all(np.array_equal(x, y) for x, y in zip(a[:5], b[:5]))
    return plain and all(np.array_equal(a.evidence[name], b.evidence[name]) for name in a.evidence)


@pytest.mark.parametrize("name", DETECTORS)
def test_any_chunking_gives_the_same(name: str, market: EventBatch):
    """Every bit of every finding, with cuts in the middle of moments; and there is something to compare."""
    rng = np.random.default_rng(5)
    whole = run(DETECTORS[name](), [market])
    assert len(whole.ts)
    for count in (3, 400):
        cuts = rng.integers(0, len(market), count).tolist()
        assert same(run(DETECTORS[name](), chunks(market, cuts)), whole)


@pytest.mark.parametrize("name", DETECTORS)
def test_the_future_changes_nothing_that_was_known(name: str, market: EventBatch):
    """What a cut stream has told by then, the whole one tells first."""
    whole = run(DETECTORS[name](), [market])
    for keep in (len(market) // 3, len(market) // 2, len(market) - 7):
        part = run(DETECTORS[name](), [market[:keep]], close=False)
        n = len(part.ts)
        head = Detections(*(c[:n] for c in whole[:5]), {k: v[:n] for k, v in whole.evidence.items()})
        assert same(part, head)
        assert (part.sequence < keep + market.first_sequence).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_findings_come_in_order_of_time_and_name_their_event(name: str, market: EventBatch):
    """A finding carries the time of the event whose number it names."""
    found = run(DETECTORS[name](), [market])
    assert (np.diff(found.ts) >= 0).all()
    assert np.array_equal(market.ts[found.sequence - market.first_sequence], found.ts)


@pytest.mark.parametrize("name", DETECTORS)
def test_a_gap_begins_everything_anew(name: str, market: EventBatch):
    """After lost events and a new book the findings are those of a stream that begins there."""
    half = len(market) // 2
    lost = EventBatch.of(0, ts=[int(market.ts[half])], kind=EventKind.GAP, size=-1)
    detector = DETECTORS[name]()
    run(detector, [market[:half], lost], close=False)
    later = shifted(market, 60 * SECOND)
    again, fresh = run(detector, [later]), run(DETECTORS[name](), [later])
    again.evidence.pop("wall", None), fresh.evidence.pop("wall", None)
    assert same(again, fresh)


def shifted(batch: EventBatch, by_ns: int) -> EventBatch:
    return EventBatch.trusted((batch.ts + by_ns, *batch.columns[1:]), batch.first_sequence)


@pytest.mark.parametrize("name", DETECTORS)
def test_nothing_found_is_a_frame_with_all_its_columns(name: str):
    """An empty stream has no findings, and a signal may rely on the columns."""
    empty = frame(run(DETECTORS[name](), [EventBatch.empty()]), ES)
    assert empty.columns == ["ts", "price", "side", "score", "evidence"]
    assert len(empty) == 0


def book(bid: int = 10) -> list[tuple[int, ...]]:
    """Rows (ts, kind, side, price, size): bids from 99 down and asks from 101 up, ten lots each."""
    rows = [(0, EventKind.CLEAR, 0, 0, 0)]
    for k in range(20):
        rows += [(0, EventKind.DEPTH, 1, 99 - k, bid), (0, EventKind.DEPTH, -1, 101 + k, bid)]
    return [*rows, (0, EventKind.SNAPSHOT_END, 0, 0, 0)]


def batch(rows: list[tuple[int, ...]]) -> EventBatch:
    ts, kind, side, price, size = (list(column) for column in zip(*rows))
    return EventBatch.of(ts=ts, kind=kind, side=side, price=price, size=size)


def traded(ts: int, side: int, price: int, size: int) -> tuple[int, ...]:
    return (ts, EventKind.TRADE, side, price, size)


def rests(ts: int, side: int, price: int, size: int) -> tuple[int, ...]:
    return (ts, EventKind.DEPTH, side, price, size)


def test_absorption_by_hand():
    """Three sells of 10 at 99 within 2 s reach 30 with the bid still there: the mid stood, so 30 lots over half a tick."""
    rows = book()
    for k in (1, 2, 3):
        rows += [traded(k * SECOND // 2, -1, 99, 10), rests(k * SECOND // 2, 1, 99, 10)]
    found = run(Absorption(ES, time="2s", size=30), [batch(rows)])
    assert (found.ts.tolist(), found.price.tolist(), found.side.tolist()) == (
        [3 * SECOND // 2],
        [99_000],
        [1],
    )
    assert found.score.tolist() == [60.0]


def test_a_level_that_is_gone_absorbed_nothing():
    """The last sell empties the bid."""
    rows = [*book(), traded(SECOND, -1, 99, 30), rests(SECOND, 1, 99, 0)]
    assert not len(run(Absorption(ES, time="2s", size=30), [batch(rows)]).ts)


def test_volume_older_than_the_time_does_not_count():
    """20 lots 2 s before the last 10 are out of a window of 2 s."""
    rows = [*book(), traded(SECOND, -1, 99, 20), traded(3 * SECOND, -1, 99, 10)]
    assert not len(run(Absorption(ES, time="2s", size=30), [batch(rows)]).ts)


def sweep_oracle(rows: list[tuple[int, ...]], levels: int) -> list[tuple[int, int, int, int]]:
    """(ts, last price, side, levels) of prints of one side and time that went through so many prices."""
    found, i = [], 0
    trades = [row for row in rows if row[1] == EventKind.TRADE and row[4] > 0]
    while i < len(trades):
        j = i
        while j < len(trades) and (trades[j][0], trades[j][2]) == (trades[i][0], trades[i][2]):
            j += 1
        prices: list[int] = []
        for row in trades[i:j]:
            if not prices or (row[3] - prices[-1]) * row[2] > 0:
                prices.append(row[3])
        if trades[i][2] and len(prices) >= levels:
            found.append((trades[i][0], prices[-1] * 1000, trades[i][2], len(prices)))
        i = j
    return found


ROW = st.tuples(st.integers(0, 2), st.sampled_from([1, -1, 0]), st.integers(97, 103), st.integers(0, 3))


@settings(max_examples=60)
@given(
    steps=st.lists(ROW, min_size=1, max_size=40), levels=st.integers(2, 4), cuts=st.lists(st.integers(0, 60))
)
def test_sweeps_are_those_of_a_plain_loop(steps, levels, cuts):
    """Prints of one time and side are one order where nothing names it."""
    ts, rows = 1, []
    for step, side, price, size in steps:
        ts += step
        rows.append(traded(ts, side, price, size))
    found = run(Sweeps(ES, levels=levels), chunks(batch(rows), cuts))
    told = zip(
        found.ts.tolist(), found.price.tolist(), found.side.tolist(), found.evidence["levels"].tolist()
    )
    assert list(told) == sweep_oracle(rows, levels)


def test_a_sweep_in_a_time_joins_orders():
    """Buys at 101, 102 and 103 within 100 ms are three levels; half a second apart they are none."""
    for apart, count in ((40_000_000, 1), (500_000_000, 0)):
        rows = [*book(), *(traded(SECOND + k * apart, 1, 101 + k, 1) for k in range(3))]
        assert len(run(Sweeps(ES, levels=3, time="100ms"), [batch(rows)]).ts) == count


def wall_rows(fate: str) -> list[tuple[int, ...]]:
    """Twelve looks to warm up, 100 lots at 95, then its end at 3 s."""
    rows = book()
    rows += [rests(k * 100_000_000, 1, 80, 10 + k % 2) for k in range(1, 13)]
    rows += [rests(2 * SECOND, 1, 95, 100), rests(2 * SECOND + 200_000_000, 1, 80, 10)]
    if fate == "consumed":
        rows.append(traded(3 * SECOND, -1, 95, 95))
    rows.append(rests(3 * SECOND, 1, 95, 5))
    if fate == "moved":
        rows.append(rests(3 * SECOND + 1000, 1, 93, 90))
    return [*rows, (5 * SECOND, EventKind.CLOCK, 0, 0, 0), (6 * SECOND, EventKind.CLOCK, 0, 0, 0)]


@pytest.mark.parametrize(
    ("fate", "known"), [("consumed", 3 * SECOND), ("moved", 3 * SECOND + 1000), ("pulled", 5 * SECOND)]
)
def test_a_wall_and_its_fate_by_hand(fate: str, known: int):
    """100 lots among tens; with 5 left it is gone: 95 traded, or 80 turned up elsewhere, or nothing within a second."""
    found = run(Walls(ES, multiple=5), [batch(wall_rows(fate))])
    events = list(zip(found.ts.tolist(), found.price.tolist(), found.evidence["event"].tolist()))
    assert events[:2] == [(2 * SECOND, 95_000, "appeared"), (known, 95_000, fate)]


def spoof_rows(*, filled: int, executed: int) -> list[tuple[int, ...]]:
    """Warmed up by 256 additions of one lot; 60 lots at 98, bought at the ask, and taken back after half a second."""
    rows = book()
    for k in range(256):
        rows += [rests(1000 * (2 * k + 1), 1, 97, 11), rests(1000 * (2 * k + 2), 1, 97, 10)]
    rows += [rests(SECOND, 1, 98, 70)]
    if executed:
        rows += [traded(SECOND + 1000, 1, 101, executed)]
    if filled:
        rows += [traded(SECOND + 2000, -1, 98, filled), rests(SECOND + 2000, 1, 98, 70 - filled)]
    return [*rows, rests(3 * SECOND // 2, 1, 98, 10)]


@pytest.mark.parametrize(("filled", "executed", "count"), [(0, 4, 1), (0, 0, 0), (40, 4, 0)])
def test_a_spoof_like_posting_by_hand(filled: int, executed: int, count: int):
    """60 lots among tens, pulled unfilled after buying at the ask: spoof-like; not without buying, nor when it was filled."""
    found = run(SpoofLike(ES), [batch(spoof_rows(filled=filled, executed=executed))])
    assert len(found.ts) == count
    if count:
        assert (found.price.tolist(), found.side.tolist()) == ([98_000], [1])
        assert found.evidence["size_lots"].tolist() == [60]
        assert found.evidence["after_ns"].tolist() == [SECOND // 2]


def test_layers_pulled_together_are_one_finding():
    """Three bids of 60 lots put up and pulled at once; two are too few."""
    for n in (3, 2):
        rows = spoof_rows(filled=0, executed=0)[:-2]
        rows += [rests(SECOND, 1, 98 - k, 70) for k in range(n)]
        rows += [rests(2 * SECOND, 1, 98 - k, 10) for k in range(n)]
        found = run(LayeringLike(ES, together="1s"), [batch(rows)])
        assert found.evidence["levels"].tolist() == [3] * (n == 3)


def test_a_gap_and_a_cliff_of_the_book_by_hand():
    """Bids 99 to 97 of 50 lots, none at 96 to 94, 93 to 90 of 4: a gap of 3 behind 97, and 150 lots before none."""
    rows = [row for row in book() if row[2] >= 0]
    rows = [row for row in rows if row[1] != EventKind.DEPTH]
    levels = [rests(0, Side.BID, p, 50) for p in (99, 98, 97)] + [rests(0, 1, p, 4) for p in (93, 92, 91, 90)]
    rows = [rows[0], *levels, rests(0, -1, 101, 5), rows[-1]]
    found = run(Cliffs(ES, gap=3, ratio=5, span=3), [batch(rows)])
    told = list(zip(found.evidence["event"].tolist(), found.price.tolist(), found.score.tolist()))
    assert told == [("gap", 97_000, 3.0), ("cliff", 97_000, 150.0)]


def bars_of(pushes: list[tuple[int, int, int]]) -> EventBatch:
    """One trade (price, size, side) a second, then a clock that closes the last bar."""
    rows = [traded(k * SECOND, side, price, size) for k, (price, size, side) in enumerate(pushes)]
    return batch([*rows, (len(rows) * SECOND, EventKind.CLOCK, 0, 0, 0)])


def test_exhaustion_by_hand():
    """Highs 101, 102, 103 bought with 8, 5 and 2 lots: at the third a quarter is left, three quarters are missing."""
    found = run(
        Exhaustion(ES, n=1, bar="1s", pushes=3, fade=0.5),
        [bars_of([(100, 9, 1), (101, 8, 1), (102, 5, 1), (103, 2, 1)])],
    )
    assert (found.price.tolist(), found.side.tolist(), found.score.tolist()) == ([103_000], [1], [0.75])
    assert found.ts.tolist() == [4 * SECOND]


def test_divergence_by_hand():
    """100, 101, 102 by sellers: the third bar is a new high of two, its delta no new high: bearish."""
    found = run(DeltaDivergence(ES, n=2, bar="1s"), [bars_of([(100, 5, 1), (101, 4, -1), (102, 3, -1)])])
    assert (found.price.tolist(), found.side.tolist(), found.ts.tolist()) == ([102_000], [-1], [3 * SECOND])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Absorption(ES, time="soon"),
        lambda: Absorption(ES, size=-1),
        lambda: Sweeps(ES, levels=1),
        lambda: Walls(ES, quantile=1.5),
        lambda: SpoofLike(ES, by="magic"),  # type: ignore[arg-type]
        lambda: LayeringLike(ES, levels=1),
        lambda: Cliffs(ES, gap=0),
        lambda: Exhaustion(ES, pushes=1),
        lambda: DeltaDivergence(ES, n=0),
    ],
)
def test_parameters_outside_their_bounds_are_refused(wrong: Callable[[], object]):
    """With what was found and what was expected."""
    with pytest.raises(WorkbenchError, match="expected"):
        wrong()

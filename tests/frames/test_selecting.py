"""A rectangle gives exactly its events: the same as a loop over all of them that asks each one."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.shown import Shown
from workbench.errors import WorkbenchError
from workbench.events import SUBTICK_SHIFT, EventBatch, EventKind, Instrument
from workbench.frames.moments import iso_text
from workbench.frames.recording import write_recording
from workbench.frames.selecting import EVERYWHERE, events_in, price_bounds, trades_in

START = 1_700_000_000_000_000_000
INSTRUMENT = Instrument("ES", "0.25", "0.1")
KINDS = [k for k in EventKind if k is not EventKind.GAP]


def random_batch(seed: int, count: int = 400) -> EventBatch:
    """Events of every kind, several at one time, trades between ticks, cancels that do not tell their price."""
    chance = np.random.default_rng(seed)
    kind = chance.choice([int(k) for k in KINDS], count).astype(np.uint8)
    price = chance.integers(95, 106, count)
    price[(kind == EventKind.MBO_CANCEL) & (chance.random(count) < 0.7)] = 0
    flags = np.where(kind == EventKind.TRADE, chance.integers(0, 1000, count) << SUBTICK_SHIFT, 0)
    return EventBatch.of(
        7,
        ts=START + np.sort(chance.integers(0, 50, count)) * 1000,
        kind=kind,
        side=chance.integers(-1, 2, count),
        price=price,
        size=chance.integers(0, 9, count),
        order_id=chance.integers(1, 30, count),
        flags=flags,
    )


def brute(batch: EventBatch, start: int, end: int, low: Fraction | None, high: Fraction | None) -> list[int]:
    """Sequence numbers of the events inside, one by one, prices as exact fractions of real units."""
    stood: dict[int, int] = {}
    found = []
    for row in range(len(batch)):
        kind, price, order = int(batch.kind[row]), int(batch.price[row]), int(batch.order_id[row])
        if kind in (EventKind.MBO_NEW, EventKind.MBO_REPLACE):
            stood[order] = price
        if kind == EventKind.MBO_CANCEL and price == 0:
            price = stood.get(order, 0)
        if kind == EventKind.CLOCK or not start <= batch.ts[row] < end:
            continue
        exact = price * Fraction(INSTRUMENT.tick_size)
        if kind == EventKind.TRADE:
            exact += Fraction(int(batch.flags[row]) >> SUBTICK_SHIFT, 1000) * Fraction(INSTRUMENT.tick_size)
        inside = (low is None or exact >= low) and (high is None or exact <= high)
        if inside or kind in EVERYWHERE:
            found.append(batch.first_sequence + row)
    return found


edges = st.one_of(st.none(), st.integers(94 * 1000, 107 * 1000))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(-2, 52), st.integers(0, 55), edges, edges)
def test_a_rectangle_holds_exactly_the_events_that_a_loop_finds(seed, first, width, low, high):
    """Start inclusive, end exclusive, prices inclusive to the thousandth of a tick, on a session."""
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    batch = random_batch(seed)
    market = Shown(INSTRUMENT)
    market.apply(batch)
    start, end = START + first * 1000, START + (first + width) * 1000
    step = INSTRUMENT.tick_size / 1000
    bounds = [None if edge is None else edge * step for edge in (low, high)]
    exact = [None if bound is None else Fraction(bound) for bound in bounds]
    frame = events_in(market, start, end, *bounds)
    assert frame["sequence"].to_list() == brute(batch, start, end, *exact)


@pytest.mark.parametrize("seed", range(4))
def test_a_recording_gives_the_same_frame_as_the_session(seed: int, tmp_path: Path) -> None:
    """Read from disk by time, judged alike, cancels that look back before the rectangle included."""
    batch = random_batch(seed)
    market = Shown(INSTRUMENT)
    market.apply(batch)
    recording = write_recording(tmp_path, INSTRUMENT, [batch], source={})
    corners = (iso_text(START + 20_000), iso_text(START + 41_000), 24.6, 25.8)
    assert events_in(recording, *corners).equals(events_in(market, *corners))
    assert trades_in(recording, *corners).equals(trades_in(market, *corners))
    assert len(trades_in(market, *corners)) > 0


def test_rectangles_that_follow_each_other_share_and_miss_nothing() -> None:
    """The end of one is the start of the next."""
    market = Shown(INSTRUMENT)
    market.apply(random_batch(3))
    cuts = [START + ms * 1000 for ms in (0, 13, 13, 29, 60)]
    parts = [events_in(market, a, b)["sequence"].to_list() for a, b in itertools.pairwise(cuts)]
    whole = events_in(market, cuts[0], cuts[-1])["sequence"].to_list()
    assert [number for part in parts for number in part] == whole


def test_lost_events_belong_to_every_rectangle_of_their_time() -> None:
    """A gap concerns all prices: its row has no price and tells how many events are lost."""
    market = Shown(INSTRUMENT)
    market.apply(EventBatch.of(0, ts=START, kind=EventKind.DEPTH, price=100, size=3, side=1))
    market.apply(EventBatch.of(1, ts=START + 5, kind=EventKind.GAP, size=8))
    frame = events_in(market, START, START + 10, 1000.0, 1001.0)
    assert frame.select("kind", "price", "size", "size_lots").rows() == [("GAP", None, None, 8)]


def test_prices_between_two_doubles_count_as_the_step_they_mean() -> None:
    """0.1 + 0.2 is the price 0.3; what lies between two thousandths is cut inwards."""
    instrument = Instrument("X", "0.1")
    assert price_bounds(0.1 + 0.2, 0.1 + 0.2, instrument) == (3000, 3000)
    assert price_bounds("0.30005", "0.30015", instrument) == (3001, 3001)


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        ((START, START - 1), "end .* before start"),
        ((START, START + 1, 2.0, 1.0), "prices from 2.0 to 1.0; expected low ≤ high"),
        ((START, START + 1, float("nan")), "price nan; expected a finite number"),
        ((START, START + 1, "abc"), "price 'abc'; expected a finite number"),
        (("yesterday", START), "time 'yesterday'; expected ISO 8601 with a zone"),
        (("2024-08-08T10:00:00", START), "without a time zone"),
    ],
)
def test_nonsense_is_refused_with_what_was_expected(corners: tuple[object, ...], words: str) -> None:
    """Misuse raises at once and says what to write instead."""
    market = Shown(INSTRUMENT)
    market.apply(random_batch(0))
    with pytest.raises(WorkbenchError, match=words):
        events_in(market, *corners)  # type: ignore[arg-type]


def test_only_sessions_and_recordings_have_events() -> None:
    """Anything else is named in the refusal."""
    with pytest.raises(WorkbenchError, match="int without events; expected a session or a recording"):
        events_in(3, START, START + 1)  # type: ignore[arg-type]

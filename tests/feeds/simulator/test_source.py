"""The simulator as a source: same seed same bits, however time is cut, and from wherever one starts."""

from __future__ import annotations

import subprocess
import sys
import zlib
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ReplayError
from workbench.events import COLUMNS, EventBatch, EventKind, Flag
from workbench.feeds.simulator import Simulator
from workbench.feeds.source import Source

SECOND_NS = 1_000_000_000
# Change these only when the market itself is meant to change, and say so in the changelog.
GOLDEN = {"es-like": "0x379bd603", "btc-like": "0xa87f6b3f"}


def crc(batch: EventBatch) -> int:
    """Checksum over the little-endian bytes of all columns."""
    total = 0
    for values, column in zip(batch.columns, COLUMNS):
        total = zlib.crc32(np.ascontiguousarray(values, column.dtype).tobytes(), total)
    return total


def straight(source: Simulator, until_ns: int) -> EventBatch:
    """Everything up to a time, in one batch."""
    return EventBatch.concatenate(batch for _, batch in source.advance(until_ns))


def since_snapshot(batch: EventBatch) -> EventBatch:
    """Rows after the last snapshot."""
    return batch[int(np.flatnonzero(batch.kind == EventKind.SNAPSHOT_END)[-1]) + 1 :]


def book(batch: EventBatch) -> dict[tuple[int, int], int]:
    """Levels that the depth rows of a batch lead to."""
    levels: dict[tuple[int, int], int] = {}
    for kind, side, price, size in zip(batch.kind, batch.side, batch.price, batch.size):
        if kind == EventKind.DEPTH:
            levels[int(side), int(price)] = int(size)
    return {key: size for key, size in levels.items() if size}


@pytest.mark.parametrize("profile", sorted(GOLDEN))
def test_same_seed_gives_the_same_bits_on_every_machine(profile: str) -> None:
    """The first ten seconds of seed 7 have a checksum that is written down here."""
    source = Simulator(7, profile)
    assert f"{crc(straight(source, source.start_ns + 10 * SECOND_NS)):#010x}" == GOLDEN[profile]


def test_other_seeds_and_symbols_give_other_markets() -> None:
    """Seeds differ from each other, and so do the instruments of one seed."""
    first, other = (straight(Simulator(seed), Simulator(seed).start_ns + SECOND_NS) for seed in (1, 2))
    assert crc(first) != crc(other)
    pair = Simulator(1, symbols=("ES", "NQ"))
    handed = pair.advance(pair.start_ns + SECOND_NS)
    es, nq = (EventBatch.concatenate(b for s, b in handed if s == name) for name in ("ES", "NQ"))
    assert es == first
    assert crc(es) != crc(nq)


@settings(max_examples=15)
@given(
    st.lists(st.tuples(st.integers(0, 400_000_000), st.one_of(st.none(), st.integers(0, 3000))), max_size=12),
    st.sampled_from(["es-like", "btc-like"]),
)
def test_cutting_time_and_counts_anyhow_changes_nothing(
    steps: list[tuple[int, int | None]], profile: str
) -> None:
    """However ``advance`` is called, the concatenation of what it hands out is the straight run."""
    source = Simulator(3, profile)
    end_ns = source.start_ns + 2 * SECOND_NS
    parts: list[EventBatch] = []
    until_ns = source.start_ns
    for step_ns, limit in steps:
        until_ns = min(until_ns + step_ns, end_ns)
        for _, batch in source.advance(until_ns, limit):
            assert limit is None or len(batch) <= limit
            assert len(batch) and int(batch.ts[-1]) <= until_ns
            parts.append(batch)
    parts += [batch for _, batch in source.advance(end_ns)]
    assert EventBatch.concatenate(parts) == straight(Simulator(3, profile), end_ns)


def test_several_instruments_share_time_and_obey_the_limit() -> None:
    """Per instrument the events are those of the straight run; between them no more than 0.1 s is out of order."""
    source = Simulator(5, symbols=("A", "B"))
    end_ns = source.start_ns + SECOND_NS
    handed = []
    while source.position_ns < end_ns:
        some = source.advance(end_ns, 700)
        assert sum(len(b) for _, b in some) <= 700
        handed += some
    whole = Simulator(5, symbols=("A", "B")).advance(end_ns)
    latest = 0
    for name in ("A", "B"):
        mine = EventBatch.concatenate(b for s, b in handed if s == name)
        assert mine == EventBatch.concatenate(b for s, b in whole if s == name)
    for _, batch in whole:
        assert int(batch.ts[0]) >= latest - 100_000_000
        latest = max(latest, int(batch.ts[-1]))


@pytest.mark.parametrize(
    ("profile", "target_s"), [("es-like", 0.0), ("es-like", 0.7), ("es-like", 61.5), ("btc-like", 0.7)]
)
def test_seek_shows_the_book_and_goes_on_like_the_straight_run(profile: str, target_s: float) -> None:
    """After a seek, forward or backward, come the book just before that time and the same events from there."""
    runner, seeker = Simulator(11, profile), Simulator(11, profile)
    at_ns = runner.start_ns + int(target_s * SECOND_NS)
    before = straight(runner, at_ns - 1) if target_s else straight(runner, at_ns)
    after = straight(runner, at_ns + SECOND_NS)
    for already_s in (0.2, target_s + 1.5):
        played = seeker.advance(seeker.start_ns + int(already_s * SECOND_NS))
        seeker.seek(at_ns)
        again = straight(seeker, at_ns + SECOND_NS)
        if played:
            assert again.first_sequence == played[-1][1].next_sequence
        assert again.kind[0] == EventKind.CLEAR
        fresh = since_snapshot(again)
        shown = again[: len(again) - len(fresh)]
        assert set(shown.ts.tolist()) == {at_ns}
        assert book(shown) == book(before)
        assert all(np.array_equal(a, b) for a, b in zip(fresh.columns, after.columns))


def test_seek_to_the_time_of_an_event_shows_the_book_before_it_even_at_the_edge_of_a_buffer() -> None:
    """The state is exact also where the inner buffer was just handed over between rows of one time."""
    runner = Simulator(11, "btc-like")
    events = since_snapshot(straight(runner, runner.start_ns + 40 * SECOND_NS))
    for row in range(32_700, 32_900, 100):
        at_ns = int(events.ts[row])
        seeker = Simulator(11, "btc-like")
        seeker.advance(seeker.start_ns + 40 * SECOND_NS, 16_593 + row)
        seeker.seek(at_ns)
        fresh = since_snapshot(straight(seeker, at_ns))
        first = int(np.searchsorted(events.ts, at_ns))
        last = int(np.searchsorted(events.ts, at_ns, side="right"))
        assert np.array_equal(fresh.order_id, events.order_id[first:last])


def test_a_stream_begins_with_a_snapshot_and_its_times_never_go_back() -> None:
    """CLEAR, flagged rows, SNAPSHOT_END at the start time; then ts never falls and the venue's time is earlier."""
    source = Simulator(2)
    events = straight(source, source.start_ns + 5 * SECOND_NS)
    end = int(np.flatnonzero(events.kind == EventKind.SNAPSHOT_END)[0])
    assert events.kind[0] == EventKind.CLEAR
    assert (events.flags[1:end] & Flag.SNAPSHOT).all()
    assert not (events.flags[end:] & Flag.SNAPSHOT).any()
    assert (events.ts[: end + 1] == source.start_ns).all()
    assert (np.diff(events.ts) >= 0).all()
    timed = events.kind != EventKind.CLOCK
    assert (events.ts_source[timed] < events.ts[timed]).all()
    assert (np.diff(events.ts_source[timed][end:]) >= 0).all()


def test_a_clock_row_comes_each_tenth_of_a_second() -> None:
    """CLOCK rows stand exactly on the tenths, all of them."""
    source = Simulator(2)
    events = straight(source, source.start_ns + 3 * SECOND_NS)
    clock = events.ts[events.kind == EventKind.CLOCK]
    assert clock.tolist() == [source.start_ns + i * 100_000_000 for i in range(1, 31)]


def test_intensity_speeds_the_market_up() -> None:
    """Twice the intensity gives about twice the events in the same time."""
    counts = []
    for intensity in (1.0, 2.0):
        source = Simulator(4, intensity=intensity)
        counts.append(len(since_snapshot(straight(source, source.start_ns + 60 * SECOND_NS))))
    assert 1.5 < counts[1] / counts[0] < 2.7


def test_start_name_and_repr_say_what_it_is() -> None:
    """The name is the recipe; the start may be chosen, and moves the events with it."""
    start = datetime(2030, 1, 1, tzinfo=UTC)
    source = Simulator(9, "btc-like", symbol="X", start=start, intensity=0.5)
    assert source.name == "simulate seed=9 profile=btc-like intensity=0.5 start=2030-01-01T00:00:00.000Z"
    assert repr(source) == f"<Simulator X: {source.name}, at 2030-01-01T00:00:00.000Z>"
    assert isinstance(source, Source)
    assert source.end_ns is None
    assert not source.exhausted
    assert int(straight(source, source.start_ns).ts[0]) == int(start.timestamp()) * SECOND_NS


@pytest.mark.parametrize(
    "wrong",
    [
        {"profile": "nasdaq"},
        {"seed": -1},
        {"seed": True},
        {"intensity": 0},
        {"intensity": float("nan")},
        {"symbols": ("A", "A")},
        {"symbol": "A", "symbols": ("B",)},
        {"start": datetime(2030, 1, 1)},
    ],
)
def test_arguments_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    """Each is named with what was expected."""
    with pytest.raises(ReplayError, match="expected"):
        Simulator(**wrong)  # type: ignore[arg-type]


def test_seek_before_the_start_is_refused() -> None:
    """There was no market before its start."""
    source = Simulator(1)
    with pytest.raises(ReplayError, match="not before the start"):
        source.seek(source.start_ns - 1)


def test_importing_the_room_loads_no_numba() -> None:
    """The compiler is loaded by the first simulator, not by an import."""
    code = "import workbench.feeds.simulator, sys; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

"""Planted participants: the same bits however time is cut, the market consistent, the truth what really happened."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.events import EventBatch, EventKind
from workbench.feeds.simulator import Simulator
from workbench.feeds.simulator.planting import KINDS, Plant, plants

SECOND_NS = 1_000_000_000
EVERYTHING = plants(every="4s", at="200ms", life="1500ms")


def straight(source: Simulator, seconds: int) -> EventBatch:
    """Everything of the first seconds, in one batch."""
    until_ns = source.start_ns + seconds * SECOND_NS
    return EventBatch.concatenate(batch for _, batch in source.advance(until_ns))


def ended_book(batch: EventBatch) -> dict[tuple[int, int], int]:
    """Levels that the depth rows lead to."""
    levels: dict[tuple[int, int], int] = {}
    for row in np.flatnonzero(batch.kind == EventKind.DEPTH):
        levels[int(batch.side[row]), int(batch.price[row])] = int(batch.size[row])
    return {key: size for key, size in levels.items() if size}


@settings(max_examples=8)
@given(
    st.lists(st.tuples(st.integers(0, 900_000_000), st.one_of(st.none(), st.integers(0, 3000))), max_size=8),
    st.sampled_from(["es-like", "btc-like"]),
)
def test_cutting_time_and_counts_anyhow_changes_nothing_that_is_planted(
    steps: list[tuple[int, int | None]], profile: str
) -> None:
    """However ``advance`` is called, events and truth are those of the straight run."""
    source, whole = (Simulator(3, profile, plants=EVERYTHING) for _ in range(2))
    end_ns = source.start_ns + 5 * SECOND_NS
    parts, until_ns = [], source.start_ns
    for forward_ns, limit in steps:
        until_ns = min(until_ns + forward_ns, end_ns)
        parts += [batch for _, batch in source.advance(until_ns, limit)]
    parts += [batch for _, batch in source.advance(end_ns)]
    assert EventBatch.concatenate(parts) == straight(whole, 5)
    assert source.planted().equals(whole.planted())


def test_going_back_and_running_again_plants_the_same() -> None:
    """After a seek back over a checkpoint the same participants do the same again."""
    source = Simulator(5, plants=EVERYTHING)
    whole = straight(Simulator(5, plants=EVERYTHING), 70)
    straight(source, 70)
    truth = source.planted()
    source.seek(source.start_ns + 61 * SECOND_NS)
    again = EventBatch.concatenate(b for _, b in source.advance(source.start_ns + 70 * SECOND_NS))
    fresh = again[int(np.flatnonzero(again.kind == EventKind.SNAPSHOT_END)[-1]) + 1 :]
    assert np.array_equal(fresh.price, whole.price[-len(fresh) :])
    assert np.array_equal(fresh.order_id, whole.order_id[-len(fresh) :])
    assert source.planted().equals(truth)


def test_planted_orders_leave_a_market_that_is_never_crossed_and_in_order_of_time() -> None:
    """Times of both kinds never run backwards, and the book that the rows lead to has its bids below its asks."""
    batch = straight(Simulator(11, plants=EVERYTHING), 20)
    assert np.all(np.diff(batch.ts) >= 0)
    told = batch.ts_source[batch.ts_source > 0]
    assert np.all(np.diff(told) >= 0)
    book = ended_book(batch)
    assert max(p for s, p in book if s > 0) < min(p for s, p in book if s < 0)


def test_every_kind_happens_and_is_told_with_its_times() -> None:
    """Each kind of plant leaves records whose start is not after their end, and mostly succeeds."""
    source = Simulator(7, plants=plants(every="10s"))
    straight(source, 60)
    truth = source.planted()
    assert set(truth["kind"]) == set(KINDS)
    assert (truth["start"] <= truth["end"]).all()
    assert truth.filter(truth["fate"] != "failed")["kind"].n_unique() == len(KINDS)


def test_native_icebergs_refill_under_their_own_number_as_often_as_told() -> None:
    """An order number that comes again at its price after its slice was traded: once for each refill of the truth."""
    source = Simulator(9, plants=plants("iceberg", every="5s", at="1s"))
    batch = straight(source, 60)
    new = batch.order_id[(batch.kind == EventKind.MBO_NEW) & (batch.flags == 0)]
    truth = source.planted()
    assert truth["count"].sum() > 10
    for order, count in zip(truth["order_id"], truth["count"]):
        assert np.count_nonzero(new == order) == count + 1


def test_the_future_of_an_event_is_not_told_before_it_has_ended() -> None:
    """The truth at a time holds only events that ended by then; a longer run only adds to it."""
    source = Simulator(2, plants=EVERYTHING)
    straight(source, 6)
    early = source.planted()
    straight(source, 12)
    late = source.planted()
    assert late.height > early.height
    assert late.join(early, on=early.columns, how="semi").height == early.height


def test_a_wall_has_the_fate_that_was_planted() -> None:
    """Consumed, pulled and moved walls say so, and a moved one is pulled at its new price later."""
    told = {}
    for fate in ("consumed", "pulled", "moved"):
        source = Simulator(4, plants=[Plant(kind="wall", at=SECOND_NS, side=1, life=SECOND_NS, fate=fate)])
        straight(source, 10)
        told[fate] = source.planted().select("fate", "price", "price_end").rows()
    assert [row[0] for row in told["consumed"]] == ["consumed"]
    assert [row[0] for row in told["pulled"]] == ["pulled"]
    assert [row[0] for row in told["moved"]] == ["moved", "pulled"]
    assert told["moved"][0][2] == told["moved"][1][1]


@pytest.mark.parametrize("side", [1, -1])
def test_a_sweep_is_one_aggressor_through_the_levels_told(side: int) -> None:
    """Its prints share one aggressor and one time, run over as many prices as told, and sum to the size told."""
    source = Simulator(6, plants=[Plant(kind="sweep", at=SECOND_NS, side=side, count=5)])
    batch = straight(source, 3)
    truth = source.planted().row(0, named=True)
    at = source.start_ns + SECOND_NS
    rows = (batch.kind == EventKind.TRADE) & (batch.ts == at)
    numbers, sizes = np.unique(batch.aggressor_id[rows]), batch.size[rows]
    assert len(numbers) == 1
    assert sizes.sum() == truth["size"]
    assert len(np.unique(batch.price[rows])) == truth["count"] == 5

"""Paper execution: the same rows and commands give the same journal, whatever pieces they come in."""

from __future__ import annotations

import itertools
from decimal import Decimal
from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, EventKind, Instrument
from workbench.feeds.simulator.source import Simulator
from workbench.trading import journal
from workbench.trading.journal import Measured, Noted
from workbench.trading.order import Order
from workbench.trading.paper import COMMAND, Outcome, Paper, rerun
from workbench.trading.paper_commands import (
    Cancel,
    CancelEvery,
    Flatten,
    Halt,
    PaperCommand,
    Place,
    Reduce,
    Replace,
    Resume,
    decode_command,
    encode_command,
)
from workbench.trading.paper_terms import PaperTerms
from workbench.trading.states import OrderStatus
from workbench.trading.terms import Terms

S = OrderStatus
SECOND = 1_000_000_000
SPAN = 12 * SECOND
ES = Instrument("ES", Decimal("0.25"), multiplier=Decimal(50))
Script = list[tuple[int, PaperCommand]]


@cache
def simulated() -> tuple[Instrument, int, tuple[EventBatch, ...]]:
    simulator = Simulator(seed=11)
    instrument = simulator.instruments[0]
    begin = simulator.start_ns
    return instrument, begin, tuple(batch for _, batch in simulator.advance(begin + SPAN))


def play(script: Script, cuts: list[int], terms: PaperTerms) -> Paper:
    """Run a script over the simulated market, handed over in pieces."""
    instrument, begin, batches = simulated()
    paper = Paper(terms.contract(instrument), terms, begin - 1)
    for after, command in script:
        paper.schedule(command, begin + after)
    for batch in batches:
        edges = sorted({0, len(batch), *(cut % (len(batch) + 1) for cut in cuts)})
        for first, end in itertools.pairwise(edges):
            paper.take(batch[first:end])
            paper.advance(int(batch.ts[end - 1]) - 1)
    paper.advance(begin + SPAN)
    return paper


def mid() -> int:
    """A price near the market, ticks."""
    _, _, batches = simulated()
    trades = [int(p) for batch in batches for p in batch.price[batch.kind == EventKind.TRADE]]
    return trades[0]


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    script: Script = []
    for number in range(draw(st.integers(2, 9))):
        name, at = f"o{number}", draw(st.integers(SECOND, SPAN - SECOND))
        side = draw(st.sampled_from([1, -1]))
        kind = draw(st.sampled_from(["MARKET", "LIMIT", "STOP", "TRAILING_STOP", "BRACKET", "IOC"]))
        near = mid() - side * draw(st.integers(-2, 6))
        plain: dict[str, object] = {"order_type": "MARKET"}
        if kind in ("LIMIT", "IOC"):
            plain = {"limit": near, "tif": "IOC" if kind == "IOC" else "GTC"}
        elif kind in ("STOP", "TRAILING_STOP"):
            plain = {"order_type": kind, "stop": mid() + side * draw(st.integers(1, 5))}
            plain |= {"trail": 3} if kind == "TRAILING_STOP" else {}
        elif kind == "BRACKET":
            plain |= {"take_profit": 2, "stop_loss": 3, "trailing": draw(st.integers(0, 2))}
        lots = draw(st.integers(1, 4))
        script.append(
            (at, Place(Terms(client_order_id=name, symbol="ES-SIM", side=side, lots=lots, **plain)))
        )  # type: ignore[arg-type]
        later = at + draw(st.integers(0, SECOND))
        match draw(st.integers(0, 5)):
            case 0:
                script.append((later, Cancel(name)))
            case 1:
                script.append((later, Replace(name, lots=draw(st.integers(1, 5)))))
            case 2:
                script.append((later, Replace(name, limit=near - side)))
            case 3:
                script.append(
                    (later, draw(st.sampled_from([Flatten(), CancelEvery(), Halt(), Resume(), Reduce()])))
                )
    return script


@settings(max_examples=40)
@given(
    script=scripts(),
    cuts=st.lists(st.integers(0, 100_000), max_size=30),
    entry=st.sampled_from([0, 1_000_000, 60_000_000]),
    response=st.sampled_from([0, 2_500_000]),
)
def test_pieces_change_nothing_and_a_run_can_be_made_again(
    script: Script, cuts: list[int], entry: int, response: int
) -> None:
    """One piece, many pieces, and a rerun from the journal's own commands: the same journal, byte for byte."""
    terms = PaperTerms(entry_ns=entry, response_ns=response)
    once, cut = play(script, [], terms), play(script, cuts, terms)
    written = journal.encode(once.desk.journal)
    assert journal.encode(cut.desk.journal) == written
    instrument, begin, batches = simulated()
    again = rerun(terms.contract(instrument), once.desk.journal, batches, begin + SPAN)
    assert journal.encode(again.desk.journal) == written
    times = [record.ts for record in once.desk.journal]
    assert times == sorted(times)


@settings(max_examples=25)
@given(
    script=scripts(),
    late=st.lists(st.integers(0, 900_000_000), max_size=4),
    entry=st.sampled_from([0, 60_000_000, 700_000_000]),
    response=st.sampled_from([0, 2_500_000, 300_000_000]),
)
def test_at_the_end_of_a_stream_nothing_is_under_way_and_everything_can_be_closed(
    script: Script, late: list[int], entry: int, response: int
) -> None:
    """Nothing that was sent before is executed behind the last row; one flattening is enough; made again, it is the same."""
    terms = PaperTerms(entry_ns=entry, response_ns=response)
    instrument, begin, batches = simulated()
    last = [SPAN - before for before in late]
    crowd: Script = [
        (at, Place(Terms(client_order_id=f"last{n}", symbol="ES-SIM", side=1, lots=1, order_type="MARKET")))
        for n, at in enumerate(last)
    ]
    paper = play(script + crowd, [], terms)
    before = len(paper.desk.ledger.executions)
    paper.finish()
    pending = {S.PENDING_NEW, S.PENDING_CANCEL, S.PENDING_REPLACE}
    assert not pending & {order.status for order in paper.desk.ledger.open_orders()}
    heard = [r for r in paper.desk.journal if isinstance(r, journal.Executed)][before:]
    placed_before = {f"last{n}" for n in range(len(late))}
    assert all(r.venue_ts <= begin + SPAN for r in heard if r.client_order_id in placed_before)
    paper.finish()
    paper.schedule(Flatten(), begin + SPAN)
    paper.advance(begin + SPAN)
    assert not paper.at_work and paper.idle
    written = journal.encode(paper.desk.journal)
    again = rerun(terms.contract(instrument), paper.desk.journal, batches, paper.now)
    assert journal.encode(again.desk.journal) == written


def test_what_had_not_reached_the_venue_when_the_stream_ended() -> None:
    """An order ends and says why, a change is refused, a cancel counts; then orders take no time, until time is moved."""
    terms = PaperTerms(entry_ns=700_000_000, response_ns=100_000_000)
    low, at = mid() - 40, SPAN - SECOND // 2
    resting: Script = [
        (SECOND, Place(Terms(client_order_id=name, symbol="ES-SIM", side=1, lots=1, limit=low)))
        for name in ("a", "b", "c")
    ]
    late: Script = [
        (at, Cancel("a")),
        (at, Replace("b", limit=low - 1)),
        (at, Place(Terms(client_order_id="d", symbol="ES-SIM", side=1, lots=1, order_type="MARKET"))),
        (at, Place(Terms(client_order_id="e", symbol="ES-SIM", side=1, lots=1, limit=low))),
        (at + 1, Cancel("e", "by hand")),
    ]
    paper = play(resting + late, [], terms)
    orders, end = paper.desk.ledger.orders, paper.now
    paper.finish()
    assert {name: str(orders[name].status) for name in "abcde"} == {
        "a": "CANCELED",
        "b": "NEW",
        "c": "NEW",
        "d": "CANCELED",
        "e": "CANCELED",
    }
    assert orders["b"].limit == low and orders["b"].reason.startswith("STREAM_ENDED")
    assert orders["d"].reason.startswith("STREAM_ENDED") and orders["e"].reason == "by hand"
    done: list[Outcome] = []
    buy = Terms(client_order_id="f", symbol="ES-SIM", side=1, lots=1, order_type="MARKET")
    paper.schedule(Place(buy), end, done.append)
    paper.advance(end)
    assert orders["f"].status is S.FILLED and len(done) == 1
    paper.schedule(Flatten(), end)
    paper.advance(end)
    _, begin, batches = simulated()
    paper.move(begin - 1, EventBatch.empty())
    paper.take(batches[0])
    paper.schedule(Place(msgspec.structs.replace(buy, client_order_id="g")), begin + SECOND)
    paper.advance(begin + SECOND + 600_000_000)
    assert orders["g"].status is S.PENDING_NEW


# -- one market by hand ------------------------------------------------------------------------------------------------

NO_BOUNDS = PaperTerms()


def rows(first: int, *told: tuple[EventKind, int, int, int]) -> EventBatch:
    """Kind, side, price and size, one millisecond apart."""
    kinds, sides, prices, sizes = zip(*told, strict=True)
    ts = [first + n * 1_000_000 for n in range(len(told))]
    return EventBatch.of(0, ts=ts, kind=list(kinds), side=list(sides), price=list(prices), size=list(sizes))


def opened(terms: PaperTerms = NO_BOUNDS) -> Paper:
    """Ten lots at 99 and at 101."""
    paper = Paper(terms.contract(ES), terms, SECOND)
    book = [(EventKind.DEPTH, 1, 99, 10), (EventKind.DEPTH, -1, 101, 10), (EventKind.SNAPSHOT_END, 0, 0, 0)]
    paper.take(rows(SECOND + 1, *book))
    paper.advance(2 * SECOND)
    return paper


def done(paper: Paper, command: PaperCommand) -> Outcome:
    """Carry out a command now."""
    outcomes: list[Outcome] = []
    paper.schedule(command, paper.now, outcomes.append)
    paper.advance(paper.now)
    return outcomes[0]


def placed(paper: Paper, name: str = "a", side: int = 1, lots: int = 3, **terms: object) -> Order:
    order = done(paper, Place(Terms(client_order_id=name, symbol="ES", side=side, lots=lots, **terms)))  # type: ignore[arg-type]
    assert isinstance(order, Order)
    return order


def happen(paper: Paper, *told: tuple[EventKind, int, int, int]) -> None:
    paper.take(rows(paper.now + 1, *told))
    paper.advance(paper.now + len(told) * 1_000_000)


def test_a_click_that_comes_twice_is_one_order() -> None:
    """The same terms again are the same order, and other terms under its name none."""
    paper = opened()
    first = placed(paper, limit=99)
    assert placed(paper, limit=99) is first and len(paper.desk.ledger.orders) == 1
    assert placed(paper, limit=98).reason.startswith("DUPLICATE_ID_DIFFERENT_ORDER")


def test_a_smaller_size_keeps_the_place_in_the_queue() -> None:
    """Ten lots are ahead of it, before and after; ten that trade fill nothing, the next one does."""
    paper = opened()
    order = placed(paper, limit=99)
    assert done(paper, Replace("a", lots=1)) == ""
    happen(paper, (EventKind.TRADE, -1, 99, 10))
    assert order.filled == 0 and order.lots == 1
    happen(paper, (EventKind.TRADE, -1, 99, 1))
    assert order.status is S.FILLED


@pytest.mark.parametrize("change", [{"lots": 4}, {"limit": 98}])
def test_a_larger_size_or_another_price_goes_to_the_back(change: dict[str, int]) -> None:
    """It arrives anew: what came to its level meanwhile is ahead of it."""
    paper = opened()
    order = placed(paper, limit=99)
    happen(paper, (EventKind.DEPTH, 1, 99, 50), (EventKind.DEPTH, 1, 98, 50))
    assert done(paper, Replace("a", **change)) == ""
    happen(paper, (EventKind.TRADE, -1, change.get("limit", 99), 40))
    assert (order.status, order.filled, order.lots) == (S.NEW, 0, change.get("lots", 3))


def test_post_only_never_takes() -> None:
    """It ends instead, and says why."""
    order = placed(opened(), limit=101, post_only=True)
    assert order.status is S.EXPIRED and order.reason.startswith("POST_ONLY") and not order.filled


def test_latency_is_waited_for_there_and_back() -> None:
    """A command counts when it has arrived, an answer when it has come back; a cancel may come too late."""
    paper = opened(PaperTerms(entry_ns=5_000_000, response_ns=3_000_000))
    order = placed(paper, order_type="MARKET")
    assert order.status is S.PENDING_NEW
    paper.advance(paper.now + 7_999_999)
    assert order.status is S.PENDING_NEW
    assert done(paper, Cancel("a")) == ""
    paper.advance(paper.now + 1)
    assert order.status is S.FILLED and order.changed == 2 * SECOND + 8_000_000
    paper.advance(paper.now + SECOND)
    assert order.status is S.FILLED and paper.desk.ledger.account.position("ES").lots == 3


def test_a_stop_goes_off_between_two_looks() -> None:
    """By the trade that reaches it, in a piece of rows that goes on behind it."""
    paper = opened()
    order = placed(paper, order_type="STOP", stop=103)
    assert order.status is S.SUSPENDED
    happen(paper, (EventKind.TRADE, 1, 101, 1), (EventKind.TRADE, 1, 103, 1), (EventKind.DEPTH, -1, 101, 0))
    assert order.status is S.FILLED and order.high == 101


def test_an_order_expires_at_its_time() -> None:
    """Also where no row comes."""
    paper = opened()
    order = placed(paper, limit=99, tif="GTD", expires=paper.now + 12_345_678)
    paper.advance(paper.now + SECOND)
    assert order.status is S.EXPIRED and order.changed == 2 * SECOND + 12_345_678


def test_gaps_refuse_and_long_ones_halt() -> None:
    """Nothing new while the book is not known; after five seconds with an open order everything is halted."""
    paper = opened()
    order = placed(paper, limit=99)
    happen(paper, (EventKind.GAP, 0, 0, -1))
    assert placed(paper, "b", limit=98).reason.startswith("STREAM_RECONCILING")
    paper.advance(paper.now + 6 * SECOND)
    assert order.status is S.CANCELED and paper.desk.ledger.switch == "HALTED"
    assert "gap" in paper.desk.ledger.reason


def test_prints_within_a_gap_set_off_stops_and_heal_nothing() -> None:
    """A trade says nothing of the book that was lost."""
    paper = opened()
    held = placed(paper, "s", order_type="STOP", stop=103)
    happen(paper, (EventKind.GAP, 0, 0, -1), (EventKind.TRADE, 1, 102, 1))
    assert placed(paper, "b", limit=98).reason.startswith("STREAM_RECONCILING")
    happen(paper, (EventKind.TRADE, 1, 103, 1))
    assert held.status is not S.SUSPENDED
    assert placed(paper, "c", limit=98).reason.startswith("STREAM_RECONCILING")


def test_old_books_and_old_clicks_are_refused() -> None:
    """With how old they are."""
    paper = opened()
    stale = Place(Terms(client_order_id="c", symbol="ES", side=1, lots=1, limit=99), clicked=0 - SECOND)
    order = done(paper, stale)
    assert isinstance(order, Order) and order.reason.startswith("STALE_CLICK: 3.0 s old")
    paper.advance(paper.now + 2 * SECOND)
    assert placed(paper, "d", limit=99).reason.startswith("STALE_BOOK: 3.0 s old")


def test_halted_stays_halted_for_the_next_process() -> None:
    """Its open orders ended, its position and its switch stand, and executions are counted on."""
    paper = opened()
    placed(paper, "m", order_type="MARKET")
    placed(paper, "r", limit=99)
    done(paper, Halt("enough"))
    records = list(journal.decode(journal.encode(paper.desk.journal)))
    after = Paper(NO_BOUNDS.contract(ES), NO_BOUNDS, 10 * SECOND, records)
    ledger = after.desk.ledger
    assert ledger.switch == "HALTED" and ledger.account.position("ES").lots == 3 and not ledger.live
    book = [(EventKind.DEPTH, 1, 99, 10), (EventKind.DEPTH, -1, 101, 10), (EventKind.SNAPSHOT_END, 0, 0, 0)]
    happen(after, *book)
    assert placed(after, "n", limit=99).reason.startswith("TRADING_HALTED: enough")
    assert done(after, Resume()) == "" and done(after, Flatten()) == ""
    assert ledger.account.position("ES").lots == 0 and len(ledger.executions) == 2


DAY = 86_400 * SECOND


def before_midnight() -> Paper:
    """Three lots bought a second before midnight, and the bid is gone to 95."""
    paper = Paper(NO_BOUNDS.contract(ES), NO_BOUNDS, DAY - 2 * SECOND)
    book = [(EventKind.DEPTH, 1, 99, 10), (EventKind.DEPTH, -1, 101, 10), (EventKind.SNAPSHOT_END, 0, 0, 0)]
    happen(paper, *book)
    placed(paper, order_type="MARKET")
    happen(paper, (EventKind.DEPTH, 1, 99, 0), (EventKind.DEPTH, 1, 95, 10))
    return paper


def test_a_day_is_measured_from_midnight() -> None:
    """To the nanosecond, however time passes; and a new process knows which day it is."""
    paper, pieces = before_midnight(), before_midnight()
    paper.advance(DAY + 5)
    for until in (DAY - 1, DAY, DAY + 1, DAY + 5):
        pieces.advance(until)
    assert journal.encode(paper.desk.journal) == journal.encode(pieces.desk.journal)
    days = [r for r in paper.desk.journal if isinstance(r, Measured) and r.new_day]
    # bought at 101, the mid is 98: 3 lots, 3 ticks of 12.5
    assert [(r.ts, r.equity) for r in days] == [(DAY, "199775/2")]
    assert paper.desk.ledger.day_start == "199775/2"
    records = list(journal.decode(journal.encode(paper.desk.journal)))
    for now, count in ((DAY + 9, 1), (2 * DAY, 2)):
        again = Paper(NO_BOUNDS.contract(ES), NO_BOUNDS, now, records)
        assert sum(isinstance(r, Measured) and r.new_day for r in again.desk.journal) == count


def test_a_day_begins_where_the_terms_say() -> None:
    """Of the CME at 17:00 in Chicago, 23:00 UTC in winter: midnight, UTC, is in the middle of it."""
    terms = msgspec.structs.replace(NO_BOUNDS, day="17:00 America/Chicago")
    paper = Paper(terms.contract(ES), terms, DAY - 2 * SECOND)
    paper.advance(2 * DAY)
    days = [r.ts for r in paper.desk.journal if isinstance(r, Measured) and r.new_day]
    assert days == [2 * DAY - 3_600 * SECOND]
    records = list(journal.decode(journal.encode(paper.desk.journal)))
    again = Paper(terms.contract(ES), terms, 3 * DAY - 3_600 * SECOND - 1, records)
    assert sum(isinstance(r, Measured) and r.new_day for r in again.desk.journal) == 1
    with pytest.raises(WorkbenchError, match="trading day"):
        PaperTerms(day="5 pm")


def test_time_moves_only_for_a_flat_account() -> None:
    """Open orders belong to the time they were placed in."""
    paper = opened()
    order = placed(paper, limit=99)
    with pytest.raises(WorkbenchError, match="flat paper account"):
        paper.move(SECOND, EventBatch.empty())
    done(paper, Cancel("a"))
    paper.move(SECOND, EventBatch.empty())
    assert order.status is S.CANCELED and paper.now == SECOND and not paper.desk.markets


def test_rows_behind_completed_time_count_at_the_next() -> None:
    """They are counted, and nothing goes backwards."""
    paper = opened()
    order = placed(paper, limit=99)
    paper.take(rows(SECOND, (EventKind.TRADE, -1, 98, 5)))
    paper.advance(paper.now + 1)
    assert paper.late == 1 and order.status is S.FILLED and order.changed == 2 * SECOND + 1


def test_commands_are_kept_as_text() -> None:
    """What is read is what was written."""
    terms = Terms(client_order_id="a", symbol="ES", side=1, lots=1, limit=5)
    for command in (Place(terms, 7), Cancel("a", "x"), Replace("a", 1, 2, 3), Flatten(), Halt("y"), Resume()):
        assert decode_command(encode_command(command)) == command
    paper = opened()
    done(paper, Flatten())
    kept = [r.reason for r in paper.desk.journal if isinstance(r, Noted) and r.what == COMMAND]
    assert kept == [encode_command(Flatten())]

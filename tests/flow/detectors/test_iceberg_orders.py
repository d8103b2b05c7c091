"""Native and synthetic icebergs: the rules by hand, then any chunking and any cut."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.detectors import K, assert_chunks_and_cuts, found, rows, simulated
from workbench.errors import WorkbenchError
from workbench.events import Flag, Instrument
from workbench.flow.detectors.iceberg_orders import NativeIcebergs, SyntheticIcebergs

X = Instrument("X", "0.25")
MS = 1_000_000
END, START = int(Flag.EXEC_END), int(Flag.EXEC_START)
NATIVE_SLICE = (
    (5, K.MBO_NEW, 1, 100, 4, 11),
    (9, K.TRADE, -1, 100, 4, 11, 77, START | END),
    (9, K.MBO_CANCEL, 0, 100, 0, 11),
    (9, K.MBO_NEW, 1, 100, 4, 11),
)


@pytest.fixture(scope="module")
def market():  # type: ignore[no-untyped-def]
    """A market with icebergs of both kinds."""
    return simulated(kinds=("iceberg", "synthetic_iceberg"))


def natives(*events: tuple, **parameters: int):  # type: ignore[no-untyped-def]
    return found(NativeIcebergs(X, **parameters), [rows(*events)])


def test_same_id_shown_again_after_its_execution_is_a_refill() -> None:
    """4 shown, 4 executed, 4 shown again: 4 revealed; whole known size 8 = 2 peaks."""
    seen = natives(*NATIVE_SLICE)
    assert seen.price.tolist() == [100_000]
    assert (seen.side.tolist(), seen.score.tolist(), seen.sequence.tolist()) == ([1], [2.0], [5])
    evidence = {
        name: values[0] for name, values in seen.evidence.items() if not name.startswith(("rem", "half"))
    }
    assert evidence == {
        "order_id": 11, "first_order_id": 11, "refills": 1, "executed_lots": 4, "shown_before_lots": 4,
        "shown_after_lots": 4, "revealed_lots": 4, "executed_total_lots": 4, "peak_lots": 4, "started_ts": 5,
    }  # fmt: skip
    assert np.isnan(seen.evidence["remaining_lots"][0])


def test_more_executed_than_shown_is_paid_by_the_refill() -> None:
    """3 shown, 13 executed, 2 shown again: 2 − (3 − 13) = 12 revealed."""
    seen = natives(
        (5, K.MBO_NEW, 1, 100, 3, 11),
        (9, K.MBO_REPLACE, 1, 100, 13, 11, 0, START),
        (9, K.MBO_REPLACE, 1, 100, 0, 11, 0, END),
        (9, K.MBO_REPLACE, 1, 100, 2, 11),
    )
    assert seen.evidence["revealed_lots"].tolist() == [12]
    assert seen.evidence["executed_lots"].tolist() == [13]


@pytest.mark.parametrize(
    "last",
    [
        (9, K.MBO_REPLACE, 0, 100, 2, 11),  # what the execution left: an ordinary partial fill
        (10, K.MBO_REPLACE, 0, 100, 9, 11),  # later: changed by hand
        (9, K.MBO_REPLACE, 0, 101, 9, 11),  # elsewhere
        (9, K.MBO_NEW, 1, 100, 9, 12),  # another order
    ],
)
def test_what_is_no_refill(last: tuple) -> None:
    """Neither what is left, nor a later change, nor another price or order is a refill."""
    seen = natives((5, K.MBO_NEW, 1, 100, 4, 11), (9, K.TRADE, -1, 100, 2, 11, 77, START | END), last)
    assert len(seen.ts) == 0


def test_refill_within_an_open_execution_or_in_time() -> None:
    """Between EXEC_START and EXEC_END a later stamp is still the same execution; without marks `within_ns` decides."""
    marked = (*NATIVE_SLICE[:1], (9, K.TRADE, -1, 100, 4, 11, 77, START), (12, K.MBO_CANCEL, 0, 100, 0, 11))
    again = (14, K.MBO_NEW, 1, 100, 4, 11)
    assert len(natives(*marked, again).ts) == 1
    plain = (*NATIVE_SLICE[:1], (9, K.TRADE, -1, 100, 4, 11, 77), (9, K.MBO_CANCEL, 0, 100, 0, 11))
    assert len(natives(*plain, again).ts) == 0
    assert len(natives(*plain, again, within_ns=5).ts) == 1


@pytest.mark.parametrize("kind", [K.CLEAR, K.GAP])
def test_orders_are_forgotten_at_a_break(kind: K) -> None:
    """Behind CLEAR and GAP nothing is reported until a snapshot ended; a gap waits for a CLEAR first."""
    cut = (20, kind, 0, 0, 1)
    late = [(ts + 30, *rest) for ts, *rest in NATIVE_SLICE]
    assert len(natives(*NATIVE_SLICE, cut, *late).ts) == 1
    assert len(natives(*NATIVE_SLICE, cut, (25, K.SNAPSHOT_END), *late).ts) == (2 if kind == K.CLEAR else 1)
    whole = (cut, (24, K.CLEAR), (25, K.SNAPSHOT_END), *late)
    assert len(natives(*NATIVE_SLICE, *whole).ts) == 2


def synthetic_chain(slices: int, size: int = 17, wait_ms: int = 5, first: int = 50) -> list[tuple]:
    """Orders of one size, each executed completely, the next ``wait_ms`` later."""
    events = []
    for i in range(slices):
        ts, order = (10 + i * 20) * MS, first + i
        events += [
            (ts, K.MBO_NEW, -1, 200, size, order),
            (ts + (20 - wait_ms) * MS, K.TRADE, 1, 200, size, order, 900 + i, START | END),
            (ts + (20 - wait_ms) * MS, K.MBO_CANCEL, 0, 200, 0, order),
        ]
    return events


def others(count: int) -> list[tuple]:
    """Orders of other sizes elsewhere, so that a repeated size is a surprise."""
    return [(1 * MS, K.MBO_NEW, 1, 150 - i % 10, 1 + i % 7, 1000 + i) for i in range(count)]


def test_orders_of_one_size_in_turn_are_a_chain() -> None:
    """Known from the second successor on; −log₁₀ of the shares 2/101 and 3/102 is 1.70 + 1.53 = 3.23."""
    events = [*others(99), *synthetic_chain(4)]
    seen = found(SyntheticIcebergs(X), [rows(*events)])
    assert seen.evidence["refills"].tolist() == [2, 3]
    assert seen.evidence["first_order_id"].tolist() == [50, 50]
    assert seen.evidence["executed_total_lots"].tolist() == [34, 51]
    # shares at entry: of 99 + 1 orders one had this size, then of 101 two: (1+1)/(100+1), (2+1)/(101+1)
    assert seen.score[0] == pytest.approx(-np.log10(2 / 101) - np.log10(3 / 102), abs=1e-5)
    assert seen.side.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("change", "value"),
    [("within_ns", 4 * MS), ("min_peak_lots", 18), ("min_surprise", 9.0), ("min_refills", 4)],
)
def test_parameters_of_the_chain(change: str, value: float) -> None:
    """Too late, too small, too likely or too few: nothing."""
    events = [*others(99), *synthetic_chain(4)]
    assert len(found(SyntheticIcebergs(X, **{change: value}), [rows(*events)]).ts) == 0


def test_rest_of_an_iceberg_from_those_before() -> None:
    """Three chains of 5 slices ended; after 2 slices executed of the fourth, 3 slices of 17 lots are left."""
    events = others(1999)
    for n in range(4):
        shift = n * 1_000 * MS
        chain = synthetic_chain(5, first=50 + 100 * n)
        events += [(ts + shift, *rest) for ts, *rest in chain]
    seen = found(SyntheticIcebergs(X), [rows(*events)])
    assert np.isnan(seen.evidence["remaining_lots"][0])
    last = np.flatnonzero(seen.evidence["first_order_id"] == 350)
    assert seen.evidence["remaining_lots"][last].tolist() == pytest.approx([51.0, 34.0, 17.0])
    assert seen.evidence["half_remaining_lots"][last].tolist() == pytest.approx([51.0, 34.0, 17.0])


@pytest.mark.parametrize("kind", [NativeIcebergs, SyntheticIcebergs])
def test_any_chunking_and_no_look_ahead(kind, market) -> None:  # type: ignore[no-untyped-def]
    """A simulated market with icebergs in it gives the same in any pieces, and nothing before a cut changes."""
    assert assert_chunks_and_cuts(lambda: kind(X), market, seed=1) > 0


def test_bad_parameters_are_refused() -> None:
    """A negative time or no refill at all makes no sense."""
    with pytest.raises(WorkbenchError, match="within_ns of -1"):
        NativeIcebergs(X, within_ns=-1)
    with pytest.raises(WorkbenchError, match="min_refills of 0"):
        SyntheticIcebergs(X, min_refills=0)

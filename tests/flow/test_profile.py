"""Volume profile, point of control and value area."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.books import chunks
from tests.support.trades import COARSE, FINE, Trades, plain_prints, prints, trade_streams
from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.flow.prints import Prints
from workbench.flow.profile import ProfileBuilder, volume_profile

METHODS = ["two_row", "one_row", "traded_only"]
POINTS = Instrument("X", 1)


def plain_area(volumes: dict[int, int], method: str, share: Fraction) -> tuple[int, int, int]:
    """Point of control, lowest and highest row of the area, row by row over a dense list."""
    low, high = min(volumes), max(volumes)
    rows = sorted(volumes) if method == "traded_only" else list(range(low, high + 1))
    lots = [volumes.get(row, 0) for row in rows]
    at = lots.index(max(lots))
    step = 2 if method == "two_row" else 1
    first, last, held = at, at, lots[at]
    while held < share * sum(lots):
        up, down = lots[last + 1 : last + 1 + step], lots[max(first - step, 0) : first]
        if up and (not down or sum(up) >= sum(down)):
            last, held = last + len(up), held + sum(up)
        else:
            first, held = first - len(down), held + sum(down)
    return rows[at], rows[first], rows[last]


@given(
    batch=trade_streams(),
    cuts=st.lists(st.integers(0, 90), max_size=5),
    method=st.sampled_from(METHODS),
    row_ticks=st.sampled_from([1, 2, 7]),
    share=st.sampled_from([0.3, 0.7, 0.99, 1.0]),
)
def test_the_profile_is_that_of_a_plain_program(
    batch: EventBatch, cuts: list[int], method: str, row_ticks: int, share: float
) -> None:
    """Rows, point of control and area equal a dense list grown row by row, in any chunking."""
    builder = ProfileBuilder(FINE, row_ticks)
    for part in chunks(batch, cuts):
        builder.apply(part)
    profile = builder.profile(share, method)
    whole = volume_profile(Trades(batch, FINE), share, method, row_ticks)
    assert whole == profile
    assert whole.frame.equals(profile.frame)
    volumes: dict[int, int] = {}
    for _, price, size, _ in plain_prints(batch):
        row = price // (1000 * row_ticks)
        volumes[row] = volumes.get(row, 0) + size
    if not volumes:
        assert (profile.poc, profile.vah, profile.val, profile.volume) == (None, None, None, 0)
        return
    poc, low, high = plain_area(volumes, method, Fraction(str(share)))
    edges = [float(FINE.price(row * row_ticks)) for row in (poc, high, low)]
    assert [profile.poc, profile.vah, profile.val] == edges == [whole.poc, whole.vah, whole.val]
    assert profile.frame["price"].to_list() == [float(FINE.price(r * row_ticks)) for r in sorted(volumes)]
    assert profile.frame["volume"].to_list() == [float(FINE.size(volumes[r])) for r in sorted(volumes)]
    parts = profile.frame["buy"] + profile.frame["sell"] + profile.frame["unknown"]
    assert np.allclose(parts.to_numpy(), profile.frame["volume"].to_numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("method", "val", "vah"), [("one_row", 1, 6), ("two_row", 2, 8), ("traded_only", 1, 6)]
)
def test_the_oracle_of_the_definitions(method: str, val: int, vah: int) -> None:
    """h = 5, 10, 20, 15, 40, 12, 30, 8, 25, 3: one row at a time gives rows 1–6, two rows give 2–8."""
    batch = prints(list(range(10)), [5, 10, 20, 15, 40, 12, 30, 8, 25, 3])
    profile = volume_profile(Trades(batch, POINTS), method=method)
    assert (profile.poc, profile.val, profile.vah, profile.volume) == (4, val, vah, 168)


def test_of_equal_rows_the_lowest_is_the_point_of_control() -> None:
    """Two rows of 5: the lower one."""
    assert volume_profile(Trades(prints([11, 10], [5, 5]), POINTS)).poc == 10


def test_empty_rows_count_but_cost_nothing() -> None:
    """A print two billion ticks away is reached row by row in thought and at once in fact."""
    profile = volume_profile(Trades(prints([100, 2**31 - 1], [6, 4]), POINTS), 0.9, "one_row")
    assert (profile.val, profile.vah, profile.value_area_volume) == (100, 2**31 - 1, 10)


def test_rows_are_anchored_at_price_zero() -> None:
    """Rows of 4 ticks: prices −1 and 3 lie in the rows at −4 and 0."""
    profile = volume_profile(Trades(prints([-1, 3], [1, 2]), COARSE), row_ticks=4)
    assert profile.frame["price"].to_list() == [-1.0, 0.0]
    assert (profile.poc, profile.poc_volume) == (0.0, 2.0)


@pytest.mark.parametrize(
    "wrong", [{"method": "three_row"}, {"value_area": 0}, {"value_area": 1.1}, {"row_ticks": 0}]
)
def test_wrong_arguments_are_refused(wrong: dict[str, object]) -> None:
    """An unknown method, a share outside (0, 1] and a height below 1 raise at once."""
    with pytest.raises(WorkbenchError):
        volume_profile(Trades(prints([1], [1]), POINTS), **wrong)


@pytest.mark.parametrize("row_ticks", [1, 3, 25, 1000])
@pytest.mark.parametrize("far", [0, 10**6, 2**30])
def test_many_trades_at_once_count_as_few_at_a_time_do(row_ticks: int, far: int) -> None:
    """Dense rows and hashed rows hold the same volumes: negative prices, jumps, sub-ticks, unknown aggressors."""
    rng = np.random.default_rng(row_ticks + far)
    count = 30_000
    ticks = rng.integers(-2, 3, count).cumsum() - 40 + np.where(np.arange(count) % 11_000 > 9000, far, 0)
    price = ticks * 1000 + np.where(rng.random(count) < 0.1, rng.integers(1, 1000, count), 0)
    size = rng.integers(1, 10**9, count)
    side = rng.integers(-1, 2, count).astype(np.int8)
    trades = Prints(np.arange(count), price, size, side)
    at_once, by_hash = ProfileBuilder(COARSE, row_ticks), ProfileBuilder(COARSE, row_ticks)
    at_once.update(trades)
    for start in range(0, count, 1000):
        by_hash.update(Prints(*(column[start : start + 1000] for column in trades)))
    assert at_once.rows().tolist() == by_hash.rows().tolist()
    at_once.forget(trades)
    assert not len(at_once.rows())

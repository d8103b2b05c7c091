"""Weighted mid and Stoikov's micro-price against their worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import workbench as wb
from tests.support.books import chunks, depth_streams
from tests.support.touches import Recorded, random_states, states
from workbench.errors import WorkbenchError
from workbench.flow.microprice import Fair, MicropriceStream, microprice
from workbench.flow.microprice_model import MicropriceModel, fixed_point

CUTS = st.lists(st.integers(0, 130), max_size=4)


def test_the_weighted_mid_of_the_definition():
    """(100·20 + 101·80) / 100 = 100.8 ticks of 0.5: 50.4."""
    found = microprice(Recorded([states([(100, 80, 101, 20)])]))
    assert found["microprice"].to_list() == [pytest.approx(50.4, rel=1e-15)]
    assert found["mid"].to_list() == [50.25]
    assert found["method"].to_list() == ["weighted_mid"]


def test_the_series_of_the_definition():
    """Q = [[.5, .2], [.2, .5]], R·K = [−.1, .1], next state even: G1 = (1 − Q)⁻¹·R·K = [−1/7, 1/7], B·G1 = 0."""
    stays = np.array([[0.5, 0.2], [0.2, 0.5]])
    jump = np.array([[0.25, 0.05], [0.05, 0.25]]) @ [-0.5, 0.5]
    moves = np.full((2, 2), 0.15)
    np.testing.assert_allclose(fixed_point(stays, jump, moves), [-1 / 7, 1 / 7], rtol=1e-14)


def test_the_series_is_summed_to_its_end():
    """With B·G1 = G1/2, the sum is 2·G1: next states that keep half of the difference."""
    moves = np.array([[0.75, 0.25], [0.25, 0.75]])
    np.testing.assert_allclose(fixed_point(np.zeros((2, 2)), np.array([-0.5, 0.5]), moves), [-1, 1])


def test_a_series_without_an_end_is_refused():
    """A market whose mid always rises has no fair price."""
    with pytest.raises(WorkbenchError, match="does not converge"):
        fixed_point(np.zeros((1, 1)), np.array([0.5]), np.ones((1, 1)))


def one_tick_market(count: int, seed: int) -> list[tuple[int, int, int, int]]:
    """Two states, bid-heavy (3:1) and ask-heavy (1:3), that move and follow each other as the definition has it.

    From the bid-heavy state: .5 stay, .2 to the other; .25 up half a tick (here a whole one), .05 down; then even odds.
    """
    rng = np.random.default_rng(seed)
    heavy, price, found = True, 1000, []
    for draw, coin in rng.random((count, 2)):
        size = (30, 10) if heavy else (10, 30)
        # the quantity beside the ratio makes every change a change
        k = 1 + len(found) % 2
        found.append((price, size[0] * k, price + 1, size[1] * k))
        up = 1 if heavy else -1
        if draw < 0.5:
            continue
        if draw < 0.7:
            heavy = not heavy
        else:
            price += up if draw < 0.95 else -up
            heavy = coin < 0.5
    return found


def test_a_fit_recovers_what_was_planted():
    """With jumps of one tick the definition's model has G* = ∓2/7 ticks; a hundred thousand changes find it."""
    model = MicropriceModel.fit(Recorded([states(one_tick_market(100_000, 5))]), buckets=2, max_spread=1)
    np.testing.assert_allclose(model.adjustment[:, 0], [-2 / 7, 2 / 7], atol=0.01)
    assert model.adjustment[0, 0] == pytest.approx(-model.adjustment[1, 0], rel=1e-12)
    assert model.observations.sum() == 99_999


def test_a_fit_is_labelled_by_whether_it_saw_the_data():
    """Fitted on the same data is not the same thing as fitted before."""
    source = Recorded([states(one_tick_market(3000, 1))])
    model = MicropriceModel.fit(source)
    assert microprice(source, model)["method"].unique().to_list() == ["stoikov"]
    fitted = microprice(source, "fit")
    assert fitted["method"].unique().to_list() == ["stoikov_in_sample"]
    assert fitted["microprice"].equals(microprice(source, model)["microprice"])
    # in real prices: the bid-heavy state stands above the mid
    heavy = fitted.filter(fitted["weighted_mid"] > fitted["mid"])
    assert (heavy["microprice"] > heavy["mid"]).all()


def test_states_that_were_not_seen_are_unknown():
    """A spread of 2 ticks that the model never saw has no micro-price; equal queues are worth the mid."""
    model = MicropriceModel.fit(Recorded([states(one_tick_market(3000, 1))]), max_spread=2)
    assert np.isnan(model.adjustment[:, 1]).all()
    assert "2 states known, 2999 changes" in repr(model)
    found = microprice(Recorded([states([(100, 30, 102, 10), (100, 30, 101, 10)])]), model)
    assert found["microprice"].is_null().to_list() == [True, False]


def test_a_market_that_never_moves_cannot_be_fitted():
    """There is nothing to learn about moves."""
    with pytest.raises(WorkbenchError, match="did not move"):
        MicropriceModel.fit(Recorded([states([(100, 1, 101, 1), (100, 2, 101, 1)])]))
    with pytest.raises(WorkbenchError, match="buckets ≥ 2"):
        MicropriceModel.fit(Recorded([]), buckets=1)
    with pytest.raises(WorkbenchError, match="MicropriceModel"):
        microprice(Recorded([]), "stoikov")


def test_mirrored_markets_have_mirrored_models():
    """Bids for asks and up for down: the adjustment changes its sign and its row."""
    levels = [s for s in random_states(np.random.default_rng(2), 4000, gaps=0) if s and s[1] and s[3]]
    mirrored = [(-ask, a, -bid, b) for bid, b, ask, a in levels]
    one, other = (MicropriceModel.fit(Recorded([states(x)]), buckets=4) for x in (levels, mirrored))
    np.testing.assert_allclose(one.adjustment, -one.adjustment[::-1], atol=1e-12)
    assert np.isfinite(one.adjustment).all()
    assert one.observations.sum() == other.observations.sum()


def streamed(parts, model, *, close: bool = True) -> Fair:
    stream = MicropriceStream(model)
    pieces = [stream.update(part) for part in parts] + ([stream.close()] if close else [])
    return Fair(*(np.concatenate([np.empty(0), *column]) for column in zip(*pieces)))


MODEL = MicropriceModel(np.linspace(-0.4, 0.4, 5)[:, None] * [[1.0, 2.0]], np.ones((5, 2), np.int64))


@given(stream=depth_streams(), cuts=CUTS, keep=st.integers(0, 120))
def test_chunks_and_the_future_change_nothing(stream, cuts, keep):
    """Pieces give the same bits, and what follows leaves what was told."""
    whole = streamed([stream], MODEL)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(whole, streamed(chunks(stream, cuts), MODEL)))
    short = streamed([stream[: keep % (len(stream) + 1)]], MODEL, close=False)
    assert all(a[: len(b)].tobytes() == b.tobytes() for a, b in zip(whole, short))


def test_gaps_and_empty_sides_are_null():
    """No price where there is no book on both sides."""
    levels = [(100, 8, 101, 2), (100, 8, 101, 0), None, (100, 8, 101, 2)]
    found = microprice(Recorded([states(levels)]))
    assert found["microprice"].is_null().to_list() == [False, True, True, False]


def test_the_last_row_is_the_books_own():
    """The weighted mid at the end is what the session's book answers."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("5s")
    assert wb.microprice(s)["microprice"][-1] == pytest.approx(s.book.microprice, rel=1e-12)

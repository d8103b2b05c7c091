"""Integrated order flow imbalance: weights, labels, nulls."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import workbench as wb
from tests.support.touches import Recorded, random_states, states
from workbench.errors import WorkbenchError
from workbench.flow.integrated_ofi import IntegratedOfi
from workbench.flow.ofi import ofi
from workbench.flow.regression import regress

SECOND = 1_000_000_000


def test_weights_are_the_first_component_over_its_l1_norm():
    """Against numpy's singular values of the centred flows; applied, they give the weighted sum of each bucket."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("60s")
    model = IntegratedOfi.fit(s, levels=3, every="1s")
    frame = ofi(s, levels=3, every="1s")
    flows = frame.select(pl.col("^ofi_.*$") / pl.col("depth")).drop_nulls().to_numpy()
    _, singular, vectors = np.linalg.svd(flows - flows.mean(axis=0))
    first = vectors[0] * np.sign(vectors[0].sum())
    np.testing.assert_allclose(model.weights, first / np.abs(first).sum(), rtol=1e-9)
    assert model.explained == pytest.approx(singular[0] ** 2 / (singular**2).sum())
    found = model.over(s)
    np.testing.assert_allclose(found["ofi"].drop_nulls().to_numpy(), flows @ model.weights, rtol=1e-12)


def test_with_one_level_it_is_flow_over_depth():
    """A weight of 1, and null behind a gap as the flow itself is."""
    levels = random_states(np.random.default_rng(5), 400)
    source = Recorded([states(levels, [k * SECOND // 4 for k in range(400)])])
    model = IntegratedOfi.fit(source, levels=1, every="1s")
    frame = ofi(source, every="1s")
    assert model.weights == (1.0,)
    expected = (frame["ofi"] / frame["depth"]).to_list()
    assert model.over(source)["ofi"].to_list() == pytest.approx(expected)
    assert model.over(source)["ofi"].null_count() > 1


def test_flow_moves_the_mid_of_a_thin_book():
    """Levels of n lots that are eaten one after the other: the slope is about 1/(2n), as the model of the paper has it."""
    rng = np.random.default_rng(8)
    n, price, resting, levels = 20, 1000, 20, []
    for step in rng.integers(-6, 7, 6000):
        # flow takes from one side; what it takes away moves both prices by a tick
        resting += int(step)
        if resting <= 0 or resting > n:
            price += 1 if resting > n else -1
            resting = n // 2
        levels.append((price, resting, price + 1, n + 1 - resting))
    source = Recorded([states(levels, [k * SECOND // 20 for k in range(len(levels))])])
    frame = ofi(source, every="1s").drop_nulls()
    lots = frame["ofi"].to_numpy() / 0.1
    found = regress(frame["mid_change"].to_numpy(), lots)
    assert found.slopes[0] > 0
    assert found.t[0] > 5


def test_too_little_data_is_refused():
    """Components need more buckets than levels, and flows that differ."""
    few = Recorded([states([(100, 1, 101, 1), (100, 2, 101, 1)])])
    with pytest.raises(WorkbenchError, match="at least 3"):
        IntegratedOfi.fit(few, levels=2)
    still = Recorded(
        [states([(100, 1 + k % 2, 101, 1) for k in range(10)], [k * SECOND // 2 for k in range(10)])]
    )
    with pytest.raises(WorkbenchError, match="never differ"):
        IntegratedOfi.fit(still, levels=1)

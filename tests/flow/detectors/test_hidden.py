"""Hidden executions as the venue marks them."""

from __future__ import annotations

import pytest

from tests.support.detectors import K, found, rows
from workbench.errors import WorkbenchError
from workbench.events import Flag, Instrument
from workbench.flow.detectors.hidden import HiddenExecutions

X = Instrument("X", "0.01")


def test_marked_prints_only() -> None:
    """A hidden print between two ticks is found with its exact price; the resting side is opposite the aggressor."""
    batch = rows((1, K.TRADE, 1, 200, 15), (2, K.TRADE, 1, 200, 30, 0, 0, int(Flag.HIDDEN) | 500 << 6))
    seen = found(HiddenExecutions(X), [batch])
    assert (seen.price.tolist(), seen.side.tolist(), seen.score.tolist()) == ([200_500], [-1], [30.0])
    assert len(found(HiddenExecutions(X, min_lots=31), [batch]).ts) == 0


def test_bad_parameters_are_refused() -> None:
    """Less than one lot makes no sense."""
    with pytest.raises(WorkbenchError):
        HiddenExecutions(X, min_lots=0)

"""Batches of whatever holds some, and all their rows as one."""

from __future__ import annotations

import pytest

import workbench as wb
from tests.support.gapped import Gapped
from workbench.errors import EventError
from workbench.events import EventKind
from workbench.flow.batches import event_batches, joined_rows


def test_rows_on_both_sides_of_a_hole_are_one_batch() -> None:
    """Every row stands, the one that tells of the hole too; numbers go on without it."""
    with pytest.raises(EventError, match="batch at sequence 11 after 4"):
        wb.EventBatch.concatenate(Gapped().batches())
    joined = joined_rows(event_batches(Gapped()))
    assert joined.sequence.tolist() == list(range(13))
    assert joined.kind.tolist()[:6] == [6, 1, 1, 7, EventKind.GAP, 6]


def test_without_holes_it_is_concatenation() -> None:
    """Numbers and rows are the same; one batch is itself, and none is an empty one."""
    last = Gapped().parts[-1]
    assert joined_rows([last[:3], last[3:3], last[3:]]) == last
    assert joined_rows([last]) is last
    assert len(joined_rows([])) == 0

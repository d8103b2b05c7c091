"""Gates: every detector finds what was planted for it, and invents little, at its default parameters."""

from __future__ import annotations

import pytest

from workbench.lab.score_cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_detector_reaches_its_floors_on_planted_truth(case: Case) -> None:
    """Precision and recall at the defaults, over two seeds and three minutes each, are at least what is promised."""
    card = case.score(curve=False, seeds=(11, 12), duration="3m")
    precision, recall = case.floor
    assert card.frame["planted"][0] >= 20
    assert card.precision >= precision, card.frame
    assert card.recall >= recall, card.frame

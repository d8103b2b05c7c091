"""The report on detectors: tables land between their marks, and the document has a place for each."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from workbench.lab.detector_report import table, written
from workbench.lab.score_cases import CASES
from workbench.lab.scoring import Scorecard

PAGE = Path(__file__).parents[2] / "docs" / "detectors.md"


def test_tables_replace_what_stood_between_their_marks_and_nothing_else() -> None:
    """Twice the same: writing again changes nothing."""
    text = "before\n<!-- scores: A -->\nold\nrows\n<!-- end -->\nafter\n<!-- scores: B -->\n<!-- end -->\n"
    once = written(text, {"A": "| a |", "C": "| c |"})
    assert once == text.replace("old\nrows", "| a |")
    assert written(once, {"A": "| a |"}) == once


def test_a_table_has_a_row_per_trial_and_a_dash_where_nothing_can_be_said() -> None:
    """Precision of a detector that reported nothing is no number."""
    row = {"parameter": "", "value": "", "planted": 4, "hits": 0, "repeats": 0, "false": 0, "missed": 4}
    card = Scorecard("Blind", pl.DataFrame([{**row, "precision": float("nan"), "recall": 0.0, "f1": 0.0}]))
    assert table(card).splitlines()[2] == "| defaults |  | – | 0.00 | 0.00 | 4 | 0 | 0 | 0 | 4 |"


def test_the_document_has_a_table_for_every_detector_that_is_scored() -> None:
    """With a row for its defaults and one for every value tried."""
    text = PAGE.read_text(encoding="utf-8")
    for case in CASES:
        section = text.split(f"<!-- scores: {case.name} -->\n")[1].split("<!-- end -->")[0]
        assert len(section.splitlines()) == 3 + sum(len(values) for values in case.grid.values())

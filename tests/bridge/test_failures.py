"""Our own exceptions: counted all, kept a few, printed at most once a second."""

from __future__ import annotations

import logging

import pytest

from workbench.bridge.failures import MAX_EXAMPLES, TELL_NS, Failures


def test_every_failure_counts_and_the_first_are_kept() -> None:
    """The first ones say what began it; texts are cut."""
    failures = Failures()
    for number in range(20):
        failures.take(ValueError(f"bug {number} " + "x" * 1_000), "a line", 0)
    assert failures.count == 20 and len(failures.examples) == MAX_EXAMPLES
    assert failures.examples[0].startswith("a line: ValueError: bug 0") and len(failures.examples[0]) < 400


def test_the_log_gets_one_a_second_in_ascii(caplog: pytest.LogCaptureFixture) -> None:
    """Bookmap keeps every line that is printed, on a code page of its own."""
    failures = Failures()
    with caplog.at_level(logging.ERROR, "workbench.bridge"):
        for mono in (0, 1, TELL_NS - 1, TELL_NS):
            failures.take(ValueError("日経"), "a line", mono)
    assert len(caplog.messages) == 2 and all(text.isascii() for text in caplog.messages)

"""Versions."""

from __future__ import annotations

import pytest

from workbench.protocol.version import mismatch


@pytest.mark.parametrize("peer", ["1.0", "1.7", "1"])
def test_same_major_number_fits(peer: str) -> None:
    """Minor versions only add."""
    assert mismatch(peer=peer, peer_name="bridge", own_name="workbench") is None


@pytest.mark.parametrize(
    ("peer", "spoken"), [("2.0", "2"), ("0.9", "0"), ("x" * 99, "x" * 12), ("", "nothing")]
)
def test_other_major_number_names_both_sides(peer: str, spoken: str) -> None:
    """Whoever reads it knows which side is older, and what to do."""
    text = mismatch(peer=peer, peer_name="bridge", own_name="workbench")
    assert text == f"bridge speaks {spoken}, workbench 1: pip install -U orderflow-workbench"

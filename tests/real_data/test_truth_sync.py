"""When Binance's books are true, and what of the files was counted: against the figures of a plain program."""

from __future__ import annotations

import pytest

from tests.support.truth import Case


@pytest.fixture(scope="session", params=["usdm", "spot"])
def binance(request: pytest.FixtureRequest) -> Case:
    """Both captures."""
    case: Case = request.getfixturevalue(request.param)
    return case


def test_synchronisation(binance: Case) -> None:
    """Snapshot, first valid diff, dropped and buffered diffs and the moment of going live are the truth's."""
    truth, found = binance.truth, binance.recording.manifest.source["sync"]
    assert {k: found["snapshot"][k] for k in truth["snapshot"]} == truth["snapshot"]
    assert {k: found[k] for k in truth["sync"]} == truth["sync"]
    assert found["first_valid_diff"]["U"] == truth["first_update_id_applied"]
    assert binance.recording.manifest.source["last_update_id"] == truth["last_update_id"]


def test_counts_of_lines(binance: Case) -> None:
    """Lines per kind and gaps in the chain are the truth's."""
    source = binance.recording.manifest.source
    assert source["counts"] == binance.truth["kinds"]
    assert sum(source["counts"].values()) == binance.truth["lines"]
    assert source["counts"]["depth"] == binance.truth["diff_lines_all"]
    assert source["sequence_gaps"] == binance.truth["sequence_gaps"] == 0
    assert source["level_entries"] == binance.truth["level_entries_all"]
    assert source["first_stamp"] == binance.truth["t_first_line"]


def test_every_quote_of_the_exchange_agrees_with_the_book(binance: Case) -> None:
    """After every diff the exchange's own best quote equals the book's: none differs."""
    found = binance.recording.manifest.source["bookticker_check"]
    assert found == binance.truth["bookticker_check"]


def test_units_come_from_the_file(binance: Case) -> None:
    """Tick and lot are found without being named."""
    instrument = binance.recording.instrument
    assert (instrument.tick_size, instrument.lot_size) == (binance.price_unit, binance.size_unit)
    assert [f["sha256"] for f in binance.recording.manifest.source["files"]] == [
        f["sha256"] for f in sorted(binance.truth["files"], key=lambda f: f["name"])
    ]


def test_recording_spans_the_book(binance: Case) -> None:
    """The recording is valid, without gaps, and ends with the last line."""
    assert binance.recording.verify().verdict == "VALID"
    assert len(binance.recording.gaps) == 0
    assert binance.recording.end_ns >= binance.truth["book"]["t1"] - 10**9

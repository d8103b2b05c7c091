"""The sample recording in ``data/`` is what its generator makes, whole, and small."""

from __future__ import annotations

from pathlib import Path

from workbench.events import EventBatch
from workbench.feeds.simulator.sample import PROFILE, SEED, sample_batches
from workbench.frames.recording import open_recording

SAMPLE = Path(__file__).parents[3] / "data" / "sample"


def test_the_sample_is_what_the_simulator_makes() -> None:
    """Every event of the recording is made again from the seed in its manifest."""
    recording = open_recording(SAMPLE)
    assert recording.manifest.source["seed"] == SEED
    assert recording.manifest.source["profile"] == PROFILE
    assert EventBatch.concatenate(recording.batches()) == EventBatch.concatenate(sample_batches())


def test_the_sample_is_valid_and_small() -> None:
    """It verifies as VALID and all its files together stay below a megabyte."""
    assert str(open_recording(SAMPLE).verify().verdict) == "VALID"
    assert sum(f.stat().st_size for f in SAMPLE.rglob("*") if f.is_file()) < 1_000_000

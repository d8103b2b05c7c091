"""The sample recording in ``data/`` is what its generator makes, whole, and small."""

from __future__ import annotations

import gzip
from pathlib import Path

from workbench.events import EventBatch
from workbench.feeds.simulator.sample import PROFILE, SEED, sample_batches, write_vendor_files
from workbench.frames.importers import import_recording
from workbench.frames.recording import open_recording

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
VENDOR_FILES = SAMPLE.parent / "samples"


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


def test_vendor_files_are_what_the_recording_says(tmp_path: Path) -> None:
    """The committed vendor files hold the sample's first minute, and importing them gives its prints and its book."""
    sample = open_recording(SAMPLE)
    for made in write_vendor_files(sample, tmp_path):
        assert gzip.decompress(made.read_bytes()) == gzip.decompress((VENDOR_FILES / made.name).read_bytes())
    files = sorted(VENDOR_FILES.glob("*.csv.gz"))
    imported = import_recording(files, format="tardis", out=tmp_path / "imported", progress=False)
    columns = ["price", "size", "aggressor"]
    prints = imported.trades().select(columns).collect()
    assert prints.equals(sample.trades().select(columns).head(len(prints)).collect())
    assert imported.book_at(imported.end, levels=5).bids == sample.book_at(imported.end, levels=5).bids

"""The samples of ``data``: ``python3 -m workbench.feeds.simulator.sample [DIRECTORY]``.

One recording, and its first minute once more in the form of a data vendor's files, for learning to import.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.events import EventBatch, Flag
from workbench.feeds.simulator.source import Simulator
from workbench.frames.recording import Recording, write_recording

if TYPE_CHECKING:
    import polars as pl

SEED: Final = 7
PROFILE: Final = "es-like"
SECONDS: Final = 300
SESSION: Final = "sample"
VENDOR_SECONDS: Final = 60
_SLICE_NS: Final = 10_000_000_000


def sample_batches() -> Iterator[EventBatch]:
    """Events of the sample, in slices of ten seconds."""
    source = Simulator(SEED, PROFILE)
    for until_ns in range(source.start_ns, source.start_ns + SECONDS * 1_000_000_000 + 1, _SLICE_NS):
        for _, batch in source.advance(until_ns):
            yield batch


def write_sample(directory: Path) -> Recording:
    """Write the sample recording to ``directory/sample/<instrument>``."""
    source = Simulator(SEED, PROFILE)
    recipe = {
        "kind": "simulator",
        "name": source.name,
        "seed": SEED,
        "profile": PROFILE,
        "seconds": SECONDS,
        "generator": "python3 -m workbench.feeds.simulator.sample",
    }
    return write_recording(directory, source.instruments[0], sample_batches(), source=recipe, session=SESSION)


def write_vendor_files(recording: Recording, directory: Path) -> list[Path]:
    """Write the recording's first minute as Tardis' incremental_book_L2 and trades, gzipped CSV."""
    import polars as pl

    first = pl.col("ts") <= pl.lit(recording.start_ns + VENDOR_SECONDS * 1_000_000_000).cast(
        pl.Datetime("ns", "UTC")
    )
    depth = (
        recording.depth()
        .filter(first)
        .with_columns((pl.col("flags") & Flag.SNAPSHOT != 0).alias("is_snapshot"))
    )
    trades = recording.trades().filter(first)
    return [
        _write_csv(
            directory / "incremental_book_L2.csv.gz", _vendor_rows(depth, "side", {1: "bid", -1: "ask"})
        ),
        _write_csv(directory / "trades.csv.gz", _vendor_rows(trades, "aggressor", {1: "buy", -1: "sell"})),
    ]


def _vendor_rows(frame: pl.LazyFrame, side: str, words: dict[int, str]) -> pl.DataFrame:
    import polars as pl

    times = [
        pl.col(ours).dt.timestamp("us").alias(theirs)
        for ours, theirs in (("ts_source", "timestamp"), ("ts", "local_timestamp"))
    ]
    own = [pl.col("is_snapshot")] if side == "side" else [pl.col("sequence").alias("id")]
    names = [pl.lit("workbench").alias("exchange"), pl.lit("ES-SIM").alias("symbol")]
    words_of_side = pl.col(side).replace_strict(words, return_dtype=pl.String).alias("side")
    return frame.select(
        *names, *times, *own, words_of_side, "price", pl.col("size").alias("amount")
    ).collect()


def _write_csv(path: Path, rows: pl.DataFrame) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(rows.write_csv().encode(), mtime=0))
    return path


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
    sample = write_sample(target)
    sys.stdout.write(f"{sample}\n")
    for file in write_vendor_files(sample, target / "samples"):
        sys.stdout.write(f"{file}\n")

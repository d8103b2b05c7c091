"""The sample recording of ``data/sample``: ``python3 -m workbench.feeds.simulator.sample [DIRECTORY]``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from workbench.events import EventBatch
from workbench.feeds.simulator.source import Simulator
from workbench.frames.recording import Recording, write_recording

SEED: Final = 7
PROFILE: Final = "es-like"
SECONDS: Final = 300
SESSION: Final = "sample"
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


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "data")
    sys.stdout.write(f"{write_sample(target)}\n")

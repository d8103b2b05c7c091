"""Sessions through an engine of the synthetic market."""

from __future__ import annotations

from workbench.feeds.discovery import Endpoint
from workbench.feeds.engines import spawn_engine
from workbench.feeds.specification import SourceSpec

GRACE_S = 60.0


def synthetic_engine(*, speed: float = 1.0, grace_s: float | None = GRACE_S, **options: object) -> Endpoint:
    """Start an engine whose stream is known without running it."""
    factory = {"factory": "tests.support.synthetic:make"}
    return spawn_engine(SourceSpec(kind="custom", options=factory | options, speed=speed), grace_s=grace_s)

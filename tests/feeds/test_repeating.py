"""What is done again and again survives its own failures."""

from __future__ import annotations

import asyncio
import itertools
import logging

import pytest

from workbench.feeds.repeating import repeat


def test_a_failure_is_logged_once_and_the_work_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    """Three failures, the first two alike: two records with tracebacks, and the fourth time all is well."""
    texts = ["same", "same", "other"]

    async def main() -> None:
        done, times = asyncio.Event(), itertools.count()

        def work() -> None:
            time = next(times)
            if time < len(texts):
                raise ValueError(texts[time])
            done.set()

        task = asyncio.create_task(repeat(work, 0.0, "looking at the books"))
        await asyncio.wait_for(done.wait(), 60)
        task.cancel()

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert [r.exc_info is not None for r in caplog.records] == [True, True]
    assert caplog.messages[0] == "looking at the books failed, and is tried again"

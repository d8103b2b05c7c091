"""Work done again and again beside the feed: a failure is told, and does not end it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NoReturn

_log = logging.getLogger("workbench.feeds.engine")


async def repeat(work: Callable[[], object], every_s: float, name: str) -> NoReturn:
    """Do something every so many seconds until cancelled.

    Parameters
    ----------
    work : callable
    every_s : float
    name : str
        For the log. An exception is logged with its traceback; the same one again and again only once.
    """
    told = ""
    while True:
        await asyncio.sleep(every_s)
        try:
            work()
        except Exception as problem:  # noqa: BLE001  (whatever it is, the work goes on)
            if repr(problem) != told:
                _log.exception("%s failed, and is tried again", name)
            told = repr(problem)
        else:
            told = ""

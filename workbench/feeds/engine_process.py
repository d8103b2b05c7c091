"""The engine as a process: ``python -m workbench.feeds.engine_process``, told what to do by one line on its standard
input, because command lines and environments can be read by others and a specification may hold a token."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Final

from workbench.errors import EngineError, WorkbenchError
from workbench.feeds.addresses import LOOPBACK, bind
from workbench.feeds.discovery import Endpoint
from workbench.feeds.garbage import spare_old_objects
from workbench.feeds.signals import on_interrupt
from workbench.feeds.specification import EngineSpec, build_source, decode

MAX_LINE_BYTES: Final = 1 << 20
SWITCH_S: Final = 0.0005
"""Orders pass through the loop while another thread writes the recording: Python's own 5 ms are most of an order's way."""


def main() -> int:
    """Run the engine described on standard input; the exit code is 0 unless it could not start.

    Standard output and error are the log: whoever starts an engine points them to a file.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        serve(decode(sys.stdin.buffer.readline(MAX_LINE_BYTES)), _log_ready)
    except WorkbenchError as problem:
        print(f"engine: {problem}", file=sys.stderr, flush=True)
        return 1
    return 0


def serve(spec: EngineSpec, on_ready: Callable[[Endpoint], None]) -> None:
    """Run an engine in this process until it is interrupted, told to leave, or left alone.

    Parameters
    ----------
    spec : EngineSpec
    on_ready : callable
        Called once with the endpoint, when clients can connect.

    Raises
    ------
    WorkbenchError
        The source cannot be made, or the port is taken.
    EngineError
        The source failed while running.
    """
    asyncio.run(_serve(spec, on_ready))


async def _serve(spec: EngineSpec, on_ready: Callable[[Endpoint], None]) -> None:
    if spec.port:
        for sock in bind(LOOPBACK, spec.port):  # a taken port is told before seconds of imports
            sock.close()
    from workbench.feeds.engine import Engine

    engine = Engine(build_source(spec.source), spec)
    on_interrupt(engine.stop)
    spare_old_objects()
    sys.setswitchinterval(SWITCH_S)
    on_ready(await engine.start())
    await engine.run()
    if engine.failure is not None:
        raise EngineError(str(engine.failure), code=engine.failure.code)


def _log_ready(endpoint: Endpoint) -> None:
    logging.getLogger("workbench.feeds.engine").info("ready: %s", endpoint)


if __name__ == "__main__":
    sys.exit(main())

"""``workbench record``: let an engine record a feed."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from workbench.cli.answers import SECONDS, answer, json_option, say
from workbench.cli.recordings import facts_of

if TYPE_CHECKING:
    from workbench.session.facade import Session

TOKEN_VARIABLE: Final = "WORKBENCH_TOKEN"  # noqa: S105  (its name, not its value)
POLL_S: Final = 0.1


@click.command("record")
@click.argument("source")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/sessions"), show_default=True)
@click.option("--symbol", "symbols", multiple=True, help="Default: all.")
@click.option("--seconds", type=SECONDS, help="Default: until interrupted.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True, help="Of simulate.")
@click.option("--speed", default="1", show_default=True, help="Of simulate or a recording.")
@json_option
def record_command(
    source: str,
    out: Path,
    symbols: tuple[str, ...],
    seconds: float | None,
    seed: int,
    speed: str,
    as_json: bool,
) -> None:
    """Record SOURCE: an address (ws://…), bookmap, simulate, or a recording to be replayed.

    The token of a foreign feed is read from the environment variable WORKBENCH_TOKEN.
    """
    with opened(source, seed, speed) as session:
        handle = session.record(out, symbols or None)
        say(f"recording {', '.join(handle.symbols)} to {out}" + ("" if seconds else "; stop with Ctrl-C"))
        with contextlib.suppress(KeyboardInterrupt):
            _run(session, seconds)
        handle.stop()
    facts = [facts_of(recording) for recording in handle.recordings.values()]
    events = sum(recording.count for recording in handle.recordings.values())
    # one instrument's facts at the top, so that `record` answers as `info` and `import` do
    answer(facts[0] | {"recordings": facts, "events": events} if as_json else facts[0], as_json)


def opened(source: str, seed: int, speed: str) -> Session:
    """Session on what the command line names."""
    from workbench.cli.engines import spoken_speed
    from workbench.session.opening import connect, replay, simulate

    if source == "simulate":
        return simulate(seed, speed=spoken_speed(speed))
    if source == "bookmap" or "://" in source:
        return connect(source, os.environ.get(TOKEN_VARIABLE))
    return replay(source, spoken_speed(speed))


def _run(session: Session, seconds: float | None) -> None:
    stop_at = None if seconds is None else time.monotonic() + seconds
    while session.state not in ("ended", "closed"):
        left = POLL_S if stop_at is None else min(POLL_S, stop_at - time.monotonic())
        if left <= 0:
            return
        time.sleep(left)

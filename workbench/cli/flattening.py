"""The way out of everything from the command line; it needs no notebook, and works while every notebook hangs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import click

from workbench.cli.answers import json_option, print_json
from workbench.errors import WorkbenchError
from workbench.protocol import messages

if TYPE_CHECKING:
    from workbench.feeds.discovery import Endpoint
    from workbench.feeds.errand import Errand

ANSWER_S: Final = 5.0


@click.command("flatten")
@click.argument("identity", required=False)
@click.option("--symbol", default="", help="One instrument; default: all.")
@click.option("--halt", is_flag=True, help="Refuse new orders from then on, until a session arms again.")
@json_option
def flatten_command(identity: str | None, symbol: str, halt: bool, as_json: bool) -> None:
    """Take back every paper order and close every position, on all engines or the one whose id or address is given."""
    from workbench.cli.engines import chosen_engines

    engines = chosen_engines(identity)
    with ThreadPoolExecutor(max(1, len(engines))) as pool:  # one that hangs keeps no other waiting
        done = list(pool.map(lambda endpoint: _flattened(endpoint, symbol, halt), engines))
    if as_json:
        print_json({"engines": done})
    else:
        for facts in done:
            click.echo(f"{facts['id']}  {facts['source']}  {facts['problem'] or 'flattened'}")
        if not done:
            click.echo("no engine is running")
    if any(facts["problem"] for facts in done):
        raise click.exceptions.Exit(1)


def _again(errand: Errand, out: messages.CancelAll) -> None:
    """Close what somebody has opened between the two; where the lock is a platform's, nothing goes any more."""
    try:
        errand.request(out, timeout=ANSWER_S)
    except WorkbenchError as refused:
        if refused.code != "not_armed":
            raise


def _flattened(endpoint: Endpoint, symbol: str, halt: bool) -> dict[str, Any]:
    from workbench.feeds.errand import Errand
    from workbench.feeds.target import Target

    problem = ""
    try:
        with Errand(Target.of(endpoint), "flatten") as errand:
            out = messages.CancelAll(symbol=symbol, flatten=True)
            errand.request(out, timeout=ANSWER_S)
            if halt:
                errand.request(messages.Disarm(symbol=symbol, reason="workbench flatten"), timeout=ANSWER_S)
                _again(errand, out)
    except WorkbenchError as trouble:
        problem = (
            "" if trouble.code == "read_only" else str(trouble)
        )  # nothing can be open where nobody trades
    return {
        "id": endpoint.identity,
        "source": endpoint.source,
        "halted": halt and not problem,
        "problem": problem,
    }

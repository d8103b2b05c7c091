"""``workbench bridge …``: the add-on for Bookmap: its scripts, what runs, and a Bookmap for those who have none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from workbench.cli.answers import SECONDS, json_option, print_json, say

if TYPE_CHECKING:
    from workbench.cli.bridge_health import Bridge
    from workbench.cli.bridge_scripts import Written
    from workbench.testing import BookmapStandIn
    from workbench.testing.tape import Playable

LOOK_S: Final = 1.0


@click.group("bridge")
def bridge_command() -> None:
    """Connect Bookmap: write the add-on's scripts, see what runs, or play Bookmap without having it."""


@bridge_command.command("install")
@click.option("--out", type=click.Path(path_type=Path), help="Folder; default: one in your documents.")
@click.option("--for", "names", multiple=True, metavar="NAME",
              help="Write an own copy for each of several instruments (letters, digits, _).")  # fmt: skip
@click.option("--trading", is_flag=True, help="Say the steps for orders too.")
@json_option
def install_command(out: Path | None, names: tuple[str, ...], trading: bool, as_json: bool) -> None:
    """Write the scripts for Bookmap's Python editor, and say what to do there.

    A file that was not written by this command, or was changed since, is never overwritten: the new one is put beside
    it, with .new at the end of its name.
    """
    from workbench.cli.bridge_scripts import default_folder, steps, write_scripts

    written = write_scripts((out or default_folder()).absolute(), names)
    (script, trading_script), *_ = written
    to_do = steps(script.path, trading_script.path, trading=trading)
    if as_json:
        print_json(
            {
                "script": script.path,
                "trading_script": trading_script.path,
                "scripts": [w.path for pair in written for w in pair],
                "outcomes": {str(w.path): w.outcome for pair in written for w in pair},
                "python": sys.executable,
                "steps": to_do,
            }
        )
        return
    for pair in written:
        for one in pair:
            click.echo(_said(one))
    click.echo(f"\nPython to choose as custom runtime: {sys.executable}\n")
    for number, step in enumerate(to_do, 1):
        click.echo(f"{number}. {step}")


@bridge_command.command("status")
@json_option
def status_command(as_json: bool) -> None:
    """List the bridges that run inside Bookmap now: instruments, port, orders, backlog, clock."""
    from workbench.cli.bridge_health import running_bridges

    bridges = running_bridges()
    if as_json:
        print_json({"bridges": [bridge.describe() for bridge in bridges]})
        return
    if not bridges:
        click.echo("no bridge is running: enable the add-on in Bookmap (workbench bridge install says how)")
    for bridge in bridges:
        click.echo(_line(bridge))


@bridge_command.command("stand-in")
@click.argument("source")
@click.option("--script", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The add-on's script; default: the one that comes with the workbench.")  # fmt: skip
@click.option("--symbol", help="Which instrument of a recording; what to call the simulated one.")
@click.option("--speed", default="1", show_default=True, help="Data seconds per second, or max.")
@click.option("--seconds", type=SECONDS, help="Stop after so much data time.")
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.option("--trading", is_flag=True, help="Build it as a trading strategy.")
@click.option("--allow-orders", is_flag=True, help='Tick "Allow orders from notebooks", as a user would.')
def stand_in_command(
    source: str,
    script: Path | None,
    symbol: str | None,
    speed: str,
    seconds: float | None,
    seed: int,
    trading: bool,
    allow_orders: bool,
) -> None:
    """Play Bookmap from a recording, or from the simulator (SOURCE "simulate"), with the real add-on attached.

    A notebook sees no difference: wb.connect("bookmap").
    """
    import importlib.resources

    from workbench.cli.bridge_scripts import SCRIPT, TRADING_SCRIPT
    from workbench.cli.engines import spoken_speed
    from workbench.testing import BookmapStandIn

    if allow_orders and not trading:
        raise click.UsageError("--allow-orders needs --trading: the plain add-on has no such setting")
    own = importlib.resources.files("workbench").joinpath(
        "bridge", "scripts", TRADING_SCRIPT if trading else SCRIPT
    )
    with (
        importlib.resources.as_file(own) as packaged,
        BookmapStandIn(
            _played(source, seed, symbol),
            symbol,
            speed=spoken_speed(speed),
            script=script or packaged,
            trading=trading,
        ) as bookmap,
    ):
        bookmap.attach()
        if allow_orders:
            bookmap.set("Allow orders from notebooks", True)
        say(f'{bookmap.alias} plays; in a notebook: wb.connect("bookmap"). Stop with Ctrl-C')
        bookmap.play(until=None if seconds is None else f"{seconds:g}s")
        _watch(bookmap)
        bookmap.detach(grace_s=LOOK_S)


def _watch(bookmap: BookmapStandIn) -> None:
    """Wait for the end of the recording, of the add-on, or of somebody's patience."""
    try:
        while True:
            try:
                bookmap.wait(lambda bm: bm.finished or not bm.connected, LOOK_S)
                break
            except TimeoutError:
                continue
    except KeyboardInterrupt:
        return
    for popup in bookmap.popups:
        say(f"Bookmap would show: {popup}")


def _played(source: str, seed: int, symbol: str | None) -> Playable:
    from workbench.cli.engines import SIMULATE
    from workbench.feeds.simulator import Simulator

    if source != SIMULATE:
        return Path(source)
    return Simulator(seed=seed, symbols=(symbol,) if symbol else ())


def _said(written: Written) -> str:
    notes = {
        "written": "",
        "unchanged": " (was there already)",
        "updated": " (an older version was there)",
        "beside": " (the file without .new was changed by hand or is not ours, and stays as it is)",
    }
    return f"{written.path}{notes[written.outcome]}"


def _line(bridge: Bridge) -> str:
    backlog = bridge.facts.get("backlog") or {}
    speed = "unknown" if bridge.speed is None else f"{bridge.speed:.2f}"
    why = f" ({'; '.join(bridge.shut)})" if bridge.shut else ""
    orders = "open" if bridge.orders_open else f"locked{why}" if bridge.trading else "never"
    return (
        f"{', '.join(bridge.symbols)}  port {bridge.port}  {bridge.state}  orders {orders}  "
        f"backlog {backlog.get('events', 0)} events, {backlog.get('age_ms', 0.0):.0f} ms  "
        f"clock {bridge.intervals / 10:.1f} s, speed {speed}"
    )

"""Commands on engines: serve, replay, engines, stop."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from workbench.cli.answers import json_option, print_json, say
from workbench.cli.bridge_health import health_of
from workbench.errors import EngineError

if TYPE_CHECKING:
    from workbench.feeds.discovery import Endpoint
    from workbench.feeds.specification import SourceSpec

SIMULATE: Final = "simulate"


@click.command("serve")
@click.option("--source", "sources", multiple=True, default=(SIMULATE,), show_default=True,
              help="simulate, or a recording (may be given several times).")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.option("--profile", default="es-like", show_default=True, help="es-like or btc-like.")
@click.option("--symbol", "symbols", multiple=True, help="Name of a simulated instrument.")
@click.option("--intensity", type=float, default=1.0, show_default=True)
@click.option(
    "--plants", type=click.Path(path_type=Path), help="JSON file: what to plant in the simulated market."
)
@click.option("--speed", default="1", show_default=True, help="Virtual seconds per second, or max.")
@click.option("--start", help="Where to begin: ISO time with zone, or a duration like 10m.")
@click.option("--end", help="Where to end.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@click.option("--no-login", is_flag=True, help="Let anybody on this machine read the market data.")
@json_option
def serve_command(
    sources: tuple[str, ...],
    seed: int,
    profile: str,
    symbols: tuple[str, ...],
    intensity: float,
    plants: Path | None,
    speed: str,
    start: str | None,
    end: str | None,
    port: int,
    no_login: bool,
    as_json: bool,
) -> None:
    """Serve a feed until interrupted. Time begins to run when the first client subscribes."""
    if sources == (SIMULATE,):
        options: dict[str, Any] = {
            "seed": seed,
            "profile": profile,
            "symbols": list(symbols),
            "intensity": intensity,
        }
        if plants is not None:
            options["plants"] = _plants_in(plants)
        spec = source_spec(SIMULATE, options | ({"start": start} if start else {}), speed)
    else:
        spec = replay_spec(tuple(Path(s) for s in sources), speed, start, end)
    serve(spec, port=port, no_login=no_login, as_json=as_json)


def _plants_in(path: Path) -> list[dict[str, Any]]:
    from workbench.feeds.simulator.planting import plain_plants, read_plants

    return plain_plants(read_plants(path))


@click.command("replay")
@click.argument("recordings", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--speed", default="1", show_default=True, help="Virtual seconds per second, or max.")
@click.option("--start", help="ISO time with zone, or a duration like 10m.")
@click.option("--end", help="ISO time with zone, or a duration like 10m.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Default: a free one.")
@json_option
def replay_command(
    recordings: tuple[Path, ...], speed: str, start: str | None, end: str | None, port: int, as_json: bool
) -> None:
    """Serve recordings as if they happened now."""
    serve(replay_spec(recordings, speed, start, end), port=port, as_json=as_json)


@click.command("engines")
@json_option
def engines_command(as_json: bool) -> None:
    """List the feeds of this user that run now, with their clients and recordings."""
    from workbench.feeds.discovery import running_feeds

    found = [_described(endpoint) for endpoint in running_feeds()]
    if as_json:
        print_json({"engines": found})
        return
    if not found:
        click.echo("no engine is running")
    for facts in found:
        click.echo(
            f"{facts['id']}  {facts['uri']}  {facts['source']}  {', '.join(facts['symbols'])}  "
            f"{facts['state']}, {len(facts['clients'])} clients, {_under_way(facts['recordings'])} recordings"
        )


@click.command("stop")
@click.argument("identity", required=False)
@click.option("--all", "stop_all", is_flag=True, help="Stop every engine.")
@json_option
def stop_command(identity: str | None, stop_all: bool, as_json: bool) -> None:
    """Stop an engine (the only one, or the one whose id or address is given); recordings are finished first."""
    from workbench.feeds.discovery import running_feeds, the_only
    from workbench.feeds.engines import stop_engine

    chosen = (
        chosen_engines(None if stop_all else identity)
        if stop_all or identity
        else [the_only(running_feeds())]
    )
    for endpoint in chosen:
        stop_engine(endpoint)
    stopped = [endpoint.identity for endpoint in chosen]
    if as_json:
        print_json({"stopped": stopped})
    else:
        click.echo(f"stopped {', '.join(stopped) or 'nothing'}")


def chosen_engines(identity: str | None) -> list[Endpoint]:
    """Engines that an id, an address or a process number names; all that run where none is given.

    Raises
    ------
    EngineError
        None has that name.
    """
    from workbench.feeds.discovery import running_feeds

    running = running_feeds()
    chosen = [e for e in running if not identity or identity in (e.identity, e.uri, str(e.pid))]
    if identity and not chosen:
        raise EngineError(f"no engine {identity!r}", expected=f"one of {[e.identity for e in running]}")
    return chosen


def source_spec(kind: Any, options: dict[str, Any], speed: str) -> SourceSpec:
    """Specification of a source, from what the command line said."""
    from workbench.feeds.specification import SourceSpec

    return SourceSpec(kind=kind, options=options, speed=spoken_speed(speed))


def replay_spec(recordings: tuple[Path, ...], speed: str, start: str | None, end: str | None) -> SourceSpec:
    """Specification of a replay, checked here so that a mistake is told at once."""
    from workbench.feeds.replay import Replay

    source = Replay(recordings, spoken_speed(speed), start, end)
    paths = [str(recording.path.absolute()) for recording in source.recordings]
    options = {"recordings": paths, "start": source.start_ns, "end": source.end_ns}
    return source_spec("replay", options, speed)


def spoken_speed(speed: str) -> float:
    """Speed as given on the command line."""
    from workbench.feeds.pacing import parse_speed

    try:
        return parse_speed(speed if speed == "max" else float(speed))
    except ValueError:
        return parse_speed(speed)


def serve(spec: SourceSpec, *, port: int = 0, no_login: bool = False, as_json: bool = False) -> None:
    """Run an engine in this process until it is interrupted or told to stop."""
    from workbench.feeds.discovery import new_identity
    from workbench.feeds.engine_process import serve as run_engine
    from workbench.feeds.specification import EngineSpec

    engine = EngineSpec(source=spec, identity=new_identity(), port=port, grace_s=None, open_access=no_login)

    def ready(endpoint: Endpoint) -> None:
        print_json({"uri": endpoint.uri, "discovery_file": endpoint.path, "symbols": endpoint.symbols})
        if not as_json:
            say(f"serving {endpoint.source}; stop with Ctrl-C")

    run_engine(engine, ready)


def _under_way(recordings: list[dict[str, Any]]) -> int:
    """How many are being written or finished: an engine tells of those that are over, too."""
    return sum(recording.get("state") in ("recording", "closing") for recording in recordings)


def _described(endpoint: Endpoint) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": endpoint.identity,
        "uri": endpoint.uri,
        "pid": endpoint.pid,
        "source": endpoint.source,
        "symbols": endpoint.symbols,
        "discovery_file": endpoint.path,
        "state": "not answering",
        "clients": [],
        "recordings": [],
    }
    health = health_of(endpoint, "engines")
    if health is None:
        return facts
    others = [c for c in health.clients if c.get("client", c.get("name")) != "engines"]
    return facts | {"state": health.state, "clients": others, "recordings": health.recordings}

"""Commands on recordings: import, info, verify, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.cli.answers import answer, json_option, print_json, say

if TYPE_CHECKING:
    from workbench.frames.recording import Recording

FORMATS = ("binance-futures", "binance-spot", "lobster", "databento", "tardis", "csv", "kraken", "bybit")
EXPORTS = ("parquet", "csv", "arrow", "feather", "hftbacktest")
SUFFIXES = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".npz": "hftbacktest",
}


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "layout", type=click.Choice(FORMATS), help="Default: told from the content.")
@click.option("--out", type=click.Path(path_type=Path), help="Directory to write below.")
@click.option("--symbol", help="Which instrument, or what to call it.")
@click.option("--tick-size", help="Decimal; default: from the file or the venue's rules.")
@click.option("--lot-size", help="Decimal; default: from the file or the venue's rules.")
@json_option
def import_command(
    paths: tuple[Path, ...],
    layout: str | None,
    out: Path | None,
    symbol: str | None,
    tick_size: str | None,
    lot_size: str | None,
    as_json: bool,
) -> None:
    """Turn public order-flow files into a recording."""
    from workbench.frames.importers import import_recording

    recording = import_recording(
        list(paths),
        format=layout,
        out=out,
        symbol=symbol,
        tick_size=tick_size,
        lot_size=lot_size,
        progress=True,
    )
    answer(facts_of(recording), as_json)


@click.command("info")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
def info_command(path: Path, as_json: bool) -> None:
    """Say what a recording (or each one in a directory) holds."""
    from workbench.frames.locate import find_recordings
    from workbench.frames.recording import open_recording

    found = find_recordings(path) if path.is_dir() else []
    if len(found) <= 1:
        answer(facts_of(open_recording(path)), as_json)
        return
    facts = [facts_of(open_recording(p)) for p in found]
    if as_json:
        print_json({"recordings": facts})
        return
    for one in facts:
        click.echo(f"{one['symbol']}  {one['start']} – {one['end']}  {one['events']:,} events  {one['path']}")


@click.command("verify")
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def verify_command(context: click.Context, path: Path, as_json: bool) -> None:
    """Check hashes, schema, sequence and book: VALID, DEGRADED (usable, with reasons) or INVALID (exit code 1)."""
    from workbench.frames.recording import open_recording

    recording = open_recording(path)
    verification = recording.verify(progress=not as_json)
    if as_json:
        print_json(
            {
                "path": recording.path,
                "symbol": recording.instrument.symbol,
                "verdict": verification.verdict,
                "reasons": verification.reasons,
                "facts": dict(verification.facts),
            }
        )
    else:
        click.echo(verification.verdict)
        for reason in verification.reasons:
            click.echo(f"  {reason}")
    if verification.verdict == "INVALID":
        say(f"workbench: {recording.path} is INVALID: {verification.reasons[0]}")
        context.exit(1)


@click.command("export")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--format", "layout", type=click.Choice(EXPORTS), help="Default: told from the name of TARGET.")
@click.option("--kind", type=click.Choice(("events", "trades", "depth")), default="events", show_default=True)
@json_option
def export_command(path: Path, target: Path, layout: str | None, kind: str, as_json: bool) -> None:
    """Write a recording to TARGET in a form that other programs read."""
    from workbench.frames.export import export
    from workbench.frames.recording import open_recording

    chosen = layout or SUFFIXES.get(target.suffix)
    if chosen is None:
        raise click.UsageError(f"cannot tell the format of {target.name}; give --format")
    written = export(open_recording(path), target, chosen, kind=kind)
    answer({"path": written, "format": chosen, "kind": kind, "bytes": written.stat().st_size}, as_json)


def facts_of(recording: Recording) -> dict[str, object]:
    """Facts of a recording, for people and programs."""
    instrument, manifest = recording.instrument, recording.manifest
    is_empty = not recording.count
    return {
        "path": recording.path,
        "symbol": instrument.symbol,
        "full_name": instrument.full_name,
        "tick_size": format(instrument.tick_size, "f"),
        "lot_size": format(instrument.lot_size, "f"),
        "multiplier": format(instrument.multiplier, "f"),
        "start": None if is_empty else recording.start,
        "end": None if is_empty else recording.end,
        "seconds": 0.0 if is_empty else (recording.end_ns - recording.start_ns) / 1e9,
        "events": recording.count,
        "counts": dict(manifest.counts),
        "gaps": len(manifest.gaps),
        "tables": list(recording.tables),
        "closed": recording.closed,
        "bytes": sum(p.stat().st_size for p in recording.path.iterdir() if p.is_file()),
        "source": dict(manifest.source),
    }

"""``workbench demo``: the whole line without a screen: serve, capture, record, close, verify, draw."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from workbench.cli.answers import Seconds, answer, json_option, say
from workbench.errors import RecordingError

if TYPE_CHECKING:
    from workbench.frames.recording import Recording
    from workbench.session.facade import Session

POLL_S: Final = 0.05
TAIL_S: Final = 0.5
"""Kept at the end of the time, so that a replay of everything ends within it."""


@click.command("demo")
@click.option(
    "--recording", "path", type=click.Path(path_type=Path), help="Default: real data if here, else simulated."
)
@click.option("--seconds", type=Seconds(0.1, 3600), default=10.0, show_default=True, help="Time of capture.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/demo"), show_default=True)
@json_option
def demo_command(path: Path | None, seconds: float, out: Path, as_json: bool) -> None:
    """Show the whole line: serve, capture, record, close, verify, and a picture."""
    from workbench.frames.recording import open_recording
    from workbench.session.demo import real_recording

    given = open_recording(path) if path is not None else real_recording(progress=not as_json)
    with _session(given, seconds) as session:
        say(f"serving {session.source}")
        handle = session.record(out / "sessions", history=True)
        _capture(session, seconds)
        source, health, state = session.source, session.health, session.state
        recording = handle.stop()
        pictures = _draw(session, out)
    verification = recording.verify()
    facts = {
        "source": source,
        "symbol": recording.instrument.symbol,
        "state": state,
        "captured_events": health.events,
        "captured_gaps": health.gaps,
        **_recorded(recording),
        "verdict": verification.verdict,
        "reasons": list(verification.reasons),
        **pictures,
    }
    answer(facts, as_json)
    if verification.verdict == "INVALID" or not recording.count:
        raise RecordingError(f"{recording.path} is {verification.verdict}: {'; '.join(verification.reasons)}")


def _session(recording: Recording | None, seconds: float) -> Session:
    from workbench.session.opening import replay, simulate

    if recording is None:
        return simulate(seed=7)
    span_s = (recording.end_ns - recording.start_ns) / 1e9 if recording.count else 0.0
    return replay(recording, speed=max(1.0, span_s / max(seconds - TAIL_S, TAIL_S)))


def _capture(session: Session, seconds: float) -> None:
    from tqdm import tqdm

    began = time.monotonic()
    with tqdm(total=round(seconds), unit="s", desc="capture", leave=False, disable=None) as bar:
        while (spent := time.monotonic() - began) < seconds and session.state != "ended":
            time.sleep(POLL_S)
            bar.update(int(spent) - bar.n)


def _recorded(recording: Recording) -> dict[str, Any]:
    import polars as pl

    from workbench.flow.profile import volume_profile

    trades = recording.trades().select(
        pl.len().alias("trades"),
        pl.col("size_lots").sum().alias("lots"),
        pl.col("price").last().alias("last"),
    )
    count, lots, last = trades.collect().row(0)
    profile = volume_profile(recording)
    return {
        "recording": recording.path,
        "recorded_events": recording.count,
        "recorded_gaps": len(recording.manifest.gaps),
        "start": recording.start,
        "end": recording.end,
        "bytes": sum(p.stat().st_size for p in recording.path.iterdir()),
        "trades": count,
        "volume": float(recording.instrument.size(lots)),  # summed in lots: exact
        "last": last,
        "poc": profile.poc,
        "val": profile.val,
        "vah": profile.vah,
    }


def _draw(session: Session, out: Path) -> dict[str, Path]:
    from workbench.views.heatmap import Heatmap

    out.mkdir(parents=True, exist_ok=True)
    heatmap = Heatmap(session)
    try:
        png, page = out / "heatmap.png", out / "heatmap.html"
        png.write_bytes(heatmap.picture())
        heatmap.figure().write_html(page, include_plotlyjs=True, full_html=True)
    finally:
        heatmap.close()
    return {"picture": png, "page": page}

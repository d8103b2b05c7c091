"""Compile everything once: ``python3 -m workbench.warm``, so that no later start waits for a compiler.

Kernels land in numba's cache and imported modules in Python's, for every process that follows. Three processes share
the work: one has the simulator, one the tiles of the heatmap, the last all the rest. What is there already is only
loaded.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

SAMPLE: Final = Path(__file__).resolve().parent.parent / "data" / "sample"
MODULES: Final = (
    "workbench.book.levels",
    "workbench.book.orders",
    "workbench.flow.bars",
    "workbench.flow.cvd",
    "workbench.flow.depth_series",
    "workbench.flow.detectors.absorption",
    "workbench.flow.detectors.cliffs",
    "workbench.flow.detectors.closed_bars",
    "workbench.flow.detectors.exhaustion",
    "workbench.flow.detectors.icebergs",
    "workbench.flow.detectors.large_lots",
    "workbench.flow.detectors.layering_like",
    "workbench.flow.detectors.spoof_like",
    "workbench.flow.detectors.stop_runs",
    "workbench.flow.detectors.sweeps",
    "workbench.flow.detectors.walls",
    "workbench.flow.divergence",
    "workbench.flow.footprint",
    "workbench.flow.microprice",
    "workbench.flow.ofi",
    "workbench.flow.profile",
    "workbench.flow.pulling",
    "workbench.flow.queue_imbalance",
    "workbench.flow.recent",
    "workbench.flow.signals.composition",
    "workbench.flow.signals.liquidity_fade",
    "workbench.flow.signals.volume_cliff",
    "workbench.flow.vwap",
    "workbench.lab.correlation",
    "workbench.lab.backtest",
    "workbench.lab.example_strategies",
    "workbench.lab.forward",
    "workbench.trading.asking",
    "workbench.trading.priorities",
    "workbench.trading.queue_estimate",
    "workbench.frames.parquet",
    "workbench.feeds.engine",
    "workbench.feeds.engine_process",
    "workbench.feeds.replay",
    "workbench.session.opening",
    "workbench.views.panel_buckets",
    "workbench.cli.demo",
)
_NO_BYTECODE: Final = "PYTHONDONTWRITEBYTECODE"
_BINANCE: Final = (
    '1700000000000{n:06d} {{"stream":"btcusdt@trade","data":{{"e":"trade","E":1700000000000,"T":1700000000000,'
    '"s":"BTCUSDT","t":{n},"p":"100.1","q":"0.001","X":"MARKET","m":false}}}}\n'
)


def main(arguments: list[str] | None = None) -> int:
    """Warm the caches; the exit code is 0 if every part came through.

    Parameters
    ----------
    arguments : list of str, optional
        Names of parts, done in this process; none: all, each in a process of its own.
    """
    parts = sys.argv[1:] if arguments is None else arguments
    for name in parts:
        PARTS[name]()
    return 0 if parts else _side_by_side()


def _side_by_side() -> int:
    began = time.monotonic()
    print("workbench: compiling what runs fast later (once)", file=sys.stderr, flush=True)
    environment = {name: value for name, value in os.environ.items() if name != _NO_BYTECODE}
    running = {
        name: subprocess.Popen([sys.executable, "-m", "workbench.warm", name], env=environment)
        for name in PARTS
    }
    failed = [name for name, process in running.items() if process.wait()]
    outcome = f"failed for {', '.join(failed)}" if failed else f"done in {time.monotonic() - began:.0f} s"
    print(f"workbench: compiling {outcome}", file=sys.stderr, flush=True)
    return 1 if failed else 0


def _simulator() -> None:
    from workbench.feeds.simulator.source import Simulator

    source = Simulator()
    source.advance(source.start_ns + 1_000_000_000)


def _others() -> None:
    for name in MODULES:
        import_module(name)
    import_module("workbench.trading.stepping").advance_by_order()
    if SAMPLE.is_dir():
        _show_sample()
    _import_capture()


def _show_sample() -> None:
    from workbench.frames.locate import find_recordings
    from workbench.frames.recording import open_recording
    from workbench.session.opening import replay
    from workbench.views.warming import look_around, show_every_view

    path = find_recordings(SAMPLE)[0]
    session, recording = replay(path, inline=True), open_recording(path)
    session.advance("2s")
    for shown in (session, recording):
        show_every_view(shown)
    look_around(session.capture())
    session.close()


def _tiles() -> None:
    from workbench.frames.locate import find_recordings
    from workbench.frames.recording import open_recording
    from workbench.views.exhibit import StoredCapture
    from workbench.views.warming import look_around

    if SAMPLE.is_dir():
        look_around(StoredCapture(open_recording(find_recordings(SAMPLE)[0])))


def _import_capture() -> None:
    from workbench.frames.importers import import_recording

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "btcusdt.gz"
        file.write_bytes(gzip.compress("".join(_BINANCE.format(n=n) for n in range(1, 5)).encode()))
        import_recording(file, format="binance-futures", out=Path(folder) / "out", progress=False)


PARTS: Final[dict[str, Callable[[], None]]] = {"simulator": _simulator, "tiles": _tiles, "others": _others}


if __name__ == "__main__":
    sys.exit(main())

"""Every indicator and detector of a recording, as plain Python or compiled.

``python -m tests.support.interpreted RECORDING FOLDER`` takes the compiler away before anything is imported, so that
kernels are the Python that is written there, and writes one Parquet file a face.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

Face = Callable[[Any], pl.DataFrame]


def faces() -> dict[str, Face]:
    """Batch faces by name, with bounds low enough that half a minute has something to find."""
    import workbench as wb
    from workbench.flow.depth_series import depth_series
    from workbench.flow.detectors.detections import frame, joined
    from workbench.flow.detectors.hidden_size import Resistance, Underflow

    def followed(kind: Any) -> Face:
        def face(r: Any) -> pl.DataFrame:
            detector = kind(r.instrument)
            return frame(joined([*(detector.update(b) for b in r.batches()), detector.close()]), r.instrument)

        return face

    found: dict[str, Face] = {
        "icebergs": lambda r: wb.icebergs(r, "native"),
        "synthetic icebergs": lambda r: wb.icebergs(r, "synthetic"),
        "hidden": wb.hidden,
        "stop runs": lambda r: wb.stop_runs(r, min_orders=2),
        "large lots": lambda r: wb.large_lots(r, quantile=0.7, window=20),
        "absorption": lambda r: wb.absorption(r, time="1s", deviations=1, over="10s"),
        "sweeps": lambda r: wb.sweeps(r, levels=2),
        "sweeps in a time": lambda r: wb.sweeps(r, levels=2, time="200ms"),
        "walls": lambda r: wb.walls(r, multiple=2),
        "spoof-like": lambda r: wb.spoof_like(r, multiple=0, quantile=0.8),
        "layering-like": lambda r: wb.layering_like(r, levels=2, multiple=0, quantile=0.8),
        "cliffs": lambda r: wb.cliffs(r, ratio=1.5, quantile=0.2, gap=1),
        "exhaustion": lambda r: wb.exhaustion(r, n=2, bar="1s", pushes=2, fade=1.0),
        "divergence": lambda r: wb.divergence(r, n=2, bar="1s"),
        "underflow": followed(Underflow),
        "resistance": followed(Resistance),
    }
    signals = {f"signal: {name}": signal.over for name, signal in _signals().items()}
    return (
        found
        | signals
        | {
            "bars of time": lambda r: wb.bars(r, "1s"),
            "bars of trades": lambda r: wb.bars(r, "20 trades"),
            "bars of imbalance": lambda r: wb.bars(r, "10 volume imbalance"),
            "profile": lambda r: wb.volume_profile(r).frame,
            "cvd": lambda r: wb.cvd(r),
            "imbalance": lambda r: wb.imbalance(r, levels=5),
            "ofi": lambda r: wb.ofi(r, levels=3),
            "microprice": lambda r: wb.microprice(r),
            "vpin": lambda r: wb.vpin(r, bucket=20, window=5),
            "volatility": lambda r: wb.volatility(r, "1s", window=8, scale=3),
            "kyle": lambda r: wb.kyle_lambda(r, "1s", window=5),
            "footprint": lambda r: wb.footprint(r, "5s"),
            "depth": lambda r: depth_series(r, bucket="1s"),
            "pulling": lambda r: wb.pulling(r, "2s"),
        }
    )


def _signals() -> dict[str, Any]:
    """Signals that half a minute makes speak, alone and composed."""
    from workbench import signals as s

    return {
        "fade": s.LiquidityFade(half_life_s=1.0, move_ticks=0.5, thick=0.5),
        "imbalance": s.BookImbalance(levels=3, half_life_s=0.5, enter=0.3, leave=0.1),
        "flow": s.OfiMomentum(half_life_s=0.5, enter=1.0),
        "native icebergs": s.IcebergFollow(),
        "synthetic icebergs": s.IcebergFollow(kind="synthetic"),
        "cliff": s.VolumeCliff(gap_ticks=1, ratio=1.5),
        "absorption": s.AbsorptionContinuation(),
        "sweeps": s.SweepContinuation(),
        "both": s.BookImbalance(levels=2) & s.OfiMomentum(half_life_s=0.5, enter=0.5),
        "unless": s.Unless(s.BookImbalance(), s.SweepContinuation()),
        "threshold": s.Threshold(s.OfiMomentum(half_life_s=0.5), enter=1.0, leave=0.2),
        "cooldown": s.Cooldown(s.BookImbalance(), rest_s=0.5),
    }


def main(recording: str, folder: str) -> None:
    """Write what every face gives without a compiler."""
    from numba.core.dispatcher import Dispatcher

    from workbench.book import jit

    jit.kernel = lambda signature=None: lambda function: function
    jit.part = lambda function: function
    warnings.filterwarnings(
        "ignore", "overflow encountered", RuntimeWarning
    )  # hashes wrap round, as compiled
    import workbench as wb

    opened = wb.open_recording(recording)
    for name, face in faces().items():
        face(opened).write_parquet(Path(folder) / f"{name}.parquet")
    compiled = [
        f"{module}.{name}"
        for module, loaded in list(sys.modules.items())
        if module.startswith("workbench.flow")
        for name, value in vars(loaded).items()
        if isinstance(value, Dispatcher)
    ]
    assert not compiled, compiled


if __name__ == "__main__":
    main(*sys.argv[1:])

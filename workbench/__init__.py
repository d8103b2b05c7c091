"""Order-Flow Workbench: capture, record, replay, see and study order flow in notebooks.

Everything public hangs on this module and is loaded when first touched (PEP 562), so that ``import workbench`` costs
milliseconds and loads neither numba, pandas, plotly, ipywidgets nor pyarrow.

>>> import workbench as wb
>>> s = wb.simulate(seed=7, inline=True)
>>> s.advance("10s")
>>> s.book.best_bid < s.book.best_ask
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "simulate": "session",
    "replay": "session",
    "connect": "session",
    "demo": "session.demo",
    "Session": "session",
    "Plant": "feeds.simulator.planting",
    "plants": "feeds.simulator.planting",
    "planted": "session.planted",
    "score": "lab.scoring",
    "backtest": "lab.backtest",
    "trade": "lab.live",
    "StrategyRun": "lab.live",
    "paper_backtest": "lab.paper_backtest",
    "fill_uncertainty": "lab.fill_uncertainty",
    "FillBand": "views.fill_band",
    "FollowSignal": "lab.follow_signal",
    "kernel_strategy": "trading.strategies",
    "QueueModel": "trading.matcher",
    "Contract": "trading.contracts",
    "Latency": "trading.latency",
    "Limits": "trading.limits",
    "PaperTerms": "trading.paper_terms",
    "open_recording": "frames.recording",
    "import_recording": "frames.importers",
    "Recording": "frames.recording",
    "events_in": "frames.selecting",
    "labels": "session.labels",
    "volume_profile": "flow.profile",
    "vwap": "flow.vwap",
    "ofi": "flow.ofi",
    "IntegratedOfi": "flow.integrated_ofi",
    "hayashi_yoshida": "flow.leading",
    "lead_lag": "flow.leading",
    "microprice": "flow.microprice",
    "MicropriceModel": "flow.microprice_model",
    "touches": "flow.touch",
    "next_move": "flow.regression",
    "regress": "flow.regression",
    "imbalance": "flow.queue_imbalance",
    "bars": "flow.bars",
    "cvd": "flow.cvd",
    "footprint": "flow.footprint",
    "markouts": "flow.markouts",
    "spreads": "flow.markouts",
    "kyle_lambda": "flow.price_impact",
    "amihud": "flow.price_impact",
    "vpin": "flow.vpin",
    "trade_imbalance": "flow.trade_imbalance",
    "icebergs": "flow.detectors.icebergs",
    "evidence": "flow.detectors.detections",
    "degradation": "lab.degradation",
    "hidden": "flow.detectors.hidden",
    "stop_runs": "flow.detectors.stop_runs",
    "large_lots": "flow.detectors.large_lots",
    "absorption": "flow.detectors.absorption",
    "sweeps": "flow.detectors.sweeps",
    "resiliency": "flow.resiliency",
    "walls": "flow.detectors.walls",
    "spoof_like": "flow.detectors.spoof_like",
    "layering_like": "flow.detectors.layering_like",
    "cliffs": "flow.detectors.cliffs",
    "exhaustion": "flow.detectors.exhaustion",
    "divergence": "flow.detectors.divergence",
    "volatility": "flow.volatility",
    "tpo": "flow.tpo",
    "composite_profile": "flow.composite",
    "profile_nodes": "flow.composite",
    "pulling": "flow.stacking",
    "Heatmap": "views.heatmap",
    "Explorer": "views.explorer",
    "Ladder": "views.ladder",
    "Profile": "views.profile",
    "Cvd": "views.cvd",
    "Vwap": "views.vwap",
    "DepthOverTime": "views.depth_over_time",
    "Footprint": "views.footprint",
    "Tape": "views.tape",
    "Ticket": "views.ticket",
    "Health": "views.health",
    "WhatIf": "views.whatif",
    "RiskCurve": "views.risk_curve",
    "Workspace": "views.workspace",
    "Instrument": "events",
    "Side": "events",
    "EventKind": "events",
    "EventBatch": "events",
    "WorkbenchError": "errors",
    "study": "lab.study",
    "sweep": "lab.sweep",
    "report": "views.report",
    "queue_error": "lab.queue_error",
    "snapshot_backtest": "lab.snapshot_backtest",
    "snapshot_error": "lab.snapshot_backtest",
    "Sweep": "lab.sweep",
    "StudyDesk": "lab.desk",
    "Trials": "lab.trials",
    "check_lookahead": "lab.lookahead",
    "signals": ".flow.signals",
    "strategies": ".lab.example_strategies",
    "sizing": ".trading.sizing",
    "errors": ".errors",
    "events": ".events",
}

__all__ = [
    "Contract",
    "Cvd",
    "DepthOverTime",
    "EventBatch",
    "EventKind",
    "Explorer",
    "FillBand",
    "FollowSignal",
    "Footprint",
    "Health",
    "Heatmap",
    "Instrument",
    "IntegratedOfi",
    "Ladder",
    "Latency",
    "Limits",
    "MicropriceModel",
    "PaperTerms",
    "Plant",
    "Profile",
    "QueueModel",
    "Recording",
    "RiskCurve",
    "Session",
    "Side",
    "StrategyRun",
    "StudyDesk",
    "Sweep",
    "Tape",
    "Ticket",
    "Trials",
    "Vwap",
    "WhatIf",
    "WorkbenchError",
    "Workspace",
    "__version__",
    "absorption",
    "amihud",
    "backtest",
    "bars",
    "check_lookahead",
    "cliffs",
    "composite_profile",
    "connect",
    "cvd",
    "degradation",
    "demo",
    "divergence",
    "errors",
    "events",
    "events_in",
    "evidence",
    "exhaustion",
    "fill_uncertainty",
    "footprint",
    "hayashi_yoshida",
    "hidden",
    "icebergs",
    "imbalance",
    "import_recording",
    "kernel_strategy",
    "kyle_lambda",
    "labels",
    "large_lots",
    "layering_like",
    "lead_lag",
    "markouts",
    "microprice",
    "next_move",
    "ofi",
    "open_recording",
    "paper_backtest",
    "planted",
    "plants",
    "profile_nodes",
    "pulling",
    "queue_error",
    "regress",
    "replay",
    "report",
    "resiliency",
    "score",
    "signals",
    "simulate",
    "sizing",
    "snapshot_backtest",
    "snapshot_error",
    "spoof_like",
    "spreads",
    "stop_runs",
    "strategies",
    "study",
    "sweep",
    "sweeps",
    "touches",
    "tpo",
    "trade",
    "trade_imbalance",
    "volatility",
    "volume_profile",
    "vpin",
    "vwap",
    "walls",
]

if TYPE_CHECKING:
    from workbench import errors, events
    from workbench.errors import WorkbenchError
    from workbench.events import EventBatch, EventKind, Instrument, Side
    from workbench.feeds.simulator.planting import Plant, plants
    from workbench.flow import signals
    from workbench.flow.bars import bars
    from workbench.flow.composite import composite_profile, profile_nodes
    from workbench.flow.cvd import cvd
    from workbench.flow.detectors.absorption import absorption
    from workbench.flow.detectors.cliffs import cliffs
    from workbench.flow.detectors.detections import evidence
    from workbench.flow.detectors.divergence import divergence
    from workbench.flow.detectors.exhaustion import exhaustion
    from workbench.flow.detectors.hidden import hidden
    from workbench.flow.detectors.icebergs import icebergs
    from workbench.flow.detectors.large_lots import large_lots
    from workbench.flow.detectors.layering_like import layering_like
    from workbench.flow.detectors.spoof_like import spoof_like
    from workbench.flow.detectors.stop_runs import stop_runs
    from workbench.flow.detectors.sweeps import sweeps
    from workbench.flow.detectors.walls import walls
    from workbench.flow.footprint import footprint
    from workbench.flow.integrated_ofi import IntegratedOfi
    from workbench.flow.leading import hayashi_yoshida, lead_lag
    from workbench.flow.markouts import markouts, spreads
    from workbench.flow.microprice import microprice
    from workbench.flow.microprice_model import MicropriceModel
    from workbench.flow.ofi import ofi
    from workbench.flow.price_impact import amihud, kyle_lambda
    from workbench.flow.profile import volume_profile
    from workbench.flow.queue_imbalance import imbalance
    from workbench.flow.regression import next_move, regress
    from workbench.flow.resiliency import resiliency
    from workbench.flow.stacking import pulling
    from workbench.flow.touch import touches
    from workbench.flow.tpo import tpo
    from workbench.flow.trade_imbalance import trade_imbalance
    from workbench.flow.volatility import volatility
    from workbench.flow.vpin import vpin
    from workbench.flow.vwap import vwap
    from workbench.frames.importers import import_recording
    from workbench.frames.recording import Recording, open_recording
    from workbench.frames.selecting import events_in
    from workbench.lab import example_strategies as strategies
    from workbench.lab.backtest import backtest
    from workbench.lab.degradation import degradation
    from workbench.lab.desk import StudyDesk
    from workbench.lab.fill_uncertainty import fill_uncertainty
    from workbench.lab.follow_signal import FollowSignal
    from workbench.lab.live import StrategyRun, trade
    from workbench.lab.lookahead import check_lookahead
    from workbench.lab.paper_backtest import paper_backtest
    from workbench.lab.queue_error import queue_error
    from workbench.lab.scoring import score
    from workbench.lab.snapshot_backtest import snapshot_backtest, snapshot_error
    from workbench.lab.study import study
    from workbench.lab.sweep import Sweep, sweep
    from workbench.lab.trials import Trials
    from workbench.session import Session, connect, replay, simulate
    from workbench.session.demo import demo
    from workbench.session.labels import labels
    from workbench.session.planted import planted
    from workbench.trading import sizing
    from workbench.trading.contracts import Contract
    from workbench.trading.latency import Latency
    from workbench.trading.limits import Limits
    from workbench.trading.matcher import QueueModel
    from workbench.trading.paper_terms import PaperTerms
    from workbench.trading.strategies import kernel_strategy
    from workbench.views.cvd import Cvd
    from workbench.views.depth_over_time import DepthOverTime
    from workbench.views.explorer import Explorer
    from workbench.views.fill_band import FillBand
    from workbench.views.footprint import Footprint
    from workbench.views.health import Health
    from workbench.views.heatmap import Heatmap
    from workbench.views.ladder import Ladder
    from workbench.views.profile import Profile
    from workbench.views.report import report
    from workbench.views.risk_curve import RiskCurve
    from workbench.views.tape import Tape
    from workbench.views.ticket import Ticket
    from workbench.views.vwap import Vwap
    from workbench.views.whatif import WhatIf
    from workbench.views.workspace import Workspace


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    value: object = (
        importlib.import_module(f"workbench{home}")
        if home.startswith(".")
        else getattr(importlib.import_module(f"workbench.{home}"), name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""How good is a detector? Precision and recall on planted truth, at its defaults and along each parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import EventBatch, Instrument
from workbench.feeds.simulator.planting import KINDS, Plants
from workbench.feeds.simulator.source import Simulator
from workbench.feeds.times import Duration, duration_ns
from workbench.flow.detectors.detections import Detector, detected, frame
from workbench.lab.matching import Matching, match

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["Ground", "Scorecard", "grounds", "score"]

SEEDS: Final = (1, 2, 3)
DURATION: Final = "5m"
_SLICE_NS: Final = 10_000_000_000
_COLUMNS: Final = {
    "parameter": pl.String,
    "value": pl.String,
    "planted": pl.Int64,
    "hits": pl.Int64,
    "repeats": pl.Int64,
    "false": pl.Int64,
    "missed": pl.Int64,
    "precision": pl.Float64,
    "recall": pl.Float64,
    "f1": pl.Float64,
}


class Ground(NamedTuple):
    """One simulated market on which detectors are tried.

    Attributes
    ----------
    instrument : Instrument
    batches : list of EventBatch
    planted : DataFrame
        All events that were planted and ended.
    """

    instrument: Instrument
    batches: list[EventBatch]
    planted: pl.DataFrame


@dataclass(frozen=True)
class Scorecard:
    """Precision and recall of a detector.

    Attributes
    ----------
    name : str
    frame : DataFrame
        One row per trial: ``parameter`` (empty: all defaults), ``value``, ``planted``, ``hits``, ``repeats``,
        ``false``, ``missed``, ``precision``, ``recall``, ``f1``; summed over all seeds.
    """

    name: str
    frame: pl.DataFrame

    @property
    def precision(self) -> float:
        """At the defaults."""
        return float(self.frame["precision"][0])

    @property
    def recall(self) -> float:
        """At the defaults."""
        return float(self.frame["recall"][0])

    def __repr__(self) -> str:
        first = self.frame.row(0, named=True)
        return (
            f"<Scorecard {self.name}: precision {first['precision']:.2f}, recall {first['recall']:.2f}, "
            f"{first['planted']} planted, {self.frame.height - 1} other trials>"
        )

    def figure(self) -> Figure:
        """Precision and recall along each parameter, one panel per parameter."""
        from workbench.lab.score_figure import score_figure

        return score_figure(self.name, self.frame)


def grounds(
    plants: Plants, *, seeds: Iterable[int] = SEEDS, duration: Duration = DURATION, profile: str = "es-like"
) -> list[Ground]:
    """Simulate one market per seed, with the same plants.

    Parameters
    ----------
    plants : sequence of Plant
    seeds : iterable of int
    duration : duration
    profile : str
    """
    return [_ground(Simulator(seed, profile, plants=plants), duration_ns(duration)) for seed in seeds]


def score(
    detector: Callable[..., Detector] | Callable[..., pl.DataFrame],
    plants: Plants | Sequence[Ground],
    grid: Mapping[str, Sequence[Any]] | None = None,
    *,
    kind: str | None = None,
    only: pl.Expr | None = None,
    within: Duration = "1s",
    ticks: int = 2,
    seeds: Iterable[int] = SEEDS,
    duration: Duration = DURATION,
    profile: str = "es-like",
    name: str | None = None,
    **parameters: Any,
) -> Scorecard:
    """Score a detector on planted truth, at its defaults and along each parameter of a grid.

    Parameters
    ----------
    detector : class or function
        A class is made with the instrument and the parameters, and has ``update(batch)`` and ``close()``. A function, as
        ``wb.sweeps``, is called with a market and the parameters, and returns a frame with ``ts``, ``price`` and ``side``.
    plants : sequence of Plant, or of Ground
        What to plant; or markets of :func:`grounds`, to try several detectors on the same ones.
    grid : mapping of str to sequence, optional
        Values to try, one parameter at a time, the others at their defaults.
    kind : str, optional
        Which planted events it should find; default: the kind of the first plant. All others are other people's
        business: to find those is false.
    only : Expr, optional
        Which detections are judged, where a detector tells several things of one event (of a wall, that it appeared).
    within : duration
        How long after its end an event may still be found.
    ticks : int
        How far off the price may be.
    seeds, duration, profile
        Of the markets.
    name : str, optional
    **parameters
        Of the detector, in every trial.

    Returns
    -------
    Scorecard

    Raises
    ------
    WorkbenchError
        Nothing to plant, or an unknown kind.

    Examples
    --------
    >>> import workbench as wb
    >>> wb.score(wb.icebergs, wb.plants("iceberg", every="10s"), seeds=[1], duration="1m")
    <Scorecard icebergs: precision 1.00, recall 1.00, 6 planted, 0 other trials>
    """
    if not callable(detector):
        raise WorkbenchError(f"detector {detector!r:.60}", expected="a class or function, like wb.sweeps")
    if not plants:
        raise WorkbenchError(
            "nothing planted", expected="plants", action="Call wb.plants('sweep', every='20s')"
        )
    markets = _markets(plants, seeds, duration, profile)
    sought = _sought(kind, plants)
    trials: list[tuple[str, Any]] = [("", "")]
    trials += [(parameter, value) for parameter, values in (grid or {}).items() for value in values]
    rows = []
    for parameter, value in trials:
        chosen = parameters | ({parameter: value} if parameter else {})
        matched = [
            match(
                _found(detector, chosen, market, only),
                market.planted.filter(pl.col("kind") == sought),
                within=within,
                price_within=ticks * float(market.instrument.tick_size),
            )
            for market in markets
        ]
        rows.append({"parameter": parameter, "value": str(value), **_summed(matched)})
    return Scorecard(
        name or str(getattr(detector, "__name__", "detector")), pl.DataFrame(rows, schema=_COLUMNS)
    )


def _sought(kind: str | None, plants: Plants | Sequence[Ground]) -> str:
    kinds = [item.kind for item in plants if not isinstance(item, Ground)]
    for item in plants:
        kinds += item.planted["kind"].to_list() if isinstance(item, Ground) else []
    sought = kind if kind is not None else next(iter(kinds), "")
    if sought not in KINDS:
        raise WorkbenchError(f"kind {sought!r}", expected=f"one of {', '.join(KINDS)}")
    return sought


def _markets(
    plants: Plants | Sequence[Ground], seeds: Iterable[int], duration: Duration, profile: str
) -> list[Ground]:
    given = [item for item in plants if isinstance(item, Ground)]
    planted = [item for item in plants if not isinstance(item, Ground)]
    return given or grounds(planted, seeds=seeds, duration=duration, profile=profile)


def _ground(source: Simulator, length_ns: int) -> Ground:
    batches = []
    for until_ns in range(source.start_ns, source.start_ns + length_ns + 1, _SLICE_NS):
        batches += [batch for _, batch in source.advance(until_ns)]
    return Ground(source.instruments[0], batches, source.planted())


class _Market:
    """A market with as much of a recording's face as detectors read."""

    def __init__(self, ground: Ground):
        self.instrument = ground.instrument
        self._batches = ground.batches

    def batches(self) -> Iterator[EventBatch]:
        yield from self._batches


def _found(
    detector: Callable[..., Any], parameters: Mapping[str, Any], market: Ground, only: pl.Expr | None
) -> pl.DataFrame:
    if isinstance(detector, type):
        made = detector(market.instrument, **parameters)
        found = frame(detected(_Market(market), made), market.instrument)
    else:
        found = detector(_Market(market), **parameters)
    return found if only is None else found.filter(only)


def _summed(matched: Sequence[Matching]) -> dict[str, Any]:
    hits, repeats, false, missed = (
        sum(counts) for counts in zip(*((m.hits, m.repeats, m.false, len(m.missed)) for m in matched))
    )
    nan = float("nan")
    return {
        "planted": hits + missed,
        "hits": hits,
        "repeats": repeats,
        "false": false,
        "missed": missed,
        "precision": hits / (hits + false) if hits + false else nan,
        "recall": hits / (hits + missed) if hits + missed else nan,
        "f1": 2 * hits / (2 * hits + false + missed) if hits + false + missed else nan,
    }

"""The study of a signal: what came after it, how sure that is, and what it is worth after all that was tried."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from workbench.errors import WorkbenchError
from workbench.events import FloatArray, Instrument, IntArray
from workbench.flow.bar_rule import interval_ns
from workbench.flow.signals.contract import Scores, Signal
from workbench.lab.bootstrap import mean_interval
from workbench.lab.correlation import half_life, information
from workbench.lab.excerpt import Window
from workbench.lab.forward import Forward, Mids, forward, paths
from workbench.lab.points import Points
from workbench.lab.regimes import regimes
from workbench.lab.trials import SPLITS, Deflation, Trials, summarised

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_ENTRIES: Final = 10_000
_MOST_PERIODS: Final = 504
_PATH_EVENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a signal is studied.

    Attributes
    ----------
    horizons : tuple of str
        Rising times after the entry.
    costs : float or "spread"
        Ticks of a round trip, or half the spread at entry and exit each.
    latency : str
        From when the signal is known to when an order arrives.
    """

    horizons: tuple[str, ...] = ("100ms", "1s", "10s", "60s")
    costs: float | str = "spread"
    latency: str = "0ms"

    def verified(self) -> Terms:
        """The same terms, if they can be.

        Raises
        ------
        WorkbenchError
            Horizons that do not rise, a latency that is no time, costs that are neither ticks nor ``"spread"``.
        """
        _ = self.horizons_ns, self.latency_ns, self.charged(np.zeros(1))
        return self

    @property
    def horizons_ns(self) -> IntArray:
        """Horizons in ns, checked."""
        found = np.array([interval_ns(h) for h in self.horizons], np.int64)
        if not len(found) or (np.diff(found) <= 0).any():
            raise WorkbenchError(f"horizons {self.horizons}", expected="rising times", code="bad_parameter")
        return found

    @property
    def latency_ns(self) -> int:
        """Latency in ns."""
        if not isinstance(self.latency, str):
            raise WorkbenchError(
                f"latency {self.latency!r:.40}", expected="a time as '5ms'", code="bad_parameter"
            )
        return 0 if self.latency.lstrip("0").rstrip("nmus") == "" else interval_ns(self.latency)

    def charged(self, paid: FloatArray) -> FloatArray:
        """Costs of each round trip, ticks."""
        if self.costs == "spread":
            return paid
        if isinstance(self.costs, str) or not np.isfinite(self.costs):
            raise WorkbenchError(
                f"costs {self.costs!r}", expected='ticks of a round trip, or "spread"', code="bad_parameter"
            )
        return np.full_like(paid, float(self.costs))


@dataclass(frozen=True, slots=True, repr=False)
class Study:
    """What a study found.

    Attributes
    ----------
    signal : str
    events : int
        Times the side went on or turned.
    frame : DataFrame
        The scorecard, a row for each horizon, ticks: ``gross`` (mid to mid), ``net`` (after costs), ``markout`` (from the
        price paid at the touch), each with ``_low`` and ``_high``; ``hit`` (share of moves the right way, no move counts
        half); ``mfe``, ``mae``; ``ic`` (rank correlation with the score over time).
    regimes : DataFrame
        Net result at the main horizon by spread, volatility and hour of the day.
    path : DataFrame
        ``after_s, mean, low, high``: mean move around the events in the signal's direction, ticks, with its interval.
    entries : DataFrame
        ``ts, sequence, score, side, price_ticks, price`` of every event, as ``view.mark`` takes them.
    ic_half_life_s : float, s
        NaN where the information does not decay.
    worth : Deflation
        Number of trials, PSR, DSR, PBO.
    """

    signal: str
    events: int
    frame: pl.DataFrame
    regimes: pl.DataFrame
    path: pl.DataFrame
    entries: pl.DataFrame
    ic_half_life_s: float
    worth: Deflation

    def figure(self) -> go.Figure:
        """Event study, net result by horizon, and decay of the information, as a Plotly figure."""
        from workbench.lab.study_figure import figure

        return figure(self)

    def __repr__(self) -> str:
        lines = [f"Study({self.signal}, {self.events:,} events)", f"  {self.worth!r}"]
        for row in self.frame.iter_rows(named=True):
            net = " – ".join(_number(row[k]) for k in ("net_low", "net_high"))
            lines.append(
                f"  {row['horizon']:>6}  gross {_number(row['gross'])}  net {_number(row['net'])} [{net}] ticks"
                f"  hit {_number(row['hit'])}  ic {_number(row['ic'])}"
            )
        return "\n".join(lines)


def study(
    signal: Signal | type[Signal],
    x: Any,
    horizons: Sequence[str] = ("100ms", "1s", "10s", "60s"),
    *,
    costs: float | str = "spread",
    latency: str = "0ms",
    window: Window | None = None,
    seed: int = 7,
) -> Study:
    """Study a signal: what came after it, and how far to trust that. Each call counts as a trial.

    Parameters
    ----------
    signal : Signal or its class
        Of an indicator's values: :func:`workbench.signals.from_values`.
    x : session or recording
        Trials of a recording are kept beside it.
    horizons : sequence of str, optional
        Rising times after the entry; the middle one is the main one, by which trials are compared.
    costs : float (ticks) or "spread", optional
        Of a round trip; below 0 a rebate.
    latency : str, optional
    window : str, timedelta or (start, end), optional
        Only the last ``"30m"``, or what lies between two moments (or durations after the first event, None: no bound).
        Signals warm up anew at its start; another window is another trial.
    seed : int, optional
        Of the resampling.

    Returns
    -------
    Study

    Notes
    -----
    An event is a row at which the side goes on or turns. It enters at the first state strictly after it was known. Above
    10,000 events every k-th is looked at. Intervals are of 95 %, by blocks of time that are longer than what events in
    them share, however densely these come.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> s.advance("60s")
    >>> wb.study(wb.signals.BookImbalance(), s, horizons=["100ms", "1s"]).frame["horizon"].to_list()
    ['100ms', '1s']
    """
    from workbench.lab.desk import StudyDesk

    chosen = the_signal(signal)
    terms = Terms((horizons,) if isinstance(horizons, str) else tuple(horizons), costs, latency).verified()
    return StudyDesk(x, window).study(chosen, terms, seed=seed)


def the_signal(given: Any) -> Signal:
    """A signal, or one of its class with the parameters that it comes with.

    Raises
    ------
    WorkbenchError
        It is none.
    """
    made = given() if isinstance(given, type) and issubclass(given, Signal) else given
    if not isinstance(made, Signal):
        raise WorkbenchError(
            f"signal {given!r:.80}",
            expected="a signal, as in wb.signals",
            action="Of an indicator make one: wb.signals.from_values(wb.ofi(s), 'ofi', enter=…)",
            code="bad_signal",
        )
    return made


def studied(
    signal: Signal,
    scores: Scores,
    entries: IntArray,
    market: Mids,
    points: Points,
    terms: Terms,
    trials: Trials,
    rng: np.random.Generator,
    *,
    counted: bool = True,
    window: Window | None = None,
    instrument: Instrument | None = None,
) -> Study:
    """A study of scores that were made already; counts the trial unless told not to."""
    horizons = terms.horizons_ns
    thinned = entries[:: -(-len(entries) // MOST_ENTRIES)] if len(entries) else entries
    after = forward(market, thinned, horizons, terms.latency_ns)
    kept = after.row >= 0
    after, rows = after.part(kept), thinned[kept]
    side = scores.side[rows].astype(np.float64)[:, None]
    net = side * after.move - terms.charged(after.paid)
    frame = _scorecard(terms, market, points, scores.score[points.rows], after, side, net, rng)
    main = len(horizons) // 2
    periods = _periods(market, after.row, net[:, main], int(horizons[main]))
    setting = f"{terms.horizons[main]} costs {terms.costs} latency {terms.latency} periods {len(periods)}"
    setting += "" if window is None else f" window {window}"
    key = hashlib.sha256(f"{signal.identity()}\0{setting}".encode()).hexdigest()[:32]
    trial = summarised(key, setting, repr(signal), periods)
    if counted:
        trials.count(trial)
    decay = half_life(horizons / 1e9, frame["ic"].fill_null(np.nan).to_numpy())
    return Study(
        repr(signal),
        len(entries),
        frame,
        regimes(market, after.row, net[:, main]),
        _path(market, rows, side, horizons, rng),
        _entries(scores, entries, instrument),
        decay,
        trials.judge(trial),
    )


def _scorecard(
    terms: Terms,
    market: Mids,
    points: Points,
    scored: FloatArray,
    after: Forward,
    side: FloatArray,
    net: FloatArray,
    rng: np.random.Generator,
) -> pl.DataFrame:
    gross = side * after.move
    half = market.spread[after.row][:, None] / 2
    hit = np.where(np.isnan(gross), np.nan, (np.sign(gross) + 1) / 2)
    best, worst = np.where(side > 0, after.high, -after.low), np.where(side > 0, after.low, -after.high)
    span = max(int(market.ts[-1] - market.ts[0]), 1) if len(market.ts) else 1
    rows = []
    for h, (name, horizon) in enumerate(zip(terms.horizons, terms.horizons_ns)):
        values = np.stack([gross[:, h], net[:, h], gross[:, h] - half[:, 0], hit[:, h]], axis=1)
        found = mean_interval(values, market.ts[after.row], int(horizon), rng)
        row: dict[str, Any] = {"horizon": name, "events": int((~np.isnan(gross[:, h])).sum())}
        for k, label in enumerate(("gross", "net", "markout", "hit")):
            low, high = float(found.low[k]), float(found.high[k])
            row |= {label: float(found.value[k]), f"{label}_low": low, f"{label}_high": high}
        row |= {"mfe": _mean(best[:, h]), "mae": _mean(worst[:, h])}
        shared = len(points.rows) * float(horizon) / span
        ic = information(scored, points.moves[:, h], shared, rng)
        rows.append(row | {"ic": ic.value, "ic_low": ic.low, "ic_high": ic.high})
    return pl.DataFrame(rows).with_columns(pl.col(pl.Float64).fill_nan(None))


def _periods(market: Mids, rows: IntArray, net: FloatArray, horizon: int) -> FloatArray:
    """Net result of equal stretches of time, none shorter than the horizon where there is time enough."""
    if not len(market.ts):
        return np.zeros(SPLITS)
    start, span = int(market.ts[0]), max(int(market.ts[-1] - market.ts[0]), 1)
    count = max(min(_MOST_PERIODS, span // max(horizon, 1)) // SPLITS, 1) * SPLITS
    known = ~np.isnan(net)
    at = np.minimum((market.ts[rows[known]] - start) * count // (span + 1), count - 1)
    sums: FloatArray = np.bincount(at, net[known], count)[:count].astype(np.float64)
    return sums


def _path(
    market: Mids, rows: IntArray, side: FloatArray, horizons: IntArray, rng: np.random.Generator
) -> pl.DataFrame:
    step = max(-(-len(rows) // _PATH_EVENTS), 1)
    reach = int(horizons[-1])
    offsets = np.linspace(-reach // 4, reach, 51).astype(np.int64)
    moves = paths(market, rows[::step], offsets) * side[::step]
    found = mean_interval(moves, market.ts[rows[::step]], reach - int(offsets[0]), rng)
    columns = {"after_s": offsets / 1e9, "mean": found.value, "low": found.low, "high": found.high}
    return pl.DataFrame(columns).with_columns(pl.col("mean", "low", "high").fill_nan(None))


def _entries(scores: Scores, entries: IntArray, instrument: Instrument | None) -> pl.DataFrame:
    ts, sequence, score, side, price = scores
    chosen = Scores(ts[entries], sequence[entries], score[entries], side[entries], price[entries])
    return chosen.frame(instrument)


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


__all__ = ["Study", "Terms", "studied", "study"]

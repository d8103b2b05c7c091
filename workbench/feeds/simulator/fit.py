"""Does the simulated flow look like the recorded one? ``python3 -m workbench.feeds.simulator.fit [--write PATH]``.

The targets were measured on public recordings: an hour of the ES future by order (a quiet holiday evening) and six
minutes of a bitcoin perpetual. They are compared in the market's own time, so that the ES-like profile, which runs
at twelve times the pace of that hour, is stretched by twelve before it is measured.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workbench.feeds.simulator.profiles import PROFILES
from workbench.feeds.simulator.source import Simulator
from workbench.feeds.simulator.statistics import FlowStatistics, flow_statistics

SEEDS: Final = (1, 2, 3)
SPANS_S: Final = {"es-like": 300, "btc-like": 345}
BEGIN: Final = "<!-- fit: begin -->"
END: Final = "<!-- fit: end -->"


@dataclass(frozen=True, slots=True)
class Target:
    """What was measured on a recording, and how near the simulator has to come.

    Parameters
    ----------
    figure : str
        Name in :class:`FlowStatistics`.
    value : float
    factor : float
        Accepted from value / factor to value · factor.
    margin : float
        Accepted from value − margin to value + margin, for figures that may be near 0.
    """

    figure: str
    value: float
    factor: float = 1.0
    margin: float = 0.0

    def accepts(self, simulated: float) -> bool:
        """Whether a simulated value is near enough."""
        if self.margin:
            return abs(simulated - self.value) <= self.margin
        return self.value / self.factor <= simulated <= self.value * self.factor

    @property
    def tolerance(self) -> str:
        """Text for the table."""
        return f"± {self.margin:g}" if self.margin else f"÷× {self.factor:g}"


def _targets(*rows: tuple[str, float, float] | tuple[str, float, float, float]) -> tuple[Target, ...]:
    return tuple(Target(*row) for row in rows)


TARGETS: Final = {
    "es-like": _targets(
        ("messages_per_s", 15.4, 1.3),
        ("executions_per_s", 0.815, 1.4),
        ("trades_per_s", 1.75, 1.4),
        ("share_new", 0.403, 0, 0.04),
        ("share_cancel", 0.355, 0, 0.04),
        ("share_replace", 0.241, 0, 0.04),
        ("message_gap_ms_p50", 0.046, 2.5),
        ("message_gap_ms_p75", 0.488, 2.5),
        ("message_gap_ms_p95", 354, 1.6),
        ("message_gap_ms_p99", 1299, 1.6),
        ("messages_1s_p50", 4, 2.1),
        ("messages_1s_p90", 42, 1.5),
        ("messages_1s_p99", 163, 2),
        ("add_size_one", 0.748, 0, 0.02),
        ("add_size_p95", 9, 1.2),
        ("add_size_p99", 16, 1.4),
        ("execution_size_one", 0.595, 0, 0.03),
        ("execution_size_mean", 3.34, 1.25),
        ("execution_size_p95", 13, 1.3),
        ("execution_size_p99", 34, 1.4),
        ("execution_sign_1", 0.42, 0, 0.08),
        ("execution_sign_5", 0.114, 0, 0.07),
        ("execution_sign_20", 0.028, 0, 0.06),
        ("life_s_p25", 0.372, 2),
        ("life_s_p50", 4.01, 2),
        ("life_s_p75", 27.5, 2),
        ("life_s_p95", 493, 1.6),
        ("spread_one", 0.94, 0, 0.03),
        ("depth_1", 33.8, 1.2),
        ("depth_2", 49.7, 1.2),
        ("depth_3", 53.1, 1.25),
        ("depth_5", 54.8, 1.3),
        ("depth_10", 51.0, 1.5),
        ("depth_1_median", 26.5, 1.2),
        ("depth_2_median", 46, 1.2),
        ("depth_5_median", 50.5, 1.2),
        ("depth_10_median", 51, 1.2),
        ("gap_2", 1.0, 1.05),
        ("level_up", 0.5, 0, 0.05),
        ("level_down", 0.462, 0, 0.05),
        ("level_new", 0.019, 2),
        ("level_gone", 0.019, 2),
        ("levels_in_book", 1486, 1.2),
        ("volatility_ticks", 0.314, 1.4),
        ("seconds_unchanged", 0.896, 0, 0.05),
    ),
    "btc-like": _targets(
        ("level_updates_per_s", 1286, 1.3),
        ("level_updates_1s_p50", 909, 1.3),
        ("level_updates_1s_p90", 2817, 2.2),
        ("level_updates_1s_p99", 6700, 1.8),
        ("trades_per_s", 62.1, 1.4),
        ("trades_1s_p50", 27, 1.5),
        ("trades_1s_p90", 108, 1.6),
        ("trades_1s_p99", 942, 1.8),
        ("prints_per_aggressor", 3.92, 1.3),
        ("prints_per_aggressor_p90", 7, 1.3),
        ("prints_per_aggressor_p99", 43, 1.5),
        ("print_size_mean", 114, 1.3),
        ("print_size_p50", 16, 1.3),
        ("print_size_p75", 81, 1.3),
        ("print_size_p95", 486, 1.3),
        ("print_size_p99", 1146, 1.4),
        ("print_sign_1", 0.794, 0, 0.1),
        ("print_sign_5", 0.652, 0, 0.1),
        ("print_sign_20", 0.472, 0, 0.1),
        ("spread_one", 0.994, 0, 0.006),
        ("depth_1", 3751, 1.4),
        ("depth_1_median", 3119, 1.4),
        ("depth_2", 641, 1.5),
        ("depth_3", 335, 2),
        ("depth_5", 652, 1.6),
        ("depth_10", 423, 1.6),
        ("depth_3_median", 62, 1.6),
        ("depth_10_median", 57, 1.6),
        ("gap_2", 6.74, 1.6),
        ("gap_5", 4.75, 1.4),
        ("gap_10", 3.44, 1.6),
        ("level_up", 0.29, 0, 0.08),
        ("level_down", 0.304, 0, 0.08),
        ("level_new", 0.212, 0, 0.07),
        ("level_gone", 0.193, 0, 0.07),
        ("levels_in_book", 6744, 1.4),
        ("volatility_ticks", 80.5, 1.4),
        ("seconds_unchanged", 0.459, 0, 0.15),
    ),
}


@dataclass(frozen=True, slots=True)
class Fitted:
    """One row of the table: the target and the mean over the seeds."""

    target: Target
    simulated: float

    @property
    def good(self) -> bool:
        """Whether the simulator is within the tolerance."""
        return self.target.accepts(self.simulated)


def simulated_statistics(profile: str, seed: int, span_s: int) -> FlowStatistics:
    """Statistics of a stretch of simulation, in the market's own time."""
    source = Simulator(seed, profile)
    batches = [batch for _, batch in source.advance(source.start_ns + span_s * 1_000_000_000)]
    return flow_statistics(batches, stretch=PROFILES[profile].pace)


def fit(profile: str) -> list[Fitted]:
    """Compare a profile with its targets: the mean of each figure over :data:`SEEDS`."""
    runs = [simulated_statistics(profile, seed, SPANS_S[profile]) for seed in SEEDS]
    return [Fitted(t, sum(run[t.figure] for run in runs) / len(runs)) for t in TARGETS[profile]]


def fit_table(rows: Iterable[Fitted]) -> str:
    """Markdown table of a fit."""
    lines = ["| figure | target | simulated | tolerance | |", "|---|---|---|---|---|"]
    for row in rows:
        mark = "ok" if row.good else "**off**"
        t = row.target
        lines.append(f"| `{t.figure}` | {t.value:.3g} | {row.simulated:.3g} | {t.tolerance} | {mark} |")
    return "\n".join(lines)


def report() -> tuple[str, bool]:
    """Tables of all profiles, and whether every figure is within its tolerance."""
    parts, good = [], True
    for profile in TARGETS:
        rows = fit(profile)
        good &= all(row.good for row in rows)
        parts.append(f"### {profile}\n\n{fit_table(rows)}")
    return "\n\n".join(parts), good


def main(arguments: list[str] | None = None) -> int:
    """Print the tables, or write them between the marks of a page; exit code 1 if a figure is off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--write", type=Path, help="page whose marked block is replaced")
    page = parser.parse_args(arguments).write
    text, good = report()
    if page is None:
        sys.stdout.write(text + "\n")
    else:
        before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Profiles: what kind of market is simulated. Plain numbers, fitted to public recordings (docs/simulator.md)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from workbench.feeds.simulator.rules import TABLE_LENGTH

Table = tuple[int, ...]


def ramp(*knots: tuple[int, int]) -> Table:
    """Quantile table through (permille, value) knots, linear between them, integers only.

    Parameters
    ----------
    *knots : tuple of (int, int)
        From permille 0 to permille 1000; a repeated value is a plateau.

    Returns
    -------
    tuple of int, length 1024
        Drawing an entry uniformly draws from the distribution.

    Examples
    --------
    >>> table = ramp((0, 1), (750, 1), (1000, 11))
    >>> table[0], table[767], table[1023]
    (1, 1, 10)
    """
    return tuple(_at(knots, 1000 * i) for i in range(TABLE_LENGTH))


def _at(knots: tuple[tuple[int, int], ...], scaled: int) -> int:
    for (left, low), (right, high) in itertools.pairwise(knots):
        start, stop = left * TABLE_LENGTH, right * TABLE_LENGTH
        if start <= scaled < stop:
            return low + (high - low) * (scaled - start) // (stop - start)
    return knots[-1][1]


def curve(*knots: tuple[int, int]) -> Table:
    """Table by distance: (ticks, value) knots, linear between them, the last value beyond."""
    return tuple(_along(knots, i) for i in range(TABLE_LENGTH))


def _along(knots: tuple[tuple[int, int], ...], ticks: int) -> int:
    for (left, low), (right, high) in itertools.pairwise(knots):
        if left <= ticks < right:
            return low + (high - low) * (ticks - left) // (right - left)
    return knots[-1][1]


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that makes one kind of market.

    Times are in market ns: at ``pace`` 12 the market of the calibration runs twelve times as fast. Shares are
    probabilities per action; tables draw their values uniformly from their entries.
    """

    name: str
    symbol: str
    full_name: str
    tick_size: str
    lot_size: str
    multiplier: str
    start_ticks: int
    pace: float
    span: int
    """Prices in the ring of levels, a power of two."""
    capacity: int
    """Orders that can rest at once."""

    # what happens
    trade_share: float
    modify_share: float
    wall_share: float
    balance: float
    """Pull of a level's count of orders to its target: the share of adds is ½ + balance · (1 − count / target)."""
    flicker: float
    """Share of cancels that hit the order entered last."""
    fleet: float
    """Share of the other cancels that hit the end of the queue."""
    chase: float
    """Share of modifies that bring an order from the touch left behind to the new one."""
    resize_share: float

    # when: gaps are a mixture of three exponentials, the longest under a self-exciting rate
    micro_share: float
    milli_share: float
    micro_ns: float
    milli_ns: float
    macro_ns: float
    fast_kick: float
    slow_kick: float
    fast_ns: float
    slow_ns: float
    burst_share: float
    burst_trade: float
    burst_ns: float

    # which side
    echo: float
    """Share of aggressors that repeat the last sign (one order, several hits)."""
    parent_keep: float
    parent_bias: float
    imbalance: float
    trend_bias: float
    follow: float
    """Chance that a depleted touch is followed by the other side, so that the price moves."""
    lean: float
    fade_share: float
    """Chance per action that the quotes of one side begin to give way."""
    fade_steps: float
    close_share: float
    full_close: float

    # how far
    cap_share: float
    """Share of aggressors that take no more than stands at the touch."""
    rest_share: float
    protect_ticks: float
    gap_ticks: float
    reach_ticks: float
    book_ticks: float
    round_ticks: float
    wall_near: float
    wall_far: float
    flinch_ticks: float
    latency_ns: float
    jitter_ns: float
    warm_actions: float

    near_sizes: Table
    far_sizes: Table
    aggressions: Table
    distances: Table
    targets: Table
    """Orders per level, 1/256, by distance from the best price."""
    wall_sizes: Table
    wall_lives: Table
    burst_lengths: Table
    trend_lives: Table


ES_LIKE: Final = Profile(
    name="es-like",
    symbol="ES-SIM",
    full_name="Simulated index future",
    tick_size="0.25",
    lot_size="1",
    multiplier="50",
    start_ticks=20_000,
    pace=12.0,
    span=1 << 12,
    capacity=1 << 14,
    trade_share=0.062,
    modify_share=0.22,
    wall_share=0.012,
    balance=0.25,
    flicker=0.15,
    fleet=0.76,
    chase=0.1,
    resize_share=0.35,
    micro_share=0.66,
    milli_share=0.235,
    micro_ns=60e3,
    milli_ns=4e6,
    macro_ns=1.55e9,
    fast_kick=0.4,
    slow_kick=0.005,
    fast_ns=2e9,
    slow_ns=60e9,
    burst_share=0.008,
    burst_trade=0.15,
    burst_ns=8e6,
    echo=0.34,
    parent_keep=0.85,
    parent_bias=0.06,
    imbalance=0.22,
    trend_bias=0.08,
    follow=0.85,
    lean=0.05,
    fade_share=0.0008,
    fade_steps=1,
    close_share=0.13,
    full_close=1.0,
    cap_share=0.2,
    rest_share=0.5,
    protect_ticks=4,
    gap_ticks=1,
    reach_ticks=1000,
    book_ticks=740,
    round_ticks=4,
    wall_near=7,
    wall_far=28,
    flinch_ticks=3,
    latency_ns=250e3,
    jitter_ns=60e3,
    warm_actions=60_000,
    near_sizes=ramp(
        (0, 1),
        (748, 1),
        (749, 2),
        (836, 2),
        (837, 3),
        (890, 3),
        (891, 4),
        (924, 4),
        (925, 5),
        (950, 9),
        (955, 12),
        (979, 12),
        (990, 16),
        (996, 40),
        (999, 69),
        (1000, 120),
    ),
    far_sizes=ramp(
        (0, 1),
        (748, 1),
        (749, 2),
        (836, 2),
        (837, 3),
        (890, 3),
        (891, 4),
        (924, 4),
        (925, 5),
        (950, 9),
        (955, 12),
        (979, 12),
        (990, 16),
        (996, 40),
        (999, 69),
        (1000, 120),
    ),
    aggressions=ramp(
        (0, 1),
        (594, 1),
        (595, 2),
        (749, 2),
        (750, 3),
        (805, 3),
        (806, 4),
        (850, 4),
        (851, 5),
        (879, 5),
        (880, 6),
        (910, 8),
        (950, 13),
        (990, 34),
        (999, 83),
        (1000, 89),
    ),
    distances=ramp(
        (0, 0),
        (310, 0),
        (311, 1),
        (520, 1),
        (521, 2),
        (640, 2),
        (641, 3),
        (710, 3),
        (711, 4),
        (760, 4),
        (880, 10),
        (950, 20),
        (980, 60),
        (995, 200),
        (1000, 740),
    ),
    targets=curve(
        (0, 6300), (1, 8000), (2, 6800), (10, 5000), (30, 3000), (80, 1400), (300, 500), (740, 280)
    ),
    wall_sizes=ramp((0, 120), (500, 200), (900, 360), (1000, 600)),
    wall_lives=ramp((0, 120), (400, 600), (800, 3000), (1000, 14_000)),
    burst_lengths=ramp((0, 10), (600, 60), (900, 250), (1000, 900)),
    trend_lives=ramp((0, 120), (500, 700), (900, 3000), (1000, 8000)),
)

BTC_LIKE: Final = Profile(
    name="btc-like",
    symbol="BTC-SIM",
    full_name="Simulated bitcoin perpetual",
    tick_size="0.1",
    lot_size="0.001",
    multiplier="1",
    start_ticks=617_000,
    pace=1.0,
    span=1 << 17,
    capacity=1 << 15,
    trade_share=0.0088,
    modify_share=0.2,
    wall_share=0.003,
    balance=0.35,
    flicker=0.12,
    fleet=0.3,
    chase=0.7,
    resize_share=0.42,
    micro_share=0.55,
    milli_share=0.3,
    micro_ns=40e3,
    milli_ns=450e3,
    macro_ns=10.5e6,
    fast_kick=0.03,
    slow_kick=0.001,
    fast_ns=1e9,
    slow_ns=20e9,
    burst_share=0.015,
    burst_trade=0.1,
    burst_ns=0.2e6,
    echo=0.08,
    parent_keep=0.95,
    parent_bias=0.3,
    imbalance=0.3,
    trend_bias=0.12,
    follow=0.53,
    lean=0.06,
    fade_share=0.0009,
    fade_steps=3,
    close_share=0.6,
    full_close=0.8,
    cap_share=0.4,
    rest_share=0.3,
    protect_ticks=500,
    gap_ticks=3,
    reach_ticks=60_000,
    book_ticks=30_000,
    round_ticks=100,
    wall_near=150,
    wall_far=900,
    flinch_ticks=40,
    latency_ns=1.5e6,
    jitter_ns=400e3,
    warm_actions=100_000,
    near_sizes=ramp((0, 1), (100, 2), (300, 5), (550, 23), (800, 130), (950, 540), (990, 1150), (1000, 3000)),
    far_sizes=ramp(
        (0, 1), (200, 3), (600, 22), (800, 100), (920, 350), (985, 1500), (999, 9000), (1000, 40_000)
    ),
    aggressions=ramp(
        (0, 2),
        (210, 2),
        (350, 8),
        (500, 30),
        (700, 120),
        (900, 655),
        (970, 2500),
        (990, 7150),
        (1000, 50_000),
    ),
    distances=ramp(
        (0, 0),
        (180, 0),
        (181, 1),
        (450, 40),
        (680, 200),
        (870, 1000),
        (950, 5000),
        (990, 15_000),
        (1000, 30_000),
    ),
    targets=curve((0, 13_000), (1, 330)),
    wall_sizes=ramp((0, 12_000), (500, 25_000), (1000, 80_000)),
    wall_lives=ramp((0, 20), (400, 120), (800, 600), (1000, 2400)),
    burst_lengths=ramp((0, 30), (500, 200), (900, 2200), (1000, 15_000)),
    trend_lives=ramp((0, 10), (500, 60), (900, 240), (1000, 700)),
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({p.name: p for p in (ES_LIKE, BTC_LIKE)})
"""Profiles by name."""

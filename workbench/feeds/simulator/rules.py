"""Names of a profile's constants and tables inside the kernels."""

from __future__ import annotations

from typing import Final

TABLE_LENGTH: Final = 1024
"""Entries of a quantile table."""

TABLES: Final = (
    "near_sizes",
    "far_sizes",
    "aggressions",
    "distances",
    "targets",
    "wall_sizes",
    "wall_lives",
    "burst_lengths",
    "trend_lives",
)
NEAR_SIZES, FAR_SIZES, AGGRESSIONS, DISTANCES, TARGETS, WALL_SIZES, WALL_LIVES, BURST_LENGTHS, TREND_LIVES = (
    range(len(TABLES))
)
RULES: Final = (
    "trade_share",
    "modify_share",
    "wall_share",
    "balance",
    "flicker",
    "fleet",
    "chase",
    "resize_share",
    "micro_share",
    "milli_share",
    "micro_ns",
    "milli_ns",
    "macro_ns",
    "fast_kick",
    "slow_kick",
    "fast_ns",
    "slow_ns",
    "burst_share",
    "burst_trade",
    "burst_ns",
    "echo",
    "parent_keep",
    "parent_bias",
    "imbalance",
    "trend_bias",
    "follow",
    "lean",
    "fade_share",
    "fade_steps",
    "close_share",
    "full_close",
    "cap_share",
    "rest_share",
    "protect_ticks",
    "gap_ticks",
    "reach_ticks",
    "book_ticks",
    "round_ticks",
    "wall_near",
    "wall_far",
    "flinch_ticks",
    "latency_ns",
    "jitter_ns",
    "warm_actions",
)
"""Fields of a profile that reach the kernels as fields of the market."""

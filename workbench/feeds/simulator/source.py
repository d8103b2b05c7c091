"""The simulator as a source: an endless market, a pure function of seed, profile and virtual time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import ReplayError
from workbench.events import EventBatch, Instrument
from workbench.feeds.simulator.planted import planted_frame
from workbench.feeds.simulator.planting import Plant, plants_from, plants_name
from workbench.feeds.simulator.profiles import PROFILES, Profile
from workbench.feeds.simulator.stream import MarketStream
from workbench.feeds.times import Moment, moment_ns, moment_text

if TYPE_CHECKING:
    import polars as pl

START_NS: Final = 1_736_173_800_000_000_000
"""Default start: Monday 2025-01-06 14:30 UTC, the hour New York opens. Never the wall clock."""

_SLICE_NS: Final = 100_000_000
_SEED_STEP: Final = 0xD1342543DE82EF95
_MASK: Final = (1 << 64) - 1


class Simulator:
    """A market that never was: limit orders, market orders, cancels and replaces, matched first in first out.

    Parameters
    ----------
    seed : int, optional
        Same seed, profile, start and intensity: the same events, bit for bit, on every machine.
    profile : str, optional
        ``"es-like"`` (dense book, one tick wide, lots of 1) or ``"btc-like"`` (sparse book of thousands of levels).
    symbol : str, optional
        Name of the instrument; the profile has a default.
    symbols : sequence of str, optional
        Several instruments of the same profile, each a market of its own seed; instead of ``symbol``.
    start : int ns, datetime or ISO text, optional
        Virtual time of the first event.
    intensity : float, optional
        Speed of the market's own clock: 2 doubles all rates, halves the life of orders, and raises volatility by √2.
    plants : sequence of Plant or mapping, optional
        Participants with a script, see :func:`~workbench.feeds.simulator.planting.plants`. Where something is planted
        nobody else hides size or builds walls, so that what was planted is all there is.

    Raises
    ------
    ReplayError
        Unknown profile, negative seed, an intensity outside 0.01 … 100, a start without a zone, symbols twice.

    Examples
    --------
    >>> source = Simulator(seed=7)
    >>> [(symbol, batch)] = source.advance(source.start_ns)
    >>> symbol, batch.kind[0] == 6
    ('ES-SIM', np.True_)
    """

    end_ns: int | None = None
    exhausted: bool = False

    def __init__(
        self,
        seed: int = 7,
        profile: str = "es-like",
        *,
        symbol: str | None = None,
        symbols: Sequence[str] = (),
        start: Moment | None = None,
        intensity: float = 1.0,
        plants: Iterable[Plant | Mapping[str, Any]] = (),
    ):
        chosen = _checked_profile(profile)
        names = _checked_names(chosen, symbol, symbols)
        _check_numbers(seed, intensity)
        self.seed, self.profile, self.intensity = seed, profile, float(intensity)
        self.plants = plants_from(plants)
        self.start_ns = START_NS if start is None else moment_ns(start, START_NS)
        self.position_ns = self.start_ns
        self.instruments = tuple(_instrument(chosen, name) for name in names)

    @cached_property
    def _streams(self) -> list[MarketStream]:
        # made when first needed: a session that only names its engine's source computes nothing
        return [
            MarketStream(
                PROFILES[self.profile],
                (self.seed + i * _SEED_STEP) & _MASK,
                self.intensity,
                self.start_ns,
                self.plants,
            )
            for i in range(len(self.instruments))
        ]

    @property
    def name(self) -> str:
        """What makes these events, for reprs and manifests."""
        text = f"simulate seed={self.seed} profile={self.profile}"
        if self.intensity != 1.0:
            text += f" intensity={self.intensity:g}"
        if self.start_ns != START_NS:
            text += f" start={moment_text(self.start_ns)}"
        if self.plants:
            text += f" plants={plants_name(self.plants)}"
        return text

    def __repr__(self) -> str:
        symbols = ", ".join(i.symbol for i in self.instruments)
        return f"<Simulator {symbols}: {self.name}, at {moment_text(self.position_ns)}>"

    def advance(self, until_ns: int, max_events: int | None = None) -> list[tuple[str, EventBatch]]:
        """Hand out events with ``ts <= until_ns`` that were not handed out yet.

        Parameters
        ----------
        until_ns : int, ns since the epoch, UTC
        max_events : int, optional
            Stop after so many; the rest comes with the next call.

        Returns
        -------
        list of (str, EventBatch)
            In order within each symbol; between symbols in slices of 0.1 s.
        """
        if len(self._streams) == 1:
            return self._advance_slice(until_ns, max_events)
        handed: list[tuple[str, EventBatch]] = []
        left = max_events
        while left is None or left > 0:
            edge = min(until_ns, (self.position_ns // _SLICE_NS + 1) * _SLICE_NS - 1)
            handed += self._advance_slice(edge, left)
            left = None if max_events is None else max_events - sum(len(b) for _, b in handed)
            if self.position_ns >= until_ns or self.position_ns < edge:
                break
            self.position_ns = min(edge + 1, until_ns)
        return handed

    def planted(self, until_ns: int | None = None) -> pl.DataFrame:
        """Return what planted participants did, all that ended by a time (default: by the time reached).

        Parameters
        ----------
        until_ns : int, ns since the epoch, UTC, optional

        Returns
        -------
        DataFrame
            ``symbol``, ``kind``, ``start``, ``end`` (UTC), ``side``, ``price``, ``price_end``, ``size`` (real units),
            ``count``, ``fate``, ``order_id``; see :class:`~workbench.feeds.simulator.planted.Planted`.
        """
        reached = self.position_ns if until_ns is None else min(until_ns, self.position_ns)
        streams = zip(self.instruments, self._streams)
        return planted_frame((i, record) for i, stream in streams for record in stream.planted(reached))

    def seek(self, ts_ns: int) -> None:
        """Go to another time: the next :meth:`advance` starts with the book as it was just before it.

        Parameters
        ----------
        ts_ns : int, ns since the epoch, UTC

        Raises
        ------
        ReplayError
            A time before the start.

        Notes
        -----
        Backwards costs a re-run from the last checkpoint, forwards a run without output. Sequence numbers go on.
        """
        if ts_ns < self.start_ns:
            raise ReplayError(
                f"seek to {moment_text(ts_ns)}",
                expected=f"not before the start, {moment_text(self.start_ns)}",
            )
        for stream in self._streams:
            stream.seek(ts_ns)
        self.position_ns = ts_ns

    def _advance_slice(self, until_ns: int, max_events: int | None) -> list[tuple[str, EventBatch]]:
        handed = []
        left = max_events
        for instrument, stream in zip(self.instruments, self._streams):
            for batch in stream.take(until_ns, left):
                handed.append((instrument.symbol, batch))
                left = None if left is None else left - len(batch)
        if all(stream.drained(until_ns) for stream in self._streams):
            self.position_ns = max(self.position_ns, until_ns)
        elif handed:
            self.position_ns = max(self.position_ns, min(s.reached_ns for s in self._streams) - 1)
        return handed


def _checked_profile(profile: str) -> Profile:
    if profile not in PROFILES:
        raise ReplayError(f"profile {profile!r}", expected=f"one of {', '.join(sorted(PROFILES))}")
    return PROFILES[profile]


def _checked_names(profile: Profile, symbol: str | None, symbols: Sequence[str]) -> tuple[str, ...]:
    if symbol is not None and symbols:
        raise ReplayError("symbol and symbols at once", expected="one of the two")
    names = tuple(symbols) or (symbol or profile.symbol,)
    if len(set(names)) != len(names):
        raise ReplayError(f"symbols {list(names)}", expected="each name once")
    return names


def _check_numbers(seed: object, intensity: float) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= _MASK:
        raise ReplayError(f"seed {seed!r}", expected="an integer from 0 to 2^64 − 1")
    if not 0.01 <= intensity <= 100:
        raise ReplayError(f"intensity {intensity!r}", expected="a number from 0.01 to 100")


def _instrument(profile: Profile, symbol: str) -> Instrument:
    features = {"depth": True, "mbo": True, "simulated": True}
    return Instrument(
        symbol,
        Decimal(profile.tick_size),
        Decimal(profile.lot_size),
        Decimal(profile.multiplier),
        profile.full_name,
        features,
    )

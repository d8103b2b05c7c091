"""How long commands, answers and rows are on their way: constant, or drawn from what was recorded."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np

from workbench.errors import WorkbenchError
from workbench.events import Array
from workbench.flow.bar_rule import interval_ns

DRAWS: Final = 1 << 16
"""Drawn delays; the next ones are the same again."""

_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX: Final = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


class Latency:
    """Delays of commands, answers and rows.

    Parameters
    ----------
    entry, response : str, int (ns) or array of int (ns), optional
        From a decision to the venue, and back. An array holds recorded delays: each command, each answer draws one.
    feed : str, int (ns) or array of int (ns), optional
        From the venue to the strategy: rows happen at their ``ts`` and are seen so much later. Each moment (all rows of
        one ``ts``) draws one.
    seed : int, optional
        Of the draws: the same seed gives the same delays on every machine.

    Raises
    ------
    WorkbenchError
        A negative delay, an array of other shape or type, or of nothing (code ``bad_value``).

    Notes
    -----
    Order is kept: what is sent later never arrives earlier, so a short delay behind a long one waits for it. Draws are
    independent of each other: whoever recorded delays that come in bursts makes them milder here.

    Examples
    --------
    >>> import numpy as np
    >>> Latency("2ms", np.array([900_000, 1_100_000, 5_000_000]), seed=3)
    Latency(entry=2000000 ns, response=3 of 900000 to 5000000 ns (52694765), feed=0 ns, seed=3)
    """

    def __init__(self, entry: Any = "1ms", response: Any = None, *, feed: Any = 0, seed: int = 0):
        self._entry = _samples("entry", entry)
        self._response = self._entry if response is None else _samples("response", response)
        self._feed, self._seed = _samples("feed", feed), int(seed)

    @classmethod
    def of(cls, value: Any) -> Latency:
        """Take a latency as it is, one value for commands and answers, or a pair."""
        if isinstance(value, Latency):
            return value
        if isinstance(value, tuple) and len(value) != 2:
            raise WorkbenchError(
                f"a latency of {len(value)} parts",
                expected="one, or a pair (entry, response)",
                code="bad_value",
            )
        return cls(*value) if isinstance(value, tuple) else cls(value)

    @classmethod
    def recorded(cls, frame: Any, *, seed: int = 0) -> Latency:
        """Take delays from a record of orders.

        Parameters
        ----------
        frame : DataFrame
            A row per order with times ``sent``, ``arrived`` (at the venue) and ``answered``; whole nanoseconds or
            date-times. Without ``arrived`` half of each round trip is for either way.
        seed : int, optional

        Examples
        --------
        >>> import polars as pl
        >>> Latency.recorded(pl.DataFrame({"sent": [0, 50], "answered": [20, 90]}))
        Latency(entry=2 of 10 to 20 ns (a1be4e0e), response=2 of 10 to 20 ns (a1be4e0e), feed=0 ns, seed=0)
        """
        sent, answered = _times(frame, "sent"), _times(frame, "answered")
        arrived = _times(frame, "arrived") if "arrived" in frame.columns else sent + (answered - sent) // 2
        return cls(arrived - sent, answered - arrived, seed=seed)

    @property
    def entry(self) -> Array:
        """Delays of commands, ns, one after another: shape (1,) where they are all the same."""
        return self._drawn(self._entry, 1)

    @property
    def response(self) -> Array:
        """Delays of answers, ns."""
        return self._drawn(self._response, 2)

    def terms(self) -> dict[str, Any]:
        """Return ``entry_ns``, ``response_ns`` and ``latency_seed`` of :class:`workbench.PaperTerms`.

        On paper rows are seen when they come: ``feed`` is not among them.
        """
        ways = {"entry_ns": self._entry, "response_ns": self._response}
        return {**{name: tuple(way.tolist()) for name, way in ways.items()}, "latency_seed": self._seed}

    def seen(self, ts: Array) -> Array:
        """When rows are seen that happen at given times, ns.

        Parameters
        ----------
        ts : int64 array, ns, shape (n,)
            Never decreasing.
        """
        if not self._feed.any():
            return ts
        delays, moments = self._drawn(self._feed, 3), np.cumsum(np.diff(ts, prepend=ts[:1]) != 0)
        return np.asarray(np.maximum.accumulate(ts + delays[moments % len(delays)]))

    def _drawn(self, samples: Array, lane: int) -> Array:
        """Draw with SplitMix64, which no library's next version changes."""
        if len(samples) == 1:
            return samples
        z = np.arange(1, DRAWS + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
        z += np.array([(self._seed * 4 + lane) * _GOLDEN >> 3 & (1 << 64) - 1], np.uint64)
        for shift, factor in _MIX:
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
        z ^= z >> np.uint64(31)
        return samples[(z % np.uint64(len(samples))).astype(np.int64)]

    def __repr__(self) -> str:
        parts = {"entry": self._entry, "response": self._response, "feed": self._feed}
        told = ", ".join(f"{name}={_said(samples)}" for name, samples in parts.items())
        return f"Latency({told}, seed={self._seed})"


def _samples(name: str, value: Any) -> Array:
    given = interval_ns(value, or_none=True) if isinstance(value, str) else value
    array = np.atleast_1d(np.asarray(given))
    if array.dtype.kind == "m":
        array = array.astype("timedelta64[ns]").astype(np.int64)
    if array.ndim != 1 or not len(array) or array.dtype.kind not in "iu":
        raise WorkbenchError(
            f"{name} latency {value!r:.60}",
            expected="whole nanoseconds, a time as '2ms', or an array of recorded delays",
            code="bad_value",
        )
    if array.min() < 0:
        raise WorkbenchError(f"{name} latency of {array.min()} ns", expected="0 ns or more", code="bad_value")
    return np.ascontiguousarray(array, np.int64)


def _times(frame: Any, name: str) -> Array:
    if name not in frame.columns:
        raise WorkbenchError(
            f"a record of orders with {', '.join(frame.columns)}",
            expected="columns sent and answered, and arrived where it is known",
            code="bad_value",
        )
    column = frame[name].to_numpy()
    times = column.astype("datetime64[ns]") if column.dtype.kind == "M" else column
    if times.dtype.kind not in "Miu" or (times.dtype.kind == "M" and np.isnat(times).any()):
        raise WorkbenchError(
            f"column {name!r} of a record of orders",
            expected="a time in each row: whole nanoseconds or date-times",
            code="bad_value",
        )
    return np.asarray(times.astype(np.int64))


def _said(samples: Array) -> str:
    if len(samples) == 1:
        return f"{samples[0]} ns"
    digest = hashlib.sha256(samples.tobytes()).hexdigest()[:8]
    return f"{len(samples)} of {samples.min()} to {samples.max()} ns ({digest})"

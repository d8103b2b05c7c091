"""Planted truth: participants with a script, so that what a detector should find is known beforehand.

A plant says what happens, when, and how large; the market goes on around it and answers as it always does. The same
seed with the same plants gives the same market, bit for bit; without plants it is the market it always was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from workbench.errors import ReplayError
from workbench.feeds.times import Duration, duration_ns

KINDS: Final = (
    "iceberg",
    "synthetic_iceberg",
    "stop_run",
    "sweep",
    "absorption",
    "spoofing",
    "layering",
    "wall",
)
FATES: Final = ("consumed", "pulled", "moved")
_LENGTHS: Final = ("at", "every", "life")


class Plant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something to happen in the simulated market, once or again and again.

    Whatever is left 0 (or empty) is drawn anew for every event, within bounds that suit the kind and the book.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    at : int, ns after the market's start
    every : int, ns
        Mean distance between events (each comes up to a quarter of it earlier or later); 0: one event only.
    side : int
        Resting side (``iceberg``, ``synthetic_iceberg``, ``absorption``, ``spoofing``, ``layering``, ``wall``) or
        aggressor (``stop_run``, ``sweep``): +1 bid or buy, −1 ask or sell.
    size : int, lots
        Whole size: of an iceberg with all that it hides, of each order of ``layering``, of what is absorbed.
    peak : int, lots
        What an iceberg shows at a time.
    count : int
        Levels of a sweep or of layering, orders of a stop run.
    distance : int, ticks
        From the best price: of spoofing, layering and walls.
    life : int, ns
        How long a resting order stays at most; how far a stop run looks back for its extreme.
    fate : str
        Of a wall: ``consumed``, ``pulled`` or ``moved``.

    Examples
    --------
    >>> Plant(kind="sweep", at=5_000_000_000, side=1, count=6)
    Plant(kind='sweep', at=5000000000, every=0, side=1, size=0, peak=0, count=6, distance=0, life=0, fate='')
    """

    kind: str
    at: int = 0
    every: int = 0
    side: int = 0
    size: int = 0
    peak: int = 0
    count: int = 0
    distance: int = 0
    life: int = 0
    fate: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ReplayError(f"plant of kind {self.kind!r}", expected=f"one of {', '.join(KINDS)}")
        if self.side not in (-1, 0, 1):
            raise ReplayError(
                f"plant with side {self.side}", expected="1 (bid, buy), -1 (ask, sell) or 0 (drawn)"
            )
        if self.fate not in ("", *FATES):
            raise ReplayError(f"plant with fate {self.fate!r}", expected=f"one of {', '.join(FATES)}")
        numbers = (self.at, self.every, self.size, self.peak, self.count, self.distance, self.life)
        if min(numbers) < 0:
            raise ReplayError(f"plant with {min(numbers)}", expected="times, sizes and counts of 0 or more")


Plants = Sequence[Plant]


def plants(
    *kinds: str, every: Duration = "20s", at: Duration | None = None, **fields: Any
) -> tuple[Plant, ...]:
    """Plants of one or several kinds that come again and again, evenly spread over each round.

    Parameters
    ----------
    *kinds : str
        Of :data:`KINDS`; none: all of them.
    every : duration
        Length of a round: every kind happens once in it.
    at : duration, optional
        When the first round begins, after the market's start. Default: a quarter of a round.
    **fields
        Other fields of :class:`Plant` for all of them; ``life`` also as text (``"2s"``).

    Returns
    -------
    tuple of Plant
        Add tuples to plant more than one call can say.

    Raises
    ------
    ReplayError
        Unknown kind or field, or a number that makes no sense.

    Examples
    --------
    >>> [(p.kind, p.at) for p in plants("sweep", "wall", every="20s", at="1s")]
    [('sweep', 1000000000), ('wall', 11000000000)]
    """
    unknown = sorted(set(fields) - set(Plant.__struct_fields__))
    if unknown:
        raise ReplayError(
            f"plants with {unknown[0]!r}", expected=f"fields {', '.join(Plant.__struct_fields__)}"
        )
    chosen = kinds or KINDS
    round_ns = duration_ns(every)
    first_ns = round_ns // 4 if at is None else duration_ns(at)
    plain: dict[str, Any] = {
        name: _length(value) if name in _LENGTHS else value for name, value in fields.items()
    }
    return tuple(
        Plant(kind=kind, at=first_ns + i * round_ns // len(chosen), every=round_ns, **plain)
        for i, kind in enumerate(chosen)
    )


def plants_from(plain: Iterable[Plant | Mapping[str, Any]]) -> tuple[Plant, ...]:
    """Plants from records or from plain mappings, as a JSON file holds them; lengths also as text.

    Raises
    ------
    ReplayError
        Something else, an unknown field, a value of the wrong type.
    """
    return tuple(item if isinstance(item, Plant) else _plant(item) for item in plain)


def read_plants(path: Path) -> tuple[Plant, ...]:
    """Plants of a JSON file: a list of objects with the fields of :class:`Plant`, lengths also as text (``"20s"``).

    Raises
    ------
    ReplayError
        No such file, no JSON, no list, or as :func:`plants_from`.
    """
    try:
        plain = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as problem:
        raise ReplayError(
            f"plants {path} ({problem})", expected="a JSON file with a list of plants"
        ) from None
    if not isinstance(plain, list):
        raise ReplayError(
            f"plants {path}, no list", expected="a JSON list of objects with the fields of Plant"
        )
    return plants_from(plain)


def plain_plants(planted: Plants) -> list[dict[str, Any]]:
    """Plants as plain mappings, for JSON."""
    return [msgspec.to_builtins(plant) for plant in planted]


def plants_name(planted: Plants) -> str:
    """Short and deterministic: the kinds, and a hash of everything."""
    kinds = ",".join(dict.fromkeys(plant.kind for plant in planted))
    text = msgspec.json.encode(plain_plants(planted), order="deterministic")
    return f"{kinds}#{hashlib.sha256(text).hexdigest()[:8]}"


def _length(value: int | Duration) -> int:
    return value if isinstance(value, int) else duration_ns(value)


def _plant(item: Mapping[str, Any]) -> Plant:
    try:
        plain = {name: _length(value) if name in _LENGTHS else value for name, value in dict(item).items()}
        unknown = sorted(set(plain) - set(Plant.__struct_fields__))
        if unknown:
            raise ReplayError(f"plant with {unknown[0]!r}", expected=", ".join(Plant.__struct_fields__))
        return msgspec.convert(plain, Plant)
    except (msgspec.ValidationError, TypeError, ValueError) as problem:
        raise ReplayError(f"plant {item!r} ({problem})", expected="a mapping of a Plant's fields") from None

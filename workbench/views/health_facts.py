"""What is said of a session's health: each fact with a judgement, and what to do where it is bad. Plain words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

__all__ = ["Fact", "facts_of", "report"]

Level = Literal["good", "calm", "warn", "bad"]
SLOW_LAG_MS: Final = 500.0
STALE_LAG_MS: Final = 5000.0
LOW_DISK_BYTES: Final = 2 << 30

_STATES: Final[dict[str, tuple[Level, str]]] = {
    "live": ("good", ""),
    "recorded": ("calm", ""),
    "paused": ("calm", "The clock stands still: resume it to go on"),
    "ended": ("calm", "The source has ended; everything captured stays readable"),
    "closed": ("calm", "The session was closed; everything captured stays readable"),
    "connecting": ("warn", "If this lasts, run `workbench doctor`"),
    "stale": ("bad", "No data comes: look at the connection, then run `workbench doctor`"),
}


class Fact(NamedTuple):
    """One line of health.

    Attributes
    ----------
    name, text : str
    level : {"good", "calm", "warn", "bad"}
    advice : str
        What to do; empty where nothing is to be done.
    """

    name: str
    text: str
    level: Level = "calm"
    advice: str = ""


def facts_of(known: dict[str, Any]) -> list[Fact]:
    """Judge what is known of a session.

    Parameters
    ----------
    known : dict
        ``state``, ``note``, ``lag_ms``, ``lag_p99_ms``, ``events``, ``rate``, ``gaps``, ``lost``, ``duplicates``,
        ``reconnects``, ``bad_messages``, ``resyncs``, ``clock_suspect``, ``crossed``, ``synced_ns``, ``clients``,
        ``backlog``, ``dropped``, ``bridges``, ``recordings`` (path, bytes, running), ``disk_free``, ``views``,
        ``verdict``; what is missing is not spoken of.
    """
    level, advice = _STATES.get(known.get("state", ""), ("calm", ""))
    facts = [Fact("state", str(known.get("state", "unknown")), level, advice)]
    if known.get("note"):
        facts.append(Fact("note", str(known["note"]), "warn"))
    facts += [fact for judge in _JUDGES if (fact := judge(known)) is not None]
    return [*facts, *map(_bridge, known.get("bridges", ())), *_recorders(known), *_disk(known)]


def _lag(known: dict[str, Any]) -> Fact | None:
    lag, worst = known.get("lag_ms"), known.get("lag_p99_ms")
    if lag is None or known.get("state") != "live":
        return None
    text = f"{lag:.0f} ms" + ("" if worst is None else f", 99 % of the last minute below {worst:.0f} ms")
    if lag > STALE_LAG_MS:
        return Fact("lag", text, "bad", "Data is old: look at the network and at what else this machine does")
    if lag > SLOW_LAG_MS:
        return Fact("lag", text, "warn", "Fewer symbols or views help; a pause in the market looks the same")
    return Fact("lag", text, "good")


def _events(known: dict[str, Any]) -> Fact | None:
    if "events" not in known:
        return None
    rate = known.get("rate")
    return Fact("events", f"{known['events']:,}" + ("" if rate is None else f", {rate:,.0f} a second"))


def _gaps(known: dict[str, Any]) -> Fact | None:
    gaps, lost = known.get("gaps", 0), known.get("lost", 0)
    if not gaps:
        return Fact("gaps", "none", "good")
    said = f"{lost:,} events known to be lost" if lost else "how much is missing is not known"
    advice = "Charts mask them and indicators give nothing across them; no action needed unless they go on"
    return Fact("gaps", f"{gaps:,}; {said}", "warn", advice)


def _drops(known: dict[str, Any]) -> Fact | None:
    names = (
        ("duplicates", "came twice"), ("bad_messages", "messages not understood"), ("reconnects", "reconnects"),
        ("resyncs", "books asked for anew"), ("clock_suspect", "stamped in another age"),
    )  # fmt: skip
    parts = [f"{known[name]:,} {text}" for name, text in names if known.get(name)]
    if not parts:
        return None
    return Fact("odd", ", ".join(parts), "warn", "Once is no harm; if it grows, run `workbench doctor`")


def _crossed(known: dict[str, Any]) -> Fact | None:
    if not known.get("crossed"):
        return None
    return Fact("book", "crossed", "bad", "Do not act on it: it is asked for anew by itself within a second")


def _clock(known: dict[str, Any]) -> Fact | None:
    offset = known.get("clock_offset_ms")
    if offset is None:
        return None
    level: Level = "warn" if abs(offset) > SLOW_LAG_MS else "calm"
    text = f"the venue's stamps are {abs(offset):.0f} ms {'behind' if offset >= 0 else 'ahead of'} ours"
    return Fact("clock", text, level, "Let this machine set its clock by NTP" if level == "warn" else "")


def _synced(known: dict[str, Any]) -> Fact | None:
    ns = known.get("synced_ns")
    if not ns or known.get("crossed"):
        return None
    return Fact(
        "book", f"taken in whole at {datetime.fromtimestamp(ns // 10**9, UTC):%H:%M:%S} UTC, by changes since"
    )


def _engine(known: dict[str, Any]) -> Fact | None:
    clients = known.get("clients")
    if clients is None:
        return None
    text = f"{clients} client{'' if clients == 1 else 's'}"
    waiting, dropped = known.get("backlog", 0), known.get("dropped", 0)
    if waiting:
        text += f", {waiting:,} events not on disk yet"
    if dropped:
        return Fact(
            "engine",
            f"{text}, {dropped:,} events not recorded",
            "bad",
            "The disk is too slow for what is recorded",
        )
    return Fact("engine", text)


def _bridge(bridge: dict[str, Any]) -> Fact:
    symbols, link = ", ".join(map(str, bridge.get("symbols", ()))), str(bridge.get("link", "unknown"))
    reason = str(bridge.get("reason", ""))
    if link == "ready" and not reason:
        return Fact(
            "bridge",
            f"{symbols or 'no instrument yet'}, {float(bridge.get('lag_ms', 0.0)):.0f} ms away",
            "good",
        )
    return Fact(
        "bridge",
        f"{symbols}: {reason or link}",
        "bad",
        "Look at the add-on in Bookmap, then run `workbench doctor`",
    )


def _views(known: dict[str, Any]) -> Fact | None:
    return Fact("views", str(known["views"])) if known.get("views") else None


def _verdict(known: dict[str, Any]) -> Fact | None:
    verdict = known.get("verdict")
    if not verdict:
        return None
    level: Level = {"VALID": "good", "DEGRADED": "warn", "INVALID": "bad"}.get(verdict, "calm")  # type: ignore[assignment]
    return Fact("verified", "; ".join([verdict, *known.get("reasons", ())]), level)


_JUDGES: Final = (_lag, _events, _gaps, _drops, _crossed, _synced, _clock, _engine, _views, _verdict)


def _recorders(known: dict[str, Any]) -> list[Fact]:
    found = []
    for path, size, running in known.get("recordings", ()):
        state = "recording" if running else "recorded"
        found.append(Fact(state, f"{path} ({bytes_text(size)})", "good" if running else "calm"))
    return found


def _disk(known: dict[str, Any]) -> list[Fact]:
    free = known.get("disk_free")
    if free is None:
        return []
    low = free < LOW_DISK_BYTES
    advice = "Make room: recording stops when the disk is full" if low else ""
    return [Fact("disk", f"{bytes_text(free)} free", "bad" if low else "calm", advice)]


def bytes_text(size: float) -> str:
    """Number of bytes in words: 3.2 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.3g} {unit}" if size < 1000 else f"{size:,.0f} {unit}"


def report(title: str, facts: Sequence[Fact], gaps: Sequence[str] = ()) -> str:
    """Everything as text, to be pasted into a message."""
    lines = [title, *(f"{fact.name}: {fact.text}{_do(fact)}" for fact in facts)]
    return "\n".join([*lines, *(["gaps:"] if gaps else []), *(f"  {gap}" for gap in gaps)])


def _do(fact: Fact) -> str:
    return f" [{fact.level}: {fact.advice}]" if fact.advice else ""

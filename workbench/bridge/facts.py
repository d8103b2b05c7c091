"""What the bridge says of itself in ``HEALTH`` and ``ENGINE``: counts, backlog, clock, requests, locks; no secrets."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from workbench.bridge.result import Moment
from workbench.bridge.wire import Type

if TYPE_CHECKING:
    from workbench.bridge.addon import Addon
    from workbench.bridge.attachment import Attachment

MAX_NAMES = 50


def describe(addon: Addon, wall: int, mono: int) -> dict[str, Any]:
    """Facts of one bridge, as the first of ``sources``."""
    now = Moment(wall, mono)
    translator, backlog = addon.translator, addon.backlog
    return {
        "name": name_of(addon),
        "kind": "bookmap",
        "symbols": list(addon.attached),
        "live": True,
        "trading": addon.trading,
        "state": state(addon),
        "reason": addon.finished,
        "python": platform.python_version(),
        "bad_lines": translator.bad_lines,
        "examples": list(translator.examples),
        "faults": addon.failures.count,
        "fault_examples": list(addon.failures.examples),
        "stopped_lines": addon.outgoing.stopped,
        "lines": {_type_name(number): count for number, count in translator.counts.items()},
        "backlog": {
            "events": backlog.events,
            "peak_events": backlog.peak_events,
            "age_ms": backlog.age_ns(mono) / 1e6,
            "degraded": backlog.degraded(mono),
            "waiting_lines": addon.outgoing.waiting,
        },
        "refused": dict(addon.refused),
        "notes": list(addon.notes),
        "providers": list(addon.broadcasts.providers)[:MAX_NAMES],
        "listening": [list(pair) for pair in addon.broadcasts.subscriptions],
        "instruments": {alias: _instrument(a, now) for alias, a in addon.attached.items()},
    }


def name_of(addon: Addon) -> str:
    """Name of the bridge wherever feeds are listed."""
    aliases = ", ".join(addon.attached)
    return f"bookmap bridge {aliases}{' (trading)' if addon.trading else ''}"


def state(addon: Addon) -> str:
    """``waiting`` for an instrument, ``live``, ``stale`` or ``ended``."""
    if addon.finished:
        return "ended"
    if not addon.attached:
        return "waiting"
    return "stale" if all(a.watch.stale for a in addon.attached.values()) else "live"


def _instrument(attachment: Attachment, now: Moment) -> dict[str, Any]:
    watch, desk = attachment.watch, attachment.desk
    trading = desk.state(now)
    return {
        "state": "stale" if watch.stale else "live",
        "clock": {"intervals": watch.count, "speed": watch.speed(now.mono)},
        "derived_depth": attachment.market.derives_depth,
        "unanswered": attachment.requests.unanswered,
        "indicators": attachment.indicators.names[:MAX_NAMES],
        "unanswered_indicators": attachment.indicators.unanswered[:MAX_NAMES],
        "orders_open": desk.is_open(now),
        "locks": {"permitted": trading.permitted, "armed": trading.armed},
        "orders_reason": trading.reason,
        "bad_reports": desk.bad_reports,
        "odd_reports": desk.oddities,
        "executions_waiting": desk.executions_waiting,
    }


def _type_name(number: Any) -> str:
    try:
        return Type(int(number)).name
    except ValueError:
        return str(number)

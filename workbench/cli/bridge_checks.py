"""What ``doctor`` looks at for the bridge to Bookmap: the Python it would run in, ports, files, clock, and itself."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from workbench.cli.bridge_health import Bridge, running_bridges
from workbench.cli.findings import Finding
from workbench.errors import pip_install

FIRST_PORT: Final = 32132
"""Where Bookmap begins to look for a free port for each add-on."""
PORTS: Final = 16
RUNTIME_TIMEOUT_S: Final = 60.0
CLOCK_S: Final = 0.1
CLOCK_TOLERANCE_S: Final = 0.5
EARLIEST_S: Final = 1_577_836_800
"""1 January 2020: a wall clock before that was never set."""
SPEED_TOLERANCE: Final = 0.1
SPEED_INTERVALS: Final = 50

_PROBE: Final = """
import importlib.metadata as m, json, sys
import workbench.bridge.process, workbench
names = ("orderflow-workbench", "websockets", "msgspec", "numpy")
found = {n: next((d.version for d in m.distributions(name=n)), None) for n in names}
print(json.dumps({"python": sys.version.split()[0], "ok": sys.version_info >= (3, 11), "packages": found,
                  "workbench": workbench.__version__}))
"""


def runtime() -> Iterator[Finding]:
    """Whether the Python of this command could be the add-on's runtime: started as Bookmap starts it."""
    advice = f'Press "Set custom runtime" in Bookmap\'s editor, choose {sys.executable}, and build again'
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONUTF8", "PYTHONPATH")}
    # Bookmap passes "-X utf8" as one argument, and works in a folder of its own.
    command = [sys.executable, "-X utf8", "-c", _PROBE]
    with tempfile.TemporaryDirectory() as elsewhere:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=RUNTIME_TIMEOUT_S, cwd=elsewhere, env=environment, check=False
        )  # fmt: skip
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        install = f"Install the workbench into it: {pip_install('orderflow-workbench')}"
        yield Finding("bridge runtime", False, f"{sys.executable}: {why}", needed=False, advice=install)
        return
    seen = json.loads(done.stdout)
    versions = ", ".join(f"{name} {version or 'unknown'}" for name, version in seen["packages"].items())
    detail = f"{sys.executable}: Python {seen['python']}, {versions}"
    yield Finding(
        "bridge runtime", bool(seen["ok"]), detail, needed=False, advice="" if seen["ok"] else advice
    )


def ports() -> Iterator[Finding]:
    """Which of the ports that Bookmap gives to add-ons are taken.

    Notes
    -----
    They are bound, never connected to: Bookmap takes whoever connects first for its add-on.
    """
    taken = [port for port in range(FIRST_PORT, FIRST_PORT + PORTS) if not _free(port)]
    last = FIRST_PORT + PORTS - 1
    if len(taken) == PORTS:
        advice = "See which program listens there; Bookmap goes on to higher ports by itself"
        yield Finding(
            "Bookmap's ports", False, f"{FIRST_PORT}-{last} are all taken", needed=False, advice=advice
        )
        return
    held = f"taken: {', '.join(map(str, taken))} (one for each add-on that runs)" if taken else "all free"
    yield Finding("Bookmap's ports", True, f"{FIRST_PORT}-{last}: {held}", needed=False)


def discovery_files() -> Iterator[Finding]:
    """Files by which feeds are found that cannot be used, and why."""
    from workbench.errors import DiscoveryError
    from workbench.feeds.discovery import PREFIX, read, runtime_dir

    paths, unusable, left = sorted(runtime_dir().glob(f"{PREFIX}*.json")), [], 0
    for path in paths:
        try:
            left += not read(path).running
        except DiscoveryError as problem:
            unusable.append(problem)
    for found in unusable:
        yield Finding(
            "discovery file", False, found.found, needed=False,
            advice=found.action or "Remove the file and start the feed again",
        )  # fmt: skip
    gone = f", {left} of feeds that ended without a word (removed when next looked for)" if left else ""
    yield Finding(
        "discovery files",
        not unusable,
        f"{len(paths)} {'file' if len(paths) == 1 else 'files'}{gone}",
        needed=False,
    )


def clock() -> Iterator[Finding]:
    """Whether wall time runs as fast as time itself, and which zone the system is in."""
    wall, mono = time.time(), time.monotonic()
    time.sleep(CLOCK_S)
    passed, really = time.time() - wall, time.monotonic() - mono
    sane = abs(passed - really) < CLOCK_TOLERANCE_S and wall > EARLIEST_S
    zone = time.strftime("%Z %z")
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(wall))
    yield Finding(
        "clock", sane, f"{now} UTC, zone {zone}; recordings are in UTC", needed=False,
        advice="" if sane else "Let the system set its clock: a step shows as CLOCK_STEP in recordings",
    )  # fmt: skip


def bridges() -> Iterator[Finding]:
    """Every running bridge, and what it has to complain about."""
    running = running_bridges()
    if not running:
        yield Finding("bridges", True, "none runs (workbench bridge install says how to begin)", needed=False)
    for bridge in running:
        name = f"bridge {', '.join(bridge.symbols)}"[:26]
        yield Finding(
            name, bridge.state == "live", f"{bridge.state}, port {bridge.port}, pid {bridge.pid}", needed=False,
            advice=_STATES.get(bridge.state, ""),
        )  # fmt: skip
        for complains in COMPLAINTS:
            if (said := complains(bridge)) is not None:
                yield Finding(name, False, said[0], needed=False, advice=said[1])


_Said = tuple[str, str] | None


def no_data(bridge: Bridge) -> _Said:
    """Neither depth nor orders came."""
    lines = _lines(bridge)
    if not bridge.facts or lines.get("DEPTH") or lines.get("MBO"):
        return None
    advice = (
        "Is the market open, and does the chart move? Some feeds are protected: Bookmap gives their data to no add-on. "
        "Try a crypto instrument to see the difference"
    )
    return "no depth and no market-by-order data came", advice


def only_orders(bridge: Bridge) -> _Said:
    """Only market-by-order data came."""
    lines = _lines(bridge)
    if not lines.get("MBO") or lines.get("DEPTH"):
        return None
    return "the provider sends only market-by-order data", "Nothing: the depth is derived from it"


def unanswered(bridge: Bridge) -> _Said:
    """Bookmap never confirmed a request."""
    if not bridge.unanswered:
        return None
    return (
        f"Bookmap never confirmed: {', '.join(bridge.unanswered)}",
        "That kind of data will not come. Untick and tick the add-on; the provider may not have it",
    )


def replay_clock(bridge: Bridge) -> _Said:
    """Data time does not run at the speed of ours."""
    speed = bridge.speed
    if speed is None or bridge.intervals < SPEED_INTERVALS or abs(speed - 1.0) <= SPEED_TOLERANCE:
        return None
    advice = "Bookmap replays, or lags. Times are those of reception: measure durations by CLOCK events"
    return f"{speed:.2f} seconds of data per second", advice


def backlog(bridge: Bridge) -> _Said:
    """The bridge is behind Bookmap."""
    behind = bridge.facts.get("backlog") or {}
    if not behind.get("degraded"):
        return None
    return (
        f"{behind.get('events', 0)} events, {behind.get('age_ms', 0.0):.0f} ms behind; orders are refused meanwhile",
        "Close what else keeps this machine busy",
    )


def bad_lines(bridge: Bridge) -> _Said:
    """Lines came that Bookmap does not send."""
    count = bridge.facts.get("bad_lines") or 0
    if not count:
        return None
    first = next(iter(bridge.facts.get("examples") or ["no example"]))
    return (
        f"{count} lines not understood, first: {ascii(first)[:120]}",
        "Report the example: Bookmap may speak a newer protocol",
    )


def locked(bridge: Bridge) -> _Said:
    """A trading script whose locks are closed."""
    if not bridge.trading or bridge.orders_open or bridge.state != "live":
        return None
    why = f": {'; '.join(bridge.shut)}" if bridge.shut else ""
    return (
        f"orders are locked{why}",
        'For orders tick "Allow orders from notebooks" in the add-on\'s settings, press "Apply", then s.arm(...)',
    )


def refused(bridge: Bridge) -> _Said:
    """Instruments whose grid makes no sense."""
    kept_out = bridge.facts.get("refused") or {}
    if not kept_out:
        return None
    listed = "; ".join(f"{name}: {why}" for name, why in dict(kept_out).items())
    return f"instruments refused: {listed:.200}", "Report it, with the instrument's settings in Bookmap"


def _lines(bridge: Bridge) -> dict[str, Any]:
    return dict(bridge.facts.get("lines") or {})


def _free(port: int) -> bool:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_STATES: Final = {
    "stale": "Bookmap says nothing to it any more: is its connection to the provider up?",
    "waiting": "Tick the add-on for an instrument",
    "not answering": "Untick and tick the add-on in Bookmap",
    "ended": "Tick the add-on in Bookmap again",
}
COMPLAINTS: Final[tuple[Callable[[Bridge], _Said], ...]] = (
    no_data, only_orders, unanswered, replay_clock, backlog, bad_lines, locked, refused,
)  # fmt: skip
BRIDGE_CHECKS: Final = (runtime, ports, discovery_files, clock, bridges)

"""Other processes: is this one still the one that wrote the file, who listens on that port, ask it to end.

Only the standard library: a process id alone proves nothing, because systems use the numbers again. The pair of id
and start time does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

_PROC = Path("/proc")


def process_start(pid: int) -> str | None:
    """Start time of a running process, as an opaque text that differs for every process that ever had this id.

    Returns
    -------
    str or None
        None when no such process runs (one that has ended but was not collected yet does not run).
    """
    if pid <= 0:
        return None
    if sys.platform == "win32":
        return _windows_start(pid)
    if (_PROC / "self" / "stat").exists():
        return _linux_start(pid)
    return _posix_start(pid)


def terminate(pid: int) -> None:
    """Ask a process to end (SIGTERM; on Windows it ends at once). One that is gone already is no error."""
    try:
        os.kill(pid, signal.SIGTERM)
    except (ProcessLookupError, PermissionError, OSError):
        return


def listener_of(port: int) -> int | None:
    """Process that listens on a local TCP port, where the system lets us see it (Linux, own processes)."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for folder in _PROC.iterdir():
        if folder.name.isdigit() and inodes & _socket_inodes(folder / "fd"):
            return int(folder.name)
    return None


def _linux_start(pid: int) -> str | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text("ascii", "replace")
        boot = (_PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()[:8]
    except OSError:
        return None
    # the name in parentheses may hold anything; fields are counted from its end: state is 3, start time is 22
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"


def _posix_start(pid: int) -> str | None:
    found = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = found.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def _windows_start(pid: int) -> str | None:  # pragma: no cover  (os.kill(pid, 0) would end the process there)
    import ctypes

    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    query_limited_information = 0x1000
    still_active = 259
    kernel32.OpenProcess.restype = ctypes.c_void_p
    opened = kernel32.OpenProcess(query_limited_information, False, pid)
    if not opened:
        return None
    handle = ctypes.c_void_p(opened)
    try:
        times = [ctypes.c_uint64() for _ in range(4)]
        code = ctypes.c_ulong()
        known = kernel32.GetProcessTimes(handle, *(ctypes.byref(t) for t in times))
        kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
        return str(times[0].value) if known and code.value == still_active else None
    finally:
        kernel32.CloseHandle(handle)


def _listening_inodes(port: int) -> set[str]:
    listening = "0A"
    inodes: set[str] = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        rows = (line.split() for line in lines)
        inodes |= {r[9] for r in rows if r[3] == listening and int(r[1].rpartition(":")[2], 16) == port}
    return inodes


def _socket_inodes(folder: Path) -> set[str]:
    inodes: set[str] = set()
    try:
        for entry in folder.iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        return inodes
    return inodes

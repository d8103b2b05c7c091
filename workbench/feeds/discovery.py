"""How running feeds are found: one small file each, readable by its owner alone.

The file holds the endpoint and a 256-bit secret that proves both sides to each other (the secret itself never
travels). It names the process by id and start time, so that a file left behind by a crash is recognised even when the
system has given the number to somebody else.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import time
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import platformdirs

from workbench.errors import DiscoveryError
from workbench.feeds.processes import process_start

RUNTIME_DIR_VARIABLE: Final = "WORKBENCH_RUNTIME_DIR"
SECRET_BYTES: Final = 32
MAX_FILE_BYTES: Final = 64 * 1024
EMPTY_FILE_AGE_S: Final = 10
IN_USE_TRIES: Final = 20
IN_USE_WAIT_S: Final = 0.01
PREFIX: Final = "feed-"
BRIDGE_KEY: Final = "bookmap-bridge"
"""What the bridges inside Bookmap were started for."""
_POSIX: Final = os.name == "posix"
# Windows has neither of the first two; there the folder inherits the profile's own access list
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Endpoint:
    """A running feed: where it listens, what proves us to it, and whose process it is.

    Parameters
    ----------
    identity : str
        Random name of this run; part of the file's name.
    uri : str
        ``ws://127.0.0.1:PORT/v1``.
    secret : str
        256 bits, URL-safe base64. Not part of the repr.
    pid : int
    process_start : str
        Opaque start time of the process, see :func:`workbench.feeds.processes.process_start`.
    source : str
        Deterministic name of what it serves, ``"simulate seed=7 profile=es-like"``.
    key : str
        What it was started for; clients that ask for the same find the same engine.
    symbols : tuple of str
    started_ns : int, ns since the epoch, UTC
    path : Path, optional
        The discovery file.
    """

    identity: str
    uri: str
    secret: str = field(repr=False)
    pid: int
    process_start: str
    source: str
    key: str
    symbols: tuple[str, ...]
    started_ns: int
    path: Path | None = None

    @property
    def running(self) -> bool:
        """Whether the process that wrote the file still runs."""
        return process_start(self.pid) == self.process_start


def new_secret() -> str:
    """256 random bits as URL-safe text."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_identity() -> str:
    """Random name for one run of a feed."""
    return secrets.token_hex(6)


def runtime_dir() -> Path:
    """Folder of the discovery files: ``$WORKBENCH_RUNTIME_DIR``, else the user's runtime folder. Made when absent.

    Raises
    ------
    DiscoveryError
        The folder belongs to somebody else, others may write to it, or it is no folder.
    """
    given = os.environ.get(RUNTIME_DIR_VARIABLE)
    folder = Path(given) if given else _user_runtime_dir()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise DiscoveryError(
            f"cannot make the folder {folder}: {problem.strerror}",
            action=f"Set {RUNTIME_DIR_VARIABLE} to a folder of your own",
        ) from problem
    _check_folder(folder)
    return folder


def _user_runtime_dir() -> Path:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR platformdirs warns and takes a folder per user below the temporary one: fine for us,
        # because its owner and mode are checked, and noise in a notebook.
        warnings.simplefilter("ignore")
        return Path(platformdirs.user_runtime_dir("orderflow-workbench", appauthor=False))


def publish(endpoint: Endpoint) -> Endpoint:
    """Write the discovery file of this feed; the returned endpoint knows its path.

    Raises
    ------
    DiscoveryError
        Something is at that path already: a file is never overwritten and a symbolic link never followed.
    """
    path = file_of(endpoint.identity)
    try:
        _write(path, endpoint)
    except FileExistsError:
        raise DiscoveryError(
            f"{path} exists already", expected="a free path", action="Remove it: it is not ours"
        ) from None
    return replace(endpoint, path=path)


def renew(endpoint: Endpoint) -> Endpoint:
    """Write the discovery file of this feed again, because what it says has changed: there is one at every moment.

    Raises
    ------
    DiscoveryError
        The file is not ours.
    """
    path = file_of(endpoint.identity)
    if path.exists() and read(path).pid != endpoint.pid:
        raise DiscoveryError(f"{path} belongs to another process", action="Remove it: it is not ours")
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    _write(fresh, endpoint)
    _put_in_place(fresh, path)
    return replace(endpoint, path=path)


def _put_in_place(fresh: Path, path: Path) -> None:
    """Replace a file that somebody may be reading: on Windows that is refused for the moment that reading takes."""
    for _ in range(IN_USE_TRIES):
        try:
            fresh.replace(path)
        except PermissionError:
            time.sleep(IN_USE_WAIT_S)
        else:
            return
    raise DiscoveryError(f"{path} is in use by another program", action="Close whatever holds it open")


def _remove(path: Path) -> None:
    """Remove a file unless somebody holds it open (Windows): whoever looks next does."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _write(path: Path, endpoint: Endpoint) -> None:
    plain = asdict(endpoint) | {"path": str(file_of(endpoint.identity))}
    plain["token"] = endpoint.secret  # as LOGIN calls it
    text = json.dumps(plain, indent=1).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)


def withdraw(endpoint: Endpoint) -> None:
    """Remove the discovery file, if it is still ours."""
    if endpoint.path is None:
        return
    try:
        if read(endpoint.path).identity == endpoint.identity:
            _remove(endpoint.path)
    except DiscoveryError:
        return


def file_of(identity: str) -> Path:
    """Path of the discovery file of a run."""
    return runtime_dir() / f"{PREFIX}{identity}.json"


def read(path: Path) -> Endpoint:
    """Read one discovery file.

    Raises
    ------
    DiscoveryError
        Missing, a symbolic link, readable by others, of another owner, or damaged.
    """
    text = _read_private(path)
    try:
        plain: dict[str, Any] = json.loads(text)
        known = {
            name: plain[name] for name in Endpoint.__dataclass_fields__ if name not in ("path", "symbols")
        }
        return Endpoint(**known, symbols=tuple(plain["symbols"]), path=path)
    except (ValueError, KeyError, TypeError) as problem:
        raise DiscoveryError(
            f"discovery file {path} is damaged ({type(problem).__name__})",
            action="Remove it and start the feed again",
        ) from None


def running_feeds() -> list[Endpoint]:
    """All feeds of this user that run now, oldest first. Files left behind by crashed ones are removed."""
    found = []
    for path in sorted(runtime_dir().glob(f"{PREFIX}*.json")):
        try:
            endpoint = read(path)
        except DiscoveryError:
            _remove_leftover(path)
            continue
        if endpoint.running:
            found.append(endpoint)
        else:
            _remove(path)
    return sorted(found, key=lambda e: (e.started_ns, e.identity))


def check_files(uri: str | None = None) -> None:
    """Refuse discovery files that must not be used, instead of acting as if nothing ran.

    Parameters
    ----------
    uri : str, optional
        Only files that speak of this port.

    Raises
    ------
    DiscoveryError
        The first one that others may read, that belongs to somebody else, or that is damaged.
    """
    for path in sorted(runtime_dir().glob(f"{PREFIX}*.json")):
        try:
            read(path)
        except DiscoveryError:
            if _is_about(path, uri):
                raise


def find(key: str) -> Endpoint | None:
    """Newest running feed that was started for ``key``."""
    matching = [e for e in running_feeds() if e.key == key]
    return matching[-1] if matching else None


def at_address(uri: str) -> Endpoint | None:
    """Running feed of this user at an address; ``localhost``, ``127.0.0.1`` and ``::1`` are the same host."""
    wanted = _address(uri)
    return next((e for e in running_feeds() if _address(e.uri) == wanted), None)


def the_only(endpoints: Iterable[Endpoint]) -> Endpoint:
    """Return the one feed there is.

    Raises
    ------
    DiscoveryError
        None, or several, which are then listed with their addresses.
    """
    candidates = list(endpoints)
    if not candidates:
        check_files()
        raise DiscoveryError(
            "no feed is running",
            action="Start the Bookmap add-on, the simulator or `workbench serve`",
            code="no_feed",
        )
    if len(candidates) > 1:
        listed = "; ".join(f"{e.uri} ({e.source}: {', '.join(e.symbols)})" for e in candidates)
        raise DiscoveryError(
            f"{len(candidates)} feeds are running: {listed}",
            expected="one",
            action="Say which: wb.connect(uri)",
            code="ambiguous",
        )
    return candidates[0]


def _address(uri: str) -> tuple[str, int | None]:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return uri, None
    return ("loopback" if host in ("localhost", "127.0.0.1", "::1") else host), port


def _is_about(path: Path, uri: str | None) -> bool:
    """Whether a file that must not be trusted speaks of an address; one that went away or is being written does not."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES)
    except OSError:
        return path.is_symlink()
    return bool(text) and (uri is None or f":{_address(uri)[1]}/".encode() in text)


def _check_folder(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(folder.stat().st_mode):
        raise DiscoveryError(f"{folder} is no folder", action=f"Set {RUNTIME_DIR_VARIABLE} to another")
    if not _POSIX:
        return
    owner, mode = folder.stat().st_uid, folder.stat().st_mode
    if owner != os.getuid() or status.st_uid not in (owner, 0):
        raise DiscoveryError(
            f"{folder} belongs to another user", action=f"Set {RUNTIME_DIR_VARIABLE} to a folder of your own"
        )
    if mode & 0o022:
        raise DiscoveryError(
            f"others may write to {folder}", action=f"chmod 700 {folder}", mode=oct(mode & 0o777)
        )


def _read_private(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW)
    except FileNotFoundError:
        raise DiscoveryError(f"no discovery file {path}", action="Is the feed running?") from None
    except OSError as problem:
        raise DiscoveryError(
            f"discovery file {path} cannot be opened ({problem.strerror})",
            expected="a plain file, no symbolic link",
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        _check_file(path, os.fstat(descriptor))
        return file.read(MAX_FILE_BYTES)


def _check_file(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise DiscoveryError(f"{path} is no plain file")
    if not _POSIX:
        return
    if status.st_uid != os.getuid():
        raise DiscoveryError(f"{path} belongs to another user")
    if status.st_mode & 0o077:
        raise DiscoveryError(
            f"{path} is readable by others: chmod 600 {path}",
            action="Restart the feed: its secret may be known",
            mode=oct(status.st_mode),
            code="not_private",
        )


def _remove_leftover(path: Path) -> None:
    # A feed that was killed between making its file and filling it left an empty one; anything else is not ours.
    try:
        status = path.lstat()
    except OSError:
        return
    if (
        stat.S_ISREG(status.st_mode)
        and not status.st_size
        and time.time() - status.st_mtime > EMPTY_FILE_AGE_S
    ):
        _remove(path)

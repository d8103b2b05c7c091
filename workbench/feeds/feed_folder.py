"""The folder of discovery files, looked at again and again by whoever follows feeds that come and go."""

from __future__ import annotations

import os

from workbench.feeds import discovery


class FeedFolder:
    """Looks at the discovery files again and again; what did not change is not read again."""

    def __init__(self) -> None:
        self._seen: frozenset[tuple[str, int, int, int]] | None = None

    def changed(self) -> list[discovery.Endpoint] | None:
        """All running feeds, as :func:`~workbench.feeds.discovery.running_feeds` tells them; None while no file came, went or changed.

        A process that ended without removing its file is no change of a file: ask :attr:`~workbench.feeds.discovery.Endpoint.running`.
        """
        with os.scandir(discovery.runtime_dir()) as entries:
            files = [e for e in entries if e.name.startswith(discovery.PREFIX) and e.name.endswith(".json")]
            seen = frozenset(_signature(entry) for entry in files)
        if seen == self._seen:
            return None
        self._seen = seen
        return discovery.running_feeds()


def _signature(entry: os.DirEntry[str]) -> tuple[str, int, int, int]:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return entry.name, 0, 0, 0  # it went away meanwhile
    # the size too: a file that was just made and one that was just filled may carry the same coarse time
    return entry.name, status.st_mtime_ns, status.st_ino, status.st_size

"""Facts of a stream of events, gathered while it passes by."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np

from workbench.events import COLUMN_NAMES, EventBatch, EventKind
from workbench.frames.manifest import Manifest

_KINDS = 256


class Summary:
    """Count, times, sequence numbers, gaps and checksums of the batches added so far.

    Notes
    -----
    The checksum of a column is the CRC-32 of its bytes from the first row on, so it does not depend on batches.
    """

    def __init__(self, batches: Iterable[EventBatch] = ()):
        self.count = 0
        self.start_ns: int | None = None
        self.end_ns: int | None = None
        self.first_sequence = 0
        self.next_sequence = 0
        self.gaps: list[tuple[int, int, int]] = []
        self._counts = np.zeros(_KINDS, np.int64)
        self._crc = dict.fromkeys(("sequence", *COLUMN_NAMES), 0)
        for batch in batches:
            self.add(batch)

    def add(self, batch: EventBatch) -> None:
        """Take a batch into account."""
        if not len(batch):
            return
        if self.start_ns is None:
            self.start_ns, self.first_sequence = int(batch.ts[0]), batch.first_sequence
        # the latest, not the last: a clock that was set back must not put events after the end
        latest = int(batch.ts.max())
        self.end_ns = latest if self.end_ns is None else max(self.end_ns, latest)
        self.next_sequence = batch.next_sequence
        self.count += len(batch)
        counts = np.bincount(batch.kind, minlength=_KINDS)
        self._counts += counts
        if counts[EventKind.GAP]:
            rows = np.flatnonzero(batch.kind == EventKind.GAP).tolist()
            self.gaps += [(int(batch.ts[k]), batch.first_sequence + k, int(batch.size[k])) for k in rows]
        for name, values in zip(self._crc, (batch.sequence, *batch.columns)):
            self._crc[name] = zlib.crc32(np.ascontiguousarray(values).data, self._crc[name])

    @property
    def counts(self) -> dict[str, int]:
        """Rows of each kind; kinds that no version of ours wrote appear as ``KIND_n``."""
        names = {int(kind): kind.name for kind in EventKind}
        return {
            names.get(k, f"KIND_{k}"): int(self._counts[k]) for k in np.flatnonzero(self._counts).tolist()
        }

    @property
    def columns_crc32(self) -> dict[str, int]:
        """CRC-32 of each column."""
        return dict(self._crc)

    def into(self, manifest: Manifest) -> Manifest:
        """Manifest with these facts."""
        return manifest.with_(
            start_ns=self.start_ns,
            end_ns=self.end_ns,
            first_sequence=self.first_sequence,
            next_sequence=self.next_sequence,
            count=self.count,
            counts=self.counts,
            gaps=tuple(self.gaps),
            columns_crc32=self.columns_crc32,
        )

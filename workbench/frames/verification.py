"""Verification: is a recording what it says, whole, and possible?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.book.levels import LevelBook
from workbench.errors import RecordingError
from workbench.events import EventBatch, EventKind
from workbench.frames.manifest import FileFact
from workbench.frames.parquet import file_fact
from workbench.frames.paths import inside
from workbench.frames.summary import Summary
from workbench.frames.suspicion import SuspectTimes

if TYPE_CHECKING:
    from workbench.frames.recording import Recording

VALID: Final = "VALID"
DEGRADED: Final = "DEGRADED"
INVALID: Final = "INVALID"
_READ_ROWS = 65_536


@dataclass(frozen=True, slots=True)
class Verification:
    """Verdict on a recording.

    Attributes
    ----------
    verdict : str
        ``VALID``: all as it should be. ``DEGRADED``: usable, but something is missing or strange, and it is known
        what: gaps, damage that was skipped, a recording that was never closed, a crossed book. ``INVALID``: the data
        is not what the manifest says (hash, rows, columns), or cannot be what a market sent.
    reasons : tuple of str
        One sentence each, worst first; empty when valid.
    facts : Mapping
        Counts and times behind the verdict.
    """

    verdict: str
    reasons: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Verification({self.verdict}{''.join(f'; {reason}' for reason in self.reasons)})"


class _Findings:
    def __init__(self) -> None:
        self.invalid: list[str] = []
        self.degraded: list[str] = []
        self.facts: dict[str, object] = {}

    def verification(self) -> Verification:
        verdict = INVALID if self.invalid else DEGRADED if self.degraded else VALID
        return Verification(verdict, (*self.invalid, *self.degraded), self.facts)


def verify(recording: Recording, *, progress: bool = False) -> Verification:
    """Check a recording: hashes, schema, rows, sequence numbers, times, and the book they build.

    Parameters
    ----------
    recording : Recording
    progress : bool
        Show a progress bar.

    Returns
    -------
    Verification

    Notes
    -----
    A book counts as crossed (bid above ask) only where the state after all events of one ``ts`` is crossed while the
    book is valid: inside a message bids may come before asks. Venues do send crossed books, before an opening auction
    for one, so crossed time is counted and reported (``DEGRADED``) but does not make a recording invalid.
    """
    findings = _Findings()
    _check_files(recording, findings)
    if not findings.invalid:
        try:
            _check_events(recording, findings, progress=progress)
        except RecordingError as problem:
            findings.invalid.append(problem.message)
    findings.degraded += [text for text in recording.manifest.warnings if text not in findings.degraded]
    return findings.verification()


def _check_files(recording: Recording, findings: _Findings) -> None:
    if not recording.closed:
        findings.degraded.append("never closed: read from its journal, what came last may be missing")
    for fact in recording.manifest.files:
        try:
            found = file_fact(inside(recording.path, fact.name), fact.rows)
        except (RecordingError, OSError) as problem:
            findings.invalid.append(f"{fact.name} cannot be read: {problem}")
            continue
        findings.invalid += _differences(fact, found)


def _differences(expected: FileFact, found: FileFact) -> list[str]:
    if found.bytes != expected.bytes:
        return [f"{expected.name} has {found.bytes} bytes, the manifest says {expected.bytes}"]
    if found.sha256 != expected.sha256:
        return [f"{expected.name} has another SHA-256 than the manifest says"]
    return []


def _check_events(recording: Recording, findings: _Findings, *, progress: bool) -> None:
    from tqdm import tqdm

    summary, checks = Summary(), _StreamChecks()
    with tqdm(total=recording.count, unit="ev", unit_scale=True, desc="verify", disable=not progress) as bar:
        for batch in recording.batches(rows=_READ_ROWS):
            summary.add(batch)
            checks.add(batch)
            bar.update(len(batch))
    _check_manifest(recording, summary, findings)
    checks.report(findings)
    if summary.gaps:
        known = sum(lost for _, _, lost in summary.gaps if lost > 0)
        unknown = sum(lost < 0 for _, _, lost in summary.gaps)
        findings.degraded.append(
            f"{len(summary.gaps)} gaps: {known:,} events known to be lost, {unknown} gaps of unknown length"
        )
    if not summary.count:
        findings.degraded.append("no events")
    findings.facts |= {"events": summary.count, "gaps": len(summary.gaps), "counts": summary.counts}


def _check_manifest(recording: Recording, summary: Summary, findings: _Findings) -> None:
    manifest = recording.manifest
    if summary.count != manifest.count:
        findings.invalid.append(f"{summary.count:,} rows found, the manifest says {manifest.count:,}")
    elif manifest.columns_crc32 and summary.columns_crc32 != dict(manifest.columns_crc32):
        wrong = [k for k, v in summary.columns_crc32.items() if manifest.columns_crc32.get(k) != v]
        findings.invalid.append(f"columns {', '.join(wrong)} differ from the manifest's checksums")
    elif tuple(summary.gaps) != manifest.gaps:
        findings.invalid.append(f"{len(summary.gaps)} gaps found, the manifest lists {len(manifest.gaps)}")


class _StreamChecks:
    """What must hold from one event to the next."""

    def __init__(self) -> None:
        self.holes: list[str] = []
        self.impossible = 0
        self.backwards = 0
        self.crossed_ns = 0
        self.locked_ns = 0
        self.crossed_first: tuple[int, int, int] | None = None
        self._times = SuspectTimes()
        self._book = LevelBook()
        self._next: int | None = None
        self._last_ts: int | None = None
        self._reached: int | None = None
        self._state = 0

    def add(self, batch: EventBatch) -> None:
        """Check a batch against itself and what came before."""
        if self._next is not None and batch.first_sequence != self._next:
            self.holes.append(f"sequence {batch.first_sequence} after {self._next - 1}")
        self._next = batch.next_sequence
        self._check_times(batch)
        self._check_rows(batch)
        self._check_crossed(batch)
        self._last_ts = int(batch.ts[-1])

    def _check_times(self, batch: EventBatch) -> None:
        self._times.add(batch.ts, batch.kind)
        self.backwards += int(np.count_nonzero(np.diff(batch.ts) < 0))
        self.backwards += self._last_ts is not None and int(batch.ts[0]) < self._last_ts

    def _check_rows(self, batch: EventBatch) -> None:
        kind, size, side = batch.kind, batch.size, batch.side
        unsized = np.isin(kind, (EventKind.DEPTH, EventKind.TRADE, EventKind.MBO_NEW)) & (size < 0)
        sideless = (kind == EventKind.DEPTH) & (side == 0)
        unknown = ~np.isin(kind, list(EventKind)) | (np.abs(side) > 1)
        self.impossible += int(np.count_nonzero(unsized | sideless | unknown))

    def _check_crossed(self, batch: EventBatch) -> None:
        # Where a clock is set back, no time passes until it is as late again as it was.
        before = int(batch.ts[0]) if self._reached is None else self._reached
        since = np.maximum.accumulate(np.concatenate([[before], batch.ts]))
        best = self._book.apply_with_best(batch)
        both = (best.bid_size > 0) & (best.ask_size > 0) & best.valid
        state = (both & (best.bid > best.ask)) * 2 + (both & (best.bid == best.ask)) * 1
        # State i holds from ts[i] to ts[i+1]; the last one until the next batch's first event.
        held = np.concatenate([[self._state], state])
        spans = np.diff(since)
        self.crossed_ns += int(spans[held[:-1] == 2].sum())
        self.locked_ns += int(spans[held[:-1] == 1].sum())
        self._state, self._reached = int(state[-1]), int(since[-1])

    def report(self, findings: _Findings) -> None:
        """Turn what was found into reasons."""
        if self.holes:
            findings.invalid.append(f"{len(self.holes)} holes without a GAP row, first: {self.holes[0]}")
        if self.impossible:
            findings.invalid.append(f"{self.impossible} rows that no market sends (kind, side or size)")
        if self.backwards:
            findings.degraded.append(f"time goes back {self.backwards} times")
        if self._times.count:
            findings.degraded.append(str(self._times))
        if self.crossed_ns > 0:
            findings.degraded.append(
                f"book crossed for {self.crossed_ns / 1e9:.3f} s: an auction or pre-open book, or a lost update"
            )
        findings.facts |= {"crossed_seconds": self.crossed_ns / 1e9, "locked_seconds": self.locked_ns / 1e9}

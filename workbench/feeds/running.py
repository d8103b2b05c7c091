"""One recording as the engine knows it: a recorder per instrument, and what clients are told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workbench.events import EventBatch, Instrument
from workbench.frames.recorder import Recorder

State = Literal["recording", "closing", "closed", "failed"]


@dataclass
class Running:
    """One recording: a recorder per instrument.

    Parameters
    ----------
    name : str
        Names the recording to clients.
    directory : Path
        Where it was asked for.
    source : Mapping
        For the manifests.
    session : str
        Name of the session, the same for all its instruments.
    recorders : dict of str to Recorder
        By symbol.
    state : str
        ``recording``, ``closing``, ``closed`` or ``failed``.
    reason : str
    refused : dict of str to str
        Instruments that came later and cannot be recorded, and why.
    """

    name: str
    directory: Path
    source: Mapping[str, object]
    session: str
    recorders: dict[str, Recorder] = field(default_factory=dict)
    state: State = "recording"
    reason: str = ""
    refused: dict[str, str] = field(default_factory=dict)

    def begin(self, instrument: Instrument, opening: Sequence[EventBatch]) -> None:
        """Record one more instrument, with its first rows; if that fails, what had begun before is as it was."""
        # A second recording of the same second lies in a directory with another name: its instruments stay together.
        session = next((r.path.parent.name for r in self.recorders.values()), self.session)
        recorder = Recorder(self.directory, instrument, source=self.source, session=session)
        try:
            for batch in opening:
                recorder.append(batch)
        except Exception as problem:
            recorder.abandon(str(problem))
            raise
        self.recorders = {**self.recorders, instrument.symbol: recorder}  # another thread reads it meanwhile

    @property
    def paths(self) -> dict[str, str]:
        """Directory of each instrument's recording."""
        return {symbol: str(recorder.path) for symbol, recorder in self.recorders.items()}

    @property
    def acknowledged(self) -> dict[str, int]:
        """Next sequence number that is not safe yet, by symbol."""
        return {symbol: recorder.acknowledged for symbol, recorder in self.recorders.items()}

    def describe(self) -> dict[str, object]:
        """Facts for ``HEALTH``."""
        warnings = [w for r in self.recorders.values() if (w := r.warning)]
        warnings += [f"{symbol} is not recorded: {why}" for symbol, why in self.refused.items()]
        return {
            "recording": self.name,
            "state": self.state,
            "reason": self.reason or "; ".join(warnings),
            "paths": self.paths,
            "acknowledged": self.acknowledged,
            "bytes": sum(r.bytes_written for r in self.recorders.values()),
        }

"""The tree of exceptions. Every error says what was found, what was expected and what to do.

::

    WorkbenchError
    ├── InstrumentError            an instrument that cannot exist
    │   └── OffGridError           a price or size that is no multiple of the grid (also a ValueError)
    ├── EventError                 columns that are no valid batch of events
    ├── ProtocolError              a message that breaks the feed protocol
    ├── FeedError                  nothing there, wrong peer, connection lost
    │   ├── AuthenticationError    token or proof refused
    │   └── DiscoveryError         discovery file missing, stale, or readable by others
    ├── RecordingError             a recording that cannot be opened or written
    │   ├── DamagedError           bytes that fail their checksum, or end too early
    │   ├── SchemaError            written by another version, or not ours
    │   ├── TooLargeError          would need more memory than allowed
    │   └── DiskFullError          no room to start, or none left
    ├── ImportFailedError          a foreign or damaged file given to an importer
    ├── ReplayError                speed, start or end that make no sense
    ├── EngineError                the engine process did not start, or refused
    └── MissingExtraError          an optional package is not installed (also an ImportError)

A bad peer is counted and reported (``Session.health``), never raised into the user's cell; misuse by the
user raises at once. Refusals by risk or venue are orders with status ``REJECTED``, not exceptions.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Final

DEBUG_VARIABLE: Final = "WORKBENCH_DEBUG"
"""Environment variable: when it is set, notebooks show errors of this package with their full trace."""
_PACKAGE: Final = str(Path(__file__).parent)


class WorkbenchError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    found : str
        What was found, with the offending value.
    expected : str, optional
        What was expected instead.
    action : str, optional
        What to do next.
    code : str, optional
        Short machine-readable name; each class has its own default.
    **fields : object
        Values for programs (offset, limit, field, …), kept in :attr:`fields`.
    """

    code: str = "error"

    def __init__(self, found: str, *, expected: str = "", action: str = "", code: str = "", **fields: object):
        self.found = found
        self.expected = expected
        self.action = action
        self.fields = fields
        if code:
            self.code = code
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One sentence for a person: found, expected, action."""
        text = self.found
        if self.expected:
            text += f"; expected {self.expected}"
        if self.action:
            text += f". {self.action}"
        return text

    @property
    def coded_message(self) -> str:
        """The message with the code before it, once."""
        told = self.code == WorkbenchError.code or self.message.startswith(f"{self.code}:")
        return self.message if told else f"{self.code}: {self.message}"

    @property
    def _render_traceback_(self) -> Callable[[], list[str]]:
        # IPython asks for it; without it, it shows three screens of our own code
        if os.environ.get(DEBUG_VARIABLE):
            raise AttributeError(f"{DEBUG_VARIABLE} is set: the full trace")
        return self._in_short

    def _in_short(self) -> list[str]:
        """The line of the user's that failed, and why."""
        frames = traceback.extract_tb(self.__traceback__)
        own = [frame for frame in frames if not frame.filename.startswith(_PACKAGE)]
        place = [f"line {own[-1].lineno}: {own[-1].line}"] if own and own[-1].line else []
        return [*place, f"{type(self).__name__}: {self.coded_message}"]

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the fields when an error crosses a process boundary."""
        return (_rebuild, (type(self), self.found, self.expected, self.action, self.code, self.fields))


def _rebuild(
    cls: type[WorkbenchError], found: str, expected: str, action: str, code: str, fields: dict[str, object]
) -> WorkbenchError:
    return cls(found, expected=expected, action=action, code=code, **fields)


class InstrumentError(WorkbenchError):
    """An instrument that cannot exist: a tick of zero, a name with control characters."""

    code = "bad_instrument"


class OffGridError(InstrumentError, ValueError):
    """A price or size that is no multiple of the instrument's grid."""

    code = "off_grid"


class EventError(WorkbenchError):
    """Columns that are no valid batch of events."""

    code = "bad_events"


class ProtocolError(WorkbenchError):
    """A message that breaks the feed protocol; ``code`` names the rule."""

    code = "bad_message"


class FeedError(WorkbenchError):
    """Nothing listens there, it is not a feed, or the connection is lost."""

    code = "no_feed"


class AuthenticationError(FeedError):
    """The feed refused the token, or could not prove that it holds it."""

    code = "bad_token"


class DiscoveryError(FeedError):
    """A discovery file is missing, stale, ambiguous, or readable by others."""

    code = "bad_discovery"


class RecordingError(WorkbenchError):
    """A recording cannot be opened, read or written."""

    code = "bad_recording"


class DamagedError(RecordingError):
    """Bytes fail their checksum, or a file ends before it should."""

    code = "damaged"


class SchemaError(RecordingError):
    """Written by another version, or not one of our recordings."""

    code = "schema"


class TooLargeError(RecordingError):
    """Reading would need more memory than allowed."""

    code = "too_large"


class DiskFullError(RecordingError):
    """Too little room on the disk to start or to go on."""

    code = "disk_full"


class ImportFailedError(WorkbenchError):
    """A file given to an importer is damaged or of another format."""

    code = "import_failed"


class ReplayError(WorkbenchError):
    """Replay with a speed, start or end that makes no sense."""

    code = "bad_replay"


class EngineError(WorkbenchError):
    """The engine process did not start, is gone, or refused a command."""

    code = "engine"


class MissingExtraError(WorkbenchError, ImportError):
    """An optional package is not installed; the message prints the exact command."""

    code = "missing_extra"

    @classmethod
    def of(cls, package: str, extra: str) -> MissingExtraError:
        """Name the package that is missing and the command that installs it."""
        return cls(
            f"the package {package!r} is not installed",
            action=f"Install it with: {pip_install(f'orderflow-workbench[{extra}]')}",
        )


def pip_install(package: str) -> str:
    """Command that installs a package into the Python that runs now, whichever one ``python3`` may be.

    An environment that uv made has no pip of its own.
    """
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    installer = f"{python} -m pip install" if find_spec("pip") else f"uv pip install --python {python}"
    return f'{installer} "{package}"' if "[" in package else f"{installer} {package}"

"""Compiled strategies kept on disk, wherever they were written: in a file, a notebook's cell, a string.

numba's own cache asks for a file and its date. Here a strategy is known by what it does: its code and constants, and
those of all that it calls. A cell that is run again, or a new process, finds it; an edited one is compiled anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import tempfile
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

import numba
import platformdirs
from numba.core import compiler, serialize

from workbench.book.jit import Function, fingerprint, part

KEPT: Final = 200
"""Strategies on disk; beyond it the longest unused are removed."""

_UNREADABLE: Final = (
    OSError,
    EOFError,
    pickle.UnpicklingError,
    AttributeError,
    ImportError,
    TypeError,
    ValueError,
)
# numba is without types here
_result: Any = compiler.CompileResult
_dumps: Any = serialize.dumps


def folder() -> Path:
    """Where they lie: below numba's own cache where one was chosen (``NUMBA_CACHE_DIR``), or the user's."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    base = (
        Path(chosen) if chosen else Path(platformdirs.user_cache_dir("orderflow-workbench", appauthor=False))
    )
    return base / "strategies"


class StrategyCache:
    """What numba asks of a dispatcher's cache, for one strategy.

    Parameters
    ----------
    function : callable
        The strategy as written.

    Notes
    -----
    A folder that cannot be written, or a file that cannot be read, costs a compilation and nothing else.
    """

    def __init__(self, function: Any):
        self._function = function
        self.cache_path = str(folder())

    @cached_property
    def _print(self) -> str:
        # what it calls may stand below it in its module: everything is there when it is compiled
        return fingerprint(self._function)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Give what was compiled before, or None."""
        target.refresh()
        file = self._file(signature, target.codegen())
        try:
            reduced = pickle.loads(file.read_bytes())  # noqa: S301  # in a folder of the user, written above
            loaded = _result._rebuild(target, *reduced)
            os.utime(file)
        except _UNREADABLE:
            return None
        return loaded

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep what was compiled; not where it holds addresses of this process."""
        if compiled.lifted or compiled.library.has_dynamic_globals:
            return
        file = self._file(signature, compiled.library.codegen)
        with contextlib.suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as out:
                out.write(_dumps(compiled._reduce()))
            Path(out.name).replace(file)
            _forget_oldest(file.parent)

    def enable(self) -> None:
        """Nothing: it always is."""

    def disable(self) -> None:
        """Nothing: numba disables caches of functions that are compiled for one signature only."""

    def _file(self, signature: Any, codegen: Any) -> Path:
        text = f"{self._print} {signature} {codegen.magic_tuple()} {numba.__version__}"
        return Path(self.cache_path) / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.strategy"


def call(function: Function) -> Function:
    """Compile what strategies call, once: that is most of the work on a strategy seen for the first time."""
    dispatcher: Any = part(function)
    dispatcher._cache = StrategyCache(function)
    return cast(Function, dispatcher)


def _forget_oldest(place: Path) -> None:
    files = sorted(place.glob("*.strategy"), key=lambda file: file.stat().st_mtime)
    for file in files[:-KEPT]:
        file.unlink(missing_ok=True)

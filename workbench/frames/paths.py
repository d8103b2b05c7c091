"""From names that strangers choose to paths that cannot hurt: one rule, injective, valid on every platform.

An instrument's name is hostile input (``../../x``, ``CON``, ``a:b``, a right-to-left mark, 500 characters, two
spellings that a file system takes for one). It is therefore never used as a path. A directory is called after a
readable slug and twelve digits of the name's SHA-256; the name itself stands in the manifest.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path
from typing import Final

from workbench.errors import RecordingError

SLUG_LENGTH: Final = 48
DIGEST_LENGTH: Final = 12
_NOT_PORTABLE = re.compile(r"[^A-Za-z0-9_]+")
_PLAIN_SESSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_~-]{0,79}")
# Windows keeps these names to itself, whatever follows the first dot.
_RESERVED = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")


def safe_name(name: str) -> str:
    """Directory name for any text.

    Parameters
    ----------
    name : str
        Any text, of any length.

    Returns
    -------
    str
        ``slug~digest``: at most 61 characters of ``A–Z a–z 0–9 _ - ~``, never reserved, never empty.

    Notes
    -----
    Different names give different results on case-insensitive and normalising file systems too, because the
    digest is of the exact text. Two names collide with probability 2⁻⁴⁸.

    >>> safe_name("BTC/USD@BMX")
    'BTC-USD-BMX~04f6cf966461'
    """
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    slug = _NOT_PORTABLE.sub("-", ascii_only).strip("-")[:SLUG_LENGTH].strip("-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]
    return f"{slug or 'x'}~{digest}"


def session_name(session: str) -> str:
    """Directory name of a session: as it is when portable, else by :func:`safe_name`."""
    portable = _PLAIN_SESSION.fullmatch(session) and not _RESERVED.fullmatch(session)
    return session if portable else safe_name(session)


def inside(root: Path, *names: str) -> Path:
    """Join names below a root and refuse every way out of it.

    Raises
    ------
    RecordingError
        A name that is not a single component, or a symbolic link on the way.
    """
    path = root
    for name in names:
        if not name or name in (".", "..") or set(name) & set("/\\:\0"):
            raise RecordingError(f"path {name!r} below {root}", expected="a plain name", code="outside_root")
        path = path / name
        refuse_link(path)
    return path


def refuse_link(path: Path) -> None:
    """Raise if ``path`` is a symbolic link (recordings hold none, so somebody planted it)."""
    if path.is_symlink():
        raise RecordingError(
            f"{path} is a symbolic link",
            expected="a file or directory of the recording itself",
            action="Copy the target here if you trust it",
            code="outside_root",
        )

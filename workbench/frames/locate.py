"""Finding the one recording that a path means."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import RecordingError
from workbench.frames.manifest import FILE_NAME
from workbench.frames.paths import refuse_link

_DEPTH = 2


def is_recording(directory: Path) -> bool:
    """Whether a directory holds a recording: a manifest, or files that only recordings have."""
    return (directory / FILE_NAME).exists() or any(
        next(directory.glob(pattern), None) for pattern in ("journal-*.arrows", "events-*.parquet")
    )


def find_recordings(root: Path) -> list[Path]:
    """Recordings at ``root`` or up to two levels below (session and instrument), sorted by path."""
    return list(_walk(root, _DEPTH))


def find_recording(path: Path) -> Path:
    """Return the one recording that ``path`` means.

    Raises
    ------
    RecordingError
        Nothing there, a file, or several recordings.
    """
    if not path.exists():
        raise RecordingError(f"nothing at {path}", expected="the directory of a recording", code="not_found")
    refuse_link(path)
    if not path.is_dir():
        hint = (
            f"Open {path.parent} instead" if is_recording(path.parent) else "Use import_recording for files"
        )
        raise RecordingError(f"{path} is a file", expected="the directory of a recording", action=hint)
    found = find_recordings(path)
    if not found:
        raise RecordingError(
            f"{path} holds no recording", expected=f"a directory with {FILE_NAME}", code="not_found"
        )
    if len(found) > 1:
        names = ", ".join(str(p.relative_to(path)) for p in found[:10])
        more = f" and {len(found) - 10} more" if len(found) > 10 else ""
        raise RecordingError(f"{path} holds {len(found)} recordings", action=f"Choose one of: {names}{more}")
    return found[0]


def _walk(directory: Path, depth: int) -> list[Path]:
    if is_recording(directory):
        return [directory]
    if not depth:
        return []
    children = sorted(
        c for c in directory.iterdir() if c.is_dir() and not c.is_symlink() and c.name[0] != "."
    )
    return [path for child in children for path in _walk(child, depth - 1)]

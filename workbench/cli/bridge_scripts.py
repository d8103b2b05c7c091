"""The scripts for Bookmap's editor: written where people find them, and never over a file that is not ours."""

from __future__ import annotations

import hashlib
import importlib.resources
import re
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import platformdirs

from workbench import __version__
from workbench.errors import WorkbenchError

SCRIPT: Final = "workbench_bridge.py"
TRADING_SCRIPT: Final = "workbench_bridge_trading.py"
FOLDER: Final = "Order-Flow Workbench"
BESIDE: Final = ".new"
ADDON_NAME_LENGTH: Final = 64
_ADDON_NAME = re.compile(r"[a-zA-Z][\s_\w]*", re.ASCII)
_HEADER = re.compile(rb'# Written by "workbench bridge install" \([^()\r\n]*\), ([0-9a-f]{16})\r?\n')

STEPS: Final = """
In Bookmap: "Settings" > "Configure addons": tick "Python API" (Bookmap's own add-on), open its settings and press
"Open embedded editor".

In the editor: "File" > "New Python File..", name it {name}, and paste the text of {script}

Press "Set custom runtime" and choose {python} . Only this Python has the workbench. Do it before building: the built
add-on remembers it.

Leave "Is trading strategy" unticked and press "Build". It says "Build success"; "File" > "Open build folder" shows the
add-on.

In Bookmap: "Settings" > "Configure addons": add that .jar file, and tick it for ONE instrument.

In a notebook: import workbench as wb; s = wb.connect("bookmap"). If nothing comes: workbench doctor

For each further instrument build another add-on under another name (workbench bridge install --for NAME writes such
files): one add-on for several instruments is unsafe in Bookmap.
"""
NO_ORDERS: Final = """
This script never sends orders. The other one, {trading_script}, can: workbench bridge install --trading says how.
"""
TRADING_STEPS: Final = """
For orders: the same with {trading_script} as {trading_name}, and "Is trading strategy" ticked before "Build". Use it
instead of the first one, on the same instrument.

Then tick "Allow orders from notebooks" in the add-on's own settings (off until you tick it), press "Apply", and arm in
the notebook: s.arm(minutes=30, max_orders=10, max_size=1). Without both not one order leaves.
"""

Outcome = Literal["written", "unchanged", "updated", "beside"]


@dataclass(frozen=True, slots=True)
class Written:
    """One script: where it is now, and whether something else was there.

    Attributes
    ----------
    path : Path
        What to build in Bookmap.
    outcome : str
        ``written``; ``unchanged``: it was there already; ``updated``: an older one of ours was; ``beside``: a file
        that we did not write, or that was changed by hand, was there and stays, ours is ``path``.
    """

    path: Path
    outcome: Outcome


def default_folder() -> Path:
    """Folder in the user's documents."""
    return platformdirs.user_documents_path() / FOLDER


def source_of(name: str) -> bytes:
    """Text of a script as it comes with the package; the package it belongs to is not imported."""
    return importlib.resources.files("workbench").joinpath("bridge", "scripts", name).read_bytes()


def script_name(name: str, suffix: str) -> str:
    """File name of a script for one of several instruments: Bookmap calls the add-on after it.

    Raises
    ------
    WorkbenchError
        Bookmap would refuse the name.
    """
    addon = name.removesuffix(".py") + (f"_{suffix}" if suffix else "")
    if not _ADDON_NAME.fullmatch(addon) or len(addon) > ADDON_NAME_LENGTH:
        raise WorkbenchError(
            f"add-on name {addon!r}",
            expected=f"a letter, then letters, digits, _ and blanks, at most {ADDON_NAME_LENGTH} in all",
        )
    return f"{addon}.py"


def write_script(folder: Path, name: str, suffix: str = "") -> Written:
    """Write one script into a folder, made when absent.

    Raises
    ------
    WorkbenchError
        A bad name, or both places are taken by files that are not ours.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, text = folder / script_name(name, suffix), _with_header(source_of(name))
    if _is_foreign(path):
        path = path.with_name(path.name + BESIDE)
        if _is_foreign(path):
            raise WorkbenchError(
                f"{path} is not as we wrote it, and neither is the file without .new",
                action="Move one of them away, or choose another --out",
            )
        _replace(path, text)
        return Written(path, "beside")
    if not path.exists():
        _replace(path, text)
        return Written(path, "written")
    if path.read_bytes() == text:
        return Written(path, "unchanged")
    _replace(path, text)
    return Written(path, "updated")


def write_scripts(folder: Path, names: Sequence[str] = ()) -> list[tuple[Written, Written]]:
    """Write the plain and the trading script, a pair for each name; a name given twice is one pair.

    Raises
    ------
    WorkbenchError
        A bad name, before anything was written; or as of :func:`write_script`.
    """
    if "" in names:
        raise WorkbenchError("--for without a name", expected="the name of an instrument")
    chosen = tuple(dict.fromkeys(names)) or ("",)
    for suffix in chosen:
        for name in (SCRIPT, TRADING_SCRIPT):
            script_name(name, suffix)
    return [(write_script(folder, SCRIPT, n), write_script(folder, TRADING_SCRIPT, n)) for n in chosen]


def steps(script: Path, trading_script: Path, *, trading: bool) -> list[str]:
    """What to do in Bookmap, step by step; words in quotes are what Bookmap's windows say."""
    text = STEPS + (TRADING_STEPS if trading else NO_ORDERS)
    filled = text.format(
        script=script, name=script.name.removesuffix(BESIDE), trading_script=trading_script,
        trading_name=trading_script.name.removesuffix(BESIDE), python=sys.executable,
    )  # fmt: skip
    return [" ".join(paragraph.split()) for paragraph in filled.strip().split("\n\n")]


def _with_header(text: bytes) -> bytes:
    digest = hashlib.sha256(text).hexdigest()[:16]
    header = f'# Written by "workbench bridge install" (orderflow-workbench {__version__}), {digest}\n'
    return header.encode() + text


def _is_foreign(path: Path) -> bool:
    """Whether something is there that we did not write, or not as it is now."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return True
    if not path.exists():
        return False
    content = path.read_bytes()
    header = _HEADER.match(content)
    if header is None:
        return True
    text = content[header.end() :].replace(b"\r\n", b"\n")  # an editor on Windows may have saved it
    return hashlib.sha256(text).hexdigest()[:16].encode() != header[1]


def _replace(path: Path, text: bytes) -> None:
    aside = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        aside.write_bytes(text)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)

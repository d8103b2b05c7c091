"""Score every detector on planted truth: ``python3 -m workbench.lab.detector_report [--write docs/detectors.md]``.

With ``--write`` each table between ``<!-- scores: NAME -->`` and ``<!-- end -->`` is replaced. The markets are seeded, so the numbers are the same on every machine.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from workbench.events import EventBatch
from workbench.feeds.simulator.planting import plants
from workbench.lab.degradation import degradation
from workbench.lab.score_cases import CASES
from workbench.lab.scoring import Ground, Scorecard, grounds

_COLUMNS: Final = ("precision", "recall", "f1", "planted", "hits", "repeats", "false", "missed")


def table(card: Scorecard) -> str:
    """Markdown table of a scorecard."""
    head = f"| parameter | value | {' | '.join(_COLUMNS)} |"
    rule = f"|---|---|{'---:|' * len(_COLUMNS)}"
    return "\n".join([head, rule, *(_line(row) for row in card.frame.iter_rows(named=True))])


def summary(cards: list[Scorecard]) -> str:
    """Markdown table of what each detector reaches at its defaults."""
    lines = [
        "| detector | planted kind | precision | recall | F1 | floors (precision, recall) |",
        "|---|---|---:|---:|---:|---|",
    ]
    for case, card in zip(CASES, cards):
        row = card.frame.row(0, named=True)
        scores = " | ".join(_number(row[name]) for name in ("precision", "recall", "f1"))
        lines.append(f"| `{case.name}` | {case.kind} | {scores} | {case.floor[0]:.2f}, {case.floor[1]:.2f} |")
    return "\n".join(lines)


class _Played:
    """A market as the batch faces read it."""

    def __init__(self, ground: Ground):
        self.instrument, self._ground = ground.instrument, ground

    def batches(self) -> Iterator[EventBatch]:
        """All events."""
        return iter(self._ground.batches)


def losses() -> str:
    """Markdown table of what is lost without order rows, on one market in which every kind is planted."""
    [ground] = grounds(plants(every="40s"), seeds=[1], duration="5m")
    frame = degradation(_Played(ground))
    lines = [
        "| detector | with orders | without | both | lost | invented | kept |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, *counts, kept in frame.iter_rows():
        share = "–" if kept is None else f"{kept:.2f}"
        lines.append(f"| {name} | {' | '.join(str(count) for count in counts)} | {share} |")
    return "\n".join(lines)


def written(text: str, tables: dict[str, str]) -> str:
    """Document with the tables put in place."""
    for name, content in tables.items():
        pattern = rf"(<!-- scores: {re.escape(name)} -->\n).*?(<!-- end -->)"
        text = re.sub(pattern, rf"\g<1>{content}\n\g<2>", text, flags=re.DOTALL)
    return text


def _line(row: dict[str, Any]) -> str:
    name = f"`{row['parameter']}`" if row["parameter"] else "defaults"
    numbers = " | ".join(_number(row[column]) for column in _COLUMNS)
    return f"| {name} | {row['value']} | {numbers} |"


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return "–" if value != value else f"{value:.2f}"


def main(arguments: list[str]) -> None:
    """Print the tables, or write them into a document."""
    cards = [case.score() for case in CASES]
    tables = {"summary": summary(cards)} | {card.name: table(card) for card in cards}
    tables["degradation"] = losses()
    if arguments[:1] != ["--write"]:
        sys.stdout.writelines(f"\n## {name}\n\n{content}\n" for name, content in tables.items())
        return
    path = Path(arguments[1])
    path.write_text(written(path.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

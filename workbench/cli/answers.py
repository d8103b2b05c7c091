"""How commands answer: JSON alone on standard output, or lines for people."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])

json_option: Callable[[Function], Function] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON only on standard output."
)


class Seconds(click.FloatRange):
    """A length of time: more than nothing, and with an end (``nan`` passes every comparison of a range)."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a number, and refuse one that is no length."""
        seconds = float(super().convert(value, param, ctx))
        if not math.isfinite(seconds):
            self.fail(f"{value} is no number of seconds.", param, ctx)
        return seconds


SECONDS: Final = Seconds(0, min_open=True)


def print_json(facts: object) -> None:
    """One JSON document on one line."""
    click.echo(json.dumps(facts, default=_plain, ensure_ascii=False))


def print_facts(facts: Mapping[str, object]) -> None:
    """One fact a line, names aligned."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        click.echo(f"{name.replace('_', ' '):<{width}}  {_text(value)}")


def answer(facts: Mapping[str, object], as_json: bool) -> None:
    """Print facts in the form that was asked for."""
    if as_json:
        print_json(facts)
    else:
        print_facts(facts)


def say(text: str) -> None:
    """Tell a person something that is not the answer: on standard error."""
    click.echo(text, err=True)


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items()) or "none"
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no JSON form")

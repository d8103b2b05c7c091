"""Every indicator and detector says what it takes and gives, by which rule, where nothing is known, and whose rule it is."""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap

import pytest

import workbench as wb

DATA = {"evidence", "touches"}  # shows what is there: no rule of its own
NULL_RULE = (
    r"null|none|nan|no rows?|empty|without trades|not known|nothing is found|no bars?|not told|no price"
)
STATISTICS = {
    "next_move",
    "regress",
    "lead_lag",
    "hayashi_yoshida",
}  # of arrays, or refused when there is too little


def indicators() -> list[str]:
    """Public functions that are at home in the room of order flow."""
    homes = {name: home for name, home in wb._HOMES.items() if home.startswith("flow.")}
    return [name for name in homes if inspect.isfunction(getattr(wb, name)) and name not in DATA]


def section(name: str, title: str) -> str:
    """Text of a section of a docstring; empty if there is none."""
    found = re.search(
        rf"^{title}\n-+\n(.*?)(?=^\w+\n-+\n|\Z)",
        inspect.getdoc(getattr(wb, name)) or "",
        re.MULTILINE | re.DOTALL,
    )
    return found.group(1).strip() if found else ""


def whole(name: str) -> str:
    """A docstring with those of the classes that it refers to in its own module."""
    function = getattr(wb, name)
    home = importlib.import_module(function.__module__)
    classes = [value for value in vars(home).values() if inspect.isclass(value)]
    pages = [inspect.getdoc(c) or "" for c in classes if f"`{c.__name__}`" in (function.__doc__ or "")]
    return "\n".join([inspect.getdoc(function) or "", *pages])


@pytest.mark.parametrize("title", ["Parameters", "References"])
@pytest.mark.parametrize("name", indicators())
def test_an_indicator_says_what_it_takes_and_whose_rule_it_is(name: str, title: str) -> None:
    """Parameters and references stand in the docstring of the function itself."""
    assert section(name, title)


@pytest.mark.parametrize("name", sorted(set(indicators()) - STATISTICS))
def test_an_indicator_says_what_it_gives_and_by_which_rule(name: str) -> None:
    """What comes back, the formula or rule, and what stands where there is nothing to say."""
    assert section(name, "Returns")
    assert section(name, "Notes")
    assert re.search(NULL_RULE, textwrap.dedent(whole(name)), re.IGNORECASE)


@pytest.mark.parametrize("name", indicators())
def test_every_parameter_is_named(name: str) -> None:
    """The docstring names the parameters of the signature, or says whose they are."""
    described = section(name, "Parameters")
    for parameter in inspect.signature(getattr(wb, name)).parameters:
        assert re.search(rf"(?<!\w){parameter}(?!\w)", described)

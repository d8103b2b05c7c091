"""The diagrams of the documentation, drawn from the tables that the code runs on."""

from __future__ import annotations

from collections.abc import Mapping


def diagram(transitions: Mapping[tuple[str, str], str]) -> str:
    """Mermaid state diagram of a transition table; events between the same two states share an arrow.

    >>> print(diagram({("new", "hello"): "challenged", ("new", "close"): "closed"}))
    stateDiagram-v2
        new --> challenged: hello
        new --> closed: close
    """
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), following in transitions.items():
        arrows.setdefault((state, following), []).append(event)
    lines = [f"    {state} --> {following}: {' / '.join(e)}" for (state, following), e in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines])

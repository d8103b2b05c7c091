"""Strict JSON: what the wire accepts as one message."""

from __future__ import annotations

from typing import Any


def parse(text: str | bytes) -> dict[str, Any]:
    """One JSON object, or a ProtocolError that names rule, place and field."""
    ...

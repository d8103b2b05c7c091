"""What an engine is told: one line of JSON in which nothing is lost."""

from __future__ import annotations

import math

import pytest

from workbench.errors import EngineError
from workbench.feeds.specification import EngineSpec, SourceSpec, build_source, decode, encode

SYNTHETIC = "tests.support.synthetic:make"


@pytest.mark.parametrize("speed", [1.0, 50.0, math.inf])
def test_a_specification_survives_its_line(speed):
    """Also with no limit of speed, which JSON has no number for."""
    spec = EngineSpec(
        source=SourceSpec(kind="simulate", options={"seed": 7}, speed=speed),
        identity="abc",
        port=1,
        grace_s=None,
    )
    line = encode(spec)
    assert b"\n" not in line
    assert decode(line) == spec


def test_the_same_events_have_the_same_key():
    """Order of options does not matter, and speed only says how fast; other options are other events."""
    one = SourceSpec(kind="simulate", options={"seed": 7, "profile": "es-like"})
    same = SourceSpec(kind="simulate", options={"profile": "es-like", "seed": 7}, speed=10.0)
    other = SourceSpec(kind="simulate", options={"seed": 8, "profile": "es-like"})
    assert one.key == same.key != other.key


def test_a_token_is_in_no_repr_and_no_key():
    """Options may hold one."""
    spec = SourceSpec(kind="upstream", options={"uri": "ws://127.0.0.1:1/v1", "token": "canary"})
    assert "canary" not in repr(spec) + spec.key
    assert "canary" not in repr(EngineSpec(source=spec, identity="x"))


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"{}", b'{"source": 1, "identity": "x"}', b'{"source": {"kind": "no"}}']
)
def test_a_line_that_is_none_is_refused(line):
    """Without showing it."""
    with pytest.raises(EngineError, match="no engine specification"):
        decode(line)


def test_a_custom_source_is_made_by_its_factory():
    """``module:function`` with the other options as arguments."""
    source = build_source(SourceSpec(kind="custom", options={"factory": SYNTHETIC, "count": 3}))
    assert source.name == "synthetic step=1000000 count=3"


def test_what_is_no_source_is_refused():
    """A factory that makes something else is told so by type."""
    with pytest.raises(EngineError, match="made a int"):
        build_source(SourceSpec(kind="custom", options={"factory": "builtins:int"}))

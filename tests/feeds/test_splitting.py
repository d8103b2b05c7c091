"""Cutting a WebSocket's bytes into frames changes nothing of what the library would have said."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from workbench.feeds.splitting import Splitter

LIMIT = 70_000
OPCODES = [Opcode.BINARY] * 3 + [Opcode.TEXT, Opcode.CONT, Opcode.PING, Opcode.PONG]


def _library() -> ClientProtocol:
    return ClientProtocol(parse_uri("ws://127.0.0.1/v1"), max_size=LIMIT, state=OPEN)


def _seen(protocol: ClientProtocol) -> list[tuple[Opcode, bool, bytes]]:
    frames = [event for event in protocol.events_received() if isinstance(event, Frame)]
    return [(frame.opcode, frame.fin, bytes(frame.data)) for frame in frames]


def _through_the_library(pieces: list[bytes]) -> tuple[object, ...]:
    protocol, out = _library(), []
    for piece in pieces:
        protocol.receive_data(piece)
        out += _seen(protocol)
    return out, protocol.state, protocol.close_code


def _through_the_splitter(pieces: list[bytes]) -> tuple[object, ...]:
    protocol, splitter, out = _library(), Splitter(LIMIT), []
    for piece in pieces:
        for is_message, part in splitter.split(piece):
            if not is_message:
                protocol.receive_data(part)
                out += _seen(protocol)
            elif protocol.state is OPEN:
                out.append((Opcode.BINARY, True, part))
    return out, protocol.state, protocol.close_code


@st.composite
def wires(draw: st.DrawFn) -> bytes:
    """What a server might send, right or wrong: fragments, control frames, masks, long messages, garbage."""
    wire = b""
    for opcode in draw(st.lists(st.sampled_from(OPCODES), max_size=8)):
        length = draw(st.sampled_from([0, 1, 125, 126, 300, 65_535, 65_536, LIMIT + 1]))
        is_control = opcode in (Opcode.PING, Opcode.PONG)
        data = bytes(min(length, 125) if is_control else length)
        frame = Frame(opcode, data, fin=is_control or draw(st.sampled_from([True, True, False])))
        wire += frame.serialize(mask=draw(st.sampled_from([False] * 9 + [True])))
    return wire + draw(st.sampled_from([b"", b"", b"\xff\xff\xff", b"\x88\x02\x03\xe8"]))


@given(wires(), st.lists(st.integers(0, 200_000), max_size=12))
def test_any_bytes_cut_anywhere_give_what_the_library_gives(wire: bytes, cuts: list[int]) -> None:
    """Same messages in the same order, same state, same reason to close."""
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    pieces = [wire[a:b] for a, b in itertools.pairwise(edges) if b > a]
    assert _through_the_splitter(pieces) == _through_the_library(pieces)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_a_plain_binary_message_never_meets_the_library(length: int) -> None:
    """Also when it comes byte by byte: one message, once it is whole."""
    wire = Frame(Opcode.BINARY, bytes(length)).serialize(mask=False)
    splitter = Splitter(LIMIT)
    step = max(1, len(wire) // 50)
    parts = [part for k in range(0, len(wire), step) for part in splitter.split(wire[k : k + step])]
    assert parts == [(True, bytes(length))]

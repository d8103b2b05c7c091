"""Typed messages."""

from __future__ import annotations

import pytest

from workbench.errors import ProtocolError
from workbench.protocol import decoding, messages


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('{"type":"LOGIN"}', "missing_field", "missing field 'token' in LOGIN"),
        ('{"type":"LOGIN","token":1}', "bad_type", "token must be str, got int"),
        ('{"type":7}', "bad_type", "type must be str, got int"),
        ("{}", "missing_field", "missing field 'type' in message"),
        ('{"type":"WELCOME"}', "unknown_type", "unknown_type 'WELCOME'"),
        ('{"type":"SUBSCRIBE","symbol":"X","data":["NEWS"]}', "bad_value", "NEWS"),
        ('{"type":"SUBSCRIBE","symbol":"X","dom_levels":-1}', "bad_value", "dom_levels"),
        ('{"type":"HELLO","nonce":"short"}', "bad_value", "nonce"),
        ('{"type":"REPLAY","action":"fly"}', "bad_value", "fly"),
    ],
)
def test_wrong_message_is_named(text: str, code: str, words: str) -> None:
    """The error names the field, what was found and what is allowed."""
    with pytest.raises(ProtocolError, match=words) as caught:
        decoding.decode_from_client(text)
    assert caught.value.code == code


def test_unknown_fields_are_ignored() -> None:
    """A newer client may send more."""
    assert decoding.decode_from_client('{"type":"HEARTBEAT","mood":"good"}') == messages.Heartbeat()


def test_defaults_are_left_out_on_the_wire() -> None:
    """Short messages stay short."""
    assert decoding.encode(messages.Subscribed(
        symbol="X", stream=1, data=[], next_sequence=0, snapshot=False, instrument={}
    )) == '{"type":"SUBSCRIBED","symbol":"X","stream":1,"data":[],"next_sequence":0,"snapshot":false,"instrument":{}}'  # fmt: skip


def test_token_is_hidden_in_the_error_too() -> None:
    """A malformed LOGIN is refused without repeating what it said."""
    with pytest.raises(ProtocolError) as caught:
        decoding.decode_from_client('{"type":"LOGIN","token":["canary"]}')
    assert "canary" not in str(caught.value)


def test_types_of_both_directions_are_told_apart() -> None:
    """INSTRUMENTS, ENGINE and HEALTH are a question from a client and an answer from a server."""
    assert isinstance(decoding.decode_from_client('{"type":"INSTRUMENTS"}'), messages.ListInstruments)
    assert isinstance(
        decoding.decode_from_server('{"type":"INSTRUMENTS","instruments":[]}'), messages.Instruments
    )

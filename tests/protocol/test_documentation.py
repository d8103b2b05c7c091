"""docs/protocol.md says what the code does: every example is executed."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest

from workbench.events import COLUMNS, EventBatch, Instrument
from workbench.protocol import decoding, limits, transitions
from workbench.protocol.codec import HEADER, decode_frame, encode_batch
from workbench.protocol.diagram import diagram
from workbench.protocol.login import client_proof, server_proof
from workbench.protocol.rows import ROW_TYPES, encode_rows
from workbench.protocol.snapshot import Dom, SnapshotMessage
from workbench.protocol.strict import parse

TEXT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+) (\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
MARKET: dict[str, type[Any]] = {**ROW_TYPES, "SNAPSHOT": SnapshotMessage, "DOM": Dom}
FROM_SERVER: dict[str, type[Any]] = {**decoding.FROM_SERVER, **MARKET}


def _examples(who: str) -> list[str]:
    return [
        line for kind, name, body in BLOCKS if (kind, name) == ("json", who) for line in body.splitlines()
    ]


def _block(name: str) -> str:
    (body,) = [body for _, found, body in BLOCKS if found == name and body]
    return body.rstrip("\n")


@pytest.mark.parametrize("text", _examples("client"))
def test_client_examples_are_understood(text: str) -> None:
    """What the page tells clients to send is decoded, and encodes to nothing else."""
    again = parse(decoding.encode(decoding.decode_from_client(text)))
    assert again.items() <= parse(text).items()
    assert decoding.decode_from_client(json.dumps(again)) == decoding.decode_from_client(text)


@pytest.mark.parametrize("text", _examples("server"))
def test_server_examples_are_what_a_server_sends(text: str) -> None:
    """What the page shows of a server is decoded, and encodes to the same fields."""
    plain = parse(text)
    message = decoding.convert(plain, FROM_SERVER)
    again = parse(decoding.encode(message))
    assert again.items() <= plain.items()
    assert decoding.convert(again, FROM_SERVER) == message


def test_every_message_has_an_example() -> None:
    """No message is left out of the page."""
    assert {parse(text)["type"] for text in _examples("client")} == set(decoding.FROM_CLIENT)
    assert {parse(text)["type"] for text in _examples("server")} == set(FROM_SERVER)


def test_header_table_is_the_header() -> None:
    """Offsets and types of the table are those of the code."""
    rows = re.findall(r"^\| (\d+) \| (4s|B|H|I|q) \|", TEXT, re.MULTILINE)
    offset = 0
    for found, code in rows:
        assert int(found) == offset
        offset += struct.calcsize(f"<{code}")
    assert "<" + "".join(code for _, code in rows) == HEADER.format
    assert offset == HEADER.size == 40


def test_column_table_is_the_declaration() -> None:
    """Names, types and meanings of the columns are those of workbench.events."""
    rows = re.findall(r"^\| `(\w+)` \| ([<|][iu]\d) \| (.*) \|$", TEXT, re.MULTILINE)
    assert rows == [(c.name, c.dtype.str, c.meaning) for c in COLUMNS]


def test_hex_example_decodes_to_what_it_says() -> None:
    """The worked frame holds a DEPTH row and the TRADE message of the page."""
    lines = [line.split("  ") for line in _block("frame").splitlines()]
    data = b"".join(bytes.fromhex(hexed) for _, hexed, *_ in (list(filter(None, line)) for line in lines))
    frame = decode_frame(data)
    instrument = Instrument("ESZ6", "0.25")
    depth, trade = (parse(text) for text in encode_rows(frame.batch, instrument))
    assert trade in [parse(text) for text in _examples("server")]
    assert (depth["sequence"], depth["price"], depth["size"]) == (41, 4500.25, 12)
    assert encode_batch(EventBatch(frame.batch.columns, 41), frame.stream, frame.send_ns) == data


def test_login_vector_is_right() -> None:
    """HELLO, CHALLENGE and PROOF of the page belong together under the secret it names."""
    said = {
        plain["type"]: plain for text in _examples("client") + _examples("server") if (plain := parse(text))
    }
    hello, challenge = said["HELLO"], said["CHALLENGE"]
    place = ("secret", hello["nonce"], challenge["nonce"], hello["endpoint"])
    assert challenge["proof"] == server_proof(*place)
    assert said["PROOF"]["proof"] == client_proof(*place)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("server", transitions.SERVER),
        ("client", transitions.CLIENT),
        ("subscription", transitions.SUBSCRIPTION),
    ],
)
def test_diagrams_are_drawn_from_the_tables(name: str, table: dict[tuple[str, str], str]) -> None:
    """A transition that changes in the code changes in the page."""
    (body,) = [body for kind, found, body in BLOCKS if (kind, found) == ("mermaid", name)]
    assert body.rstrip("\n") == diagram(table)


def test_limits_are_the_numbers_of_the_code() -> None:
    """Each limit of the page has the value the code uses."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (\d+) \|", TEXT, re.MULTILINE)
    assert len(rows) >= 15
    assert all(getattr(limits, name) == int(value) for name, value in rows)


def test_tutorial_is_ten_lines_that_compile() -> None:
    """The tutorial client stays a ten-line client of documented messages."""
    code = _block("tutorial")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    compile(code, "tutorial", "exec")
    for sent in re.findall(r"json\.dumps\((\{.*?\})\)\)", code):
        plain = eval(sent, {"token": "t", "symbol": "ESZ6"})  # the page's own text
        decoding.decode_from_client(json.dumps(plain))

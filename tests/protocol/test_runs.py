"""Neighbouring frames taken as one: cheaper, and the same in every other respect."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict

import hypothesis.strategies as st
from hypothesis import given

from tests.support.synthetic import reference
from workbench.events import EventBatch, EventKind, Instrument
from workbench.protocol.client import ClientConnection
from workbench.protocol.codec import decode_frame, encode_batch, encode_filtered, encode_snapshot
from workbench.protocol.notices import MarketData
from workbench.protocol.runs import MAX_RUN_ROWS, join_run, runs

ROWS = reference(500)
GAP = EventBatch.of(ROWS.next_sequence, kind=EventKind.GAP, size=[10])
WELCOME = '{"type":"WELCOME","version":"1.0","server":"x","session":"s","heartbeat_ms":500,"read_only":true,"limits":{}}'
SUBSCRIBED = {
    "type": "SUBSCRIBED",
    "symbol": "S",
    "stream": 3,
    "data": ["FULL_ORDER_BOOK", "TRADES"],
    "next_sequence": ROWS.first_sequence,
    "snapshot": False,
    "instrument": Instrument("S", "0.1", "1").to_dict(),
}
HEARTBEAT = '{"type":"HEARTBEAT"}'


def _client() -> ClientConnection:
    client = ClientConnection()
    client.subscribe("S")
    client.opened(bytes(32), 0)
    client.receive(WELCOME, 0)
    client.data_to_send(0)
    client.receive(json.dumps(SUBSCRIBED), 0)
    client.events()
    return client


def _frames(cuts: list[int], stream: int = 3) -> list[bytes]:
    edges = [0, *sorted(cuts), len(ROWS)]
    return [encode_batch(ROWS[a:b], stream, k) for k, (a, b) in enumerate(itertools.pairwise(edges))]


def _outcome(client: ClientConnection) -> tuple[object, ...]:
    notices = client.events()
    rows: list[tuple[object, ...]] = []
    for notice in notices:
        if isinstance(notice, MarketData):
            sequence = notice.batch.sequence if notice.sequence is None else notice.sequence
            rows += zip(sequence.tolist(), *(c.tolist() for c in notice.batch.columns))
    others = [repr(notice) for notice in notices if not isinstance(notice, MarketData)]
    return rows, others, asdict(client.counts), client.state, client.next_sequence("S")


def _damaged(frame: bytes, place: int) -> bytes:
    at = place % len(frame)
    return frame[:at] + bytes([frame[at] ^ 0x80]) + frame[at + 1 :]


@st.composite
def arrivals(draw: st.DrawFn) -> list[str | bytes]:
    """Frames of one stream with some lost, repeated, damaged, of another stream, and messages between them."""
    frames: list[str | bytes] = []
    for frame in _frames(draw(st.lists(st.integers(0, len(ROWS)), max_size=8))):
        fate = draw(
            st.sampled_from(["whole", "whole", "whole", "lost", "twice", "damaged", "text", "foreign"])
        )
        place = draw(st.integers(0, 10_000))
        frames += {
            "whole": [frame],
            "lost": [],
            "twice": [frame, frame],
            "damaged": [_damaged(frame, place)],
            "text": [HEARTBEAT, frame],
            "foreign": [frame, encode_batch(ROWS[:5], 9, 0)],
        }[fate]
    return frames + draw(
        st.sampled_from([[], [encode_batch(GAP, 3, 0)], [encode_filtered(GAP, GAP.kind > 0, 3, 0)]])
    )


@given(arrivals(), st.integers(1, 6))
def test_together_is_the_same_as_one_by_one(received: list[str | bytes], step: int) -> None:
    """Rows, counters, complaints and state do not depend on which messages arrived together."""
    single, together = _client(), _client()
    for message in received:
        single.receive(message, 0)
    for start in range(0, len(received), step):
        together.receive_all(received[start : start + step], 0)
    assert _outcome(together) == _outcome(single)


@given(st.lists(st.integers(0, len(ROWS)), max_size=8))
def test_a_joined_run_says_what_its_frames_said(cuts: list[int]) -> None:
    """One frame with all rows, the first frame's first number and the last frame's next number and send time."""
    frames = [frame for frame in _frames(cuts) if len(decode_frame(frame).batch)]
    (run,) = runs(frames)
    assert isinstance(run, list)
    joined = decode_frame(join_run(run))
    assert joined.batch == ROWS
    assert (joined.stream, joined.next) == (3, ROWS.next_sequence)
    assert joined.send_ns == decode_frame(frames[-1]).send_ns


def test_what_does_not_follow_stands_alone() -> None:
    """Other streams, filtered frames, snapshots, gaps that skip, text and garbage end a run."""
    first, second = _frames([200])
    others = [
        encode_batch(ROWS[200:], 4, 0),
        encode_filtered(ROWS[200:], ROWS[200:].kind > 0, 3, 0),
        encode_snapshot(ROWS[200:], ROWS.next_sequence, 3, 0),
        encode_batch(GAP, 3, 0),
        HEARTBEAT,
        b"garbage",
        second[:-8],
        b"",
    ]
    for other in others:
        assert list(runs([first, other, second])) == [
            [first],
            other if isinstance(other, str) else [other],
            [second],
        ]
    assert list(runs([first, second])) == [[first, second]]


def test_a_run_is_bounded() -> None:
    """However much has arrived, a joined frame stays of a size that a reader handles at once."""
    half = EventBatch.of(0, ts=[0] * (MAX_RUN_ROWS // 2 + 1), kind=EventKind.CLOCK)
    parts = [EventBatch.trusted(half.columns, k * len(half)) for k in range(3)]
    assert [len(run) for run in runs(encode_batch(part, 3, 0) for part in parts)] == [2, 1]

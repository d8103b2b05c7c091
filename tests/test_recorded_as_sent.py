"""One truth: what was sent is what a session captured is what the engine recorded, events and notes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import workbench as wb
from tests.support.bridged import stand_in
from tests.support.eventually import eventually
from workbench.book.levels import LevelBook
from workbench.events import EventBatch, EventKind, Flag, Side
from workbench.feeds import discovery
from workbench.feeds.engines import stop_all
from workbench.feeds.simulator import Simulator
from workbench.frames.recording import Recording
from workbench.session import Session
from workbench.testing import BookmapStandIn

MARKET = (EventKind.DEPTH, EventKind.TRADE, EventKind.MBO_NEW, EventKind.MBO_REPLACE, EventKind.MBO_CANCEL)
COMPARED = ("kind", "side", "price", "size", "order_id", "aggressor_id")
SECONDS = (2, 4)
INTERVALS = [*range(1, 21), *range(1, 21)]
"""Of 0.1 s, counted anew by each add-on."""
PATIENCE_S = 60.0


@pytest.fixture
def bookmap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BookmapStandIn]:
    """As fast as it can be sent, with another add-on that has much to say."""
    monkeypatch.setenv(discovery.RUNTIME_DIR_VARIABLE, str(tmp_path / "run"))
    with stand_in(tmp_path / "add-on", source=Simulator(seed=7), trading=True, write_per_line=False) as bm:
        bm.attach()
        bm.offer("Pulse", "beat")
        yield bm
        stop_all()


def played(seconds: int) -> EventBatch:
    """What a provider sends up to a moment, after its opening book."""
    source = Simulator(seed=7)
    handed = source.advance(source.start_ns + seconds * 10**9)
    rows = EventBatch.concatenate(batch for _, batch in handed)
    return rows[int(np.searchsorted(rows.ts, rows.ts[0], "right")) :]


def deltas(columns: pl.DataFrame) -> pl.DataFrame:
    """Rows of the market that are no part of a snapshot; beside its order a cancel says nothing."""
    market = columns.filter(pl.col("kind").is_in(MARKET) & (pl.col("flags") & Flag.SNAPSHOT == 0))
    told = pl.col("kind") != EventKind.MBO_CANCEL
    meant = [pl.when(told).then(name).cast(pl.Int64).alias(name) for name in ("side", "price", "size")]
    return market.select(pl.col(COMPARED).cast(pl.Int64)).with_columns(meant)


def intervals(columns: pl.DataFrame) -> list[int]:
    """Numbers of Bookmap's intervals of 0.1 s, which it says after the rows of each."""
    return columns.filter(pl.col("kind") == EventKind.CLOCK)["size"].to_list()


def said(session: Session) -> list[object]:
    events = session.broadcasts.filter(pl.col("kind") == "event")
    return [json.loads(text) for text in events["data"]]


def noted(recording: Recording) -> list[object]:
    messages = map(json.loads, recording.table("annotations").collect()["data"])
    return [message["data"] for message in messages if message.get("kind", "event") == "event"]


def broadcast(bm: BookmapStandIn, words: list[object]) -> None:
    bm.wait(lambda bm: bm.broadcast("Pulse", "beat", words[0]))  # until our add-on listens
    for word in words[1:]:
        bm.broadcast("Pulse", "beat", word)


def start_anew(bm: BookmapStandIn, session: Session) -> None:
    """The add-on's process is killed, and Bookmap's user enables it again."""
    assert bm.addon is not None
    bm.addon.destroy()
    eventually(lambda: not session.capture().book.valid, what="the end of the add-on")
    bm.detach()
    bm.attach()
    bm.offer("Pulse", "beat")
    eventually(lambda: session.capture().book.valid, what="the book of the next one")


def levels(batches: Iterator[EventBatch]) -> list[list[int]]:
    book = LevelBook()
    for batch in batches:
        book.apply(batch)
    assert book.valid
    return [column.tolist() for side in (Side.BID, Side.ASK) for column in book.levels(side)]


def test_what_was_sent_was_captured_and_recorded(bookmap: BookmapStandIn, tmp_path: Path) -> None:
    """Through an add-on that dies halfway: nothing is lost, doubled or moved, neither events nor broadcasts."""
    words: list[object] = [{"word": n // 2} for n in range(40)]  # each is said twice
    with wb.connect("bookmap", listen={"Pulse": ["beat"]}) as session:
        handle = session.record(tmp_path / "recordings", history=True)
        for half, seconds in enumerate(SECONDS):
            if half:
                start_anew(bookmap, session)
            broadcast(bookmap, words[20 * half : 20 * half + 20])
            bookmap.play(until=f"{seconds}s")
            count = int(np.isin(played(seconds).kind, MARKET).sum())
            eventually(lambda: len(deltas(session.events)) >= count, PATIENCE_S)  # noqa: B023
            eventually(lambda: intervals(session.events) == INTERVALS[: 20 * half + 20], PATIENCE_S)  # noqa: B023
            eventually(lambda: said(session) == words[: 20 * half + 20], PATIENCE_S)  # noqa: B023
        handle.stop()  # nothing is on its way any more: what came after it were in no recording
        captured = session.events
        [recording] = handle.recordings.values()
        assert said(session) == noted(recording) == words
    assert_frame_equal(recording.events().collect(), captured)
    assert_frame_equal(deltas(captured), deltas(played(SECONDS[-1]).to_polars()))
    source = Simulator(seed=7)
    handed = source.advance(source.start_ns + SECONDS[-1] * 10**9)
    assert levels(recording.batches()) == levels(batch for _, batch in handed)
    assert recording.verify().verdict != "INVALID"

"""Rows become the lines Bookmap writes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support import bookmap_tape as tape
from workbench.errors import EventError
from workbench.events import EventBatch, EventKind, Side
from workbench.testing.encoder import Encoder, Provider

ALL = {"8": 1, "5": 1, "18": 1}


def lines(
    batch: EventBatch, listeners: dict[str, int], provider: Provider = "both", end: str = "\n"
) -> list[str]:
    encoder = Encoder("A@B", provider, end)
    encoder.listeners = listeners
    return encoder.encode(batch).decode().replace("\ue000", "|").split(end)[:-1]


def test_each_kind_has_its_spelling() -> None:
    """Levels, prints and orders; rows that say nothing of the market are no lines."""
    assert lines(tape.batches()[1], ALL) == [
        "18|A@B|BID_NEW|13|399|2",
        "8|A@B|1|399|2",
        "5|A@B|401.0|3|0|1|1|1|14|12",
        "18|A@B|REPLACE|12|401|4",
        "8|A@B|0|401|4",
        "5|A@B|400.5|1|1|0|0|0||",
        "18|A@B|CANCEL|13|-1|-1",
        "8|A@B|1|399|0",
        "8|A@B|0|402|9",
    ]


@pytest.mark.parametrize(
    ("provider", "types"), [("both", {"8", "5", "18"}), ("depth", {"8", "5"}), ("mbo", {"5", "18"})]
)
def test_a_provider_sends_what_it_knows(provider: Provider, types: set[str]) -> None:
    """Most know levels or orders, not both."""
    assert {line.split("|")[0] for line in lines(tape.batches()[1], ALL, provider)} == types


def test_only_what_was_asked_for_is_sent() -> None:
    """Nobody listens, nothing is sent."""
    assert lines(tape.batches()[1], {}) == []
    assert {line[:2] for line in lines(tape.batches()[1], {"5": 1})} == {"5|"}


def test_asking_twice_is_hearing_twice() -> None:
    """Each request adds a listener, and each listener writes a line."""
    assert lines(tape.batches()[1][:2], {"8": 2, "18": 1}) == [
        "18|A@B|BID_NEW|13|399|2",
        "8|A@B|1|399|2",
        "8|A@B|1|399|2",
    ]


def test_windows_ends_lines_with_two_characters() -> None:
    """Println writes what the system writes."""
    assert len(lines(tape.batches()[1], ALL, end="\r\n")) == 9


@pytest.mark.parametrize(
    ("ticks", "text"), [(0, "0.0"), (-3, "-3.0"), (9_999_999, "9999999.0"), (10_000_000, "1.0E7")]
)
def test_a_prints_price_is_a_double(ticks: int, text: str) -> None:
    """In levels, as Java spells it."""
    batch = EventBatch.of(kind=EventKind.TRADE, price=[ticks], size=1, side=Side.BUY)
    assert lines(batch, ALL)[0].split("|")[2] == text


def test_a_size_beyond_an_int_is_refused() -> None:
    """Bookmap cannot say it."""
    batch = EventBatch.of(kind=EventKind.DEPTH, price=[1], size=[np.int64(1) << 31], side=1)
    with pytest.raises(EventError, match="int32"):
        lines(batch, ALL)

"""What other add-ons broadcast: asked for once, labelled, and never too much for a message of the feed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bookmap_wire import SEPARATOR
from workbench.bridge import wire
from workbench.bridge.broadcasts import MAX_BYTES, MAX_SUBSCRIPTIONS, Broadcasts
from workbench.bridge.lines import Lines
from workbench.errors import ProtocolError, WorkbenchError
from workbench.protocol import decoding, limits
from workbench.protocol.messages import Listen

SYMBOL, TS = "ESZ6", 5


def make() -> Broadcasts:
    return Broadcasts(Lines())


def listen(provider: str = "Market Pulse", generator: str = "volume", *, filtered: bool = False) -> Listen:
    return Listen(provider=provider, generator=generator, filtered=filtered)


def fields(line: bytes) -> list[str]:
    return line.decode().removesuffix("\n").split(SEPARATOR)


def test_a_subscription_is_one_line() -> None:
    """Provider, generator, and whether the add-on's own filter counts, as Bookmap spells it."""
    (line,) = make().listen(listen(filtered=True))
    assert fields(line) == ["30", "Market Pulse", "volume", "True"]


def test_a_provider_alone_can_be_asked_for() -> None:
    """Without a generator Bookmap tells what the provider has."""
    (line,) = make().listen(listen(generator=""))
    assert fields(line) == ["30", "Market Pulse", "None", "False"]


def test_asking_twice_adds_no_listener() -> None:
    """A second line would bring every event twice."""
    broadcasts = make()
    broadcasts.listen(listen())
    assert broadcasts.listen(listen()) == []
    assert broadcasts.listen(listen(filtered=True)) == []
    assert len(broadcasts.listen(listen(generator="other"))) == 1
    assert broadcasts.subscriptions == [("Market Pulse", "other"), ("Market Pulse", "volume")]


def test_the_same_words_said_twice_are_two_broadcasts() -> None:
    """Also in one read, which has one time: whoever is told again what is kept knows them apart."""
    broadcasts = make()
    said = wire.Broadcasting("volume", {"x": 1})
    told = [
        *(broadcasts.event(said, SYMBOL, ts) for ts in (TS, TS, TS - 3)),
        broadcasts.status(wire.Providers({}), SYMBOL, TS + 2),
    ]
    assert [one.ts for one in told] == [TS, TS + 1, TS + 2, TS + 3]


def test_after_the_last_instrument_everything_can_be_asked_for_again() -> None:
    """Bookmap's side of the subscriptions ended with the add-on."""
    broadcasts = make()
    broadcasts.listen(listen())
    broadcasts.forget()
    assert len(broadcasts.listen(listen())) == 1


def test_an_event_is_labelled_with_the_provider_of_its_subscription() -> None:
    """The wire names the generator only; one that was not asked for has no provider."""
    broadcasts = make()
    broadcasts.listen(listen())
    known = broadcasts.event(wire.Broadcasting("volume", {"value": 1.5}), SYMBOL, TS)
    assert (known.provider, known.generator, known.kind, known.data) == (
        "Market Pulse",
        "volume",
        "event",
        {"value": 1.5},
    )
    unknown = broadcasts.event(wire.BroadcastSettings("other", {"on": True}), SYMBOL, TS)
    assert (unknown.provider, unknown.generator, unknown.kind) == ("", "other", "settings")


def test_the_list_of_providers_is_kept_and_told() -> None:
    """Names and generators as they came."""
    broadcasts = make()
    told = broadcasts.status(wire.Providers({"Market Pulse": ["a", {"g": 1}]}), SYMBOL, TS)
    assert told.kind == "providers" and told.data == broadcasts.providers == {"Market Pulse": ["a", {"g": 1}]}


def test_an_object_too_big_for_the_feed_is_told_of_by_its_size() -> None:
    """A client takes messages of 1 MiB: a bigger one would cost it the connection."""
    plain = {"names": ["x" * 100] * (MAX_BYTES // 100), "more": 1}
    told = make().event(wire.Broadcasting("g", plain), SYMBOL, TS)
    assert told.data["names"] == ["names", "more"] and told.data["left_out_bytes"] > MAX_BYTES
    assert len(decoding.encode(told)) < limits.MAX_MESSAGE_BYTES


@pytest.mark.parametrize("depth", [11, 12, 40])
def test_an_object_too_deep_for_the_feed_is_told_of_by_its_size(depth: int) -> None:
    """A client refuses deep JSON: every message we send must be one it can read."""
    plain: dict[str, object] = {"text": '[[[[[[ "'}
    for _ in range(depth - 1):
        plain = {"inner": plain}
    told = make().event(wire.Broadcasting("g", plain), SYMBOL, TS)
    assert ("left_out_bytes" in told.data) == (depth > 12)
    assert decoding.decode_from_server(decoding.encode(told)) == told


def test_the_number_of_subscriptions_is_bounded() -> None:
    """A loop over names must not fill Bookmap's memory."""
    broadcasts = make()
    for number in range(MAX_SUBSCRIPTIONS):
        broadcasts.listen(listen(generator=f"g{number}"))
    with pytest.raises(ProtocolError, match="64"):
        broadcasts.listen(listen(generator="one more"))


@given(provider=st.text(max_size=30), generator=st.text(max_size=30))
def test_no_name_ever_makes_a_second_line(provider: str, generator: str) -> None:
    """Either one line whose fields are the given ones, or a refusal that is forgotten."""
    broadcasts = make()
    try:
        (line,) = broadcasts.listen(listen(provider, generator))
    except WorkbenchError:
        assert broadcasts.subscriptions == []
        return
    assert line.count(b"\n") == 1
    assert fields(line) == ["30", provider, generator or "None", "False"]

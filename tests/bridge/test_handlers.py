"""One call per event, and no handler ever ends anything."""

from __future__ import annotations

from tests.support.bookmap_lines import ALIAS, depth, info, interval, mbo, trade
from workbench.bridge.handlers import EventCaller, EventHandlers
from workbench.events import EventKind


class Notes(EventHandlers):
    """Write every call down."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def on_depth(self, *call: object) -> None:
        self.calls.append(("depth", *call))

    def on_trade(self, *call: object) -> None:
        self.calls.append(("trade", *call))

    def on_mbo(self, *call: object) -> None:
        self.calls.append(("mbo", *call))

    def on_interval(self, *call: object) -> None:
        self.calls.append(("interval", *call))


def test_each_event_is_one_call_in_order() -> None:
    """Prices in ticks, sizes in lots, sides as the lines say."""
    notes = Notes()
    lines = [
        depth(True, 100, 5),
        trade("100.5", 2, is_buy=False, aggressor="8", passive="7"),
        mbo("ASK_NEW", 9, 101, 4),
        mbo("CANCEL", 9),
        interval(),
    ]
    EventCaller(notes).receive(b"".join([info(), *lines]), 1, 1)
    assert notes.calls == [
        ("depth", ALIAS, True, 100, 5),
        ("trade", ALIAS, 100.5, 2, False, 8, 7),
        ("mbo", ALIAS, EventKind.MBO_NEW, 9, -1, 101, 4),
        ("mbo", ALIAS, EventKind.MBO_CANCEL, 9, 0, 0, 0),
        ("interval", ALIAS),
    ]


def test_a_handler_that_raises_is_counted() -> None:
    """F15: the next event is handled as if nothing had happened."""

    class Failing(Notes):
        def on_depth(self, *call: object) -> None:
            super().on_depth(*call)
            raise ZeroDivisionError("again")

    notes = Failing()
    caller = EventCaller(notes)
    caller.receive(info() + depth(True, 1, 1) * 3 + interval(), 1, 1)
    assert len(notes.calls) == 4
    assert caller.failures == 3
    assert caller.examples[0] == "ZeroDivisionError: again"


def test_handlers_need_not_be_there() -> None:
    """What is not overridden is ignored."""
    caller = EventCaller(EventHandlers())
    caller.receive(info() + depth(True, 1, 1) + trade("1.0", 1) + mbo("CANCEL", 1) + interval(), 1, 1)
    assert caller.failures == 0

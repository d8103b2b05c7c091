"""One attached instrument: its lines at the start, its deadlines, its best prices."""

from __future__ import annotations

from tests.support.bookmap_wire import ALIAS, book, instrument_info, line
from workbench.bridge.addon import Addon
from workbench.bridge.attachment import Attachment, BestPrices
from workbench.bridge.requests import ANSWER_NS
from workbench.bridge.translation import Translator
from workbench.bridge.watch import STALE_NS

WALL = 1_767_225_600_000_000_000


def attached() -> Attachment:
    addon = Addon()
    addon.receive(line(1) + instrument_info(), WALL, 0)
    return addon.attached[ALIAS]


def test_its_deadline_is_the_earliest_of_its_parts() -> None:
    """The answers to its requests first; then, once an interval came, the end of patience with the next one."""
    attachment = attached()
    assert attachment.deadline() == ANSWER_NS
    attachment.watch.saw(1, 0)
    attachment.requests.on_time(ANSWER_NS)
    for number in range(1, 7):
        attachment.requests.answered(number)
    assert attachment.deadline() == STALE_NS


def test_the_best_prices_follow_the_book() -> None:
    """In ticks; nothing before the book is complete, and None for an empty side."""
    translator = Translator()
    translator.receive(instrument_info(), WALL, 0)
    best = BestPrices(translator.markets[ALIAS])
    assert best() == (None, None)
    translator.receive(book(), WALL, 0)
    assert best() == best() == (100, 101)
    translator.receive(line(8, ALIAS, True, 100, 0), WALL, 0)
    assert best() == (99, 101)
    translator.receive(b"".join(line(8, ALIAS, False, 101 + n, 0) for n in range(5)), WALL, 0)
    assert best() == (99, None)

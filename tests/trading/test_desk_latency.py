"""The desk above a venue that answers late: whatever crosses whatever, nothing is lost and nothing breaks."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.support.plain_venue import LateVenue
from tests.support.trading_world import LIMITS, X
from workbench.trading import journal
from workbench.trading.desk import Desk
from workbench.trading.ledger import fold
from workbench.trading.terms import Terms

STEP_NS = 300_000_000


def one_step(desk: Desk, venue: LateVenue, rng: Random, now: int, number: int) -> None:
    """Let one thing happen at the desk or in the market; the venue speaks when it likes."""
    names, draw = list(desk.ledger.orders), rng.random()
    if draw < 0.3:
        venue.speak(rng.randint(1, 4), now)
    elif draw < 0.4:
        bid = rng.randint(992, 1005)
        venue.best, venue.size = {1: bid, -1: bid + 2}, {1: 5, -1: 5}
    elif draw < 0.55:
        ticks = rng.randint(990, 1010)
        venue.trade(rng.choice((1, -1)), ticks, rng.randint(1, 6), now)
        desk.market("X", now, bid=venue.best[1], ask=venue.best[-1], last=ticks)
    elif draw < 0.8 or not names:
        desk.place(random_terms(rng, number, now), now)
    elif draw < 0.9:
        desk.cancel(rng.choice(names), now)
    else:
        desk.replace(
            rng.choice(names), now, lots=rng.randint(1, 6), limit=rng.choice((None, rng.randint(992, 1008)))
        )
    desk.market("X", now, bid=venue.best[1], ask=venue.best[-1])


def random_terms(rng: Random, number: int, now: int) -> Terms:
    """An order of any kind."""
    side, kind = rng.choice((1, -1)), rng.choice(("LIMIT", "LIMIT", "MARKET", "STOP"))
    more: dict[str, Any] = {"order_type": kind}
    if kind == "LIMIT":
        more |= {"limit": rng.randint(992, 1008), "tif": rng.choice(("GTC", "IOC"))}
    if kind == "STOP":
        more["stop"] = 1000 + side * rng.randint(3, 9)
    if rng.random() < 0.4:
        more |= {"take_profit": rng.randint(2, 6), "stop_loss": rng.randint(2, 6)}
    if kind == "LIMIT" and more["tif"] == "GTC" and rng.random() < 0.2:
        more |= {"tif": "GTD", "expires": now + 5 * STEP_NS}
    return Terms(client_order_id=f"o{number}", symbol="X", side=side, lots=rng.randint(1, 6), **more)


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_lost_however_late_the_answers_come(seed: int) -> None:
    """When all is said, desk and venue agree on every order and lot, nothing odd was heard, the journal adds up."""
    rng, venue, now = Random(seed), LateVenue(), 0
    desk = venue.desk = Desk(venue, {"X": X}, LIMITS, cash="1000", now=now)
    desk.market("X", now, bid=995, ask=1005)
    for number in range(150):
        now += STEP_NS
        one_step(desk, venue, rng, now, number)
    while venue.unsaid:
        venue.speak(1, now)
    odd = [r for r in desk.journal if isinstance(r, journal.Noted) and r.what == "odd_report"]
    assert not odd
    orders = desk.ledger.orders.values()
    assert {o.name for o in orders if o.open and not o.held} == set(venue.resting)
    assert {o.name: o.filled for o in orders if o.filled} == venue.done
    assert desk.ledger.account.position("X").lots == sum(o.terms.side * o.filled for o in orders)
    assert fold(desk.journal) == desk.ledger

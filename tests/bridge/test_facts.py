"""What a bridge says of itself."""

from __future__ import annotations

from tests.support.addon_bench import WALL, Bench, armed, attached
from tests.support.bookmap_wire import ALIAS, book, instrument_info, line
from workbench.bridge.facts import describe, name_of, state
from workbench.bridge.watch import STALE_NS
from workbench.protocol import messages
from workbench.protocol.decoding import encode


def test_the_facts_can_be_sent() -> None:
    """Whatever happened, HEALTH is a message that a client can read."""
    bench = armed()
    bench.receive(b"\xff\xfe\n", line(8, ALIAS, True, "NaN", 1), instrument_info("\x07"), line(16))
    facts = describe(bench.addon, WALL, bench.mono)
    assert facts["bad_lines"] == 2 and facts["state"] == "ended"
    encode(messages.Health(ts=0, sources=[facts]))


def test_each_lock_is_told() -> None:
    """Whoever wonders why no order leaves finds the one that is shut."""
    bench = armed()
    told = describe(bench.addon, WALL, bench.mono)["instruments"][ALIAS]
    assert told["locks"] == {"permitted": True, "armed": True} and told["orders_reason"] == ""
    told = describe(attached(trading=True).addon, WALL, 0)["instruments"][ALIAS]
    assert told["locks"] == {"permitted": False, "armed": False} and "Allow orders" in told["orders_reason"]


def test_the_name_says_what_it_serves_and_whether_it_trades() -> None:
    """As in the list of feeds."""
    assert name_of(attached().addon) == f"bookmap bridge {ALIAS}"
    assert name_of(attached(trading=True).addon) == f"bookmap bridge {ALIAS} (trading)"


def test_the_state_follows_what_is_attached() -> None:
    """Waiting, live, stale, ended."""
    bench = Bench()
    assert state(bench.addon) == "waiting"
    bench.receive(line(1), instrument_info(), book())
    assert state(bench.addon) == "live"
    bench.move(STALE_NS)
    assert state(bench.addon) == "stale"
    bench.addon.lost("closed", WALL, bench.mono)
    assert state(bench.addon) == "ended" and describe(bench.addon, WALL, bench.mono)["reason"] == "closed"


def test_levels_made_of_orders_are_said_to_be() -> None:
    """Whoever misses the provider's own depth finds the reason here."""
    bench = Bench()
    bench.receive(line(1), instrument_info(), line(18, ALIAS, "BID_NEW", "1", 100, 5), line(12, ALIAS))
    assert describe(bench.addon, WALL, bench.mono)["instruments"][ALIAS]["derived_depth"]
    assert not describe(attached().addon, WALL, 0)["instruments"][ALIAS]["derived_depth"]

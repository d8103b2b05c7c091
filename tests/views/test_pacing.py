"""Flow control towards pages that are slow, hidden or gone."""

from __future__ import annotations

from workbench.views.pacing import GIVE_UP_NS, Mode, Pacing

MS = 1_000_000


def drive(pacing: Pacing, start_ms: int, stop_ms: int, ack_every_ms: int | None = None) -> int:
    """Tick at 20 Hz; returns how many messages were sent."""
    sent = pacing.sent
    for ms in range(start_ms, stop_ms, 50):
        if ack_every_ms and ms % ack_every_ms == 0:
            pacing.on_ack(pacing.sent, ms * MS)
        if pacing.due(ms * MS):
            pacing.note_sent(ms * MS)
    return pacing.sent - sent


def test_nothing_is_sent_before_a_page_is_there():
    """Without a page that says it is ready there is nobody to send to."""
    assert drive(Pacing(), 0, 5000) == 0


def test_a_page_that_keeps_up_gets_twenty_a_second():
    """Acknowledged twice a second, a view sends at each tick of its sender."""
    pacing = Pacing()
    pacing.on_ready(0)
    assert drive(pacing, 0, 10_000, ack_every_ms=500) == 200
    assert pacing.mode(10_000 * MS) is Mode.LIVE


def test_a_view_of_coarser_columns_gets_half_as_many():
    """One that shows nothing finer than 100 ms sends at every other tick."""
    pacing = Pacing(ticks=2)
    pacing.on_ready(0)
    assert drive(pacing, 0, 10_000, ack_every_ms=500) == 100


def test_a_page_that_falls_silent_slows_the_view_down_and_then_stops_it():
    """After 1 s without word 4 a second, after 10 s one small heartbeat a second, after a minute nothing."""
    pacing = Pacing()
    pacing.on_ready(0)
    assert drive(pacing, 0, 1000) == 20
    assert 30 <= drive(pacing, 1050, 10_000) <= 40
    assert 20 <= drive(pacing, 11_000, 41_000) <= 40
    assert pacing.mode(41_000 * MS) is Mode.IDLE
    assert drive(pacing, 80_000, 140_000) == 0
    pacing.on_ack(pacing.sent, 140_000 * MS)
    assert pacing.due(141_000 * MS)


def test_an_acknowledgement_brings_the_rate_back_at_once():
    """A page that comes back is live with its first word; old debts are forgotten."""
    pacing = Pacing()
    pacing.on_ready(0)
    drive(pacing, 0, 30_000)
    pacing.on_ack(pacing.sent, 30_000 * MS)
    assert pacing.mode(30_000 * MS) is Mode.LIVE
    pacing.on_ready(40_000 * MS)
    assert pacing.due(40_000 * MS)


def test_a_page_that_leaves_ends_the_data():
    """After good-bye nothing is sent."""
    pacing = Pacing()
    pacing.on_ready(0)
    drive(pacing, 0, 500, ack_every_ms=100)
    pacing.on_leave()
    assert pacing.mode(600 * MS) is Mode.IDLE
    assert drive(pacing, 600, 60_000) == 0


def test_an_acknowledgement_of_the_future_is_cut_to_what_was_sent():
    """A page cannot acknowledge what was never sent."""
    pacing = Pacing()
    pacing.on_ready(0)
    pacing.note_sent(0)
    pacing.on_ack(99, 1)
    assert pacing.acknowledged == 1


def test_a_page_that_leaves_does_not_idle_the_others():
    """Two pages on one view: the good-bye of one leaves the other live, that of both idles."""
    pacing = Pacing()
    pacing.on_ready(0, "left")
    pacing.on_ready(1, "right")
    pacing.note_sent(2)
    pacing.on_ack(1, 3, "right")
    pacing.on_leave("left")
    assert pacing.mode(4) is Mode.LIVE
    pacing.on_leave("right")
    assert pacing.mode(5) is Mode.IDLE


def test_a_page_that_vanished_long_ago_keeps_nobody_awake():
    """It said no good-bye; the next word of another one forgets it, so that the last good-bye counts."""
    pacing = Pacing()
    pacing.on_ready(0, "vanished")
    pacing.on_ready(GIVE_UP_NS + 1, "here")
    pacing.on_leave("here")
    assert pacing.mode(GIVE_UP_NS + 2) is Mode.IDLE

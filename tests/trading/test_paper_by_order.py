"""The exact queue on paper: the same place as in a backtest of what was recorded."""

from __future__ import annotations

import workbench as wb
from workbench.trading import slots
from workbench.trading.matcher import Matcher
from workbench.trading.rows import Rows


def test_an_order_on_paper_stands_where_a_backtest_puts_it() -> None:
    """Twenty bids at the touch, each for two seconds or until it fills: the same fills, lot by lot, from the recorded rows."""
    s = wb.simulate(seed=3, inline=True, paper=wb.PaperTerms(queue="by_order"))
    s.advance("2s")
    sent = []
    for _ in range(20):
        bid = s.book.best_bid
        assert bid is not None
        order = s.orders.buy(2, limit=bid)
        sent.append((s.clock.now_ns, bid))
        s.advance("2s")
        s.orders.cancel(order)
        s.advance("100ms")
    matcher = Matcher("by_order")
    for now, price in sent:
        number = matcher.submit(now, 1, round(price / float(s.instrument.tick_size)), 2)
        matcher.withdraw(now + 2_000_000_000, number)
    for columns in s.capture().columns.chunks():
        batch = wb.EventBatch.trusted(tuple(columns[:9]), int(columns[-1][0]))
        matcher.advance(Rows.of(batch), int(batch.ts[-1]) - 1)
    matcher.advance(Rows.of(wb.EventBatch.empty()), slots.NEVER - 1)
    assert len(matcher.fills) > 5
    assert s.fills["ts"].to_physical().to_list() == matcher.fills[:, slots.FILL_TS].tolist()

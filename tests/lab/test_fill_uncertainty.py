"""The fill-uncertainty band: the same commands under every model, ends that enclose, and what it refuses."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.lab.fill_uncertainty import FillUncertainty
from workbench.lab.plain_strategy import PlainDesk
from workbench.session import Session
from workbench.trading import queue_models
from workbench.trading.slots import Desk
from workbench.trading.strategies import best_bid, buy, cancel, is_open, quoted


@wb.kernel_strategy
def bid_at_the_touch(d: Desk) -> None:
    """Keep one lot at the best bid, whatever is held."""
    if quoted(d):
        number = int(d.memory[0]) - 1
        if is_open(d, number):
            if d.orders[number, 1] != best_bid(d):
                cancel(d, number)
        else:
            d.memory[0] = buy(d, best_bid(d), 1) + 1


@pytest.fixture(scope="module")
def session() -> Session:
    """Half a minute of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("30s")
    return s


@pytest.fixture(scope="module")
def found(session: Session) -> FillUncertainty:
    """All models over the same bids."""
    return wb.fill_uncertainty(bid_at_the_touch, session)


@pytest.mark.parametrize("queue", ["risk_averse", "power"])
def test_commands_sent_again_give_the_fills_of_the_strategy(session: Session, queue: str) -> None:
    """Under the model in which they were sent, the same commands make the same fills and ends."""
    band = wb.fill_uncertainty(bid_at_the_touch, session, queue=queue, models=[queue], latency=("2ms", "3ms"))
    direct = wb.backtest(bid_at_the_touch, session, queue=queue, latency=("2ms", "3ms"))
    assert len(direct.fills) > 10
    assert band.results[queue].fills.equals(direct.fills)
    columns = ["order", "side", "price", "size", "sent", "filled"]
    assert band.results[queue].orders.select(columns).equals(direct.orders.select(columns))


def test_every_model_gets_the_same_orders(found: FillUncertainty) -> None:
    """Number, time, side, price and size of the orders are equal under all models."""
    assert tuple(found.frame["model"]) == queue_models.EVERY
    sent = [r.orders.select("order", "side", "price", "size", "sent") for r in found.results.values()]
    assert all(orders.equals(sent[0]) for orders in sent)


def test_the_ends_enclose_what_the_models_fill(found: FillUncertainty) -> None:
    """The same orders fill most where nobody is ahead, and least where only prints beyond their price count."""
    volume = dict(found.frame.select("model", "volume").iter_rows())
    for model in ("risk_averse", "power", "power2", "power3", "log", "log2"):
        assert volume["touch"] >= volume[model] >= volume["trade_through"]


def test_the_band_holds_every_model_and_ends_at_the_profit(found: FillUncertainty) -> None:
    """At each time min ≤ mid ≤ max; the last are those of the summaries."""
    band, (low, mid, high) = found.band, found.range
    assert (band["min"] <= band["mid"]).all()
    assert (band["mid"] <= band["max"]).all()
    assert band.select("min", "mid", "max").row(-1) == pytest.approx((low, mid, high))
    assert low <= found.frame["profit"].median() <= high  # type: ignore[operator]


def test_what_really_stood_ahead_is_told_beside_the_band(session: Session, found: FillUncertainty) -> None:
    """The truth is the backtest by order; the band is that of the models alone."""
    guessed = wb.fill_uncertainty(bid_at_the_touch, session, models=queue_models.NAMES)
    assert guessed.truth is None
    assert guessed.band.equals(found.band.drop("truth"))
    assert found.truth is not None
    assert found.band["truth"][-1] == pytest.approx(found.truth.summary()["profit"][0])
    alone = wb.fill_uncertainty(bid_at_the_touch, session, models=["by_order"])
    assert alone.range[1] == pytest.approx(found.band["truth"][-1])


def test_a_strategy_may_answer_to_its_own_fills(session: Session) -> None:
    """With orders="own" each row is a backtest of its own under that model."""
    models = ["touch", "trade_through"]
    own = wb.fill_uncertainty(bid_at_the_touch, session, orders="own", models=models)
    for model in models:
        assert own.results[model].fills.equals(wb.backtest(bid_at_the_touch, session, queue=model).fills)


def test_plain_strategies_have_a_band_too(session: Session) -> None:
    """An object runs once; a class is made anew for each model."""

    class BidOnce:
        def on_timer(self, desk: PlainDesk) -> None:
            if desk.best_bid and not desk.orders:
                desk.buy(1, limit=desk.best_bid)

    same = wb.fill_uncertainty(BidOnce(), session, models=["touch", "risk_averse"])
    own = wb.fill_uncertainty(BidOnce, session, models=["touch", "risk_averse"], orders="own")
    assert same.frame.equals(own.frame)


def test_the_figure_shows_each_model_by_its_profit(found: FillUncertainty) -> None:
    """The bars are the models, least profit first; the title says the range."""
    figure = found.figure()
    (bars,) = [trace for trace in figure.data if trace.type == "bar"]
    assert list(bars.x) == sorted(found.frame["profit"])
    assert f"{found.range[0]:,.2f}" in figure.layout.title.text
    assert "9 models" in repr(found)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"orders": "some"}, "same, own"),
        ({"models": []}, "risk_averse"),
        ({"models": ["fifo"]}, "risk_averse"),
    ],
)
def test_what_has_no_band_is_refused(session: Session, wrong: dict[str, object], said: str) -> None:
    """What is known is said."""
    with pytest.raises(WorkbenchError, match=said):
        wb.fill_uncertainty(bid_at_the_touch, session, **wrong)  # type: ignore[arg-type]


def test_an_object_has_no_orders_of_its_own_under_each_model(session: Session) -> None:
    """What remembers cannot begin anew."""

    class Waits:
        pass

    with pytest.raises(WorkbenchError, match="Waits"):
        wb.fill_uncertainty(Waits(), session, orders="own")

"""The curve of money and switch: what it shows is what was told, and it is the same picture each time."""

from __future__ import annotations

from decimal import Decimal

import workbench as wb
from workbench.session import Session


def traded() -> Session:
    terms = wb.PaperTerms(limits=wb.Limits(daily_loss=Decimal(30)))
    session = wb.simulate(seed=7, inline=True, paper=terms)
    session.advance("2s")
    session.orders.buy(4)
    session.orders.flatten()
    session.advance("2s")
    session.panic()
    session.advance("2s")
    return session


def test_it_shows_the_loss_and_both_states() -> None:
    """Orange where only exits went, red where nothing did, each from its own moment on, with the reason in the title."""
    with traded() as session:
        turns = session.orders.switches()
        assert turns["state"].to_list() == ["ACTIVE", "REDUCING", "HALTED"]
        curve = wb.RiskCurve(session)
        figure = curve.figure()
        bands = [(round(shape.x0, 3), round(shape.x1, 3)) for shape in figure.layout.shapes]
        assert bands == [(2.0, 4.0), (4.0, 6.0)]
        assert figure.data[0].y[-1] == session.positions["realized"][0] - session.fills["fee"].sum()
        assert "DAILY_LOSS_LIMIT" in figure.layout.title.text and repr(curve).endswith("HALTED)")


def test_its_picture_is_one_for_one_session() -> None:
    """Deterministic bytes, a text that never changes, and both themes."""
    with traded() as first, traded() as second:
        pictures = [
            wb.RiskCurve(s, theme=theme).picture() for s in (first, second) for theme in ("dark", "light")
        ]
    assert pictures[0] == pictures[2] and pictures[1] == pictures[3] and pictures[0] != pictures[1]
    data, _ = wb.RiskCurve(first)._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")


def test_a_session_that_has_not_traded_has_a_flat_curve() -> None:
    """Nothing gained, nothing refused."""
    with wb.simulate(seed=7, inline=True) as session:
        curve = wb.RiskCurve(session)
        assert curve.state == "ACTIVE" and curve.picture().startswith(b"\x89PNG")
        assert not curve.figure().layout.shapes

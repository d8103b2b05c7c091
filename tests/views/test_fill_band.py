"""The band as a picture: deterministic, in both themes, with and without the truth."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    """A quarter of a minute of a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("15s")
    return s


@pytest.mark.parametrize("models", [None, ["touch", "trade_through"], ["by_order"]])
def test_its_picture_is_one_for_one_outcome(session: Session, models: list[str] | None) -> None:
    """Equal bytes for equal outcomes, other ones in the other theme, and a text beside that says the numbers."""
    found = [
        wb.fill_uncertainty(wb.strategies.quote_touch, session, params=[1, 3], models=models)
        for _ in range(2)
    ]
    first, again = (wb.FillBand(one).picture() for one in found)
    assert first == again
    assert first != wb.FillBand(found[0], theme="light").picture()
    data, metadata = wb.FillBand(found[0])._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == repr(found[0])


def test_one_that_never_trades_has_a_flat_band(session: Session) -> None:
    """No lots, no profit, and still a picture."""
    found = wb.fill_uncertainty(wb.strategies.quote_touch, session, params=[0, 0])
    assert found.range == (0, 0, 0)
    assert wb.FillBand(found).picture().startswith(b"\x89PNG")


def test_its_figure_is_that_of_the_outcome(session: Session) -> None:
    """What can be zoomed shows the same models."""
    found = wb.fill_uncertainty(wb.strategies.quote_touch, session, params=[1, 3])
    assert wb.FillBand(found).figure().layout.title.text == found.figure().layout.title.text

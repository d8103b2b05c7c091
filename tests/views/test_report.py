"""Reports as something to look at: figures, fills on the heatmap, and a page that needs nothing else."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import workbench as wb
from tests.support.sweeping import quote_away
from workbench.errors import WorkbenchError
from workbench.views.report import Report
from workbench.views.report_figure import thinned


@pytest.fixture(scope="module")
def told() -> Report:
    """Twenty seconds of quoting in a simulated market."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("20s")
    return wb.report(wb.backtest(quote_away, s, params=[0, 3]))


def test_the_page_is_whole_and_asks_for_nothing(told: Report, tmp_path: Path) -> None:
    """Every section, every trade, one copy of the script, and no address that a browser would fetch."""
    path = told.to_html(tmp_path / "deep" / "report.html")
    text = path.read_text(encoding="utf-8")

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.fetched: list[str] = []
            self.rows = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.rows += tag == "tr"
            self.fetched += [
                v or "" for k, v in attrs if k in ("src", "href") and not (v or "").startswith("data:")
            ]

    reader = Reader()
    reader.feed(text)
    assert reader.fetched == []
    assert reader.rows == told.trades.height + told.fills.height + told.regimes.height + 3
    assert all(
        f"<h2>{title}" in text for title in ("Fills on the heatmap", "Results by hour", "Trades", "Fills")
    )
    assert len(re.findall(r"plotly\.js v", text)) == 1


def test_a_page_that_cannot_be_written_is_told(told: Report, tmp_path: Path) -> None:
    """A folder, a path through a file, and what is no path."""
    (tmp_path / "file").touch()
    for path, said in (
        (tmp_path, "cannot write the report to .*Is a directory.*Name it, as report.html"),
        (tmp_path / "file" / "report.html", "cannot write the report to"),
        (tmp_path / "a\0b", "cannot write the report to"),
        (5, "a report at 5; expected the path of a file"),
    ):
        with pytest.raises(WorkbenchError, match=said):
            told.to_html(path)  # type: ignore[arg-type]


def test_fills_stand_on_the_heatmap(told: Report) -> None:
    """All fills are marks, and the static twin shows them."""
    view = told.heatmap()
    assert view.marks == {"fills": told.fills.height}
    assert "fills" in {trace.name for trace in view.figure().data}
    view.close()


def test_figures_show_the_tables(told: Report) -> None:
    """The last point of the equity is the profit; as many points as trades."""
    assert told.figure().data[0].y[-1] == told.summary["profit"].item()
    assert sum(len(trace.x) for trace in told.quality().data[1:3]) == told.trades.height


def test_a_long_equity_keeps_its_extremes(told: Report) -> None:
    """Fewer points, the same highest, lowest and last one."""
    whole = told.equity.drop_nulls("equity")
    short = thinned(told.equity, 90)
    assert short.height <= 100 < whole.height
    for extreme in ("min", "max"):
        assert getattr(short["equity"], extreme)() == getattr(whole["equity"], extreme)()
    assert short["equity"][-1] == whole["equity"][-1]


def test_a_symbol_is_text_and_not_markup(told: Report) -> None:
    """What a venue calls its instrument cannot become part of the page."""
    from workbench.views.report_page import _cell

    assert _cell("<script>") == "&lt;script&gt;"


def test_what_is_no_backtest_is_refused() -> None:
    """Says what is wanted."""
    with pytest.raises(WorkbenchError, match=r"wb\.backtest"):
        wb.report(3)  # type: ignore[arg-type]

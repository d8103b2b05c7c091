"""A saved notebook as others see it: on a page without a kernel, offline, made of what its outputs hold."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from tests.support.jupyter import ROOT, own_jupyter
from workbench.views.workspace import VIEWS

pytestmark = pytest.mark.browser

NAMES = (*VIEWS, "Workspace")
HOSTILE = "</script><script>window.harmed=1</script><img src=x onerror=window.harmed=1>\"' onload=window.harmed=1 x='"
MARKET = """\
import workbench as wb
from tests.support.market_cell import running_market
s = running_market(20, symbol=SYMBOL)
s.state = "ended\""""
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def executed(home: Path, symbol: str) -> Any:
    """Notebook with every view in a cell of its own, run to its end and saved without widget state."""
    cells = [MARKET.replace("SYMBOL", repr(symbol)), *(f"wb.{name}(s)" for name in NAMES)]
    cells.append("wb.Heatmap(s).snapshot()")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=False,
        resources={"metadata": {"path": str(ROOT)}},
    )
    client.execute(env=own_jupyter(home))
    return notebook


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One saved notebook for each instrument."""
    home = tmp_path_factory.mktemp("static")
    return {symbol: executed(home, symbol) for symbol in ("WANDER", HOSTILE)}


def shown_by(notebook: Any) -> list[Any]:
    """Outputs of the views, in the order of ``NAMES``."""
    outputs = [output for cell in notebook.cells[1:-1] for output in cell.outputs]
    assert all(output.output_type == "execute_result" for output in outputs)
    return outputs


def test_every_view_is_saved_with_a_picture_and_a_text_that_never_changes(notebooks):
    """A page without a kernel takes the PNG; a comparison of notebooks takes the text, which holds no state."""
    for symbol, notebook in notebooks.items():
        outputs = shown_by(notebook)
        assert len(outputs) == len(NAMES)
        for name, output in zip(NAMES, outputs):
            assert output.data["text/plain"] == f"{name}({symbol!r})"
            assert base64.b64decode(output.data["image/png"]).startswith(PNG_HEAD)
            assert "text/html" not in output.data
        assert "widgets" not in notebook.metadata


def test_pages_made_of_saved_notebooks_show_every_picture_offline_and_run_no_name(
    notebooks, browser, tmp_path
):
    """One picture a view and one for the snapshot, drawn without the network; names that are markup stay text."""
    for number, (symbol, notebook) in enumerate(notebooks.items()):
        body, _ = HTMLExporter().from_notebook_node(notebook)
        path = tmp_path / f"{number}.html"
        path.write_text(body, encoding="utf-8")
        context = browser.new_context(offline=True)
        page = context.new_page()
        page.goto(path.as_uri())
        page.wait_for_function("[...document.images].every(image => image.complete)")
        widths = page.evaluate("() => [...document.images].map(image => image.naturalWidth)")
        assert len(widths) == len(NAMES) + 1, symbol
        assert min(widths) >= 200, "a picture that is none has no width"
        assert page.evaluate("() => window.harmed") is None
        assert repr(symbol) in page.inner_text("body")
        context.close()

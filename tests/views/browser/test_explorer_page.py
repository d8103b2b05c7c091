"""The explorer in a real JupyterLab: a slider moves, the study follows; code is copied, a preset saved, reasons are shown."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

MARKET = "import workbench as wb\ns = wb.simulate(seed=7, inline=True)\ns.advance('60s')"
HOSTILE = "<img src=x onerror=window.harmed=1>"
PANEL = "document.querySelector('.ow-explorer-panel')"
TRIALS = f"Number({PANEL}?.dataset.trials ?? 0)"
WORTH = "document.querySelector('.ow-worth')?.innerText ?? ''"


def test_sliders_keys_presets_and_reasons(open_notebook):
    """A key on a slider is a settled choice: one more trial; a preset with a hostile name is text; a wrong number is refused."""
    page = open_notebook("explorer", [MARKET, "e = wb.Explorer(s)\ne"])
    page.run_all()
    page.until(f"{TRIALS} === 1", 120)
    assert page.colours(".ow-explorer-path canvas")["colours"] > 6
    page.until("document.querySelectorAll('.ow-card tbody tr').length > 4", 30)

    page.page.focus(".ow-knob:nth-of-type(3) input[type=range]")
    page.page.keyboard.press("ArrowRight")
    page.until(f"{TRIALS} === 2 && {PANEL}.dataset.latency > 0", 60)
    assert page.page.evaluate("document.querySelectorAll('.ow-knob input[type=number]')[2].value") == "0.61"
    page.until("document.querySelector('.ow-strip').innerText !== ''", 30)

    page.page.fill(".ow-explorer-hands input[type=text]", HOSTILE)
    page.page.keyboard.press("Enter")
    page.until(
        f"[...document.querySelectorAll('.ow-explorer-panel option')].some(o => o.value === '{HOSTILE}')", 30
    )
    page.page.select_option(".ow-explorer-panel select >> nth=0", "OfiMomentum")
    page.until(f"{TRIALS} === 3", 60)
    page.page.fill(".ow-knob:nth-of-type(1) input[type=number]", "-5")
    page.page.keyboard.press("Enter")
    page.until(
        "[...document.querySelectorAll('.ow-strip .ow-bad')].some(e => /half_life_s/.test(e.innerText))", 30
    )
    assert page.page.evaluate("document.querySelector('.ow-knob input[type=number]').value") == "1"

    page.page.select_option(".ow-explorer-panel select >> nth=1", HOSTILE)
    page.until("document.querySelector('.ow-explorer-panel select').value === 'BookImbalance'", 60)
    assert page.page.evaluate("window.harmed") is None
    assert page.page.evaluate(TRIALS) in (2, 3)
    assert page.complaints == []

"""The heatmap's page in a real JupyterLab: any zoom, the bar, keys, two views with one cursor, a fine screen."""

from __future__ import annotations

import json

import pytest

from tests.support.eventually import eventually

pytestmark = pytest.mark.browser

MARKET = """\
from tests.support.market_cell import running_market
from workbench.views.heatmap import Heatmap
s = running_market({seconds})"""
HEATMAP = "document.querySelector('.ow-heatmap')"
CANVAS = ".ow-heatmap canvas"


def data(page, name: str, index: int = 0):
    return page.page.evaluate(f"document.querySelectorAll('.ow-heatmap')[{index}]?.dataset.{name} ?? null")


def standing(open_notebook, name: str, cells: list[str], seconds: int = 30):
    """A notebook whose heatmaps have all drawn something."""
    page = open_notebook(name, [MARKET.format(seconds=seconds), *cells])
    page.run_all()
    for index in range(len(cells)):
        eventually(lambda i=index: int(data(page, "drawn", i) or 0) > 3, 120, what="a heatmap")
    return page


def middle(page) -> tuple[float, float]:
    box = page.page.query_selector(CANVAS).bounding_box()
    return box["x"] + 300, box["y"] + 150


def test_the_past_is_seen_from_far_and_near(open_notebook):
    """Zoomed far out, the whole session stands there; a drag into the past and a zoom in bring sharper ones."""
    page = standing(open_notebook, "past", ["Heatmap(s)"], 240)
    page.page.mouse.move(*middle(page))
    for _ in range(9):
        page.page.mouse.wheel(0, 120)
    eventually(lambda: float(data(page, "columnMs")) >= 500, 60, what="long columns")
    x, y = middle(page)
    page.page.mouse.down()
    page.page.mouse.move(x + 200, y, steps=5)
    page.page.mouse.up()
    before = int(data(page, "tiles") or 0)
    for _ in range(12):
        page.page.mouse.wheel(0, -120)
    eventually(lambda: int(data(page, "tiles") or 0) > before, 60, what="a sharp tile of the past")
    assert page.page.is_visible(".ow-follow")
    assert page.colours(CANVAS)["colours"] > 40
    page.page.focus(CANVAS)
    page.page.keyboard.press("End")
    assert not page.page.is_visible(".ow-follow")
    assert page.complaints == []


def test_settings_change_the_picture_at_once_and_survive_a_reload(open_notebook):
    """Keys and fields do the same; what was set stands there again after the page was loaded anew."""
    page = standing(open_notebook, "settings", ["Heatmap(s)"])
    page.page.focus(CANVAS)
    page.page.keyboard.press("c")
    chip = page.page.locator(".ow-chips [data-setting=colours]")
    eventually(lambda: chip.inner_text() == "cividis", 20, what="the key C")
    page.page.keyboard.press("r")
    eventually(lambda: page.page.inner_text(".ow-chips [data-setting=rule]") == "last", 20, what="the key R")
    page.page.click("[aria-label=Settings]")
    page.page.select_option(".ow-settings [data-setting=colours]", "grey")
    page.page.fill(".ow-settings [data-setting=zone]", "Mars/Olympus")
    page.page.keyboard.press("Tab")
    assert not page.page.evaluate(
        "document.querySelector('.ow-settings [data-setting=zone]').checkValidity()"
    )
    page.page.fill(".ow-settings [data-setting=zone]", "Asia/Tokyo")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Escape")
    assert not page.page.is_visible(".ow-settings")
    eventually(lambda: data(page, "unkept") is None, 20, what="settings that the kernel keeps")
    page.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => true)")
    seen = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status === 'idle'"
    page.until(seen)
    page.page.reload()
    eventually(lambda: int(data(page, "drawn") or 0) > 3, 120, what="the heatmap after a reload")
    eventually(lambda: chip.inner_text() == "grey", 20, what="the colours of before")
    zone = page.page.locator(".ow-settings [data-setting=zone]")
    eventually(lambda: zone.input_value() == "Asia/Tokyo", 20, what="the zone of before")
    assert page.complaints == []


ANSWERS_MEET_HANDS = """async () => {
  const field = document.querySelector(".ow-settings [data-setting=contrast]");
  const zone = document.querySelector(".ow-settings [data-setting=zone]");
  const lost = [];
  zone.value = "Asia/To";
  zone.dispatchEvent(new Event("input"));
  for (let step = 0; step < 24; step += 1) {
    const wanted = (1 + step / 20).toFixed(2);
    field.value = wanted;
    field.dispatchEvent(new Event("input"));
    await new Promise((done) => setTimeout(done, 130 + 4 * step));
    if (Number(field.value) !== Number(wanted)) lost.push(`${wanted} became ${field.value}`);
  }
  if (zone.value !== "Asia/To") lost.push(`the zone became ${zone.value}`);
  return lost;
}"""


def test_answers_of_the_kernel_undo_neither_what_was_set_since_nor_what_is_being_typed(open_notebook):
    """Settings go to the kernel after a pause; its answer to older ones finds newer ones here and leaves them."""
    page = standing(open_notebook, "answers", ["Heatmap(s)"])
    page.page.click("[aria-label=Settings]")
    assert page.page.evaluate(ANSWERS_MEET_HANDS) == []
    eventually(lambda: data(page, "unkept") is None, 20, what="settings that the kernel keeps")
    assert page.page.input_value(".ow-settings [data-setting=contrast]") == "2.15"
    assert page.page.input_value(".ow-settings [data-setting=zone]") == "Asia/To"
    assert page.complaints == []


def test_keys_are_listed_and_bubbles_go_away(open_notebook):
    """? shows the keys; the bar's buttons are reachable by Tab and say whether they are pressed."""
    page = standing(open_notebook, "keys", ["Heatmap(s)"])
    page.page.focus(CANVAS)
    page.page.keyboard.press("?")
    assert "follow the market" in page.page.inner_text(".ow-help")
    page.page.keyboard.press("Escape")
    assert not page.page.is_visible(".ow-help")
    button = page.page.locator(".ow-chips button", has_text="bubbles")
    button.focus()
    page.page.keyboard.press("Enter")
    eventually(lambda: button.get_attribute("aria-pressed") == "false", 20, what="no bubbles")
    assert page.complaints == []


def test_two_views_share_a_cursor_and_a_time_range(open_notebook):
    """Hovering one tells the other the moment; zooming one zooms the other."""
    page = standing(open_notebook, "two", ["a = Heatmap(s, height=300); a", "b = Heatmap(s, height=300); b"])
    eventually(lambda: data(page, "columnMs", 1) == data(page, "columnMs", 0), 30, what="one scale")
    page.page.evaluate(
        """() => { const view = document.querySelectorAll('.ow-heatmap')[1]; window.told = [];
        const rooms = globalThis.__orderflow_bonds;
        for (const room of rooms.values()) { const one = { heard: (topic, value) => window.told.push([topic, value]) }; room.add(one); } }"""
    )
    page.page.mouse.move(*middle(page))
    page.until("window.told.some(([topic, value]) => topic === 'cursor' && value?.symbol === 'WANDER')")
    for _ in range(10):
        page.page.mouse.wheel(0, 120)
    eventually(
        lambda: float(data(page, "columnMs", 1)) == float(data(page, "columnMs", 0)) > 200,
        60,
        what="the zoom in both",
    )
    assert page.complaints == []


def test_a_fine_screen_gets_a_fine_picture(lab, browser):
    """At twice the pixels the canvas has twice the pixels, and the chart the same size."""
    context = browser.new_context(viewport={"width": 1300, "height": 900}, device_scale_factor=2)
    page = context.new_page()
    page.goto(lab.notebook("fine", [MARKET.format(seconds=20), "Heatmap(s, height=400)"]))
    idle = "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
    eventually(lambda: page.evaluate(idle), 90, what="a kernel")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    eventually(lambda: int(page.evaluate(f"{HEATMAP}?.dataset.drawn ?? 0")) > 3, 120, what="a heatmap")
    sizes = json.loads(
        page.evaluate(
            "(() => { const c = document.querySelector('.ow-heatmap canvas'); const b = c.getBoundingClientRect();"
            " return JSON.stringify([c.width, c.height, b.width, b.height]); })()"
        )
    )
    assert sizes[1] == 800 and sizes[3] == 400
    assert abs(sizes[0] - 2 * sizes[2]) <= 2
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown().then(() => true)")
    context.close()

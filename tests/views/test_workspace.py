"""The workspace: its views, its hands, its still twins."""

from __future__ import annotations

import io

import pytest
from PIL import Image

import workbench as wb
from tests.support.view_events import shown
from workbench.errors import WorkbenchError
from workbench.views.workspace import LAYOUTS, Workspace


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_a_layout_holds_each_of_its_views_once_in_one_group(layout):
    """Every named view is there, bonded with all others, and shows the same instrument."""
    desk = Workspace(shown(), layout=layout)
    assert list(desk.by_name) == [name for row in LAYOUTS[layout] for name in row]
    assert len({view.options["group"] for view in desk.by_name.values()}) == 1
    assert {view.options["symbol"] for view in desk.by_name.values()} == {"ES"}
    assert repr(desk) == "Workspace('ES')"
    desk.close()


def test_views_and_settings_can_be_chosen():
    """Only the named views, others below; arguments reach their view."""
    desk = Workspace(
        shown(), views=["Ladder", "Vwap"], settings={"Ladder": {"rows": 7}}, zone="UTC", theme="light"
    )
    assert list(desk.by_name) == ["Ladder", "Vwap"]
    assert desk.by_name["Ladder"].options["rows"] == 7
    assert {view.options["theme"] for view in desk.by_name.values()} == {"light"}
    desk.close()


@pytest.mark.parametrize("wrong", [{"layout": "tidy"}, {"views": ["Chart"]}, {"views": []}])
def test_what_is_no_layout_is_refused(wrong):
    """The error names what there is."""
    with pytest.raises(WorkbenchError, match=r"Heatmap|trader"):
        Workspace(shown(), **wrong)


def test_still_twins_hold_every_view():
    """One picture and one figure with the parts of all views; time axes zoom together; both are deterministic."""
    s = wb.simulate(seed=7, inline=True)
    s.advance("20s")
    desk = Workspace(s)
    content = desk.picture()
    picture = Image.open(io.BytesIO(content))
    assert picture.width == 1400
    assert picture.height > 500
    assert content == desk.picture()
    figure = desk.figure()
    parts = sum(len(view.figure().data) for view in desk.by_name.values())
    assert len(figure.data) == parts
    assert figure.to_json() == desk.figure().to_json()
    desk.close()
    s.close()


def test_another_instrument_is_shown_in_the_same_places():
    """Choosing replaces every view; the old ones are closed."""
    s = wb.simulate(seed=7, inline=True)
    desk = Workspace(s, views=["Ladder", "Tape"])
    old = desk.by_name["Tape"]
    desk._bar._act({"do": "symbol", "symbol": s.symbols[0]})
    assert desk.by_name["Tape"] is not old
    assert old.comm is None
    with pytest.raises(WorkbenchError):
        desk._bar._act({"do": "symbol", "symbol": "<b>"})
    with pytest.raises(WorkbenchError, match="milliseconds"):
        desk._bar._act({"do": "seek", "ms": "now"})
    desk.close()
    s.close()


def test_the_head_of_what_cannot_be_steered_has_no_hands():
    """Inline sessions and recordings only show the time."""
    desk = Workspace(shown(), views=["Tape"])
    content, _ = desk._bar._still()
    assert content["steerable"] is False
    desk.close()


def test_the_picture_in_a_notebook_is_named_for_those_who_cannot_see_it():
    """The bundle's metadata carries the text that pages without a kernel give the picture."""
    desk = Workspace(shown(), views=["Tape"])
    data, metadata = desk._repr_mimebundle_()
    assert metadata["image/png"] == {"alt": "Workspace('ES')"}
    assert data["text/plain"] == "Workspace('ES')"
    desk.close()


def test_rows_have_a_grip_between_them_and_views_one_beside_each_other():
    """Each grip remembers by a name of its own; rows with as many views share theirs."""
    desk = Workspace(shown(), layout=[{"Ladder": 3, "Tape": 1}, {"Cvd": 1}, {"Vwap": 2, "Profile": 1}])
    options = [child.options for child in desk.children if type(child).__name__ == "Grip"]
    assert [option["between"] for option in options] == ["rows", "rows"]
    assert len({option["key"] for option in options}) == 2
    beside = [inner.options["key"] for row in (1, 5) for inner in desk.children[row].children[1:2]]
    assert len(set(beside)) == 1
    desk.close()

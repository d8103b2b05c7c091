"""A seek may come at any moment: also between two lines of the thread that draws."""

from __future__ import annotations

import pytest

from tests.support.recordings import INSTRUMENT
from tests.support.shown import Shown
from tests.support.synthetic import reference
from workbench.frames.capture import Capture
from workbench.views import heatmap_model
from workbench.views.heatmap_model import HeatmapModel
from workbench.views.scenery import Scenery

EVENTS = reference(3000)


class Fleeting(Capture):
    """A capture that forgets everything when its columns are asked for the n-th time."""

    left = 1 << 30

    @property
    def columns(self):
        self.left -= 1
        if not self.left:
            self.clear()
        return self._columns

    @columns.setter
    def columns(self, columns):
        self._columns = columns


@pytest.mark.parametrize("rebuilt", [False, True])
@pytest.mark.parametrize("kept", [500, 100_000])
def test_a_seek_in_the_middle_of_a_pull_does_no_harm(monkeypatch, kept, rebuilt):
    """Whichever line it comes before, nothing is raised, and the next pulls show what came after it."""
    monkeypatch.setattr(heatmap_model, "MANY_ROWS", kept)
    for moment in range(1, 40):
        market = Shown(INSTRUMENT)
        market.captured = capture = Fleeting(INSTRUMENT)
        market.apply(EVENTS)
        model = HeatmapModel(capture, 100_000_000, scenery=Scenery(capture))
        if not rebuilt:
            model.pull([], True, market.clock.now_ns)
        capture.left = moment
        model.pull([], rebuilt, market.clock.now_ns)
        happened = capture.left < 1
        capture.left = 1 << 30
        if not happened:
            break
        market.apply(EVENTS[:1500])
        content, _ = model.pull([], False, market.clock.now_ns)
        assert content["k"] == "snap"
    assert moment > 2


def test_a_hasty_model_shows_the_end_first_and_then_what_a_patient_one_shows(monkeypatch):
    """The first message of a long past is drawn from its last events only; the second equals a model's that took its time."""
    monkeypatch.setattr(heatmap_model, "MANY_ROWS", 2000)
    monkeypatch.setattr(heatmap_model, "HASTY_ROWS", 200)
    market = Shown(INSTRUMENT)
    market.apply(EVENTS)
    capture, now = market.captured, market.clock.now_ns
    hasty, patient = (
        HeatmapModel(capture, 1_000_000, scenery=Scenery(capture), hasty=hasty) for hasty in (True, False)
    )
    end, _ = hasty.pull([], True, now)
    rest, arrays = hasty.pull([], False, now)
    whole, expected = patient.pull([], True, now)
    assert end["k"] == rest["k"] == "snap"
    assert end["last"] == rest["last"]
    assert end["first"] > rest["first"] == whole["first"]
    assert [array.tobytes() for array in arrays] == [array.tobytes() for array in expected]

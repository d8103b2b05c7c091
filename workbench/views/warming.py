"""All that a first look may need, done once: so that no page waits for a compiler."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from workbench.views import pyramid_kernels
from workbench.views.live import Captured
from workbench.views.pyramid import Pyramid
from workbench.views.pyramid_store import new_sheet
from workbench.views.raster import RULES, Raster, Scale
from workbench.views.scenery import Scenery
from workbench.views.size_codes import quantise
from workbench.views.workspace import VIEWS

__all__ = ["look_around", "show_every_view"]


def show_every_view(shown: object) -> None:
    """Draw the picture of every view of a session or recording."""
    for name, module in VIEWS.items():
        view = getattr(import_module(f"workbench.views.{module}"), name)(shown)
        view.picture()
        view.close()


def look_around(capture: Captured) -> None:
    """Draw tiles of a capture in all the ways there are, without waiting until there are enough events for each.

    Parameters
    ----------
    capture : Captured
        With some events.
    """
    scenery = Scenery(capture)
    span_ns = max(scenery.last_ns - scenery.first_ns, 100)
    column_ns = span_ns // 64 + 1
    scale = Scale(column_ns, 1, 0, scenery.first_ns // column_ns, 66, 8)
    pyramid, raster = Pyramid(1, column_ns), Raster(scale)
    for chunk in capture.columns.chunks():
        pyramid.feed(chunk)
        raster.feed(chunk)
    raster.advance(scenery.last_ns + column_ns)
    for rule in RULES:
        pyramid.tile(Scale(column_ns, 1, 0, scale.origin_column, 66, 8, rule))
    # what happens when a sheet is full, after a quarter of a million entries
    pyramid_kernels.lasts(new_sheet(1, 1), np.zeros(1, np.float32))
    quantise(scenery.tile(scale).heat)
    scenery.trades(scale)

"""Code cells of the notebooks that are measured."""

from __future__ import annotations

from pathlib import Path

CONTROL = "1 + 1"
IMPORT = "import workbench as wb"

MARKET = """\
import datetime, threading, time
import workbench as wb
s = wb.replay({path!r}, inline=True)
s.advance("{head}s")
def go(speed={speed}, at=time.monotonic()):
    while s.state == "live":
        time.sleep(0.04)
        now = time.monotonic()
        s.advance(datetime.timedelta(seconds=(now - at) * speed))
        at = now
threading.Thread(target=go, daemon=True).start()"""
"""A recorded session that goes on in the kernel itself, so that the history to begin with is there at once."""

FASTER = """\
from workbench.views import pacing, sender
sender.TICK_NS = pacing.TICK_NS = 50_000_000 // {speed}"""
"""As many updates in a second as a session sends in ``speed`` of them."""

HEATMAP = "wb.Heatmap(s)"
LADDER = """\
import ipywidgets
from IPython.display import display
h, l = wb.Heatmap(s), wb.Ladder(s, rows=60)
h.layout.width, l.layout.width = "68%", "30%"
display(ipywidgets.HBox([h, l]))"""
WORKSPACE = "wb.Workspace(s)"
LONG = "r = wb.open_recording({path!r})\nwb.Heatmap(r)"


def market(path: Path, speed: int = 1, head: int = 110) -> str:
    """Cell of a market that has run for ``head`` seconds."""
    return MARKET.format(path=str(path), speed=speed, head=head)

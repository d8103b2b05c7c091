"""Pictures of every view for the documentation, taken in a real JupyterLab at twice the usual density.

::

    python -m bench.lab.pictures RECORDING              # every picture into docs/images
    python -m bench.lab.pictures RECORDING workspace    # only those whose names begin so

``RECORDING`` (or ``WORKBENCH_BTC``) is a recording of the workbench or a file of the Binance futures feed, six minutes
of BTCUSDT for the pictures in this repository; no market data of an exchange comes with it. The other half of the
pictures is of the simulator. Needs Chromium (``WORKBENCH_CHROMIUM``) and what ``dev`` installs.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from bench.lab.server import Lab, NotebookPage

IMAGES = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 300_000
COLOURS = (256, 192, 128, 96, 64, 48, 32)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
VIEWPORT = {"width": 2000, "height": 1700}

MARKET = """\
import workbench as wb
s = {source}
s.until(s.clock.now_ns + {head} * 10**9, timeout=120)
s.clock.speed = 1"""
BTC = "wb.replay({path!r}, speed=30)"
SIM = "wb.simulate(seed=7, speed=60)"


CALM = (
    "[...document.querySelectorAll('.ow-strip')]"
    r".every(e => !/busy|late|[3-9]\d\d ms|\d{4} ms/.test(e.innerText))"
)
"""No view says that it is behind."""


class Shot(NamedTuple):
    """One picture: what is shown, how wide, what of the page is taken, and what happens before."""

    name: str
    code: str
    width: int = 1180
    selector: str = ".ow-root"
    before: str = ""


BRACKET = "take_profit=24, stop_loss=16"
TRADES = f"""\
t = wb.Ticket(s, {BRACKET})
t.press('buy market', size=2)
s.until(s.clock.now_ns + 12 * 10**9, timeout=60)
t.press('buy at bid', size=2)
t.press('sell at ask', size=1, take_profit=None, stop_loss=None)
s.until(s.clock.now_ns + 2 * 10**9, timeout=60)
t.press('buy market', size=1000)
t.close()
"""
DESK = (
    "wb.Workspace(s, layout=[{'Heatmap': 8, 'Ladder': 5, 'Ticket': 4}], height=640, "
    f"settings={{'Ticket': dict({BRACKET})}})"
)
SHOTS = {
    BTC: (
        Shot("workspace", "wb.Workspace(s)", 1640, ".ow-workspace"),
        Shot("heatmap", "wb.Heatmap(s, height=560)"),
        Shot("profile", "wb.Profile(s, nodes=True, period='1m', height=560)", 460),
        Shot("cvd", "wb.Cvd(s, sizes=[(0, 0.1), (0.1, 1), (1, None)], height=220)"),
        Shot("vwap", "wb.Vwap(s, bands=(1, 2), height=280)"),
        Shot("depth_over_time", "wb.DepthOverTime(s, levels=[1, 10], height=320)"),
        Shot("health", "wb.Health(s)", 760),
        Shot("explorer", "wb.Explorer(s, wb.signals.OfiMomentum(enter=1.5))", 1180, ".ow-explorer"),
    ),
    SIM: (
        Shot("heatmap_light", "wb.Heatmap(s, height=520, theme='light')"),
        Shot("heatmap_simulator", "wb.Heatmap(s, height=520)"),
        Shot("ladder", "wb.Ladder(s, rows=25)", 900),
        Shot("tape", "wb.Tape(s, rows=24)", 560),
        Shot("ticket", f"wb.Ticket(s, {BRACKET})", 480, ".ow-deal-root", TRADES),
        Shot("ticket_light", f"wb.Ticket(s, {BRACKET}, theme='light')", 480, ".ow-deal-root"),
        Shot("workspace_trading", DESK, 1640, ".ow-workspace"),
        Shot("footprint", "wb.Footprint(s, bar='30s', height=560)"),
        Shot("workspace_light", "wb.Workspace(s, theme='light')", 1640, ".ow-workspace"),
        Shot("workspace_simulator", "wb.Workspace(s)", 1640, ".ow-workspace"),
    ),
}
HEAD_S = {BTC: 240, SIM: 300}
"""How long a market has run when its first picture is taken."""


def taken(lab: Lab, source: str, recording: str, shots: list[Shot]) -> Iterator[tuple[str, bytes]]:
    """Open a notebook on a market, show one view after the other, and yield their pictures as PNG."""
    market = MARKET.format(source=source.format(path=recording), head=HEAD_S[source])
    shows = [f"{shot.before}w = {shot.code}\nw.layout.width = '{shot.width}px'\nw" for shot in shots]
    cells = [market, *(cell for show in shows for cell in (show, "w.close()"))]
    with lab.page(cells, ratio=2.0) as page:
        page.page.set_viewport_size(VIEWPORT)
        make_room(page)
        page.done(0)
        for number, shot in enumerate(shots):
            page.done(2 * number + 1)
            page.until(f"document.querySelector({shot.selector!r}) !== null")
            settled(page)
            yield shot.name, page.page.screenshot(clip=box_of(page, shot.selector))
            page.done(2 * number + 2)


def box_of(page: NotebookPage, selector: str) -> dict[str, float]:
    """Where the views stand on the page: the least box round all of them."""
    page.page.locator(selector).first.scroll_into_view_if_needed()
    return page.page.evaluate(
        """selector => {
        const root = document.querySelector(selector);
        const boxes = [root, ...root.querySelectorAll(".ow-root")].map(e => e.getBoundingClientRect());
        const [x, y] = [boxes[0].left, boxes[0].top];
        const inner = boxes.length > 1 ? boxes.slice(1) : boxes;
        const edge = Math.min(...inner.map(b => b.left)) - x;
        const bottom = Math.max(...inner.map(b => b.bottom)), right = Math.max(...inner.map(b => b.right));
        return {x, y, width: right + edge - x, height: bottom + edge - y}; }""",
        selector,
    )


def make_room(page: NotebookPage) -> None:
    """Put away what would lie over the views or beside them: file browser, questions of JupyterLab."""
    page.page.add_style_tag(content=".Toastify, .jp-toastContainer { display: none !important; }")
    page.page.evaluate(
        "() => window.jupyterapp.commands.execute('application:toggle-left-area').then(() => 1)"
    )


def settled(page: NotebookPage) -> None:
    """Wait until every view has drawn, and some seconds for tiles, columns and tables to come in."""
    page.until(
        "[...document.querySelectorAll('.ow-root[data-drawn]')].every(e => Number(e.dataset.drawn) > 3)"
    )
    time.sleep(6)
    with suppress(TimeoutError):  # a machine that is busy otherwise is shown as it is
        page.until(CALM, 20)


def compressed(png: bytes) -> bytes:
    """Same picture with a palette, of as many colours as fit into ``MOST_BYTES``."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    while True:
        for colours in COLOURS:
            out = io.BytesIO()
            picture.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
            if out.tell() <= MOST_BYTES:
                return out.getvalue()
        picture = picture.resize((picture.width * 4 // 5, picture.height * 4 // 5), Image.Resampling.LANCZOS)


def recording_at(path: Path | None, scratch: Path) -> str:
    """Recording to replay: the path itself, or what a file of the Binance futures feed is imported into."""
    if path is None or not path.exists():
        sys.exit(
            f"bench.lab.pictures: no recording at {path}: give a recording, or a file of the Binance futures feed"
            " (hftbacktest's form), as the first argument or in WORKBENCH_BTC"
        )
    if path.is_dir():
        return str(path.resolve())
    import workbench as wb

    return str(wb.import_recording(path, format="binance-futures", out=scratch / "imported").path)


def chromium() -> str:
    """Path of the browser."""
    found = os.environ.get("WORKBENCH_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or sys.exit("bench.lab.pictures: needs Chromium: install it or set WORKBENCH_CHROMIUM")


def main() -> None:
    """Take the pictures that the command line asks for."""
    arguments = argparse.ArgumentParser(
        prog="python -m bench.lab.pictures", description=__doc__.split("\n")[0]
    )
    arguments.add_argument("recording", type=Path, nargs="?", default=os.environ.get("WORKBENCH_BTC"))
    arguments.add_argument("names", nargs="*", help="only pictures whose names begin so")
    arguments.add_argument("--out", type=Path, default=IMAGES)
    chosen = arguments.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(chosen.recording) if chosen.recording else None
        recording = recording_at(path, Path(scratch))
        with Lab(Path(scratch) / "lab", chromium()).running() as lab:
            for source, shots in SHOTS.items():
                wanted = [s for s in shots if not chosen.names or s.name.startswith(tuple(chosen.names))]
                for name, png in taken(lab, source, recording, wanted) if wanted else ():
                    picture = compressed(png)
                    (chosen.out / f"{name}.png").write_bytes(picture)
                    print(f"{name}.png  {len(picture) / 1000:.0f} kB", flush=True)


if __name__ == "__main__":
    main()

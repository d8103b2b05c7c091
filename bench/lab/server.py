"""A real JupyterLab and a headless Chromium: pages of notebooks, and what their processes cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.support.jupyter import FLAGS, IDLE, RUN_CELL, answers, notebook_of, start_lab

TOKEN = "token-of-the-bench"
WATCH = Path(__file__).with_name("watch.js").read_text(encoding="utf-8")
VIEWPORT = {"width": 1500, "height": 1400}


class Lab:
    """Notebooks of one running JupyterLab, each opened in a page of its own."""

    def __init__(self, home: Path, chromium: str):
        self.home, self.folder = home, home / "notebooks"
        self.folder.mkdir(parents=True)
        self.chromium = chromium
        self.number = 0

    @contextmanager
    def running(self) -> Iterator[Lab]:
        """Start server and browser; end both."""
        from playwright.sync_api import sync_playwright

        runtime = self.home / "run"
        runtime.mkdir(mode=0o700)
        own = {"WORKBENCH_RUNTIME_DIR": str(runtime)}
        server, self.address = start_lab(self.home, self.folder, TOKEN, own)
        self.server = psutil.Process(server.pid)
        try:
            until(lambda: answers(self.address, TOKEN), 120, "JupyterLab")
            with sync_playwright() as tools:
                self.browser = tools.chromium.launch(executable_path=self.chromium, args=FLAGS)
                yield self
                self.browser.close()
        finally:
            server.terminate()
            server.wait(30)

    @contextmanager
    def page(self, cells: list[str], ratio: float = 1.0) -> Iterator[NotebookPage]:
        """Open a notebook of these code cells, none of them run; end its kernel afterwards."""
        before = {process.pid for process in self.kernels()}
        self.number += 1
        name = f"bench{self.number}"
        (self.folder / f"{name}.ipynb").write_text(json.dumps(notebook_of(cells)), encoding="utf-8")
        context = self.browser.new_context(viewport=VIEWPORT, device_scale_factor=ratio)
        page = NotebookPage(self, context.new_page())
        page.open(f"{self.address}/lab/workspaces/{name}/tree/{name}.ipynb?token={TOKEN}")
        (page.kernel,) = (process for process in self.kernels() if process.pid not in before)
        try:
            yield page
        finally:
            page.page.evaluate(
                "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown().then(() => true)"
            )
            context.close()
            until(lambda: not page.kernel.is_running(), 30, "the end of the kernel")

    def kernels(self) -> list[psutil.Process]:
        """Kernel processes that run now."""
        return [p for p in self.server.children(recursive=True) if "ipykernel" in " ".join(command_of(p))]

    def chromes(self) -> list[psutil.Process]:
        """All processes of the browser."""
        children = psutil.Process().children(recursive=True)
        return [p for p in children if "--type=" in " ".join(command_of(p)) or self.chromium in command_of(p)]


class NotebookPage:
    """One notebook in one page."""

    def __init__(self, lab: Lab, page: Any):
        self.lab, self.page = lab, page
        self.kernel: psutil.Process

    def open(self, address: str) -> None:
        """Load Lab with this notebook, wait for the kernel, begin to watch."""
        self.page.goto(address)
        self.until(IDLE)
        self.page.evaluate(f"({WATCH})()")

    def until(self, script: str, seconds: float = 120.0) -> None:
        """Wait until an expression of the page is true."""
        until(lambda: self.page.evaluate(script), seconds, script)

    def run(self, index: int) -> None:
        """Run one cell; does not wait for it."""
        self.page.evaluate(RUN_CELL, index)

    def done(self, index: int, seconds: float = 180.0) -> None:
        """Run one cell and wait for its end; what it raised is raised here."""
        self.run(index)
        cell = f"window.jupyterapp.shell.currentWidget.content.model.cells.get({index})"
        self.until(f"{cell}.executionCount > 0 && {IDLE}", seconds)
        outputs = self.page.evaluate(f"() => {cell}.outputs.toJSON()")
        failed = [o for o in outputs if o["output_type"] == "error"]
        if failed:
            raise RuntimeError("\n".join(failed[0]["traceback"]))

    def read(self, seconds: float) -> dict[str, Any]:
        """Let the page be for a window of time; what was counted in it, and the CPU of all who took part."""
        before = self.cpu()
        self.page.evaluate("() => { benchWatch.clear(); }")
        start = time.monotonic()
        time.sleep(seconds)
        counted = self.page.evaluate("() => benchWatch.read()")
        spent, passed = self.cpu(), time.monotonic() - start
        counted["cpu"] = {name: 100 * (spent[name] - before[name]) / passed for name in spent}
        counted["fps"] = counted["frames"] / counted["seconds"]
        return counted

    def cpu(self) -> dict[str, float]:
        """CPU seconds that kernel, server and browser have spent."""
        groups = {"kernel": [self.kernel], "server": [self.lab.server], "browser": self.lab.chromes()}
        return {name: sum(map(seconds_of, group)) for name, group in groups.items()}

    def heap(self) -> float:
        """MB that the page's JavaScript holds after a collection, buffers included."""
        tools = self.page.context.new_cdp_session(self.page)
        for _ in range(2):
            tools.send("HeapProfiler.collectGarbage")
        usage = tools.send("Runtime.getHeapUsage")
        tools.detach()
        return (usage["usedSize"] + usage.get("backingStorageSize", 0)) / 1e6

    def resident(self) -> float:
        """MB that the kernel holds in memory."""
        return self.kernel.memory_info().rss / 1e6


def until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


def command_of(process: psutil.Process) -> list[str]:
    """Command line of a process, empty if it has gone."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def seconds_of(process: psutil.Process) -> float:
    """CPU seconds of a process, 0 if it has gone."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)

"""What notebooks of the browser tests run to trade: a Bookmap stand-in in the kernel, and a session through it."""

from __future__ import annotations

import os
from pathlib import Path

import workbench as wb
from tests.support.eventually import eventually
from workbench.feeds.engines import stop_all
from workbench.feeds.simulator import Simulator
from workbench.session import Session
from workbench.testing import BookmapStandIn

ALLOW = "Allow orders from notebooks"
SCRIPT = Path(wb.__file__).parent / "bridge" / "scripts" / "workbench_bridge_trading.py"


class TradedMarket:
    """A market that somebody may trade; orders rest until somebody fills them.

    Parameters
    ----------
    folder : str
        For files of this market's engine and bridge alone.
    """

    def __init__(self, folder: str):
        os.environ["WORKBENCH_RUNTIME_DIR"] = str(Path(folder) / "run")
        os.environ["WORKBENCH_STATE_DIR"] = str(Path(folder) / "state")
        self.bookmap = BookmapStandIn(Simulator(seed=7), script=SCRIPT, trading=True, simulate_fills=False)
        self.bookmap.attach()
        self.bookmap.play()
        self.session: Session = wb.connect("bookmap")
        self.session.until(predicate=lambda s: bool(s.symbols) and s.book.valid and len(s.trades) > 20)

    def open_locks(self) -> None:
        """Open both: Bookmap's and the notebook's."""
        self.bookmap.set(ALLOW, True)
        state = self.session.arm(minutes=30, max_orders=50, max_size=10)
        eventually(lambda: state.ready, what="open locks")

    def close(self) -> None:
        """Stop all that was started here."""
        self.session.close()
        self.bookmap.close()
        stop_all()

"""Public functions called with what they cannot mean: told what was found and what was expected, never by a traceback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import workbench as wb
from workbench.errors import WorkbenchError


class Idle:
    def on_timer(self, desk: Any) -> None: ...


CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "backtest of nothing": (lambda: wb.backtest(3, market()), "a strategy without methods: 3"),
    "backtest of a class": (lambda: wb.backtest(Idle, market()), "Idle.*not its class"),
    "backtest on nothing": (lambda: wb.backtest(Idle(), 3), "events of 3"),
    "paper_backtest of nothing": (lambda: wb.paper_backtest(3, market()), "without methods"),
    "trade of nothing": (lambda: wb.trade(object(), market()), "without methods"),
    "kernel_strategy": (lambda: wb.kernel_strategy(3), "a strategy of 3; expected a function"),  # type: ignore[arg-type]
    "replay": (lambda: wb.replay(3), "a recording at 3"),  # type: ignore[arg-type]
    "replay of several": (lambda: wb.replay([3], inline=True), "a recording at 3"),  # type: ignore[list-item]
    "open_recording": (lambda: wb.open_recording(3), "a recording at 3"),  # type: ignore[arg-type]
    "planted": (lambda: wb.planted(3), "the truth of 3"),
    "paper": (lambda: wb.simulate(inline=True, paper=3), r"paper=3; expected wb\.PaperTerms"),  # type: ignore[arg-type]
    "RiskCurve": (lambda: wb.RiskCurve(3), "the risk of 3; expected a session"),
    "StudyDesk": (lambda: wb.StudyDesk(3, "1m"), "events of 3"),
    "composite_profile": (lambda: wb.composite_profile("x"), "events of 'x'"),  # type: ignore[arg-type]
    "degradation": (lambda: wb.degradation(market(), 3), "pairs=3"),  # type: ignore[arg-type]
    "next_move": (lambda: wb.next_move(3), r"states of 3; expected what wb\.touches"),  # type: ignore[arg-type]
    "regress": (lambda: wb.regress(np.zeros(3), np.zeros(4)), r"shape \(3,\), flows of shape \(4,\)"),
}


def market() -> Any:
    return wb.simulate(seed=7, inline=True)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_means_nothing_says_so(name: str) -> None:
    """In one sentence of ours."""
    call, said = CALLS[name]
    with pytest.raises(WorkbenchError, match=said):
        call()

"""Tape: time and sales, prints of one aggressor as one row, with filters. Live, as a frame and as figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from workbench.errors import WorkbenchError
from workbench.flow.days import zone_of
from workbench.frames.edge import trades_frame
from workbench.views import tape_still
from workbench.views.esm import joined, styled
from workbench.views.live import LiveView, Message
from workbench.views.showable import showable
from workbench.views.tape_model import TapeModel
from workbench.views.tape_orders import PRINTS, OrderRows, TapeFilter
from workbench.views.tape_where import wishes_of
from workbench.views.theme import still_theme

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Tape"]

MOST_ROWS = 400
MOST_OLDER = 200
RUNNING = (None, "delta", "volume")
SIDES = {None: None, "buy": 1, "sell": -1, "unknown": 0}


class Tape(LiveView):
    """Live time and sales of one instrument.

    Newest on top. While the pointer rests on the list, or it is scrolled, it stands still and counts what is new;
    scrolling down reads older ones. Enter opens an order into its prints; arrows move; Home goes back to the newest.

    Parameters
    ----------
    session : Session or Recording
    symbol : str, optional
        Default: the session's first instrument.
    min_size, max_size : float, real units
        Of an order.
    side : {"buy", "sell", "unknown"}, optional
        Aggressor; default: all.
    low, high : float, real units, optional
        Only orders that printed at a price in [low, high].
    where : str, optional
        All of these in a line of text instead, as the page takes it: ``"size>=10 buy price<5000"``, ``"5..50 sweeps"``;
        see :func:`workbench.views.tape_where.wishes_of`.
    running : {"delta", "volume"}, optional
        One more column: what was bought less what was sold (or all that was traded) up to each row, of what the filters
        let through since the beginning.
    aggregate : bool, default True
        Show prints of one aggressor as one row, by the rule of ``workbench.flow.aggressor``.
    hidden, off_book : bool, default True
        Whether orders with hidden executions, and off-book prints, are shown.
    sweeps : bool
        Only orders that met more than one price.
    big : float, real units, optional
        Mark orders from this size on; default: the largest 1 %.
    rows : int, default 40
        Rows shown without scrolling.
    zone : str, optional
        Time zone, as ``"America/New_York"``; default: the browser's.
    theme : {"dark", "light", "auto"}
    group : str, optional
        Views of one group share a cursor; default: views of one session do.

    Examples
    --------
    >>> import workbench as wb
    >>> s = wb.simulate(seed=7, inline=True)
    >>> wb.Tape(s, min_size=10)
    Tape('ES-SIM')
    """

    _esm = joined("tape.js")
    _css = styled("profile_controls.css", "tape.css")
    _every_ticks = 2

    def __init__(
        self,
        session: object,
        symbol: str | None = None,
        *,
        min_size: float = 0.0,
        max_size: float = float("inf"),
        side: Literal["buy", "sell", "unknown"] | None = None,
        low: float | None = None,
        high: float | None = None,
        aggregate: bool = True,
        hidden: bool = True,
        off_book: bool = True,
        sweeps: bool = False,
        big: float | None = None,
        where: str | None = None,
        running: Literal["delta", "volume"] | None = None,
        rows: int = 40,
        zone: str | None = None,
        theme: Literal["auto", "dark", "light"] = "dark",
        group: str | None = None,
    ):
        shown = showable(session)
        capture = shown.capture(symbol)
        if not 1 <= rows <= MOST_ROWS:
            raise WorkbenchError(f"rows={rows!r}", expected=f"1 to {MOST_ROWS}", code="bad_value")
        if running not in RUNNING:
            raise WorkbenchError(f"running={running!r}", expected="delta, volume or None", code="bad_value")
        self._aggregate, self._rows, self._zone, self._running = aggregate, rows, zone_of(zone), running
        self._still_theme = still_theme(theme)
        tick, lot = float(capture.instrument.tick_size), float(capture.instrument.lot_size)
        self._units = tick, lot
        chosen = {
            "min": min_size, "max": max_size, "side": side, "low": low, "high": high,
            "hidden": hidden, "off_book": off_book, "sweeps": sweeps,
        }  # fmt: skip
        if where is not None:
            chosen = self._read(where)
        self._let = self._filter(TapeFilter(), chosen)
        wanted_big = None if big is None else big / lot

        def make() -> TapeModel:
            return TapeModel(capture, self._let, aggregate, rows, wanted_big)

        let = {**_told(chosen), "where": where or ""}
        options = {
            "theme": theme, "rows": rows, "zone": zone or "", "aggregate": aggregate, "let": let, "running": running,
        }  # fmt: skip
        super().__init__(shown, capture, make, options if group is None else {**options, "group": group})

    def _filter(self, let: TapeFilter, wishes: dict[str, Any]) -> TapeFilter:
        unknown = sorted(set(wishes) - _WISHES)
        if unknown:
            raise WorkbenchError(
                f"wishes {unknown!r:.80}", expected=f"some of {sorted(_WISHES)}", code="bad_value"
            )
        tick, lot = self._units
        known: dict[str, Any] = {}
        for name, unit in (("min", lot), ("max", lot), ("low", tick), ("high", tick)):
            if name in wishes:
                value = wishes[name]
                known[f"{name}_lots" if unit is lot else name] = _number(name, value, unit)
        if "side" in wishes:
            if wishes["side"] not in SIDES:
                raise WorkbenchError(f"side {wishes['side']!r}", expected="buy, sell, unknown or None")
            known["side"] = SIDES[wishes["side"]]
        known |= {name: bool(wishes[name]) for name in ("hidden", "off_book", "sweeps") if name in wishes}
        return let.changed(**_unset(known))

    def _read(self, where: str) -> dict[str, Any]:
        return wishes_of(str(where), *self._units)

    def filter(self, **wishes: Any) -> None:
        """Let other orders through, on the page too: ``min``, ``max``, ``side``, ``low``, ``high``, ``hidden``, …

        ``where="size>=10 buy"`` says all of them in one line: what it does not name lets everything through.

        Raises
        ------
        WorkbenchError
            A value that means nothing.
        """
        where = str(wishes.pop("where", ""))
        named = self._read(where) | wishes if where or not wishes else wishes
        self._let = self._filter(self._let, named)
        self._model_of().filter(self._let)
        self.options = {**self.options, "let": {**self.options["let"], **_told(named), "where": where}}

    def _model_of(self) -> TapeModel:
        assert isinstance(self._model, TapeModel)
        return self._model

    def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        if act.get("do") != "filter":
            return super()._act(act)
        self.filter(**act["let"])
        return {"let": self.options["let"]}

    def _answers(self, look: dict[str, Any]) -> Iterable[Message]:
        order, model = int(look["order"]), self._model_of()
        if look.get("what") == "prints":
            yield model.detail(order)
        else:
            yield model.older(order, min(int(look.get("count", MOST_OLDER)), MOST_OLDER))

    def frame(self) -> pl.DataFrame:
        """Return every print that the filters let through now, exactly: columns of ``trades`` and ``order``.

        Returns
        -------
        polars.DataFrame
            ``order`` numbers aggressors' orders from 0 (single prints where ``aggregate=False``).
        """
        import polars as pl

        with self._capture.lock:
            trades: Any = self._capture.trades
            stop = len(trades)
        orders = OrderRows(self._capture, self._aggregate)
        while not orders.follow(stop) and orders.row < stop:
            pass
        rows = orders.rows(0, orders.count)
        frame = trades_frame(trades.frame(0, orders.row).lazy(), self._capture.instrument).collect()
        prints = rows[:, PRINTS].astype(np.int64)
        numbers = np.repeat(np.arange(len(rows)), prints)
        passed = self._let.passes(rows)
        return frame.with_columns(pl.Series("order", numbers, pl.Int64)).filter(pl.Series(passed[numbers]))

    def _still(self) -> Message:
        model = self._make_model()
        assert isinstance(model, TapeModel)
        model.catch_up()
        return model.pull([], True, self._session.clock.now_ns) or ({"k": "idle"}, [])

    def figure(self) -> Any:
        """Return the static Plotly twin: the newest rows as a table (``plotly.graph_objects.Figure``)."""
        return tape_still.figure(self._shown(self._still()))

    def _draw(self, message: Message) -> bytes:
        return tape_still.png(self._shown(message))

    def _shown(self, message: Message) -> tape_still.Shown:
        return tape_still.Shown(
            message, self._capture.instrument, self._still_theme, self._zone, self._running
        )


_WISHES: Final = frozenset({"min", "max", "side", "low", "high", "hidden", "off_book", "sweeps"})


def _told(wishes: dict[str, Any]) -> dict[str, Any]:
    """Wishes as the page holds them: no bound is None."""
    return {name: None if value == float("inf") else value for name, value in wishes.items()}


def _number(name: str, value: Any, unit: float) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or value != value:
        raise WorkbenchError(f"{name}={value!r}", expected="a number", code="bad_value")
    return value / unit


def _unset(known: dict[str, Any]) -> dict[str, Any]:
    """Unset sizes mean any size; a billionth absorbs the division by the lot."""
    if "min_lots" in known:
        known["min_lots"] = (known["min_lots"] or 0.0) * (1 - 1e-9)
    if "max_lots" in known:
        known["max_lots"] = float("inf") if known["max_lots"] is None else known["max_lots"] * (1 + 1e-9)
    if known.get("low") is not None:
        known["low"] -= 1e-6
    if known.get("high") is not None:
        known["high"] += 1e-6
    return known

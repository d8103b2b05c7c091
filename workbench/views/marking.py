"""What a user does with the heatmap's marks, in Python and on the page: select, label, mark, draw lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.frames.moments import Moment, to_ns
from workbench.views.heat_marks import HeatMarks
from workbench.views.live import Captured
from workbench.views.mark_sets import marks_content
from workbench.views.selection import Selection, selected, selected_on_page

if TYPE_CHECKING:
    import polars as pl


class Marking:
    """Mixed into the heatmap: its selection, labels, marks and lines."""

    _marks: HeatMarks
    _source: Any
    _capture: Captured

    def _begin_marking(self, source: Any, session: Any, capture: Captured) -> None:
        self._source = source
        self._marks = HeatMarks(session, capture)

    # -- selection ---------------------------------------------------------------------------------------------------
    @property
    def selection(self) -> Selection | None:
        """What was brushed last: ``.frame()`` gives exactly its events; None: nothing is selected."""
        return self._marks.selection

    def select(
        self,
        start: Moment | str,
        end: Moment | str,
        low: float | None = None,
        high: float | None = None,
    ) -> Selection:
        """Select a rectangle, as brushing it on the page does.

        Parameters
        ----------
        start, end : int ns, datetime with its zone, or ISO 8601 text
            Start inclusive, end exclusive.
        low, high : float, real units, optional
            Both inclusive; None: no bound.

        Returns
        -------
        Selection
        """
        selection = selected(self._source, self._capture.instrument, start, end, low, high)
        self._marks.select(selection)
        return selection

    def unselect(self) -> None:
        """Select nothing."""
        self._marks.select(None)

    # -- labels ------------------------------------------------------------------------------------------------------
    @property
    def labels(self) -> pl.DataFrame:
        """Labels of what is shown, columns as :func:`workbench.labels`."""
        self._marks.labels.follow()
        return self._marks.labels.frame

    def label(self, name: str, note: str = "", *, author: str = "") -> str:
        """Name the selection; kept beside the recording it belongs to.

        Parameters
        ----------
        name : str
            At most 200 characters.
        note, author : str, optional

        Returns
        -------
        str
            The label's id, for :meth:`relabel` and :meth:`unlabel`.

        Raises
        ------
        WorkbenchError
            Nothing is selected; the name is blank or too long; the file cannot be written.
        """
        selection = self._marks.selection
        if selection is None:
            raise WorkbenchError(
                "nothing is selected",
                action="Brush a rectangle (key B), or call select(start, end)",
                code="no_selection",
            )
        return self._add_label(selection, name, note, author)

    def _add_label(self, region: Selection, name: str, note: str, author: str = "") -> str:
        low, high = region.decimals()
        start, end = region.start_ns, region.end_ns
        added = self._marks.labels.add(start, end, name, low=low, high=high, note=note, author=author)
        return added.id

    def relabel(self, label_id: str, *, name: str | None = None, note: str | None = None) -> None:
        """Give a label another name or note."""
        self._marks.labels.change(label_id, name=name, note=note)

    def unlabel(self, label_id: str) -> None:
        """Remove a label."""
        self._marks.labels.remove(label_id)

    # -- marks and lines -----------------------------------------------------------------------------------------------
    def mark(
        self,
        what: Any,
        price: Any = None,
        side: Any = None,
        text: Any = None,
        *,
        name: str = "marks",
        colour: str = "accent",
    ) -> None:
        """Draw flags; an earlier set of the same name goes.

        Parameters
        ----------
        what : Polars or pandas frame, mapping of columns, or array of times
            With ``ts``; ``price`` (real units), ``side``, ``text`` and ``score`` are used where they are. What the detectors
            give can be handed over as it is.
        price, side, text : str or array or scalar, optional
            Another column's name, or the values themselves. Without a price flags stand at the edge of the chart.
        name : str
            For :meth:`unmark`, and shown when the pointer is on a flag.
        colour : str
            A role of the theme (``accent``, ``warn``, ``buy``, …) or ``#rrggbb``.

        Raises
        ------
        WorkbenchError
            No times, a column that is not there, an unknown colour.
        """
        content = marks_content(what, self._capture.instrument, price, side, text, colour)
        self._marks.put_marks(name, content)

    def line(self, what: Any, name: str = "line", *, value: str | None = None, colour: str = "warn") -> None:
        """Draw a line of prices through time; an earlier one of the same name goes.

        Parameters
        ----------
        what : frame or callable
            A frame with ``ts`` and a column of prices, as ``wb.vwap`` gives it; or a function of the session that
            returns one, asked again each second in which events came.
        name : str
        value : str, optional
            Which column; default: the first one of numbers.
        colour : str
        """
        self._marks.put_line(name, what, colour, value)

    def unmark(self, name: str) -> None:
        """Take marks or a line off the chart."""
        self._marks.remove(name)

    @property
    def marks(self) -> dict[str, int]:
        """How many flags each set has."""
        return self._marks.mark_counts

    def anchor_vwap(self, start: Moment | str | None = 0) -> None:
        """Begin the VWAP at a moment (0: at the first trade), or with None draw none."""
        self._marks.anchor_vwap(None if start is None else to_ns(start))

    # -- what the page does ----------------------------------------------------------------------------------------------
    def _marking_acts(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "select": self._on_select,
            "unselect": self._on_unselect,
            "label": self._on_label,
            "relabel": self._on_relabel,
            "unlabel": self._on_unlabel,
            "vwap": self._on_vwap,
        }

    def _on_select(self, act: dict[str, Any]) -> dict[str, Any]:
        selection = selected_on_page(self._source, self._capture.instrument, act)
        _ = selection.facts  # reckoned here, where a failure reaches whoever brushed
        self._marks.select(selection)
        return {"code": selection.code}

    def _on_unselect(self, act: dict[str, Any]) -> dict[str, Any]:
        self._marks.select(None)
        return {}

    def _on_label(self, act: dict[str, Any]) -> dict[str, Any]:
        region = selected_on_page(self._source, self._capture.instrument, act)
        return {"label": self._add_label(region, act.get("name", ""), act.get("note", ""))}

    def _on_relabel(self, act: dict[str, Any]) -> dict[str, Any]:
        self.relabel(str(act.get("label")), name=act.get("name", ""), note=act.get("note", ""))
        return {}

    def _on_unlabel(self, act: dict[str, Any]) -> dict[str, Any]:
        self.unlabel(str(act.get("label")))
        return {}

    def _on_vwap(self, act: dict[str, Any]) -> dict[str, Any]:
        anchor = act.get("anchor")
        if anchor is not None and not (isinstance(anchor, str) and anchor.isascii() and anchor.isdigit()):
            raise WorkbenchError(f"anchor {anchor!r:.60}", expected="ns as a decimal text, or null")
        self._marks.anchor_vwap(None if anchor is None else min(int(anchor[:19]), 2**63 - 1))
        return {}

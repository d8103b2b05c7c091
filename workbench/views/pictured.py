"""What stands under a cell where there is no kernel: a picture, and a text that never changes."""

from __future__ import annotations

import base64
from abc import abstractmethod
from typing import Any, ClassVar, Final

from workbench.views.first_look import FIRST_LOOK_S, UNFINISHED, first_look
from workbench.views.picture import stamped

__all__ = ["SEVERAL_LOOKS_S", "Pictured"]

SEVERAL_LOOKS_S: Final = 3.0
"""How long the pictures of several views together may be waited for."""


class Pictured:
    """Base, before that of ipywidgets, of widgets with a still picture: one view, or several in one."""

    _first_look_s: ClassVar[float] = FIRST_LOOK_S
    _still_theme: str = "dark"

    @abstractmethod
    def picture(self) -> bytes:
        """Still picture of what there is to see now, as a PNG."""

    def snapshot(self) -> Any:
        """Still picture of this moment, to be shown under the live view and kept in the saved notebook."""
        from IPython.display import Image

        return Image(data=self.picture(), format="png", alt=repr(self))  # type: ignore[no-untyped-call]

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Live view, and for pages without a kernel a picture and a text that never changes."""
        bundle = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]  # of the widget, the next base
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data["text/plain"] = repr(self)
        data["image/png"] = base64.b64encode(self._first_picture()).decode("ascii")
        return data, {**metadata, "image/png": {"alt": repr(self)}}

    def _first_picture(self) -> bytes:
        """Picture under the cell: of a long recording what can be had in some seconds, and it says so."""
        with first_look(self._first_look_s) as look:
            png = self.picture()
        return stamped(png, UNFINISHED, self._still_theme) if look.cut_short else png

"""Still pictures for pages without a kernel: PNG by Pillow, drawn from the same messages that the page gets."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from workbench.events import Array
from workbench.views.theme import rgb, theme

FINE: Final = 2
"""Pictures are drawn at twice their size and reduced, which smooths lines and bubbles."""


class Canvas:
    """A picture being drawn, in the colours of one theme; coordinates in final pixels.

    Parameters
    ----------
    width, height : int, pixels
    theme_name : {"dark", "light"}
    """

    def __init__(self, width: int, height: int, theme_name: str):
        self.width, self.height = width, height
        self.colours = theme(theme_name)
        self.image = Image.new("RGB", (width * FINE, height * FINE), self.colours["background"])
        self.draw = ImageDraw.Draw(self.image, "RGBA")

    def text(
        self, x: float, y: float, text: str, role: str = "text", size: int = 11, anchor: str = "lm"
    ) -> None:
        """Write ``text`` at (x, y); ``anchor`` as Pillow names it."""
        font = ImageFont.load_default(size * FINE)
        self.draw.text((x * FINE, y * FINE), text, fill=self.colours[role], font=font, anchor=anchor)

    def line(
        self, points: list[tuple[float, float]], role: str, width: float = 1.0, alpha: int = 255
    ) -> None:
        """Draw a polyline."""
        scaled = [(x * FINE, y * FINE) for x, y in points]
        self.draw.line(scaled, fill=(*rgb(self.colours[role]), alpha), width=max(1, round(width * FINE)))

    def box(self, left: float, top: float, right: float, bottom: float, role: str, alpha: int = 255) -> None:
        """Fill a rectangle; nothing if it has no extent."""
        if right > left and bottom > top:
            far = (max(right * FINE - 1, left * FINE), max(bottom * FINE - 1, top * FINE))
            corners = (left * FINE, top * FINE, *far)
            self.draw.rectangle(corners, fill=(*rgb(self.colours[role]), alpha))

    def disc(self, x: float, y: float, radius: float, role: str, alpha: int = 255) -> None:
        """Fill a circle with a fine dark edge."""
        corners = [(v - r) * FINE for v, r in ((x, radius), (y, radius))] + [
            (v + radius) * FINE for v in (x, y)
        ]
        edge = (*rgb(self.colours["background"]), 160)
        self.draw.ellipse(corners, fill=(*rgb(self.colours[role]), alpha), outline=edge)

    def polygon(self, corners: list[tuple[float, float]], role: str, alpha: int = 255) -> None:
        """Fill a polygon with a fine dark edge."""
        edge = (*rgb(self.colours["background"]), 160)
        scaled = [(x * FINE, y * FINE) for x, y in corners]
        self.draw.polygon(scaled, fill=(*rgb(self.colours[role]), alpha), outline=edge)

    def paste(self, pixels: Array, left: int, top: int, width: int, height: int) -> None:
        """Paste an RGB array, shape (h, w, 3), stretched without smoothing."""
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        self.image.paste(
            picture.resize((width * FINE, height * FINE), Image.Resampling.NEAREST), (left * FINE, top * FINE)
        )

    def png(self) -> bytes:
        """Picture as a PNG of at most 256 colours, which keeps notebooks small."""
        small = self.image.resize((self.width, self.height), Image.Resampling.BOX)
        out = io.BytesIO()
        small.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        return out.getvalue()


def stamped(png: bytes, text: str, theme_name: str = "dark") -> bytes:
    """Picture with a line of text in its upper right corner, on a ground of its own."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    colours, font = theme(theme_name), ImageFont.load_default(12)
    draw = ImageDraw.Draw(picture)
    at = (picture.width - 10, 10)
    left, top, right, bottom = draw.textbbox(at, text, font=font, anchor="ra")
    draw.rectangle(
        (left - 6, top - 4, right + 6, bottom + 4), fill=colours["background"], outline=colours["warn"]
    )
    draw.text(at, text, fill=colours["warn"], font=font, anchor="ra")
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def blank(title: str, theme_name: str = "dark", width: int = 1000, height: int = 160) -> bytes:
    """Picture of a view that has nothing to show yet."""
    canvas = Canvas(width, height, theme_name)
    canvas.text(width / 2, height / 2, f"{title}: no data yet", "faint", 13, "mm")
    return canvas.png()

"""A picture drawn by matplotlib, for what is not SVG."""

from __future__ import annotations

from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle as CirclePatch
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle

from cnnzoo.analysis.plot.canvas import Circle, Line, Picture, Rect, Shape, Text

SCALE = 2  # pixels per unit
_POINTS = 72  # units per inch, so that one unit is one point
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def write(picture: Picture, path: str) -> None:
    """Draw ``picture`` into ``path``, PNG or PDF by its suffix; no date goes into the file."""
    figure = Figure(figsize=(picture.width / _POINTS, picture.height / _POINTS), dpi=_POINTS)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.axis("off")
    for shape in picture.shapes:
        _draw(axes, shape)
    metadata: dict[str, Any] = {"Title": picture.title}
    if path.lower().endswith(".pdf"):
        metadata |= {"CreationDate": None, "Creator": "cnnzoo"}
    else:
        metadata |= {"Description": picture.description, "Software": "cnnzoo"}
    figure.savefig(
        path, dpi=_POINTS * SCALE, facecolor=picture.theme.paper, metadata=metadata
    )  # fmt: skip


def _draw(axes: Any, shape: Shape) -> None:
    """Add one shape; shapes cover one another in the order they come."""
    order = len(axes.patches) + len(axes.lines) + len(axes.texts)
    if isinstance(shape, Text):
        axes.text(
            shape.x, shape.y, shape.text.replace("$", r"\$"), fontsize=shape.size,
            color=shape.fill, ha=_ANCHORS[shape.anchor], va="baseline",
            family="DejaVu Sans", weight="bold" if shape.bold else "normal", zorder=order,
        )  # fmt: skip
        return
    paint = {
        "facecolor": shape.fill or "none",
        "edgecolor": shape.stroke or "none",
        "linewidth": shape.stroke_width if shape.stroke else 0,
        "zorder": order,
    }
    if isinstance(shape, Line) and shape.fill is None:
        xs, ys = zip(*shape.points, strict=True)
        style = {"linestyle": (0, shape.dash)} if shape.dash else {}
        axes.plot(
            xs, ys, color=shape.stroke, linewidth=shape.stroke_width, zorder=order,
            solid_joinstyle="round", **style,
        )  # fmt: skip
    elif isinstance(shape, Line):
        axes.add_patch(Polygon(shape.points, closed=True, **paint))
    elif isinstance(shape, Circle):
        axes.add_patch(CirclePatch((shape.x, shape.y), shape.radius, **paint))
    else:
        axes.add_patch(_box(shape, paint))


def _box(shape: Rect, paint: dict[str, Any]) -> Any:
    corner = (shape.x, shape.y)
    if not shape.radius:
        return Rectangle(corner, shape.width, shape.height, **paint)
    style = f"round,pad=0,rounding_size={shape.radius}"
    return FancyBboxPatch(corner, shape.width, shape.height, boxstyle=style, **paint)

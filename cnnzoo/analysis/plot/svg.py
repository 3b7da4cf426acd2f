"""A picture as SVG text."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from cnnzoo.analysis.plot.canvas import Circle, Line, Picture, Rect, Shape, Text

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def svg(picture: Picture) -> str:
    """Text stays text; ``title`` and ``desc`` say what is shown to those who cannot see it."""
    size = f'width="{_n(picture.width)}" height="{_n(picture.height)}"'
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {_n(picture.width)} {_n(picture.height)}" role="img" '
        f'font-family="{FONTS}">'
    )
    ground = f'<rect {size} rx="8" fill="{picture.theme.paper}"/>'
    return "\n".join(
        [
            head,
            f"<title>{escape(picture.title)}</title>",
            f"<desc>{escape(picture.description)}</desc>",
            ground,
            *map(_element, picture.shapes),
            "</svg>\n",
        ]
    )


def _element(shape: Shape) -> str:
    if isinstance(shape, Text):
        return _text(shape)
    if isinstance(shape, Line):
        points = " ".join(f"{_n(x)},{_n(y)}" for x, y in shape.points)
        dash = f"{_n(shape.dash[0])} {_n(shape.dash[1])}" if shape.dash else None
        name = "polygon" if shape.fill else "polyline"
        return f"<{name}{_attributes(points=points, **_paint(shape), stroke_dasharray=dash)}/>"
    if isinstance(shape, Circle):
        name = "circle"
        where = {"cx": _n(shape.x), "cy": _n(shape.y), "r": _n(shape.radius)}
    else:
        name = "rect"
        where = {"x": _n(shape.x), "y": _n(shape.y)}
        where |= {"width": _n(shape.width), "height": _n(shape.height)}
        where |= {"rx": _n(shape.radius)} if shape.radius else {}
    opened = f"<{name}{_attributes(**where, **_paint(shape))}"
    return f"{opened}><title>{escape(shape.tip)}</title></{name}>" if shape.tip else f"{opened}/>"


def _text(shape: Text) -> str:
    attributes = _attributes(
        x=_n(shape.x),
        y=_n(shape.y),
        font_size=_n(shape.size),
        fill=shape.fill,
        text_anchor=None if shape.anchor == "start" else shape.anchor,
        font_weight="bold" if shape.bold else None,
    )
    return f"<text{attributes}>{escape(shape.text)}</text>"


def _paint(shape: Rect | Circle | Line) -> dict[str, str | None]:
    width = _n(shape.stroke_width) if shape.stroke else None
    return {"fill": shape.fill or "none", "stroke": shape.stroke, "stroke_width": width}


def _attributes(**values: str | None) -> str:
    return "".join(
        f" {name.replace('_', '-')}={quoteattr(value)}"
        for name, value in values.items()
        if value is not None
    )


def _n(number: float) -> str:
    """Two digits are finer than any screen, and alike on every machine."""
    return f"{round(number, 2) + 0:g}"

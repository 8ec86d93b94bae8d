"""The look of all charts: sizes, colours, axes."""

from typing import Any

import altair as alt
import vl_convert

__all__ = ["BLUE", "GREY", "LIGHT", "ORANGE", "PERCENT", "RED", "WIDTH", "bar_height", "enable", "legend"]

INTERACTIVE = "application/vnd.vegalite.v5+json"
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH = 640
BAR = 24
BLUE, ORANGE, RED, GREY, LIGHT = "#2f6db3", "#e08a2c", "#c5383c", "#8b949e", "#c8ced6"
PALETTE = [BLUE, ORANGE, "#3f9b6c", RED, "#7d62b5", "#8c6d51", "#d069a5", GREY, "#a8a53a", "#3aa7b8"]
PERCENT = ".1~%"


def enable() -> None:
    """Show charts in this look: interactive where a notebook can draw them itself, and as SVG elsewhere."""
    alt.theme.register("clickstream", enable=True)(_theme)
    alt.renderers.register("clickstream", _rendered)
    alt.renderers.enable("clickstream")


def legend(measures: list[str]) -> alt.Color:
    """Give each measure a colour. The measures are named, since a legend of an empty chart would never end."""
    return alt.Color("measure:N", title=None, scale=alt.Scale(domain=measures))


def bar_height(rows: int) -> int:
    """Give the height of so many horizontal bars, in pixels."""
    return BAR * max(rows, 1)


def _rendered(spec: dict[str, Any], **_options: Any) -> dict[str, Any]:  # noqa: ANN401  # as Altair calls it
    svg: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    # JupyterLab has Vega-Lite 5, which draws these charts in the same way, with their tooltips.
    return {INTERACTIVE: {**spec, "$schema": SCHEMA}, "image/svg+xml": svg}


def _theme() -> alt.theme.ThemeConfig:
    config: dict[str, Any] = {
        # What draws has Liberation Sans, which is as wide as Arial: texts fit where either is shown.
        "font": "Arial, Liberation Sans, Helvetica, sans-serif",
        "padding": {"left": 5, "top": 5, "right": 30, "bottom": 5},
        "range": {"category": PALETTE},
        "title": {"anchor": "start", "fontSize": 14, "offset": 12},
        "axis": {"labelLimit": 260, "gridColor": "#e8eaed", "titleFontWeight": "normal"},
        # Above its axis, where no label can be in its way.
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleBaseline": "bottom", "titleX": 0, "titleY": -6},
        "header": {"labelFontWeight": "bold", "labelAnchor": "start"},
        "legend": {"titleFontWeight": "normal"},
        "view": {"stroke": None, "continuousWidth": WIDTH},
        "mark": {"tooltip": {"content": "data"}},
        # As the pages of the dashboard name them.
        "style": {"part": {"fill": BLUE}, "number": {"fontSize": 10}},
    }
    return {"config": config}  # type: ignore[typeddict-item]  # the parts above are of its types

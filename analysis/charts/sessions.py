"""Charts of sessions: how long and how deep they are, what happens to carts, and which event follows which."""

import altair as alt
import polars as pl

from analysis.charts.theme import WIDTH, bar_height

__all__ = ["carts", "depth_classes", "depths", "duration_classes", "durations", "paths"]

# Seconds; unequal classes, since most visits are short and some are very long.
BOUNDS = (0, 10, 30, 60, 180, 600, 1800)
CLASSES = ("0 s", "≤ 10 s", "≤ 30 s", "≤ 1 min", "≤ 3 min", "≤ 10 min", "≤ 30 min", "> 30 min")
DEEPEST = 20
MOST_EVENTS = 12


def durations(frame: pl.DataFrame) -> alt.Chart:
    """Draw sessions by duration, of a frame of the metric `sessions` or `rebuilt_sessions`."""
    return _columns(duration_classes(frame), "duration_class", "duration", "Sessions by duration")


def duration_classes(frame: pl.DataFrame) -> pl.DataFrame:
    """Count the sessions of each class of duration.

    Args:
        frame: A frame of the metric `sessions` or `rebuilt_sessions`.

    Returns:
        One row per class: `duration_class` (a text) and `sessions`. Order: the shortest first.
    """
    places = pl.Series(BOUNDS).search_sorted(frame["duration"], side="left")
    found = places.rename("place").to_frame().group_by("place").len("sessions")
    classes = pl.DataFrame({"duration_class": CLASSES}).with_row_index("place")
    return classes.join(found, on="place", how="left").sort("place").fill_null(0).drop("place")


def depths(frame: pl.DataFrame) -> alt.Chart:
    """Draw sessions by their number of events, of a frame of the metric `sessions` or `rebuilt_sessions`."""
    return _columns(depth_classes(frame), "depth", "events in the session", "Sessions by depth")


def depth_classes(frame: pl.DataFrame) -> pl.DataFrame:
    """Count the sessions of each number of events.

    Args:
        frame: A frame of the metric `sessions` or `rebuilt_sessions`.

    Returns:
        One row per number: `depth` (a text; `20+` for 20 and more) and `sessions`. Order: the fewest events first.
    """
    depth = pl.col("events").clip(upper_bound=DEEPEST)
    counts = frame.group_by(depth=depth).len("sessions").sort("depth")
    last = pl.when(pl.col("depth") == DEEPEST).then(pl.lit(f"{DEEPEST}+"))
    return counts.with_columns(depth=last.otherwise(pl.col("depth").cast(pl.String)))


def carts(frame: pl.DataFrame) -> alt.Chart:
    """Draw how many sessions fill a cart, start a checkout, and buy, of a frame of the metric `carts`."""
    names = {
        "sessions_with_cart": "with a cart",
        "sessions_with_checkout_start": "then a checkout start",
        "sessions_with_purchase": "then a purchase",
    }
    long = frame.rename(names).unpivot(list(names.values()), variable_name="state", value_name="sessions")
    return (
        alt.Chart(long)
        .mark_bar(style="part")
        .encode(x=alt.X("sessions:Q", title="sessions"), y=alt.Y("state:N", title="sessions", sort=None))
        .properties(title="Carts, checkouts and purchases", width=WIDTH, height=2 * bar_height(long.height))
    )


def paths(frame: pl.DataFrame, *, clicks: bool = False) -> alt.LayerChart | alt.FacetChart:
    """Draw which event follows which, for the most frequent events.

    Args:
        frame: A frame of the metric `paths`.
        clicks: What the metric was given: whether automatic clicks count too.
    """
    frequent = frame.group_by("from_event").agg(pl.sum("transitions")).top_k(MOST_EVENTS, by="transitions")
    names = frequent["from_event"].implode()
    shown = frame.filter(pl.col("from_event").is_in(names), pl.col("to_event").is_in(names))
    cells = alt.Chart(shown).encode(
        x=alt.X("to_event:N", title="next event", axis=alt.Axis(labelAngle=-40)),
        y=alt.Y("from_event:N", title="event"),
    )
    # Pale, so that the text is legible on it in any look.
    heat = cells.mark_rect(style="part").encode(
        opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.05, 0.6]), legend=None)
    )
    shares = cells.mark_text(style="number").encode(text=alt.Text("share:Q", format=".0%"))
    height = 30 * max(frequent.height, 1)
    counted = "with" if clicks else "without"
    title = f"Next event in the session, {counted} automatic clicks, most frequent events only (shares of each row)"
    return alt.layer(heat, shares).properties(title=title, width=WIDTH, height=height)


def _columns(counts: pl.DataFrame, name: str, title: str, heading: str) -> alt.Chart:
    return (
        alt.Chart(counts)
        .mark_bar(style="part")
        .encode(
            x=alt.X(f"{name}:N", title=title, sort=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("sessions:Q", title="sessions"),
        )
        .properties(title=heading, width=WIDTH, height=200)
    )

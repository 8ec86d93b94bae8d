"""The axis of time: instants in their true distances, labelled with what a zone's clocks show."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import altair as alt
import polars as pl

from analysis.metrics.zone import day_start, local_text, next_period, zone_of

__all__ = ["period_bars", "time_axis"]

MOST_TICKS = 8
# So many hours lie between two labels, by the number of days.
HOURS_APART = {1: 3, 2: 6, 3: 12}
ENDS = "period_ends"


def time_axis(periods: pl.Series, grain: str, zone: str, title: str | None = None) -> alt.X:
    """Make the axis of a chart over `periods`, whatever the time zone of the computer that draws it.

    What draws knows UTC and its own zone only. So the places of labels are instants, and their texts come with them.

    Args:
        periods: The instants at which hours or days begin; also the name of their column.
        grain: `hour` or `day`.
        zone: The IANA name of the zone.
        title: The axis's title, to which the zone's name is added. By default the grain.
    """
    ticks = _ticks(periods.to_list(), grain, zone)
    axis = alt.Axis(values=list(ticks), labelExpr=f"{json.dumps(ticks)}[toNumber(datum.value)]", labelOverlap=True)
    named = f"{title or grain} ({zone})"
    return alt.X(periods.name, type="temporal", title=named, scale=alt.Scale(type="utc"), axis=axis)


def period_bars(
    frame: pl.DataFrame, periods: str, grain: str, zone: str, title: str | None = None
) -> tuple[pl.DataFrame, dict[str, alt.X | alt.X2]]:
    """Prepare bars as wide as their hours or days, which need not be equally long.

    Args:
        frame: What the chart draws.
        periods: The column with the instants at which hours or days begin.
        grain: As for `time_axis`.
        zone: As for `time_axis`.
        title: As for `time_axis`.

    Returns:
        The frame, with another column that says when each period ends, and the encodings of both columns.
    """
    there = zone_of(zone)
    ends = [next_period(period, grain, there) for period in frame[periods]]
    # Without "binned", bars with two ends would lie on their sides.
    axis = time_axis(frame[periods], grain, zone, title).bin("binned")
    return frame.with_columns(pl.Series(ENDS, ends, pl.Datetime("us", "UTC"))), {"x": axis, "x2": alt.X2(ENDS)}


def _ticks(periods: list[datetime], grain: str, zone: str) -> dict[int, str]:
    """Choose the instants with a label: milliseconds since 1970, and the text."""
    if not periods:
        return {}
    there = zone_of(zone)
    first, last = min(periods), max(periods)
    days = list(_days(first, last, there))
    pattern = "%b %d" if days[0].astimezone(there).year == days[-1].astimezone(there).year else "%Y-%m-%d"
    ticks = {day: local_text(day, zone, pattern) for day in days[:: -(-len(days) // MOST_TICKS)]}
    if grain == "hour" and len(days) in HOURS_APART:
        ticks |= {
            hour: local_text(hour, zone, "%H:%M")
            for hour in _hours(days[0], last, there)
            if hour.astimezone(there).hour % HOURS_APART[len(days)] == 0 and hour not in days
        }
    return {round(moment.timestamp() * 1000): text for moment, text in sorted(ticks.items())}


def _days(first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    day = day_start(first.astimezone(zone).date(), zone)
    while day <= last:
        yield day
        day = day_start(day.astimezone(zone).date() + timedelta(days=1), zone)


def _hours(first: datetime, last: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    hour = first
    while hour <= last:
        yield hour
        hour = next_period(hour, "hour", zone)

"""Checks of `seq`: lost events, events that browsers dropped, and numbers that were given twice."""

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from analysis.checks.validation.evidence.parts import Parts, together
from analysis.checks.validation.finding import Check, counted
from analysis.checks.validation.objects import SCHEMA

__all__ = ["gaps_of", "has_gaps", "sequence_checks"]

TAB = ("client_id", "tab_id")
COLUMNS = (*TAB, "seq", "event_timestamp")


class _OfClients(NamedTuple):
    """What the events of some clients show."""

    gaps: pl.DataFrame
    numbers: int
    drops: pl.DataFrame
    repeated: pl.DataFrame


def sequence_checks(events: Parts, others: Parts | None = None, orphans: pl.DataFrame | None = None) -> list[Check]:
    """Check each tab's numbers: from its smallest to its largest, each number has to be there exactly once.

    Losses before a tab's first event in `events` and after its last one cannot be seen.

    Args:
        events: The events that are judged.
        others: Events that were received earlier or later: their numbers are not lost.
        orphans: Rows of the warehouse without an object, `client_id` and `event_timestamp`. Such an event did arrive:
            its object was deleted, which another check says. None without a warehouse.
    """
    found = [_of_clients(judged, known) for judged, known in _by_client(events, others)]
    gaps = _unexplained(pl.concat([each.gaps for each in found]).sort(*TAB, "first"), orphans)
    lost = int(gaps["lost"].sum())
    rate = lost / (lost + sum(each.numbers for each in found)) if lost else 0.0
    drops = pl.concat([each.drops for each in found]).sort("client_id")
    repeated = pl.concat([each.repeated for each in found]).sort(*TAB, "seq")
    return [
        Check(
            "lost_events",
            "error",
            counted(lost, f"event never arrived ({rate:.4%})", f"events never arrived ({rate:.4%})"),
            "none",
            "counted_drops counts the events that browsers dropped themselves. The others were lost on the way.",
            gaps.select(*TAB, "first", "last").to_dicts(),
        ),
        Check(
            "counted_drops",
            "warning",
            counted(int(drops["grew_by"].sum()), "event was dropped by a browser", "events were dropped by browsers"),
            "none",
            "Ingest was away for long (dropped.overflow) or refused the events (dropped.refused): see its log. "
            "Or the shop or the visitor withheld them (dropped.withheld).",
            drops.to_dicts(),
        ),
        Check(
            "repeated_seqs",
            "warning",
            counted(repeated.height, "seq number belongs to several events", "seq numbers belong to several events"),
            "none",
            "Two tabs use the same tabId, or another program than the publisher sends the events.",
            repeated.to_dicts(),
        ),
    ]


def has_gaps(events: Parts, others: Parts) -> bool:
    """Say whether a number is missing in any tab; arguments are as in `sequence_checks`."""
    return any(not gaps_of(judged, known).is_empty() for judged, known in _by_client(events, others))


def gaps_of(events: pl.DataFrame, others: pl.DataFrame | None = None) -> pl.DataFrame:
    """Find the numbers that are missing between two numbers of the same tab.

    Args:
        events: Columns `client_id`, `tab_id`, `seq` and `event_timestamp` (UTC), among others.
        others: Further events with these columns. Their numbers are not missing, but no gap begins or ends beyond the
            numbers of `events`.

    Returns:
        One row per gap: `client_id`, `tab_id`, `first` and `last` missing number, and `since` and `until`, the
        `event_timestamp` (UTC) of the event before and after the gap. Order: client_id, tab_id, first.
    """
    numbered = _numbered(events)
    return _gaps(numbered, _tabs(numbered), others)


def _tabs(numbered: pl.DataFrame) -> pl.DataFrame:
    """Count the events and the numbers of each tab, and give its least and its greatest number."""
    seq = pl.col("seq")
    return numbered.group_by(TAB).agg(events=pl.len(), numbers=seq.n_unique(), least=seq.min(), most=seq.max())


def _gaps(numbered: pl.DataFrame, tabs: pl.DataFrame, others: pl.DataFrame | None) -> pl.DataFrame:
    """Find gaps as `gaps_of` does. Most tabs have none, and are not looked at any further."""
    names = (*TAB, "seq", "event_timestamp")
    bounds = tabs.filter(pl.col("numbers") <= pl.col("most") - pl.col("least")).select(*TAB, "least", "most")
    known = numbered.select(names)
    if others is not None:
        known = pl.concat([known, _numbered(others).select(names)])
    times = known.join(bounds, on=TAB, how="semi").group_by(*TAB, "seq").agg(until=pl.col("event_timestamp").min())
    numbers = times.sort(*TAB, "seq").join(bounds, on=TAB, maintain_order="left")
    numbers = numbers.filter(pl.col("seq").is_between("least", "most"))
    previous, since = (pl.col(name).shift(1).over(TAB) for name in ("seq", "until"))
    gaps = numbers.with_columns(first=previous + 1, last=pl.col("seq") - 1, since=since)
    return gaps.filter(pl.col("first") <= pl.col("last")).select(*TAB, "first", "last", "since", "until")


def _by_client(events: Parts, others: Parts | None) -> Iterator[tuple[pl.DataFrame, ...]]:
    """Give the events that are judged and the others, each client's together. One without a client has no number."""
    known = Parts.of(pl.DataFrame(schema=SCHEMA)) if others is None else others
    is_known = pl.col("client_id").is_not_null()
    yield from together(
        "client_id",
        events.where(is_known).select(*COLUMNS, "event_id", "drops"),
        known.where(is_known & pl.col("seq").is_not_null()).select(*COLUMNS),
    )


def _of_clients(events: pl.DataFrame, others: pl.DataFrame) -> _OfClients:
    numbered = _numbered(events)
    tabs = _tabs(numbered)
    # Few tabs have a number twice: Polars takes long to make each list.
    several = numbered.join(tabs.filter(pl.col("events") > pl.col("numbers")), on=TAB, how="semi")
    shared = several.group_by(*TAB, "seq").agg(event_ids=pl.col("event_id").unique().sort())
    drops = (
        events.drop_nulls("drops")
        .group_by("client_id")
        .agg(grew_by=pl.col("drops").max() - pl.col("drops").min())
        .filter(pl.col("grew_by") > 0)
    )
    repeated = shared.filter(pl.col("event_ids").list.len() > 1)
    return _OfClients(_gaps(numbered, tabs, others), int(tabs["numbers"].sum()), drops, repeated)


def _unexplained(gaps: pl.DataFrame, orphans: pl.DataFrame | None) -> pl.DataFrame:
    """Add `lost`: the missing numbers without a row of the same client and time. Leave out gaps without any."""
    missing = gaps.with_columns(lost=pl.col("last") - pl.col("first") + 1)
    if orphans is None or orphans.is_empty():
        return missing
    of_clients = orphans.select("client_id", at="event_timestamp").drop_nulls("client_id")
    within = missing.join(of_clients, on="client_id").filter(pl.col("at").is_between("since", "until"))
    explained = within.group_by(*TAB, "first").agg(rows=pl.len())
    found = missing.join(explained, on=[*TAB, "first"], how="left", maintain_order="left")
    return found.with_columns(lost=pl.col("lost") - pl.col("rows").fill_null(0)).filter(pl.col("lost") > 0)


def _numbered(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.all_horizontal(pl.col(*TAB, "seq").is_not_null()))

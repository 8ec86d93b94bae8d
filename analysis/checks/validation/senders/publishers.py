"""Check for other publishers: they keep the contract, but never send what ours always sends."""

from collections.abc import Sequence

import polars as pl

from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check, counted, grouped
from analysis.rows.oddities.judging import required_members

__all__ = ["MANY", "first_event_only", "never_sent", "publisher_check"]

MANY = 20  # events: if so many of one publisher all lack a member, that is no slip
SESSIONS = 5  # that begin with a first visit: if most of them say so only once, that is no slip
# What our publisher sends with every event although no event needs it, by the column that shows it.
NUMBERED = {"tabId": "tab_id", "seq": "seq"}


def publisher_check(events: Parts, first_only: Sequence[str | None] | None = None) -> Check:
    """Report each publisher that is not like ours, once, with all that is different.

    Args:
        events: The events.
        first_only: What `first_event_only` says of them, if somebody has asked already.
    """
    first_only = first_event_only(events) if first_only is None else first_only
    fields = never_sent(events).group_by("publisher").agg(fields=pl.col("field").sort())
    once = pl.DataFrame({"publisher": first_only, "once": True}, {"publisher": pl.String, "once": pl.Boolean})
    never = [pl.col(column).is_null().all().alias(member) for member, column in NUMBERED.items()]
    silent = [part.group_by("publisher").agg(never) for part in events.frames("publisher", *NUMBERED.values())]
    found = (
        grouped(events.frames("publisher", "event_timestamp", "key"), "publisher")
        .join(pl.concat(silent).group_by("publisher").agg(pl.col(*NUMBERED).all()), on="publisher", nulls_equal=True)
        .join(fields, on="publisher", how="left", nulls_equal=True)
        .join(once, on="publisher", how="left", nulls_equal=True)
        .filter(pl.col("fields").is_not_null() | pl.col("once").is_not_null())
        .sort("publisher", nulls_last=True)
    )
    findings: list[dict[str, object]] = [
        {
            "publisher": row["publisher"] or "without a name",
            "events": row["events"],
            "differences": "; ".join(_differences(row)),
            "key": row["key"],
        }
        for row in found.iter_rows(named=True)
    ]
    return Check(
        "other_publishers",
        "warning",
        counted(len(findings), "publisher is not like ours", "publishers are not like ours"),
        "publishers that send what each event needs",
        "Change that publisher, or know what is missing: docs/contract.md lists what events need, and without tabId "
        "and seq no loss can be seen. The other checks do not repeat these differences.",
        findings,
    )


def never_sent(events: Parts) -> pl.DataFrame:
    """Find the members that a publisher never sends although its events need them.

    Returns:
        `publisher` and `field`, one row for each such member. A member that every event needs counts if the publisher
        has MANY events or more. One that events of some names need counts too if these are MANY, or if another member
        counts already.
    """
    on = ["publisher", "event_name", "field"]
    counts = [_members(part) for part in events.frames("publisher", "event_name", "missing")]
    totals = pl.concat([total for total, _ in counts]).group_by(on[:2]).agg(pl.col("total").sum())
    lacks = pl.concat([lacking for _, lacking in counts]).group_by(on).agg(pl.col("lacking").sum())
    names = totals["event_name"].unique().drop_nulls()
    needs = pl.DataFrame(
        {"event_name": names, "field": [required_members(name) for name in names]},
        {"event_name": pl.String, "field": pl.List(pl.String)},
    ).explode("field")
    never = (
        totals.join(needs, on="event_name")
        .join(lacks, on=on, how="left", nulls_equal=True)
        .group_by("publisher", "field")
        .agg(pl.col("total", "lacking").sum())
        .filter(pl.col("lacking") == pl.col("total"))
    )
    many = never.filter(pl.col("total") >= MANY)
    others = never.join(many, on="publisher", how="semi", nulls_equal=True)
    return others.select("publisher", "field")


def first_event_only(events: Parts) -> list[str | None]:
    """Name the publishers that send `isFirstVisit` with the first event of a first session only."""
    columns = ("publisher", "session_id", "is_first_visit", "event_timestamp", "key")
    known = events.where(pl.col("session_id").is_not_null())
    sessions = pl.concat([_first_sessions(part) for part in known.groups("session_id", *columns)])
    publishers = sessions.group_by("publisher").agg(pl.col("sessions", "once").sum())
    found = publishers.filter((pl.col("sessions") >= SESSIONS) & (pl.col("once") > pl.col("sessions") / 2))
    return found["publisher"].to_list()


def _members(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Count the events of each publisher and name; and by member, how many of them lack it."""
    senders = ("publisher", "event_name")
    totals = events.group_by(senders).agg(total=pl.len())
    return totals, events.explode("missing").group_by(*senders, field="missing").agg(lacking=pl.len())


def _first_sessions(events: pl.DataFrame) -> pl.DataFrame:
    """Count each publisher's first sessions, and how many say so `once`. All events of a session are here."""
    is_first = pl.col("is_first_visit").fill_null(value=False)
    every = events.group_by("publisher", "session_id").agg(events=pl.len(), firsts=is_first.sum())
    # Which of its events comes first matters only if not all of them say the same.
    whole = every.filter((pl.col("firsts") == pl.col("events")) & (pl.col("events") > 1))
    mixed = every.filter((pl.col("firsts") > 0) & (pl.col("firsts") < pl.col("events")))
    on = ["publisher", "session_id"]
    sessions = (
        events.join(mixed, on=on, how="semi", nulls_equal=True)
        .sort("session_id", "event_timestamp", "key")
        .group_by("publisher", "session_id", maintain_order=True)
        .agg(pl.col("is_first_visit").fill_null(value=False), begins=pl.col("is_first_visit").first())
        .filter("begins")
        .select(*on, once=pl.col("is_first_visit").list.sum() == 1)
    )
    sessions = pl.concat([sessions, whole.select(*on, once=pl.lit(value=False))])
    return sessions.group_by("publisher").agg(pl.col("once").sum(), sessions=pl.len())


def _differences(row: dict[str, object]) -> list[str]:
    fields = row["fields"] if isinstance(row["fields"], list) else []
    never = [*fields, *(member for member in NUMBERED if row[member])]
    said = [f"never sends {', '.join(never)}"] if never else []
    return said + ["sends isFirstVisit with the first event only"] * bool(row["once"])

"""Check for other publishers: they keep the contract, but never send what ours always sends."""

import polars as pl

from analysis.checks.validation.finding import Check, counted
from analysis.checks.validation.members import required_members

__all__ = ["MANY", "first_event_only", "never_sent", "publisher_check"]

MANY = 20  # events: if so many of one publisher all lack a member, that is no slip
SESSIONS = 5  # that begin with a first visit: if most of them say so only once, that is no slip
# What our publisher sends with every event although no event needs it, by the column that shows it.
NUMBERED = {"tabId": "tab_id", "seq": "seq"}


def publisher_check(events: pl.DataFrame) -> Check:
    """Report each publisher that is not like ours, once, with all that is different."""
    fields = never_sent(events).group_by("publisher").agg(fields=pl.col("field").sort())
    once = pl.DataFrame(
        {"publisher": first_event_only(events), "once": True}, {"publisher": pl.String, "once": pl.Boolean}
    )
    found = (
        events.sort("event_timestamp", "key")
        .group_by("publisher")
        .agg(
            pl.col("key").first(),
            *(pl.col(column).is_null().all().alias(member) for member, column in NUMBERED.items()),
            events=pl.len(),
        )
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


def never_sent(events: pl.DataFrame) -> pl.DataFrame:
    """Find the members that a publisher never sends although its events need them.

    Returns:
        `publisher` and `field`, one row for each such member. A member that every event needs counts if the publisher
        has MANY events or more. One that events of some names need counts too if these are MANY, or if another member
        counts already.
    """
    names = events["event_name"].unique().drop_nulls()
    needs = pl.DataFrame(
        {"event_name": names, "field": [required_members(name) for name in names]},
        {"event_name": pl.String, "field": pl.List(pl.String)},
    ).explode("field")
    totals = events.group_by("publisher", "event_name").agg(total=pl.len())
    lacks = events.explode("missing").group_by("publisher", "event_name", field="missing").agg(lacking=pl.len())
    on = ["publisher", "event_name", "field"]
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


def first_event_only(events: pl.DataFrame) -> list[str | None]:
    """Name the publishers that send `isFirstVisit` with the first event of a first session only."""
    known = events.drop_nulls("session_id").sort("session_id", "event_timestamp", "key")
    sessions = (
        known.group_by("publisher", "session_id", maintain_order=True)
        .agg(pl.col("is_first_visit").fill_null(value=False), begins=pl.col("is_first_visit").first())
        .filter(pl.col("begins") & (pl.col("is_first_visit").list.len() > 1))
        .with_columns(once=pl.col("is_first_visit").list.sum() == 1)
    )
    publishers = sessions.group_by("publisher").agg(sessions=pl.len(), share=pl.col("once").mean())
    found = publishers.filter((pl.col("sessions") >= SESSIONS) & (pl.col("share") > 0.5))
    return found["publisher"].to_list()


def _differences(row: dict[str, object]) -> list[str]:
    fields = row["fields"] if isinstance(row["fields"], list) else []
    never = [*fields, *(member for member in NUMBERED if row[member])]
    said = [f"never sends {', '.join(never)}"] if never else []
    return said + ["sends isFirstVisit with the first event only"] * bool(row["once"])

"""The ledger: accounts for every event that browsers numbered, whether it was received, lost or dropped."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from analysis.checks.validation.clocks import MOST_LATE, SECOND, timed
from analysis.checks.validation.sequences import gaps_of
from analysis.raw.partitions import covering_hours, hour_of
from analysis.rows.fields import KEY
from analysis.rows.reader import read_hours
from analysis.rows.selection import DAY, RECEIPT
from command_line.progress import progress

__all__ = ["COUNTS", "account", "total"]

# What browsers dropped, by the client's own counters.
DROPPED = {"overflowed": "dropped_overflow", "refused": "dropped_refused", "withheld": "dropped_withheld"}
# sent = the sum of these; the last three of COUNTS are not part of it.
PARTS = ("received", "lost", *DROPPED)
COUNTS = ("sent", *PARTS, "late", "repeated", "rejected")
FIELDS = (KEY, "tab_id", "seq", *DROPPED.values(), "sent_event_timestamp", "received_at")
NUMBERED = ("tab_id", "seq")
HOUR = pl.col("event_timestamp").dt.truncate("1h")


def account(
    source: str | Path, start: datetime, end: datetime, *, by_client: bool = False, lookback: timedelta = DAY
) -> pl.DataFrame:
    """Account for the events of a span of hours in UTC.

    A tab's events carry numbers (`seq`). A number that is missing between two numbers of a tab counts in the hour in
    which the tab's next event was received. It counts as `overflowed`, `refused` or `withheld` as far as the client's
    own counters grew in that hour, and as `lost` otherwise. Losses before a tab's first event of the span and after its
    last one cannot be seen. A number of an event of the lookback, or of so long after the span, is not missing.

    Args:
        source: The raw bucket, as for `read_events`.
        start: The first moment, aware. Partitions are hours in UTC: all events of the hours that cover the span count.
        end: The moment after the last, aware.
        by_client: Give a row per client instead of per hour.
        lookback: How long before the span an event may have been received first that came again in it; and how long
            after it an event may be received whose number is missing in it.

    Returns:
        One row per hour of receipt (`hour`, UTC) or per client (`client_id`; null for events without one), ordered by
        that column, nulls last. The other columns are COUNTS:

        - `sent`: received + lost + overflowed + refused + withheld: all numbers that browsers gave.
        - `received`: events, each once. An event that was first received in the lookback is not one of them.
        - `lost`, `overflowed`, `refused`, `withheld`: missing numbers, as described above.
        - `late`: events that took more than five minutes longer than their client's quickest event. The comparison is
          within one client, because its clock may be wrong.
        - `repeated`: duplicates, which are further objects of received events.
        - `rejected`: objects that are not events, in the hour of their key.

    Raises:
        AnalysisError: As in `read_events`.
    """
    first, last = covering_hours(start, end)
    received, corrupt = _read(source, first, last, FIELDS)
    earlier, _ = _read(source, min(first, start - lookback), first, NUMBERED)
    received = received.sort(*RECEIPT).drop(KEY)
    is_event = pl.col("event_id").is_first_distinct() & ~pl.col("event_id").is_in(earlier["event_id"].implode())
    received = received.with_columns(is_event=is_event).drop("event_id")
    events = received.filter("is_event")
    others = earlier
    now = datetime.now(UTC)
    if last < now and not gaps_of(events, earlier).is_empty():
        # Only then: a number that is missing may have arrived after the span.
        later, _ = _read(source, last, max(last, min(end + lookback, now)), NUMBERED)
        others = pl.concat([earlier, later])
    by = "client_id" if by_client else "hour"
    parts = [
        _count(events, by, "received"),
        _count(received.filter(~pl.col("is_event")), by, "repeated"),
        _count(_late(events), by, "late"),
        _missing(events, gaps_of(events, others).filter(pl.col("until") >= first), by),
        _rejected(corrupt, by),
    ]
    together = pl.concat(parts, how="diagonal").group_by(by).agg(pl.all().sum()).sort(by, nulls_last=True)
    return together.with_columns(sent=pl.sum_horizontal(*PARTS)).select(by, *COUNTS)


def _read(
    source: str | Path, start: datetime, end: datetime, fields: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read all objects of some hours, a day at a time, and keep the columns that count; and the rejects."""
    names = ("event_id", "event_timestamp", "client_id", *fields)
    frames, corrupt = [], []
    starts = [start + number * DAY for number in range(-(-(end - start) // DAY))] or [start]
    with progress("reading hours", len(starts)) as advance:
        for first in starts:
            read = read_hours(source, first, min(first + DAY, end), fields=fields, keep_duplicates=True, bar=False)
            frames.append(read.frame.select(names))
            corrupt.append(read.corrupt)
            advance(1)
    return pl.concat(frames), pl.concat(corrupt)


def total(ledger: pl.DataFrame) -> dict[str, int]:
    """Add up the rows of a ledger, by the names of COUNTS."""
    return {name: int(ledger[name].sum()) for name in COUNTS}


def _count(frame: pl.DataFrame, by: str, name: str) -> pl.DataFrame:
    key = HOUR if by == "hour" else pl.col(by)
    return frame.group_by(key.alias(by)).agg(pl.len().cast(pl.Int64).alias(name))


def _late(events: pl.DataFrame) -> pl.DataFrame:
    return timed(events.rename({"sent_event_timestamp": "sent_at"})).filter(pl.col("delay") > MOST_LATE * SECOND)


def _missing(events: pl.DataFrame, gaps: pl.DataFrame, by: str) -> pl.DataFrame:
    """Count missing numbers as dropped by the client's own counters, and the rest as `lost`.

    One tab's event may report what another tab dropped. So gaps and counters are compared per client and hour, not per
    tab.
    """
    counts = [
        gaps.select("client_id", hour=pl.col("until").dt.truncate("1h"), gap=pl.col("last") - pl.col("first") + 1),
        *(_grown(events, counter).rename({"grown": name}) for name, counter in DROPPED.items()),
    ]
    frame = pl.concat(counts, how="diagonal").group_by("client_id", "hour").agg(pl.all().sum())
    lost = (pl.col("gap") - pl.sum_horizontal(*DROPPED)).clip(lower_bound=0)
    return frame.with_columns(lost=lost).group_by(by).agg(pl.col("lost", *DROPPED).sum())


def _grown(events: pl.DataFrame, counter: str) -> pl.DataFrame:
    """Give `client_id`, `hour` and `grown`: by how much the counter grew with each event that carries it."""
    counted = events.filter(pl.all_horizontal(pl.col("client_id", counter).is_not_null())).sort(
        "event_timestamp", maintain_order=True
    )
    high = counted.with_columns(high=pl.col(counter).cum_max().over("client_id"))
    grown = (pl.col("high") - pl.col("high").shift(1).over("client_id")).fill_null(0)
    return high.select("client_id", hour=HOUR, grown=grown)


def _rejected(corrupt: pl.DataFrame, by: str) -> pl.DataFrame:
    hour = pl.col(KEY).map_elements(hour_of, pl.Datetime("us", "UTC"))
    key = hour if by == "hour" else pl.lit(None, pl.String)
    return corrupt.group_by(key.alias(by)).agg(rejected=pl.len().cast(pl.Int64))

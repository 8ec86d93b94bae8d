"""What the reconciler asks the warehouse about one hour, and the table in which it records what it found."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from chalicelib.contract import TABLE
from chalicelib.errors import WarehouseUnavailable
from chalicelib.warehouse.client import Warehouse, reason
from chalicelib.warehouse.tables import HOURS, REJECTS, SETTINGS

__all__ = ["HourRecord", "HourTable", "Moment", "moments"]

# The first statement of the transaction decides what all of them see.
ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
COUNT = f"SELECT count(*) FROM {TABLE} WHERE event_timestamp >= %s AND event_timestamp < %s"  # noqa: S608  # our own names, here and below
REJECTED = f"SELECT key FROM {REJECTS} WHERE bucket = %s AND starts_with(key, %s)"  # noqa: S608
# Compared here, since PostgreSQL knows years that Python does not.
KNOWN = f"""
SELECT asked.number, events.event_timestamp = asked.event_timestamp
FROM unnest(%s::uuid[], %s::timestamptz[]) WITH ORDINALITY AS asked (event_id, event_timestamp, number)
JOIN {TABLE} AS events ON events.event_id = asked.event_id
"""  # noqa: S608
HORIZON = f"SELECT value FROM {SETTINGS} WHERE name = 'horizon'"  # noqa: S608
HOUR = timedelta(hours=1)


class HourRecord(NamedTuple):
    """What became of the objects of one hour, as `clickstream_hours` has it.

    Attributes:
        hour: Its start, UTC.
        objects: How many objects lie in raw.
        rows: How many of them gave their event its row.
        rejects: How many can become no row.
        repeats: Another object gave the row of the event.
        erased: The warehouse keeps the event's person out.
        before_horizon: The row would be older than the warehouse keeps rows.
        digest: Of keys and times of the objects.
        checked_at: When the hour was compared.
        complete: Whether these counts add up to `objects`.
    """

    hour: datetime
    objects: int
    rows: int
    rejects: int
    repeats: int
    erased: int
    before_horizon: int
    digest: str
    checked_at: datetime
    complete: bool


_NAMES = ", ".join(HourRecord._fields)
_NEW = ", ".join(f"{name} = EXCLUDED.{name}" for name in HourRecord._fields[1:])
_PLACES = ", ".join(["%s"] * len(HourRecord._fields))
RECORD = f"INSERT INTO {HOURS} ({_NAMES}) VALUES ({_PLACES}) ON CONFLICT (hour) DO UPDATE SET {_NEW}"  # noqa: S608
CHECKED = f"SELECT hour, checked_at FROM {HOURS} WHERE hour = ANY(%s)"  # noqa: S608


class HourTable:
    """The table `clickstream_hours`; it is added to a warehouse that lacks it, if the role may do that."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def checked(self, hours: Sequence[datetime]) -> dict[datetime, datetime]:
        """Give when each of these hours was compared, as far as it was. Raises WarehouseUnavailable."""
        return {
            hour.astimezone(UTC): at.astimezone(UTC)
            for hour, at in self._warehouse.execute(CHECKED, (list(hours),)).fetchall()
        }

    def record(self, record: HourRecord) -> None:
        """Record what was found, in place of what was found before. Raises WarehouseUnavailable."""
        self._warehouse.execute(RECORD, tuple(record))


class Moment:
    """The warehouse as it was at one moment, however long it is asked. Every method raises WarehouseUnavailable."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def rows(self, hour: datetime) -> int:
        """Count the rows whose time lies in one hour."""
        return int(self._ask(COUNT, (hour, hour + HOUR))[0][0])

    def rejects(self, bucket: str, prefix: str) -> frozenset[str]:
        """Give the keys of the rejects below a prefix."""
        return frozenset(key for (key,) in self._ask(REJECTED, (bucket, prefix)))

    def horizon(self) -> datetime | None:
        """Give the start of the first day whose rows are kept, UTC; None if all are kept."""
        found = self._ask(HORIZON, ())
        return datetime.combine(date.fromisoformat(found[0][0]), time(), UTC) if found else None

    def known(self, events: Sequence[tuple[UUID, datetime]]) -> list[bool | None]:
        """Give for each id and time whether the row of this id has this time; None if there is no row."""
        ids, times = [event_id for event_id, _ in events], [time for _, time in events]
        found = dict(self._ask(KNOWN, (ids, times)))
        return [found.get(number) for number in range(1, len(events) + 1)]

    def _ask(self, query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode(), parameters or None).fetchall()


class Moments:
    """A connection of its own, over which the warehouse is asked about several moments, one after the other."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    @contextmanager
    def now(self) -> Iterator[Moment]:
        """Give the warehouse as it is when it is first asked in this block. Raises WarehouseUnavailable."""
        with _unavailable(), self._connection.transaction():
            self._connection.execute(ONE_MOMENT)
            yield Moment(self._connection)


@contextmanager
def moments(warehouse: Warehouse) -> Iterator[Moments]:
    """Open a connection beside that over which rows are inserted, for one run. Raises WarehouseUnavailable."""
    with _unavailable(), warehouse.another() as connection:
        yield Moments(connection)


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise WarehouseUnavailable(f"the warehouse failed: {reason(error)}") from error

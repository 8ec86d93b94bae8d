"""Loads raw objects in bulk: reads some at once, copies their rows into a temporary table, and inserts them."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import psycopg
from botocore.exceptions import ClientError

from chalicelib.contract import EVENT_TIMESTAMP
from chalicelib.errors import InvalidEvent, ObjectGone, StorageUnavailable
from chalicelib.flatten import Row, flatten
from chalicelib.storage import RawStorage
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.staging import COPY, FORGET_ERASED, INSERT, MISSING, RECEIVED, SETTLE_REJECTS
from chalicelib.warehouse.tables import INSERT_REJECT, REJECTS
from chalicelib.warehouse.tombstones import is_guarded

__all__ = ["Loader", "Raw", "Settled"]

READERS = 32
WINDOW = 256  # bodies in memory at once; each has at most 1 MiB
# S3 refuses the object itself with these, whoever asks again.
OF_THE_OBJECT = ("AccessDenied", "InvalidObjectState")


@dataclass(frozen=True)
class Raw:
    """The raw bucket, and how its events become rows."""

    storage: RawStorage
    bucket: str
    price_decimals: int

    def rows(self, keys: Iterable[str]) -> Iterator[tuple[str, Row | InvalidEvent | ObjectGone | StorageUnavailable]]:
        """Read objects, many at once, and give each one's row in the order of the keys, or why there is none.

        A StorageUnavailable that is given is about the object alone: it may not be read.

        Raises:
            StorageUnavailable: S3 does not answer, or refuses everything.
        """
        waiting = iter(keys)
        with ThreadPoolExecutor(READERS) as pool:
            while window := list(islice(waiting, WINDOW)):
                yield from zip(window, pool.map(self._row, window), strict=True)

    def _row(self, key: str) -> Row | InvalidEvent | ObjectGone | StorageUnavailable:
        try:
            raw = self.storage.get(self.bucket, key)
            return flatten(raw.body, key, raw.last_modified, self.price_decimals)
        except (InvalidEvent, ObjectGone) as error:
            return error
        except StorageUnavailable as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in OF_THE_OBJECT:
                return error
            raise


class Settled(NamedTuple):
    """Counts of what was loaded together.

    `events` are valid, and `added` of them became rows; `erased` are of erased people; `rejected` are not valid events.
    `recovered` are rejects of before that are rows now; `before_horizon` would be rows older than the warehouse keeps.
    """

    events: int
    added: int
    erased: int
    rejected: int
    recovered: int
    before_horizon: int


@dataclass
class Loader:
    """Takes objects, and inserts all of them at once or none.

    Attributes:
        connection: A connection that commits nothing by itself, of the owner of the tables.
        raw: Where the objects are.
        horizon: The time from which on rows are kept; None for all.
        dry_run: Only count.
    """

    connection: psycopg.Connection
    raw: Raw
    horizon: datetime | None
    dry_run: bool = False
    taken: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    _before_horizon: int = 0

    def __post_init__(self) -> None:
        self.connection.execute(RECEIVED.encode())
        self.connection.commit()

    def take(self, keys: Iterable[str]) -> None:
        """Read objects, and add their rows to the ones that wait."""
        with self.connection.cursor() as cursor, cursor.copy(COPY.encode()) as copy:
            for key, row in self.raw.rows(keys):
                if isinstance(row, InvalidEvent):
                    self.rejected.append((key, str(row)))
                elif isinstance(row, ObjectGone):
                    self.gone.append(key)
                elif isinstance(row, StorageUnavailable):
                    self.unreadable.append((key, str(row)))
                elif self._is_kept(row):
                    copy.write_row((key, *row))
                    self.taken.append(key)
                else:
                    self._before_horizon += 1

    def _is_kept(self, row: Row) -> bool:
        received_at = row[EVENT_TIMESTAMP]
        return self.horizon is None or not isinstance(received_at, datetime) or received_at >= self.horizon

    def settle(self) -> Settled:
        """Insert what waits, record what is not valid, delete rejects that are rows now, and commit."""
        execute = self.connection.execute
        erased = execute(FORGET_ERASED.encode()).rowcount if is_guarded(self.connection) else 0
        recovered = 0
        if self.dry_run:
            (added,) = execute(MISSING.encode()).fetchone() or (0,)
            self.connection.rollback()
        else:
            added = execute(INSERT.encode()).rowcount
            if has_table(self.connection, REJECTS):
                recovered = execute(SETTLE_REJECTS.encode(), (self.raw.bucket,)).rowcount
            self._record(self.rejected)
            self.connection.commit()
        done = Settled(len(self.taken) - erased, added, erased, len(self.rejected), recovered, self._before_horizon)
        self.taken, self.rejected, self._before_horizon = [], [], 0
        return done

    def _record(self, rejected: Sequence[tuple[str, str]]) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(INSERT_REJECT.encode(), [(self.raw.bucket, key, why) for key, why in rejected])

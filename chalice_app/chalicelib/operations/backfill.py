"""One slice of a backfill: inserts rows for the objects of some hours, until the time is up, and says how far it came.

Also projects single objects once more.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from chalicelib.keys import SUFFIX, is_in_hour
from chalicelib.operations.loading import Loader, Raw, Settled

__all__ = ["Time", "backfill", "retry"]


@dataclass(frozen=True)
class Time:
    """How much time a slice has.

    Attributes:
        is_up: Whether to begin no further hour.
        is_short: Whether to end within an hour, since Lambda would end the function soon.
    """

    is_up: Callable[[], bool]
    is_short: Callable[[], bool]


@dataclass
class _Slice:
    """How far a slice came: `hours` are done as a whole, and of the next one the keys up to `after`."""

    hours: int = 0
    after: str = ""
    objects: int = 0
    added: int = 0
    known: int = 0
    rejected: int = 0
    erased: int = 0
    recovered: int = 0
    before_horizon: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def count(self, done: Settled) -> None:
        self.objects += done.events + done.rejected + done.erased + done.before_horizon
        self.added += done.added
        self.known += done.events - done.added
        self.rejected += done.rejected
        self.erased += done.erased
        self.recovered += done.recovered
        self.before_horizon += done.before_horizon


def backfill(
    connection: psycopg.Connection,
    raw: Raw,
    hours: Sequence[str],
    *,
    after: str,
    horizon: datetime | None,
    dry_run: bool,
    time: Time,
) -> dict[str, Any]:
    """Insert the rows that some hours lack.

    Each hour is inserted as a whole, unless it takes longer than Lambda gives a function: then what was read of it is
    inserted, and the next slice goes on behind it.

    Args:
        connection: A connection that commits nothing by itself, of the owner of the tables.
        raw: Where the objects are.
        hours: `events/YYYY/MM/DD/HH/`, in order.
        after: The key of the first hour up to which it is done; empty to begin with.
        horizon: The time from which on rows are kept; None for all.
        dry_run: Only count.
        time: How much time there is.

    Returns:
        Counts by what became of the objects, and where to go on: after so many `hours`, behind the key `after`.
    """
    loader = Loader(connection, raw, horizon, dry_run)
    done = _Slice()
    for hour in hours:
        done.after = _load(loader, hour, after if not done.hours else "", time)
        done.count(loader.settle())
        if done.after:
            break
        done.hours += 1
        if time.is_up():
            break
    done.unreadable = loader.unreadable
    return asdict(done)


def _load(loader: Loader, hour: str, after: str, time: Time) -> str:
    """Take the objects of an hour; give the last key if the time was over before its end, else an empty text."""
    raw = loader.raw
    for keys in raw.storage.keys(raw.bucket, hour, after):
        loader.take(key for key in keys if key.endswith(SUFFIX))
        if time.is_short():
            return keys[-1]
    return ""


def retry(connection: psycopg.Connection, raw: Raw, keys: Sequence[str]) -> dict[str, list[str]]:
    """Project objects once more, whatever their age: whoever names a key wants its row.

    Returns:
        The keys by outcome: `recovered` are rows now, `rejected` are no valid events or in no hour, `gone` are not in
        raw.

    Raises:
        StorageUnavailable: An object may not be read.
    """
    loader = Loader(connection, raw, horizon=None)
    loader.take(key for key in keys if is_in_hour(key))
    if loader.unreadable:
        key, _ = loader.unreadable[0]
        raw.storage.get(raw.bucket, key)  # raises again what S3 said
    recovered = list(loader.taken)
    rejected = [key for key, _ in loader.rejected] + [key for key in keys if not is_in_hour(key)]
    loader.settle()
    return {"recovered": recovered, "rejected": rejected, "gone": loader.gone}

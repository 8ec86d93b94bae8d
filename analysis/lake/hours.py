"""The record of each hour that was compacted: what its objects became. It outlives snapshots.

One small JSON file a day, `hours/YYYY-MM-DD.json` in the lake, is written as a whole. An hour without a record, or
whose record does not match, is compacted again.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from analysis.errors import AnalysisError
from analysis.raw.partitions import SCHEME

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store

__all__ = ["Hour", "Records", "hash_of_names", "modified_ns"]

FOLDER = "hours/"
# A directory that changed so recently may change again without another time.
SETTLED_NS = 1_000_000_000


@dataclass(frozen=True)
class Hour:
    """What became of the objects of one hour: `rows` + `repeats` + `rejects` + `erased` = `objects`.

    Attributes:
        objects: How many objects were read.
        rows: Events of which this hour's object was received first.
        repeats: Objects of events that were received before.
        rejects: Objects that are not events.
        erased: Objects of erased people.
        ids: A hash over the event ids of the rows.
        keys: A hash over the keys of the objects.
        compacted_at: When the hour was compacted, UTC, ISO-8601.
        version: The version of the columns, `analysis.lake.schema.LAKE_VERSION`.
        modified_ns: When the hour's directory changed last, in nanoseconds; null in S3, or if nobody can rely on it.
        first_in: The other hours that hold the events which these objects repeat.
        others: The names of the objects that are not rows, so that a reader need not list the hour to find them; null
            if they are many, or are not known any more.
        evidence: By which key and which rules the columns for validation were made, as `Evidence.mark` gives it.
    """

    objects: int
    rows: int
    repeats: int
    rejects: int
    erased: int
    ids: str
    keys: str
    compacted_at: str
    version: int
    modified_ns: int | None = None
    first_in: tuple[str, ...] = ()
    others: tuple[str, ...] | None = None
    evidence: str | None = None

    @property
    def adds_up(self) -> bool:
        """Whether every object is accounted for."""
        return self.rows + self.repeats + self.rejects + self.erased == self.objects


class Records:
    """The records of one lake, read once.

    Args:
        store: The files of the lake.
        days: The days to read; by default all. A writer needs all.
    """

    def __init__(self, store: "LocalStore | S3Store", days: Iterable[date] | None = None) -> None:
        self._store = store
        self._days: dict[date, dict[datetime, Hour]] = {}
        if days is not None:
            self._days |= {day: self._read(f"{FOLDER}{day}.json") for day in days}
            return
        for page in store.list(FOLDER):
            for item in page:
                name = item["path"].removeprefix(FOLDER)
                if name.endswith(".json"):
                    day = date.fromisoformat(name.removesuffix(".json"))
                    self._days[day] = self._read(item["path"])

    @property
    def hours(self) -> dict[datetime, Hour]:
        """Every record by its hour, in UTC."""
        return {hour: record for day in self._days.values() for hour, record in day.items()}

    def get(self, hour: datetime) -> Hour | None:
        """The record of an hour, if there is one."""
        return self._days.get(hour.date(), {}).get(hour)

    def of_day(self, day: date) -> dict[datetime, Hour]:
        """The records of one day."""
        return dict(self._days.get(day, {}))

    def write(self, changed: Mapping[datetime, Hour | None]) -> None:
        """Write records; None removes one. The file of each day is replaced as a whole."""
        for day in sorted({hour.date() for hour in changed}):
            records = self._days[day] = self._read(f"{FOLDER}{day}.json")  # somebody else may have written it
            for hour, record in changed.items():
                if hour.date() != day:
                    continue
                if record is None:
                    records.pop(hour, None)
                else:
                    records[hour] = record
            content = {f"{hour:%Y-%m-%dT%H}": asdict(records[hour]) for hour in sorted(records)}
            self._store.put(f"{FOLDER}{day}.json", json.dumps(content, indent=1).encode())

    def _read(self, path: str) -> dict[datetime, Hour]:
        try:
            content = json.loads(bytes(self._store.get(path).bytes()))
            return {
                datetime.fromisoformat(f"{hour}:00+00:00"): Hour(
                    **{**record, "first_in": tuple(record["first_in"]), "others": _names(record.get("others"))}
                )
                for hour, record in content.items()
            }
        except (FileNotFoundError, ValueError, TypeError, KeyError, AttributeError):
            return {}  # its hours are compacted again


def _names(recorded: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if recorded is None else tuple(recorded)


def hash_of_names(names: Iterable[str]) -> str:
    """Give one hash over ids or keys, whatever their order."""
    ordered = pl.Series(list(names) if not isinstance(names, pl.Series) else names, dtype=pl.String).sort()
    return hashlib.sha256((ordered.str.join("\n").item() or "").encode()).hexdigest()


def modified_ns(source: str | Path, prefix: str) -> int | None:
    """Say when the directory of an hour changed last.

    Args:
        source: The raw bucket.
        prefix: The hour, `events/YYYY/MM/DD/HH/`.

    Returns:
        The time in nanoseconds; None in S3, if there is no such directory, if other directories lie in it, or if it
        changed within the last second.
    """
    if str(source).startswith(SCHEME):
        return None
    directory = Path(source) / prefix
    try:
        found = directory.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AnalysisError(f"cannot list {directory}: {error.strerror}") from error
    # Each directory in it adds a link, except on file systems that count none.
    has_folders = found.st_nlink != 2
    is_settled = time.time_ns() - found.st_mtime_ns > SETTLED_NS
    return found.st_mtime_ns if is_settled and not has_folders else None

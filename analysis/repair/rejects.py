"""Rejects, the objects that are not valid events: lists them, projects them again, dismisses them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from analysis.engines.warehouse import WarehouseEvents
from analysis.errors import AnalysisError, NoTable
from analysis.raw.partitions import Folder
from analysis.raw.source import Source, bucket_of, open_source
from analysis.raw.tombstones import Tombstones, read_tombstones
from analysis.repair.backfill.staging import staging
from analysis.repair.connection import connected
from analysis.repair.operations import Operations, batches_of, operations_of, stones_of
from analysis.rows.prices import checked_decimals
from analysis.rows.projection import Projection
from chalicelib.keys import is_in_hour
from chalicelib.warehouse.tables import DISMISS, REJECTS

__all__ = ["Reject", "Retried", "dismiss", "open_rejects", "rejects", "retry", "stored"]

# To read is not to upgrade: in an older warehouse the column `dismissed` may be missing.
SELECT = f"""
SELECT bucket, key, reason, first_seen, to_jsonb(reject) ->> 'dismissed' AS dismissed
FROM {REJECTS} AS reject
WHERE bucket = $bucket
ORDER BY first_seen, key
"""  # noqa: S608  # our own name
RETRIED = 1000  # objects that the function of a stage tries again at once


@dataclass(frozen=True)
class Reject:
    """One object that is not a valid event.

    `first_seen` is aware; `dismissed` is the reason why it may stay as it is, or None.
    """

    bucket: str
    key: str
    reason: str
    first_seen: datetime
    dismissed: str | None


@dataclass(frozen=True)
class Retried:
    """Keys by the outcome of another try: a row now, still not a valid event, or not in raw."""

    recovered: list[str]
    rejected: list[str]
    gone: list[str]


def rejects(dw_url: str, source: str | Path) -> list[Reject]:
    """Give the rejects of a bucket, the oldest first. Raises AnalysisError if the warehouse does not answer."""
    try:
        found = WarehouseEvents(dw_url).query(SELECT, {"bucket": bucket_of(source)})
    except NoTable:
        return []
    return [Reject(**row) for row in found.iter_rows(named=True)]


def open_rejects(dw_url: str, source: str | Path) -> list[Reject]:
    """Give the rejects that nobody has dismissed. Raises AnalysisError if the warehouse does not answer."""
    return [reject for reject in rejects(dw_url, source) if reject.dismissed is None]


def retry(dw_url: str, source: str | Path, keys: Iterable[str]) -> Retried:
    """Project objects once more, as `backfill` does. A valid event becomes a row, and is no longer a reject.

    An object in no hour stays a reject until it is moved.

    Args:
        dw_url: A libpq URL.
        source: The raw bucket, a directory or `s3://bucket`.
        keys: Keys of the objects.

    Raises:
        AnalysisError: Raw or the warehouse cannot be read.
    """
    opened = open_source(source)
    wanted = list(keys)
    if (operations := operations_of(dw_url)) is not None:
        return _retry_through(operations, read_tombstones(opened), wanted)
    recovered, gone = [], []
    rejected = [key for key in wanted if not is_in_hour(key)]
    with staging(
        dw_url,
        bucket_of(source),
        read_tombstones(opened),
        dry_run=False,
        must_be_empty=False,
        beyond_horizon=True,  # whoever names a key wants its row, as the projector would make it
    ) as warehouse:
        projection = Projection((), opened.last_modified, price_decimals=checked_decimals(None))
        for folder, names in _folders(key for key in wanted if is_in_hour(key)).items():
            batch = dict(opened.read(_listed(opened, folder, names)))
            gone += [folder + name for name in names if folder + name not in batch]
            rows, corrupt = projection.rows((list(batch), list(batch.values())))
            rejected += [key for key, _ in corrupt]
            recovered += rows["key"].to_list()
            warehouse.copy(rows)
            warehouse.settle(corrupt)
    return Retried(sorted(recovered), sorted(rejected), sorted(gone))


def dismiss(dw_url: str, source: str | Path, key: str, reason: str) -> None:
    """Record why an object may stay as it is. Raises AnalysisError if it is not a reject."""
    if (operations := operations_of(dw_url)) is not None:
        dismissed = operations.ask("dismiss", key=key, reason=reason)["dismissed"]
    else:
        with connected(dw_url, make=True) as connection:
            dismissed = connection.execute(DISMISS.encode(), (reason, bucket_of(source), key)).rowcount
            connection.commit()
    if not dismissed:
        name = bucket_of(source)
        raise AnalysisError(f"{key} is not a reject of {name}: 'python -m analysis rejects' lists them")


def _retry_through(operations: Operations, erased: Tombstones | None, keys: Sequence[str]) -> Retried:
    """Let the stage's function do it, 1,000 objects at a time."""
    operations.ask("prepare", dryRun=False, rebuild=False, stones=stones_of(erased))
    found = Retried([], [], [])
    for batch in batches_of(keys, RETRIED):
        try:
            done = operations.ask("retry", keys=batch)
        except AnalysisError as error:
            tried = len(found.recovered) + len(found.rejected) + len(found.gone)
            raise AnalysisError(f"{error}; {tried:,} of {len(keys):,} objects were tried again") from error
        for name, outcome in vars(found).items():
            outcome += done[name]
    return Retried(*(sorted(outcome) for outcome in vars(found).values()))


def stored(source: str | Path, key: str) -> bytes:
    """Read an object of raw as it is. Raises AnalysisError if it is not there."""
    folder, _, name = key.rpartition("/")
    found = dict(open_source(source).read([Folder(f"{folder}/", [name])]))
    if key not in found:
        raise AnalysisError(f"there is no object {key} in {source}")
    return found[key]


def _folders(keys: Iterable[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for key in dict.fromkeys(keys):
        folder, _, name = key.rpartition("/")
        folders.setdefault(f"{folder}/", []).append(name)
    return folders


def _listed(source: Source, folder: str, names: Sequence[str]) -> list[Folder]:
    """Keep the names that exist. A listing also says when each was stored, which an event may need."""
    folders = (each for found in source.folders([folder]) for each in found if each.prefix == folder)
    there = {name for each in folders for name in each.names}
    return [Folder(folder, [name for name in names if name in there])]

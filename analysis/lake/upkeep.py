"""Keeps a table small and quick: merges manifests, expires snapshots, and removes files that nothing needs."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from analysis.lake.known_ids import hashes_beside
from analysis.lake.location import Location

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["UNFINISHED_FOR", "Swept", "expire", "needed_files", "sweep", "sweep_daily", "tidy"]

# Each commit copies the list of snapshots, and reads the list of manifests.
MOST_SNAPSHOTS = 36
KEPT_SNAPSHOTS = 24
MOST_MANIFESTS = 24
# Queries over an older snapshot find their files for so long, unless more than MOST_SNAPSHOTS follow.
KEPT_FOR = timedelta(hours=24)
# A writer that still runs may have written a file that no snapshot names yet.
UNFINISHED_FOR = timedelta(hours=3)
SWEPT = "upkeep.json"


@dataclass
class Swept:
    """What nothing needed any more, and was removed: `files`, of so many `bytes` together."""

    files: int = 0
    bytes: int = 0


def tidy(table: "Table", now: datetime | None = None) -> None:
    """Merge manifests and expire snapshots, if there are many of them, or snapshots of before yesterday."""
    from pyiceberg.exceptions import CommitFailedException

    with suppress(CommitFailedException):  # another writer is at it, and the next run sees to it
        _tidy(table, now or datetime.now(UTC))


def _tidy(table: "Table", now: datetime) -> None:
    snapshot = table.current_snapshot()
    if snapshot is None:
        return
    if len(snapshot.manifests(table.io)) > MOST_MANIFESTS:
        with table.transaction() as change, change.update_snapshot().merge_append():
            pass  # the properties of the table say that manifests are merged
    times = sorted(each.timestamp_ms for each in table.snapshots())
    if len(times) > MOST_SNAPSHOTS or times[0] < _milliseconds(now - 2 * KEPT_FOR):
        expire(table, KEPT_SNAPSHOTS, now - KEPT_FOR)


def expire(table: "Table", kept: int, before: datetime) -> None:
    """Forget the snapshots before a moment, and all but the newest.

    Args:
        table: The table.
        kept: How many of the newest snapshots may stay, 1 at least: the current one always stays.
        before: The moment, aware.
    """
    times = sorted((each.timestamp_ms for each in table.snapshots()), reverse=True)
    if not times:
        return
    oldest_kept = max(times[min(kept, len(times)) - 1], _milliseconds(before))
    if times[-1] < oldest_kept:
        moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=oldest_kept)
        table.maintenance.expire_snapshots().older_than(moment).commit()


def sweep_daily(location: Location, tables: "Iterable[Table]") -> Swept:
    """Sweep if that was not done within the last 24 hours."""
    now = datetime.now(UTC)
    try:
        last = datetime.fromisoformat(json.loads(bytes(location.store.get(SWEPT).bytes()))["swept_at"])
        if now - last < KEPT_FOR:
            return Swept()
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass
    swept = sweep(location, tables, now - UNFINISHED_FOR)
    location.store.put(SWEPT, json.dumps({"swept_at": now.isoformat()}).encode())
    return swept


def sweep(location: Location, tables: "Iterable[Table]", before: datetime) -> Swept:
    """Remove the files of tables that no snapshot needs.

    Args:
        location: The lake. The caller holds its lock.
        tables: The tables.
        before: Only files that were written before this moment, aware.
    """
    swept = Swept()
    for table in tables:
        table.refresh()
        root = f"{location.url}/"
        needed = {name.removeprefix(root) for name in needed_files(table)}
        unneeded = []
        for page in location.store.list(f"{table.location().removeprefix(root)}/"):
            for item in page:
                if item["path"] not in needed and item["last_modified"] < before:
                    unneeded.append(item["path"])
                    swept.bytes += item["size"]
        if unneeded:
            location.store.delete(unneeded)
        swept.files += len(unneeded)
    return swept


def needed_files(table: "Table") -> set[str]:
    """Name every file of the table that its metadata leads to, and what is kept beside data files, there or not."""
    metadata = table.metadata
    needed = {table.metadata_location, *(each.metadata_file for each in metadata.metadata_log)}
    needed |= {each.statistics_path for each in (*metadata.statistics, *metadata.partition_statistics)}
    for snapshot in metadata.snapshots:
        needed.add(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path not in needed:
                needed.add(manifest.manifest_path)
                paths = {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
                needed |= paths | set(map(hashes_beside, paths))
    return needed


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

"""Removes every file of the lake that may hold rows, ids or statistics from before an erasure."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analysis.lake.location import Location
from analysis.lake.schema import NAMESPACE
from analysis.lake.tables import PROPERTIES
from analysis.lake.transactions import QuickTransaction
from analysis.lake.upkeep import UNFINISHED_FOR, needed_files
from analysis.repair.erase.raw import open_bucket

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["purge"]

PREFIX = f"{NAMESPACE}/"
KEPT_METADATA = "write.metadata.previous-versions-max"
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
KEPT = 2  # earlier metadata, which is of the same snapshot


def purge(location: Location, tables: "tuple[Table, Table]") -> int:
    """Leave only the files of the current snapshots, in every version that S3 keeps.

    Older snapshots, their manifests (which hold statistics of columns) and older metadata go, and so does what a killed
    run has left behind. A query that reads an older snapshot fails from then on.

    Args:
        location: The lake. The caller holds its lock.
        tables: Its tables.

    Returns:
        How many files with rows stay that no snapshot needs: on Glue, where nothing locks, a file of the last three
        hours may be of a compaction that still runs.
    """
    before: set[str] = set()
    for table in tables:
        table.refresh()
        if location.is_glue:
            before |= needed_files(table)
        _forget_past(table)
    needed = {name.removeprefix(f"{location.url}/") for table in tables for name in needed_files(table)}
    young = _unfinished(location, {name.removeprefix(f"{location.url}/") for name in before} | needed)
    bucket = open_bucket(location.root, PREFIX)
    bucket.delete([each for each in bucket.versions() if each.key not in needed | young])
    return sum(name.endswith(".parquet") for name in young)


def _forget_past(table: "Table") -> None:
    """Make the current snapshot the only one, and let no manifest name a file that is gone."""
    from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType

    snapshot = table.current_snapshot()
    if snapshot is None:
        return
    # An entry of a file that is gone still has the statistics of the file.
    if any(each.deleted_files_count for each in snapshot.manifests(table.io)):
        with QuickTransaction(table) as change, change.update_snapshot().merge_append():
            pass
    for name, reference in table.refs().items():
        if name != MAIN_BRANCH:
            references = table.manage_snapshots()
            is_tag = reference.snapshot_ref_type == SnapshotRefType.TAG
            (references.remove_tag(name) if is_tag else references.remove_branch(name)).commit()
    past = [each.snapshot_id for each in table.snapshots() if each != table.current_snapshot()]
    if past:
        # By their ids, pyiceberg would copy the metadata for each of them.
        table.maintenance.expire_snapshots().older_than(END_OF_TIME).commit()
    if past or len(table.metadata.metadata_log) > KEPT:
        # The first commit forgets, and deletes, all metadata but that of now.
        for number in ("1", PROPERTIES[KEPT_METADATA]):
            with QuickTransaction(table) as change:
                change.set_properties({KEPT_METADATA: number})


def _unfinished(location: Location, known: set[str]) -> set[str]:
    """Name the files that no snapshot has named so far, and that another writer may still commit."""
    if not location.is_glue:
        return set()
    since = datetime.now(UTC) - UNFINISHED_FOR
    pages = location.store.list(PREFIX)
    return {
        item["path"] for page in pages for item in page if item["path"] not in known and item["last_modified"] > since
    }

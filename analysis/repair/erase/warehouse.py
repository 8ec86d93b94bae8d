"""Counts and deletes a person's rows and rejects in the warehouse: over a connection, or by the stage's function."""

from collections.abc import Sequence
from typing import NamedTuple

from analysis.raw.tombstones import Tombstones
from analysis.repair.connection import connected
from analysis.repair.operations import batches_of, ids_of, operations_of, stones_of
from chalicelib.operations.people import Ids, count_rejects, count_rows, delete_rejects, delete_rows
from chalicelib.warehouse.tombstones import enforce

__all__ = ["Whose", "count_in_warehouse", "erase_from_warehouse"]


class Whose(NamedTuple):
    """Whose rows and rejects: a person's, and the rejects of some objects of a bucket."""

    ids: Ids | None
    bucket: str
    keys: Sequence[str]


def count_in_warehouse(dw_url: str, whose: Whose) -> tuple[int, int, int]:
    """Count a person's rows, the other rows that mention one of the ids, and the rejects. Raises AnalysisError."""
    if (operations := operations_of(dw_url)) is not None:
        ids, counts = ids_of(whose.ids), []
        for keys in batches_of(whose.keys):
            counts.append(operations.ask("count", ids=ids, keys=keys))
            ids = None  # counted
        return counts[0]["rows"], counts[0]["mentions"], sum(each["rejects"] for each in counts)
    with connected(dw_url, make=False) as connection:
        rows, mentions = (0, 0) if whose.ids is None else count_rows(connection, whose.ids)
        return rows, mentions, count_rejects(connection, whose.bucket, whose.keys)


def erase_from_warehouse(dw_url: str, tombstones: Tombstones, whose: Whose, *, mentions: bool) -> None:
    """Keep people out of the warehouse from now on, and delete a person's rows, and rejects.

    Args:
        dw_url: The warehouse.
        tombstones: The tombstones of everybody who is to be kept out.
        whose: What to delete.
        mentions: Also delete rows that only mention the person.

    Raises:
        AnalysisError: The warehouse fails, or its user does not own the tables.
    """
    if (operations := operations_of(dw_url)) is not None:
        ids, stones = ids_of(whose.ids), stones_of(tombstones)
        for keys in batches_of(whose.keys):
            operations.ask("erase", stones=stones, ids=ids, keys=keys, mentions=mentions)
            ids = None  # erased
        return
    with connected(dw_url, make=True) as connection:
        enforce(connection, tombstones.stones)
        if whose.ids is not None:
            delete_rows(connection, whose.ids, mentions=mentions)
        delete_rejects(connection, whose.bucket, whose.keys)
        connection.commit()

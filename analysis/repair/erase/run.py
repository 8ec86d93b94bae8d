"""Erasure from beginning to end: finds a person in raw and warehouse, deletes what it found, and looks again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import psycopg

from analysis.errors import AnalysisError
from analysis.raw.partitions import is_utf8
from analysis.raw.source import bucket_of, open_source
from analysis.raw.tombstones import Tombstones, enforce, read_tombstones
from analysis.repair.connection import connected
from analysis.repair.erase.person import Erased, Kind, Person
from analysis.repair.erase.raw import Bucket, Version, open_bucket
from chalicelib.contract import COLUMNS, TABLE
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import REJECTS
from command_line.progress import progress

__all__ = ["Found", "Place", "erase", "erase_again", "search", "search_again"]

Query: TypeAlias = Sequence[Any] | Mapping[str, Any]

STEP = 100  # of the progress bar
# The next look finds events that arrived meanwhile; so many looks are enough for events still under way.
MOST_LOOKS = 5

OWN = "client_id = ANY(%(client_ids)s) OR user_id = ANY(%(user_ids)s)"
TEXTS = ", ".join(column.name for column in COLUMNS if column.type in ("TEXT", "UUID"))
MENTION = f"EXISTS (SELECT FROM unnest(%(ids)s::text[]) AS id WHERE position(id IN concat_ws(E'\\n', {TEXTS})) > 0)"
COUNT = f"SELECT count(*) FILTER (WHERE {OWN}), count(*) FILTER (WHERE ({OWN}) IS NOT TRUE AND {MENTION}) FROM {TABLE}"  # noqa: S608  # our own names
DELETE_OWN = f"DELETE FROM {TABLE} WHERE {OWN}"  # noqa: S608  # as above
DELETE_MENTIONS = f"DELETE FROM {TABLE} WHERE {MENTION}"  # noqa: S608  # as above
# Else `pg_stats` would show frequent ids of the person until the next autovacuum.
ANALYZE = f"ANALYZE {TABLE}"
COUNT_REJECTS = f"SELECT count(*) FROM {REJECTS} WHERE bucket = %s AND key = ANY(%s)"  # noqa: S608  # as above
DELETE_REJECTS = f"DELETE FROM {REJECTS} WHERE bucket = %s AND key = ANY(%s)"  # noqa: S608  # as above


@dataclass(frozen=True)
class Place:
    """Where people are erased from: a raw bucket and its warehouse."""

    source: str | Path
    dw_url: str


@dataclass
class Found:
    """What was found of a person.

    `own` and `mentions` are objects, earlier versions included; `rows`, `row_mentions` and `rejects` are counts.
    """

    looked_at: int = 0
    own: list[Version] = field(default_factory=list)
    mentions: list[Version] = field(default_factory=list)
    rows: int = 0
    row_mentions: int = 0
    rejects: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was found, not even a mention."""
        return not (self.own or self.mentions or self.rows or self.row_mentions or self.rejects)

    def chosen(self, *, mentions: bool) -> list[Version]:
        """The objects to delete; `mentions` adds objects that only mention the person."""
        return [*self.own, *self.mentions] if mentions else self.own


def search(place: Place, person: Person) -> Found:
    """Look for a person in every object and every row, and change nothing. Raises AnalysisError."""
    found = _look(open_bucket(place.source), person)
    with connected(place.dw_url, make=False) as connection:
        if has_table(connection, TABLE):
            found.rows, found.row_mentions = _counts(connection, COUNT, _parameters(person))
        if has_table(connection, REJECTS):
            keys = _keys(found.chosen(mentions=True))
            (found.rejects,) = _counts(connection, COUNT_REJECTS, (bucket_of(place.source), keys))
    return found


def erase(place: Place, person: Person, found: Found, *, mentions: bool) -> Found:
    """Delete what was found, and what has arrived since.

    A tombstone comes first, so that no further row is inserted; then rows and rejects are deleted, then objects. It can
    be run again if it was stopped or failed.

    Args:
        place: Where to erase.
        person: Whom to erase.
        found: What `search` found.
        mentions: Also delete what only mentions the person.

    Returns:
        What is left, by a last look at everything.

    Raises:
        AnalysisError: Raw or the warehouse fails.
    """
    bucket = open_bucket(place.source)
    tombstones = _bury(place, bucket, person)
    for _ in range(MOST_LOOKS):
        versions = found.chosen(mentions=mentions)
        with connected(place.dw_url, make=True) as connection:
            enforce(connection, tombstones)
            connection.execute(DELETE_OWN, _parameters(person))
            if mentions:
                connection.execute(DELETE_MENTIONS, _parameters(person))
            _delete_rejects(connection, place, versions)
            connection.execute(ANALYZE)
            connection.commit()
        bucket.delete(versions)
        found = search(place, person)
        if not (found.chosen(mentions=mentions) or found.rows or (mentions and found.row_mentions)):
            break
    return found


def search_again(place: Place) -> Found:
    """Look for later objects of everybody who was erased before. Raises AnalysisError if nobody was erased."""
    return _look(open_bucket(place.source), Erased(_tombstones(place)))


def erase_again(place: Place, found: Found) -> Found:
    """Delete these objects and their rejects, and give what is left. The warehouse has no rows of them."""
    with connected(place.dw_url, make=True) as connection:
        enforce(connection, _tombstones(place))
        _delete_rejects(connection, place, found.own)
        connection.commit()
    open_bucket(place.source).delete(found.own)
    return search_again(place)


def _look(bucket: Bucket, whose: Person | Erased) -> Found:
    versions = bucket.versions()
    found = Found()
    kinds: dict[Kind, list[Version]] = {"own": found.own, "mention": found.mentions}
    with progress("looking at objects", len(versions)) as advance:
        for each, body in bucket.read(versions):
            found.looked_at += 1
            if (kind := whose.kind(body)) is not None:
                kinds[kind].append(each)
            if found.looked_at % STEP == 0:
                advance(STEP)
    return found


def _bury(place: Place, bucket: Bucket, person: Person) -> Tombstones:
    """Store the person's tombstones in raw, which outlives every warehouse."""
    known = read_tombstones(open_source(place.source))
    if known is None:
        bucket.put(Tombstones.new().objects())
        # Another erasure may have stored its key first.
        known = _tombstones(place)
    tombstones = known.and_also(person.ids)
    bucket.put(tombstones.objects())
    return tombstones


def _tombstones(place: Place) -> Tombstones:
    known = read_tombstones(open_source(place.source))
    if known is None:
        raise AnalysisError(f"nobody was erased from {place.source} yet: name --client-id or --user-id")
    return known


def _delete_rejects(connection: psycopg.Connection, place: Place, versions: Sequence[Version]) -> None:
    connection.execute(DELETE_REJECTS, (bucket_of(place.source), _keys(versions)))


def _keys(versions: Sequence[Version]) -> list[str]:
    """Give the keys that a reject can have: a file whose name is not UTF-8 is an object to nobody else."""
    return [each.key for each in versions if is_utf8(each.key)]


def _parameters(person: Person) -> dict[str, list[str]]:
    return {
        "client_ids": [*person.client_ids],
        "user_ids": [*person.user_ids],
        "ids": [name for _, name in person.ids],
    }


def _counts(connection: psycopg.Connection, query: str, parameters: Query) -> tuple[int, ...]:
    return connection.execute(query.encode(), parameters).fetchone() or ()

"""Erasure from beginning to end: finds a person in raw, warehouse and lake, deletes what it found, and looks again."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.errors import AnalysisError
from analysis.lake.location import Location
from analysis.raw.partitions import is_utf8
from analysis.raw.source import bucket_of, open_source
from analysis.raw.tombstones import Tombstones, read_tombstones
from analysis.repair.erase.lake import InLake, Search, erase_from_lake, look_into_lake
from analysis.repair.erase.person import Erased, Kind, Person
from analysis.repair.erase.raw import Bucket, Version, open_bucket
from analysis.repair.erase.warehouse import Whose, count_in_warehouse, erase_from_warehouse
from chalicelib.operations.people import Ids
from command_line.progress import progress

__all__ = ["Found", "Place", "erase", "erase_again", "search", "search_again"]

STEP = 100  # of the progress bar
# The next look finds events that arrived meanwhile; so many looks are enough for events still under way.
MOST_LOOKS = 5


@dataclass(frozen=True)
class Place:
    """Where people are erased from: a raw bucket, its warehouse and its lake, if there is one."""

    source: str | Path
    dw_url: str
    lake: Location | None = None


@dataclass
class Found:
    """What was found of a person.

    `own` and `mentions` are objects, earlier versions included; `rows`, `row_mentions` and `rejects` are counts, and
    `lake` has the counts of the lake; None if there is no lake.
    """

    looked_at: int = 0
    own: list[Version] = field(default_factory=list)
    mentions: list[Version] = field(default_factory=list)
    rows: int = 0
    row_mentions: int = 0
    rejects: int = 0
    lake: InLake | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was found, not even a mention."""
        in_lake = self.lake is not None and any(self.lake)
        return not (self.own or self.mentions or self.rows or self.row_mentions or self.rejects or in_lake)

    def chosen(self, *, mentions: bool) -> list[Version]:
        """The objects to delete; `mentions` adds objects that only mention the person."""
        return [*self.own, *self.mentions] if mentions else self.own


def search(place: Place, person: Person) -> Found:
    """Look for a person in every object and every row, and change nothing. Raises AnalysisError."""
    found = _look(open_bucket(place.source), person)
    keys = _keys(found.chosen(mentions=True))
    found.rows, found.row_mentions, found.rejects = count_in_warehouse(place.dw_url, _whose(place, person, keys))
    found.lake = _look_into_lake(place, person, found)
    return found


def erase(place: Place, person: Person, found: Found, *, mentions: bool) -> Found:
    """Delete what was found, and what has arrived since.

    A tombstone comes first, so that no further row is inserted; then rows and rejects are deleted, then the lake's rows
    and files, then objects. It can be run again if it was stopped or failed.

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
        whose = _whose(place, person, _keys(versions))
        erase_from_warehouse(place.dw_url, tombstones, whose, mentions=mentions)
        unfinished = _erase_from_lake(place, person, found, mentions=mentions)
        bucket.delete(versions)
        found = search(place, person)
        in_lake = found.lake is not None and found.lake.is_left(mentions=mentions)
        if not (found.chosen(mentions=mentions) or found.rows or (mentions and found.row_mentions) or in_lake):
            break
    if found.lake is not None:
        found.lake = found.lake._replace(unfinished=unfinished)
    return found


def search_again(place: Place) -> Found:
    """Look for later objects of everybody who was erased before. Raises AnalysisError if nobody was erased."""
    whose = Erased(_tombstones(place))
    found = _look(open_bucket(place.source), whose)
    found.lake = _look_into_lake(place, whose, found)
    return found


def erase_again(place: Place, found: Found) -> Found:
    """Delete these objects and their rejects, and rows of the lake, and give what is left.

    The warehouse has no rows of them.
    """
    tombstones = _tombstones(place)
    whose = _whose(place, None, _keys(found.own))
    erase_from_warehouse(place.dw_url, tombstones, whose, mentions=False)
    unfinished = _erase_from_lake(place, Erased(tombstones), found, mentions=False)
    open_bucket(place.source).delete(found.own)
    left = search_again(place)
    if left.lake is not None:
        left.lake = left.lake._replace(unfinished=unfinished)
    return left


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


def _look_into_lake(place: Place, whose: Person | Erased, found: Found) -> InLake | None:
    return None if place.lake is None else look_into_lake(place.lake, _in_lake(whose, found))


def _erase_from_lake(place: Place, whose: Person | Erased, found: Found, *, mentions: bool) -> int:
    if place.lake is None:
        return 0
    return erase_from_lake(place.lake, place.source, _in_lake(whose, found), mentions=mentions)


def _in_lake(whose: Person | Erased, found: Found) -> Search:
    return Search(whose, frozenset(_keys(found.own)), frozenset(_keys(found.mentions)))


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


def _whose(place: Place, person: Person | None, keys: Sequence[str]) -> Whose:
    ids = None if person is None else Ids(person.client_ids, person.user_ids)
    return Whose(ids, bucket_of(place.source), keys)


def _keys(versions: Sequence[Version]) -> list[str]:
    """Give the keys that a reject can have: a file whose name is not UTF-8 is an object to nobody else."""
    return [each.key for each in versions if is_utf8(each.key)]

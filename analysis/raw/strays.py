"""Finds what lies below `events/` but not where, or not as, readers look for it."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from analysis.raw.partitions import UPLOAD, is_object, is_partition, is_utf8, shown
from analysis.raw.source import Source
from chalicelib.keys import PREFIX, SUFFIX

__all__ = ["Stray", "strays"]

REQUESTS = 32
# The name of each level below `events/`, and how a partition may go on below it.
LEVELS = (("year", "01/01/00/"), ("month", "01/00/"), ("day", "00/"), ("hour", ""))
COMPRESSED = (".gz", ".zip", ".zst", ".bz2", ".xz", ".snappy")
NOT_UTF8 = ("its name is not UTF-8, so it cannot be a key in S3", "Rename it.")
SEVERAL = (".ndjson", ".jsonl", ".csv", ".parquet")


class Stray(NamedTuple):
    """A key, or a prefix that ends with a slash; and why no reader takes it, and what to do, for people.

    Bytes of the key that are not UTF-8 are written as escapes.
    """

    key: str
    reason: str
    advice: str


def strays(source: Source, prefixes: Iterable[str]) -> list[Stray]:
    """Find stray objects, by one listing per folder of a year, month and day, and of some partitions.

    Args:
        source: The bucket.
        prefixes: The partitions in which names are judged. Above the hours, everything is.

    Returns:
        The strays, ordered by key. A stray prefix stands for all objects below it.
    """
    found: list[Stray] = []
    level = [PREFIX]
    with ThreadPoolExecutor(REQUESTS) as pool:
        for name, rest in LEVELS:
            below: list[str] = []
            for prefix, (folders, names) in zip(level, pool.map(source.level, level), strict=True):
                found += (_outside(prefix + each) for each in names if each)
                for folder in folders:
                    if is_partition(prefix + folder + rest):
                        below.append(prefix + folder)
                    else:
                        found.append(_not_a(name, prefix + folder))
            level = below
        level = sorted(set(prefixes) & set(level))
        while level:
            below = []
            for prefix, (folders, names) in zip(level, pool.map(source.level, level), strict=True):
                found += _unread(prefix, [*names, *(folder for folder in folders if not is_utf8(folder))])
                below += [prefix + folder for folder in folders if folder.strip("/") and is_utf8(folder)]
            level = below
    return sorted(each._replace(key=shown(each.key)) for each in found)


def _not_a(level: str, prefix: str) -> Stray:
    name = prefix.rstrip("/").rpartition("/")[2]
    if not is_utf8(name):
        return Stray(prefix, *NOT_UTF8)
    advice = "Move the objects to events/YYYY/MM/DD/HH/ of their _ingest.receivedAt, in UTC, or out of events/."
    return Stray(prefix, f"{name!r} is not {'an' if level == 'hour' else 'a'} {level}", advice)


def _outside(key: str) -> Stray:
    if not is_utf8(key):
        reason, advice = NOT_UTF8
    elif is_object(key):
        reason, advice = "it is in no hour, so it becomes no row", "Move it to its hour, or out of events/."
    else:
        reason, advice = "it is in no hour", "Move it out of events/: only events belong there."
    return Stray(key, reason, advice)


def _unread(prefix: str, names: Iterable[str]) -> Iterator[Stray]:
    for name in names:
        if name.isascii() and is_object(name):
            continue  # as nearly every name
        lower = name.lower()
        if not is_utf8(name):
            yield Stray(prefix + name, *NOT_UTF8)
            continue
        if not name or is_object(name) or UPLOAD in name:
            continue
        if lower.endswith(COMPRESSED):
            reason, advice = "it is compressed", f"Unpack it, and store each event as an object that ends in {SUFFIX}."
        elif lower.endswith(SEVERAL):
            reason, advice = "it holds several events", f"Store each event as an object that ends in {SUFFIX}."
        elif lower.endswith(SUFFIX):
            reason, advice = f"it does not end in {SUFFIX}, in small letters", f"Rename it so that it ends in {SUFFIX}."
        else:
            reason, advice = f"it does not end in {SUFFIX}", f"Let it end in {SUFFIX} if it is an event, or delete it."
        yield Stray(prefix + name, reason, advice)

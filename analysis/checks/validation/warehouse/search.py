"""Finds objects of given events in hours that were not read yet."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from analysis.checks.validation.evidence.describing import describe
from analysis.checks.validation.objects import SCHEMA
from analysis.raw.objects import batches
from analysis.raw.source import open_source

__all__ = ["MOST_SEARCHED", "search"]

MOST_SEARCHED = 20_000  # objects: enough for a slip, and the whole of a large bucket would take hours


def search(
    source: str | Path, event_ids: Iterable[str], prefixes: Iterable[str], price_decimals: int = 0
) -> pl.DataFrame:
    """Read objects below some prefixes, one prefix after the other, until every event is found.

    Args:
        source: The raw bucket.
        event_ids: The ids of the events, as in the warehouse.
        prefixes: Where to look, the likeliest first. At most MOST_SEARCHED objects are read, or a little more.
        price_decimals: How many decimals the prices keep.

    Returns:
        The objects of these events, with the columns of SCHEMA.
    """
    wanted, opened, searched = set(event_ids), open_source(source, lambda *_: None), 0
    found = [pl.DataFrame(schema=SCHEMA)]
    for prefix in prefixes:
        if not wanted or searched >= MOST_SEARCHED:
            break
        folders = [folder for listed in opened.folders([prefix]) for folder in listed]
        for keys, bodies in batches(opened.read(folders)):
            searched += len(keys)
            described = describe(zip(keys, bodies, strict=True), opened.last_modified, price_decimals)
            theirs = described.filter(pl.col("event_id").is_in(list(wanted)))
            found.append(theirs)
            wanted -= set(theirs["event_id"])
            if not wanted or searched >= MOST_SEARCHED:
                break
    return pl.concat(found)

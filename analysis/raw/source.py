"""Where raw objects are read from: a bucket in S3, or a directory that holds one."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from analysis.raw.partitions import SCHEME, Folder

__all__ = ["Source", "bucket_of", "open_source"]


class Source(Protocol):
    """One bucket. Every method raises AnalysisError if the bucket is not there, or cannot be read."""

    def folders(self, prefixes: Iterable[str]) -> Iterator[list[Folder]]:
        """For each prefix, which ends in a slash, the objects below it that the S3 trigger would take; in no order."""

    def read(self, folders: Iterable[Folder]) -> Iterator[tuple[str, bytes]]:
        """Key and body of each object; one that is gone by now is left out."""

    def hours(self) -> list[str]:
        """Every partition `events/YYYY/MM/DD/HH/` that there is, in order."""

    def last_modified(self, key: str) -> datetime:
        """When an object of the last listing was stored: aware, UTC, in whole seconds, as a GET gives it."""


def open_source(source: str | Path) -> Source:
    """The bucket `s3://bucket`, or the one in a directory (`DIR/events/…`).

    S3 is found as any AWS SDK finds it: the standard `AWS_*` environment, `AWS_ENDPOINT_URL_S3` among it. Raises
    AnalysisError if there is no such directory, or no bucket is named.
    """
    if not str(source).startswith(SCHEME):
        from analysis.raw.local import LocalSource

        return LocalSource(Path(source))
    # Only here, since it takes a third of a second to import.
    from analysis.raw.s3 import S3Source

    return S3Source(str(source).removeprefix(SCHEME).removesuffix("/"))


def bucket_of(source: str | Path) -> str:
    """The bucket's own name, which is in S3's events; a local one is named as its directory."""
    return Path(str(source).removeprefix(SCHEME)).absolute().name

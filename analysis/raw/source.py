"""Opens a raw bucket for reading: a bucket in S3, or a directory that holds one."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from analysis.raw.partitions import SCHEME, Folder

__all__ = ["OnUnreadable", "Source", "bucket_of", "open_source"]

# Takes the key, or the prefix, of what may not be read, and the reason.
OnUnreadable: TypeAlias = Callable[[str, str], object]


class Source(Protocol):
    """One bucket. Every method raises AnalysisError if the bucket does not exist or cannot be read.

    So do `folders` and `read` for a single key or prefix that is denied, unless the source was opened to report them.
    """

    def folders(self, prefixes: Iterable[str]) -> Iterator[list[Folder]]:
        """List the objects below each prefix that the S3 trigger would take, in no order. A prefix ends in a slash."""

    def read(self, folders: Iterable[Folder]) -> Iterator[tuple[str, bytes]]:
        """Read the key and body of each object. An object that was deleted in the meantime is left out."""

    def hours(self) -> list[str]:
        """List every existing partition `events/YYYY/MM/DD/HH/`, in order."""

    def level(self, prefix: str) -> tuple[list[str], list[str]]:
        """List one level below a prefix: the folders, each with its slash, and the names of all objects, whatever."""

    def last_modified(self, key: str) -> datetime:
        """Say when an object of the last listing was stored: aware, UTC, in whole seconds, as a GET gives it."""


def open_source(source: str | Path, on_unreadable: OnUnreadable | None = None) -> Source:
    """Open a raw bucket.

    Args:
        source: `s3://bucket`, or a directory with `events/…` below it. S3 is found as in any AWS SDK, by the standard
            `AWS_*` environment, `AWS_ENDPOINT_URL_S3` included.
        on_unreadable: Is called for each object, and for each prefix, that may not be read; the rest is read. By
            default the first of them raises AnalysisError.

    Raises:
        AnalysisError: The directory does not exist, or the text names no bucket.
    """
    if not str(source).startswith(SCHEME):
        from analysis.raw.local import LocalSource

        return LocalSource(Path(source), on_unreadable)
    # Imported here, because it takes a third of a second.
    from analysis.raw.s3 import S3Source

    return S3Source(str(source).removeprefix(SCHEME).removesuffix("/"), on_unreadable)


def bucket_of(source: str | Path) -> str:
    """Give the bucket's name, as S3's events carry it. A local bucket has the name of its directory."""
    return Path(str(source).removeprefix(SCHEME)).absolute().name

"""Reads a bucket in a directory, with one file per event.

S3 has keys that no directory can hold: with `//`, `/./` or `/../`. A copy of a bucket lacks these objects.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISDIR

from analysis.errors import AnalysisError
from analysis.raw.partitions import HOUR_LEVELS, Folder, is_object, is_partition
from analysis.raw.source import OnUnreadable
from chalicelib.keys import PREFIX

__all__ = ["LocalSource", "is_directory"]

# An event has about a kilobyte, so one read gets nearly every file.
READ_BYTES = 16 * 1024


class LocalSource:
    """The objects of one bucket as files `directory/<key>`, as the local S3 server keeps them."""

    def __init__(self, directory: Path, on_unreadable: OnUnreadable | None = None) -> None:
        if not is_directory(directory):
            raise AnalysisError(f"there is no directory {directory}: name a bucket's directory, which contains events/")
        self._directory = str(directory)
        self._on_unreadable = on_unreadable

    def folders(self, prefixes: Iterable[str]) -> Iterator[list[Folder]]:
        """Do as `Source` says."""
        for prefix in prefixes:
            yield list(self._walk(prefix))

    def hours(self) -> list[str]:
        """Do as `Source` says."""
        level = [PREFIX]
        for _ in HOUR_LEVELS:
            level = [f"{prefix}{name}/" for prefix in level for name in self._scan(prefix)[1]]
        return sorted(filter(is_partition, level))

    def level(self, prefix: str) -> tuple[list[str], list[str]]:
        """Do as `Source` says."""
        folders, names = [], []
        try:
            with os.scandir(self._path(prefix)) as entries:
                for entry in entries:
                    folders.append(f"{entry.name}/") if entry.is_dir() else names.append(entry.name)
        except FileNotFoundError:
            return [], []
        except OSError as error:
            self._refuse("list", prefix, error)
        return folders, names

    def read(self, folders: Iterable[Folder]) -> Iterator[tuple[str, bytes]]:
        """Do as `Source` says."""
        for prefix, names in folders:
            try:
                directory = os.open(self._path(prefix), os.O_RDONLY)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._refuse("read", prefix, error)
                continue
            # To open a file relative to its directory takes half as long as by the whole path.
            with _closing(directory):
                for name in names:
                    try:
                        yield prefix + name, _read(name, directory)
                    except FileNotFoundError:
                        continue
                    except OSError as error:
                        self._refuse("read", prefix + name, error)

    def last_modified(self, key: str) -> datetime:
        """Do as `Source` says."""
        try:
            nanoseconds = os.stat(self._path(key)).st_mtime_ns
        except OSError as error:
            raise AnalysisError(f"cannot read {self._path(key)}: {error.strerror}") from error
        # In whole numbers: a float would round the last nanoseconds of a second up to the next second.
        return datetime.fromtimestamp(nanoseconds // 10**9, UTC)

    def _path(self, key: str) -> str:
        return f"{self._directory}/{key}"

    def _walk(self, prefix: str) -> Iterator[Folder]:
        names, folders = self._scan(prefix)
        if names:
            yield Folder(prefix, names)
        for name in folders:
            yield from self._walk(f"{prefix}{name}/")

    def _scan(self, prefix: str) -> tuple[list[str], list[str]]:
        """List the names of a directory's objects, and of the directories in it."""
        names: list[str] = []
        folders: list[str] = []
        try:
            with os.scandir(self._path(prefix)) as entries:
                for entry in entries:
                    if entry.is_dir():
                        folders.append(entry.name)
                    elif is_object(entry.name):
                        names.append(entry.name)
        except FileNotFoundError:
            pass
        except OSError as error:
            self._refuse("list", prefix, error)
        return names, folders

    def _refuse(self, verb: str, key: str, error: OSError) -> None:
        if self._on_unreadable is None:
            raise AnalysisError(f"cannot {verb} {self._path(key)}: {error.strerror}") from error
        self._on_unreadable(key, str(error.strerror))


def is_directory(path: Path) -> bool:
    """Whether a directory is there. Raises AnalysisError if nobody may know, because one above it is denied."""
    try:
        return S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise AnalysisError(f"cannot open {path}: {error.strerror}") from error


@contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _read(name: str, directory: int) -> bytes:
    """Read a whole file with three system calls; Python's file objects make eight."""
    descriptor = os.open(name, os.O_RDONLY, dir_fd=directory)
    try:
        body = part = os.read(descriptor, READ_BYTES)
        # A read of a file gives fewer bytes than requested only at the end of the file.
        while len(part) == READ_BYTES:
            part = os.read(descriptor, READ_BYTES)
            body += part
        return body
    finally:
        os.close(descriptor)

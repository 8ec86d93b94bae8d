"""Small disks for raw storage, PostgreSQL's data and its WAL, so that filling one up harms nothing else."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from command_line.home import Home
from emulator.servers.postgres.data import prepare
from emulator.servers.postgres.user import find_binaries, find_place

__all__ = ["SmallDisk", "small_disk", "small_disks"]

PAGE_BYTES = 4096
ATTEMPTS = 20  # a file may grow just before the disk shrinks


class SmallDisk:
    """A disk in memory, of `size` bytes, that is mounted on a directory."""

    def __init__(self, directory: Path, size: int) -> None:
        self._directory = directory
        self._size = size

    def fill(self) -> None:
        """Leave no free space: shrink the disk to what is on it. Space that is freed later is free until the next call.

        No memory is needed for it, unlike for a large file. Raises OSError.
        """
        if not any(self._resize(self._used()) for _ in range(ATTEMPTS)):
            raise OSError(f"the disk on {self._directory} cannot be filled")

    def free(self) -> None:
        """Give the disk its whole size again. Raises OSError."""
        if not self._resize(self._size):
            raise OSError(f"the disk on {self._directory} does not get its size back")

    def _used(self) -> int:
        found = os.statvfs(self._directory)
        return max((found.f_blocks - found.f_bfree) * found.f_frsize, PAGE_BYTES)  # a size of 0 would mean no limit

    def _resize(self, size: int) -> bool:
        """Return whether the disk has the size now; it is refused if more is on the disk by now."""
        return _mounts("-o", f"remount,size={size}", str(self._directory))


@contextmanager
def small_disk(directory: Path, size: int) -> Iterator[SmallDisk | None]:
    """Mount a disk on a directory, with the files that are in it, while the block runs.

    It needs root, Linux, and permission to mount, which most containers lack.

    Args:
        directory: The directory. What is written into it while the block runs is gone afterwards.
        size: Size of the disk in bytes.

    Returns:
        The disk; None if it cannot be mounted.
    """
    below = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)  # what is in the directory, also below a mounted disk
    try:
        is_mounted = sys.platform == "linux" and os.geteuid() == 0 and _mounts_memory(directory, size)
        if is_mounted:
            files = f"/proc/self/fd/{below}/."
            subprocess.run(["cp", "-a", files, str(directory)], pass_fds=[below], capture_output=True, check=True)
    finally:
        os.close(below)
    if not is_mounted:
        yield None
        return
    try:
        yield SmallDisk(directory, size)
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], capture_output=True, check=True)


@contextmanager
def small_disks(home: Home, size: int) -> Iterator[Mapping[str, SmallDisk]]:
    """Give the parts of a stack that does not run yet a small disk each while the block runs.

    Args:
        home: The home of the stack. The database of its warehouse is created.
        size: Size of each disk in bytes.

    Returns:
        The disks of raw storage (`s3`), PostgreSQL's data (`warehouse`) and its WAL (`wal`); empty if one of them
        cannot be mounted.
    """
    with ExitStack() as stack:
        disks: dict[str, SmallDisk] = {}
        for name, directory in _directories(home):
            disk = stack.enter_context(small_disk(directory, size))
            if disk is None:
                disks.clear()
                break
            disks[name] = disk
        yield disks


def _directories(home: Home) -> Iterator[tuple[str, Path]]:
    """Yield the directories that get a disk, each after the disk of the one before is mounted. Raises CommandError."""
    yield "s3", home.s3
    data = _database(home)
    yield "warehouse", data
    yield "wal", data / "pg_wal"


def _database(home: Home) -> Path:
    """Create the files of PostgreSQL, and return their directory. Raises CommandError."""
    place = find_place(home)
    binaries, _ = find_binaries(place.user)
    prepare(place.data, binaries, place.user, home.logs / "initdb.log")
    return place.data


def _mounts_memory(directory: Path, size: int) -> bool:
    return _mounts("-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(directory))


def _mounts(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0

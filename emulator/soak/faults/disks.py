"""Faults of the disks: one that is full."""

import errno
import os
import time

from emulator.soak.subject import Subject

__all__ = ["DISK_FULL", "fill_disk"]

DISK_FULL = "disk full"
FILLER = "filler"


def fill_disk(subject: Subject, seconds: float) -> None:
    """Fill the disk of raw storage, and keep it full for some seconds."""
    deadline = time.monotonic() + seconds
    path = subject.home.s3 / FILLER
    try:
        with path.open("wb") as file:
            while time.monotonic() < deadline:
                _fill(file.fileno(), file.seek(0, os.SEEK_END))
                time.sleep(0.05)
    finally:
        path.unlink(missing_ok=True)


def _fill(descriptor: int, end: int) -> None:
    """Extend the file from `end` by all the free space of its disk."""
    size = os.fstatvfs(descriptor).f_bavail * os.fstatvfs(descriptor).f_frsize
    while size:
        try:
            os.posix_fallocate(descriptor, end, size)
            end += size
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            size //= 2

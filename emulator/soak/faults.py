"""The faults that a soak injects, each for some seconds; afterwards the stack has to recover by itself."""

import errno
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TypeAlias

import psycopg

from chalicelib.contract import TABLE
from emulator.soak.subject import Subject

__all__ = ["DISK_FULL", "FAULTS", "Fault"]

# Injects a fault into the stack for a number of seconds.
Fault: TypeAlias = Callable[[Subject, float], None]

DISK_FULL = "disk full"
FILLER = "filler"
# While statements wait for the lock, their connections are cut.
LOCK = f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE"
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def _kill(part: str, subject: Subject, _seconds: float) -> None:
    subject.kill(subject.part(part)[:1])


def _kill_projector(subject: Subject, _seconds: float) -> None:
    """Kill the supervisor, in which the projector runs; the other parts go on until the stack is started again."""
    subject.kill([subject.supervisor()])


def _kill_everything(subject: Subject, _seconds: float) -> None:
    subject.kill(subject.processes())


def _freeze(part: str, subject: Subject, seconds: float) -> None:
    with subject.frozen(subject.part(part)):
        time.sleep(seconds)


def _switch(switch: str, subject: Subject, seconds: float) -> None:
    with subject.switched(switch):
        time.sleep(seconds)


def _fill_disk(subject: Subject, seconds: float) -> None:
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


def _cut_connections(subject: Subject, seconds: float) -> None:
    with psycopg.connect(subject.stack.dw_url, autocommit=True, connect_timeout=10) as cutter:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(psycopg.Error), psycopg.connect(subject.stack.dw_url, connect_timeout=10) as locker:
                locker.execute(LOCK)
                time.sleep(0.3)
                cutter.execute(CUT)


FAULTS: Mapping[str, Fault] = {
    "ingest killed": partial(_kill, "ingest"),
    "S3 killed": partial(_kill, "s3"),
    "PostgreSQL killed": partial(_kill, "warehouse"),
    "projector killed": _kill_projector,
    "everything killed": _kill_everything,
    "S3 refuses": partial(_switch, "storageDown"),
    "PostgreSQL refuses": partial(_switch, "warehouseDown"),
    "ingest slow": partial(_freeze, "ingest"),
    "S3 slow": partial(_freeze, "s3"),
    "PostgreSQL slow": partial(_freeze, "warehouse"),
    "triggers twice": partial(_switch, "triggersTwice"),
    "triggers out of order": partial(_switch, "triggersOutOfOrder"),
    "triggers late": partial(_switch, "triggersLate"),
    "triggers dropped": partial(_switch, "triggersOff"),
    "connections cut": _cut_connections,
    DISK_FULL: _fill_disk,
}

"""Lets permissions of files count for root too, as they do for everybody else."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ordinary_user"]

VERSION = 0x20080522  # of the kernel's structures, with 64 capabilities
MAY_READ_ALL = (1 << 1) | (1 << 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Take from this thread root's right to read whatever it likes, and give it back afterwards."""
    if os.geteuid() != 0:
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(VERSION, 0), (_Sets * 2)()
    _check(libc.capget(ctypes.byref(header), sets))
    before = sets[0].effective
    sets[0].effective = before & ~MAY_READ_ALL
    _check(libc.capset(ctypes.byref(header), sets))
    try:
        yield
    finally:
        sets[0].effective = before
        _check(libc.capset(ctypes.byref(header), sets))


def _check(failed: int) -> None:
    if failed:
        raise OSError(ctypes.get_errno(), "the capabilities of this thread stay as they are")

"""Tells which data files may hold some ids, by hashes of each file's ids, which are kept in a file beside it.

The hashes are only a copy. They may be deleted at any time: where they are missing or do not fit, they are made again.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from analysis.lake.files import Files

if TYPE_CHECKING:
    from pyiceberg.io import FileIO
    from pyiceberg.table import FileScanTask

__all__ = ["hashes_beside", "may_hold"]

SUFFIX = ".ids"
CHECK = hashlib.sha256().digest_size
HASH_BYTES = 8


def may_hold(files: Files, tasks: "Sequence[FileScanTask]", ids: pl.Series) -> "list[FileScanTask]":
    """Choose the files that may hold one of these ids. The others hold none of them.

    Args:
        files: The table's files.
        tasks: The files to look at.
        ids: The ids.

    Raises:
        Damaged: A file cannot be read, and nothing is known of it yet.
    """
    wanted = _hashes(ids).implode()
    return [task for task in tasks if _known(files, task).is_in(wanted).any()]


def hashes_beside(path: str) -> str:
    """Name the file that has the hashes of a data file's ids."""
    return f"{path}{SUFFIX}"


def _hashes(ids: pl.Series) -> pl.Series:
    """Give 64 bits of each id, also of null. Hardly ever do two ids have the same, so that a match is looked up."""
    return ids.hash().rechunk()


def _known(files: Files, task: "FileScanTask") -> pl.Series:
    """Give the hashes of a file's ids."""
    path, io = task.file.file_path, files.table.io
    if task.delete_files:  # rows that another engine has deleted may come back
        return _hashes(files.read([task], (files.id,))[files.id])
    known = _kept(io, path)
    if known is None:
        known = _hashes(files.read([task], (files.id,))[files.id])
        _keep(io, path, known)
    return known


def _kept(io: "FileIO", path: str) -> pl.Series | None:
    """Read the hashes of a data file; None if they cannot be read, or are not what this computer would write."""
    import pyarrow as pa

    try:
        with io.new_input(hashes_beside(path)).open() as opened:
            content = opened.read()
    except OSError:
        return None
    check, hashes = content[:CHECK], memoryview(content)[CHECK:]
    if check != _check(path, hashes):
        return None
    numbers = pa.Array.from_buffers(pa.uint64(), len(hashes) // HASH_BYTES, [None, pa.py_buffer(hashes)])
    return pl.Series(numbers)


def _keep(io: "FileIO", path: str, hashes: pl.Series) -> None:
    _, numbers = hashes.to_arrow().buffers()
    content = memoryview(numbers)[: hashes.len() * HASH_BYTES]
    with io.new_output(hashes_beside(path)).create(overwrite=True) as opened:
        opened.write(_check(path, content) + content)


def _check(path: str, hashes: memoryview) -> bytes:
    """Give what stands before the hashes. It differs if they are damaged, of another file, or made in another way.

    Another version of Polars, or another computer, may hash in another way: the hash of the name tells.
    """
    named = f"{pl.__version__} {_hashes(pl.Series([path])).item()} {path}\n"
    return hashlib.sha256(named.encode() + hashes).digest()

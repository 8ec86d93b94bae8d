"""Writes objects as files below the bucket's directory, as the local S3 server keeps them."""

import errno
import os
from pathlib import Path

from emulator.s3_server import UPLOAD

__all__ = ["ObjectFiles"]


class ObjectFiles:
    """The objects of one bucket's directory; each file is whole or not there, also for those who watch."""

    def __init__(self, directory: Path) -> None:
        self._directory = str(directory)
        self._folders: set[str] = set()

    def write(self, key: str, body: bytes) -> None:
        """Write one object, in place of another of that key. Raises OSError."""
        folder, _, name = f"{self._directory}/{key}".rpartition("/")
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        partial = f"{folder}/{UPLOAD}{name}"
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            if os.write(file, body) != len(body):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), partial)
        finally:
            os.close(file)
        os.replace(partial, f"{folder}/{name}")

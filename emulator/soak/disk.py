"""A small disk for one directory, so that filling it hurts nobody else."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["small_disk"]


@contextmanager
def small_disk(directory: Path, size: int) -> Iterator[bool]:
    """Let a directory have `size` bytes in memory while the block runs; False where that is not allowed.

    It takes root, on Linux, outside of most containers.
    """
    options = f"size={size},mode=700"
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], capture_output=True, check=True)

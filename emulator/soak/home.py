"""Makes the temporary home of the stack under test, its raw storage on a small disk, and deletes it afterwards."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from command_line.home import Home
from emulator.servers.ports import free_ports
from emulator.servers.postgres.server import Postgres
from emulator.soak.subject import Subject

__all__ = ["small_disk", "temporary_subject"]


@contextmanager
def temporary_subject(disk_bytes: int) -> Iterator[tuple[Subject, bool]]:
    """Give a stack on a temporary home, not yet started; stop it and delete the home when the block ends.

    Args:
        disk_bytes: Size of the disk that raw storage gets.

    Returns:
        The stack, and whether its raw storage has a disk of its own: see `small_disk`.
    """
    with ExitStack() as stack:
        home = Home(Path(tempfile.mkdtemp(prefix="clickstream-soak-")) / "home")
        stack.callback(shutil.rmtree, home.path.parent, ignore_errors=True)
        home.path.parent.chmod(0o711)  # as root, PostgreSQL's own user has to come through
        home.create()
        has_small_disk = stack.enter_context(small_disk(home.s3, disk_bytes))
        home.create()  # the bucket that was made before lies below the new disk
        stack.callback(lambda: Postgres(home).remove())
        subject = Subject(home, free_ports(3))
        stack.callback(subject.stop)
        yield subject, has_small_disk


@contextmanager
def small_disk(directory: Path, size: int) -> Iterator[bool]:
    """Mount a disk of `size` bytes, in memory, on a directory while the block runs, so that filling it is harmless.

    It needs root, Linux, and permission to mount, which most containers lack.

    Returns:
        Whether the disk was mounted.
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

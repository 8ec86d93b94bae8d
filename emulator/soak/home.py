"""Makes the temporary home of the stack under test, its parts on small disks, and deletes it afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from command_line.home import Home
from emulator.servers.ports import free_ports
from emulator.servers.postgres.server import Postgres
from emulator.soak.disks import small_disks
from emulator.soak.subject import Subject

__all__ = ["temporary_subject"]


@contextmanager
def temporary_subject(disk_bytes: int) -> Iterator[Subject]:
    """Give a stack on a temporary home, not yet started; stop it and delete the home when the block ends.

    Args:
        disk_bytes: Size of the small disk that each of its parts gets, if possible.
    """
    with ExitStack() as stack:
        home = Home(Path(tempfile.mkdtemp(prefix="clickstream-soak-")) / "home")
        stack.callback(shutil.rmtree, home.path.parent, ignore_errors=True)
        home.path.parent.chmod(0o711)  # as root, PostgreSQL's own user has to come through
        home.create()
        stack.callback(lambda: Postgres(home).remove())
        subject = Subject(home, free_ports(3), disks=stack.enter_context(small_disks(home, disk_bytes)))
        stack.callback(subject.stop)
        yield subject

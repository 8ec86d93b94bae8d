"""Full disks: they are full for some seconds, and then free again."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from command_line.home import Home
from emulator.soak.disks import SmallDisk, small_disk
from emulator.soak.faults import FAULTS
from emulator.soak.faults.disks import DISK_FULL
from emulator.soak.subject import Subject
from tests.support.stack_process import wait_for


class TestFill:
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Iterator[Subject]:
        """Give a stack whose raw storage has a disk of a mebibyte."""
        home = Home(tmp_path / "home")
        home.create()
        with small_disk(home.s3, 2**20) as disk:
            if disk is None:
                pytest.skip("only root, on Linux, outside of most containers, can mount a disk")
            yield Subject(home, (1, 2, 3), disks={"s3": disk})

    def test_the_disk_is_full_and_then_free(self, subject: Subject) -> None:
        """While it is full, nothing can be written, also not into space that was freed meanwhile."""
        old = subject.home.s3 / "old"
        old.write_bytes(bytes(8192))
        fault = Thread(target=FAULTS["S3 disk full"], args=(subject, 1.0))
        fault.start()
        wait_for(lambda: not self._can_write(subject), 1)
        old.unlink()
        wait_for(lambda: not self._can_write(subject), 1)
        assert fault.is_alive()
        fault.join()
        assert self._can_write(subject)

    @staticmethod
    def _can_write(subject: Subject) -> bool:
        path = subject.home.s3 / "file"
        try:
            path.write_bytes(bytes(8192))
        except OSError:
            return False
        finally:
            path.unlink(missing_ok=True)
        return True

    def test_it_is_free_after_an_error(self, tmp_path: Path) -> None:
        """Whatever fails meanwhile."""
        from emulator.soak.faults.disks import fill

        class Disk(SmallDisk):
            log: tuple[str, ...] = ()

            def fill(self) -> None:
                self.log += ("full",)
                raise OSError("no")

            def free(self) -> None:
                self.log += ("free",)

        disk = Disk(tmp_path, 1)
        began = time.monotonic()
        with pytest.raises(OSError, match="no"):
            fill("s3", Subject(Home(tmp_path), (1, 2, 3), disks={"s3": disk}), 60)
        assert disk.log == ("full", "free")
        assert time.monotonic() - began < 30

    def test_the_three_disks_are_named_alike(self) -> None:
        """Each is a fault."""
        assert [kind for kind in FAULTS if kind.endswith("disk full")] == [*DISK_FULL]

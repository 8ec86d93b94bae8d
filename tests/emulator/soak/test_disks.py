"""Small disks: mounted on a directory with what is in it, filled, and freed."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line.home import BUCKET, Home
from emulator.servers.postgres.server import Postgres
from emulator.soak.disks import SmallDisk, small_disk, small_disks

SIZE = 2**20


class TestSmallDisk:
    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        """Give a directory with one file that only its owner may read."""
        directory = tmp_path / "directory"
        directory.mkdir()
        (directory / "file").write_bytes(b"content")
        (directory / "file").chmod(0o600)
        return directory

    @pytest.fixture
    def disk(self, directory: Path) -> Iterator[SmallDisk]:
        """Give a disk of a mebibyte on the directory."""
        with small_disk(directory, SIZE) as disk:
            if disk is None:
                pytest.skip("only root, on Linux, outside of most containers, can mount a disk")
            yield disk

    @pytest.mark.usefixtures("disk")
    def test_it_has_the_files_that_were_there(self, directory: Path) -> None:
        """With their permissions; the disk is another one, of the size that was asked for."""
        assert (directory / "file").read_bytes() == b"content"
        assert (directory / "file").stat().st_mode & 0o777 == 0o600
        assert os.path.ismount(directory)
        found = os.statvfs(directory)
        assert found.f_blocks * found.f_frsize == SIZE

    def test_it_is_filled_and_freed(self, directory: Path, disk: SmallDisk) -> None:
        """While it is full, nothing more can be written; what was there can be read."""
        disk.fill()
        with pytest.raises(OSError, match="No space left") as refused:
            (directory / "other").write_bytes(bytes(4096))
        assert refused.value.errno == errno.ENOSPC
        assert (directory / "file").read_bytes() == b"content"
        disk.free()
        (directory / "other").write_bytes(bytes(4096))

    def test_space_that_is_freed_while_it_is_full_is_taken_away_at_the_next_filling(
        self, directory: Path, disk: SmallDisk
    ) -> None:
        """As when PostgreSQL deletes old WAL."""
        (directory / "old").write_bytes(bytes(SIZE // 2))
        disk.fill()
        (directory / "old").unlink()
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            (directory / "other").write_bytes(bytes(SIZE // 4))

    def test_it_is_gone_afterwards(self, directory: Path) -> None:
        """With all that was written to it."""
        with small_disk(directory, SIZE) as disk:
            if disk is None:
                pytest.skip("only root, on Linux, outside of most containers, can mount a disk")
            (directory / "file").write_bytes(b"other")
        assert (directory / "file").read_bytes() == b"content"
        assert not os.path.ismount(directory)

    def test_without_permission_there_is_none(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The directory stays as it is."""
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        with small_disk(directory, SIZE) as disk:
            assert disk is None
            assert not os.path.ismount(directory)


@pytest.mark.stack
class TestSmallDisks:
    def test_each_part_of_a_stack_gets_its_own(self, tmp_path: Path) -> None:
        """Raw storage, PostgreSQL's data, and its WAL; PostgreSQL starts on them, and they fill up one by one."""
        home = Home(tmp_path / "home")
        home.create()
        postgres = Postgres(home)
        try:
            with small_disks(home, 2**28) as disks:
                if not disks:
                    pytest.skip("only root, on Linux, outside of most containers, can mount a disk")
                assert disks.keys() == {"s3", "warehouse", "wal"}
                postgres.start()
                disks["warehouse"].fill()
                (home.s3 / BUCKET / "file").write_bytes(bytes(4096))
                postgres.stop()
        finally:
            postgres.stop()
            postgres.remove()

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from psycopg import conninfo

from command_line.errors import CommandError
from command_line.home import Home, Stack
from emulator.commands.main import main

STACK = Stack("http://w", "http://i", "http://s", "postgresql://u:secret@h/d", True, "raw", "key", "secret")  # noqa: FBT003


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Give a home that exists."""
    home = Home(tmp_path / "home")
    home.create()
    return home


class TestHome:
    def test_the_environment_names_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`CLICKSTREAM_HOME`, else `.clickstream` at the root of the repository."""
        monkeypatch.setenv("CLICKSTREAM_HOME", "/somewhere")
        assert Home.default().path == Path("/somewhere")
        monkeypatch.delenv("CLICKSTREAM_HOME")
        assert Home.default().path == Path(__file__).parents[2] / ".clickstream"

    def test_it_is_private(self, home: Home) -> None:
        """Nobody else can list it, or read what is in it."""
        assert home.path.stat().st_mode & 0o066 == 0
        assert home.s3.stat().st_mode & 0o077 == 0
        assert home.record_of("s3").parent.stat().st_mode & 0o077 == 0

    def test_records_of_an_older_version_become_private(self, tmp_path: Path) -> None:
        """It made their folder for everybody."""
        home = Home(tmp_path / "home")
        home.record_of("s3").parent.mkdir(parents=True)
        home.create()
        assert home.record_of("s3").parent.stat().st_mode & 0o077 == 0

    def test_an_existing_directory_keeps_its_permissions(self, tmp_path: Path) -> None:
        """It may have been made for other purposes."""
        tmp_path.chmod(0o755)
        Home(tmp_path).create()
        assert tmp_path.stat().st_mode & 0o777 == 0o755

    def test_a_path_that_cannot_be_a_directory_is_named(self, tmp_path: Path) -> None:
        """In one line."""
        (tmp_path / "file").touch()
        with pytest.raises(CommandError, match=r"cannot use .*file/home as home: Not a directory; name another"):
            Home(tmp_path / "file" / "home").create()

    def test_names_differ_by_path_and_are_short(self, tmp_path: Path) -> None:
        """They stand where the path would be too long."""
        assert Home(tmp_path / "a").name != Home(tmp_path / "b").name
        assert len(Home(tmp_path / ("x" * 200)).name) < 40


class TestAnotherUsers:
    """Another user's home gives one line; a traceback would not say what to do."""

    @pytest.fixture
    def theirs(self) -> Iterator[Home]:
        """Give a home of root, in a folder that everybody may enter, to a process that is somebody else."""
        if os.geteuid() != 0:
            pytest.skip("only root can become another user")
        folder = Path(tempfile.mkdtemp(prefix="theirs-", dir="/tmp"))
        folder.chmod(0o755)
        home = Home(folder / "home")
        home.create()
        with home.held():
            home.write_stack(STACK)
        (home.path / "stack.lock").chmod(0o600)
        os.seteuid(65534)
        yield home
        os.seteuid(0)
        shutil.rmtree(folder)

    def test_it_cannot_be_used(self, theirs: Home) -> None:
        """Whether its folders could be made or not."""
        with pytest.raises(CommandError, match=r"cannot use .*/home as home: Permission denied; name another"):
            theirs.create()
        with pytest.raises(CommandError, match=r"/home is the home of another user; name another with --home"):
            theirs.require_own()

    def test_it_cannot_be_held(self, theirs: Home) -> None:
        """Its lock may not be opened; nobody may know whether its stack runs."""
        with pytest.raises(CommandError, match=r"cannot use .*/stack.lock: Permission denied; name"), theirs.held():
            pass
        assert not theirs.is_held

    def test_its_record_cannot_be_read(self, theirs: Home) -> None:
        """It is not said that no stack has run."""
        with pytest.raises(CommandError, match=r"/home is the home of another user; name another with --home"):
            theirs.read_stack()

    @pytest.mark.parametrize("command", [["up"], ["up", "--headless"], ["reset", "--yes"], ["env"]])
    def test_each_command_says_so_in_one_line(self, theirs: Home, command: list[str]) -> None:
        """With exit code 2, and nothing on stdout."""
        done = CliRunner().invoke(main, [*command, "--home", str(theirs.path)])
        assert isinstance(done.exception, SystemExit)
        assert (done.exit_code, done.stdout) == (2, "")
        assert len(done.stderr.splitlines()) == 1
        assert "name another with --home" in done.stderr


class TestHeld:
    def test_one_holder_at_a_time(self, home: Home) -> None:
        """The second is told which home it is; afterwards it is free again."""
        assert not home.is_held
        with home.held():
            assert home.is_held
            with pytest.raises(CommandError, match=f"a stack is already running on {home.path}"), home.held():
                pass
        assert not home.is_held

    def test_a_directory_without_a_lock_is_not_held(self, tmp_path: Path) -> None:
        """Asking creates nothing."""
        assert not Home(tmp_path / "nothing").is_held
        assert not (tmp_path / "nothing").exists()


class TestKeyPair:
    def test_it_is_made_once_for_its_owner_only(self, home: Home) -> None:
        """The same at the next start; different for every home."""
        assert home.key_pair() == home.key_pair()
        assert (home.path / "s3-key.json").stat().st_mode & 0o077 == 0
        other = Home(home.path / "other")
        other.create()
        assert other.key_pair() != home.key_pair()

    @pytest.mark.parametrize("text", ["", "[", '["half"]', "7"])
    def test_a_damaged_one_is_made_anew(self, text: str, home: Home) -> None:
        """A full disk or a kill may have cut it off."""
        (home.path / "s3-key.json").write_text(text)
        assert home.key_pair() == home.key_pair()


class TestStack:
    def test_the_record_is_read_as_it_was_written(self, home: Home) -> None:
        """And for its owner only: it holds the key pair."""
        home.write_stack(STACK)
        assert home.read_stack() == STACK
        assert (home.path / "stack.json").stat().st_mode & 0o077 == 0
        assert os.listdir(home.path).count("stack.partial") == 0  # noqa: PTH208

    @pytest.mark.parametrize("text", [None, "", "{}", '{"web_url": 1', "[]"])
    def test_without_a_record_it_says_how_to_make_one(self, text: str | None, home: Home) -> None:
        """Also where it is damaged."""
        if text is not None:
            (home.path / "stack.json").write_text(text)
        with pytest.raises(CommandError, match="start one with 'python -m emulator up'"):
            home.read_stack()

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("postgresql://u:secret@h/d", "user=u host=h dbname=d"),
            ("postgresql://u@/d?host=%2Ftmp", "postgresql://u@/d?host=%2Ftmp"),
            ("postgresql://u@h/d?password=secret&connect_timeout=1", "connect_timeout=1 user=u host=h dbname=d"),
            ("host=h password = secret dbname=d", "host=h dbname=d"),
            ("host=h password='sec ret' sslpassword=secret dbname=d", "host=h dbname=d"),
        ],
    )
    def test_the_url_that_people_see_has_no_password(self, url: str, shown: str) -> None:
        """In each of libpq's spellings."""
        stack = Stack("", "", "", url, False, "", "", "")  # noqa: FBT003
        assert "secret" not in stack.public_dw_url
        assert conninfo.conninfo_to_dict(stack.public_dw_url) == conninfo.conninfo_to_dict(shown)

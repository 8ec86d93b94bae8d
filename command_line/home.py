"""The stack's home directory: where its state lives, who holds it, and the record of the running stack."""

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

from psycopg import conninfo

from command_line.errors import CommandError

__all__ = ["Home", "Stack"]

BUCKET = "clickstream-s3-ingest"
MARKER = ".clickstream-home"
SECRETS = {"password", "sslpassword"}
LOCK_SECONDS = 0.5


@dataclass(frozen=True)
class Stack:
    """Where the parts of one stack are, and the local key pair of its S3 server; all URLs are on loopback."""

    web_url: str
    ingest_url: str
    s3_url: str
    dw_url: str
    is_own_dw: bool
    bucket: str
    access_key: str
    secret_key: str

    @property
    def endpoint(self) -> str:
        """The URL that events are POSTed to."""
        return f"{self.ingest_url}/clickstream"

    @property
    def public_dw_url(self) -> str:
        """Where the warehouse is, for people to read: its URL, or a libpq connection string without the password."""
        parameters = conninfo.conninfo_to_dict(self.dw_url)
        if not parameters.keys() & SECRETS:
            return self.dw_url
        return conninfo.make_conninfo("", **{name: parameters[name] for name in parameters.keys() - SECRETS})


class Home:
    """One stack's state under `path`: `s3/<bucket>/<key>`, `postgres/`, `logs/`, and the record of the last run."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.s3 = self.path / "s3"
        self.postgres = self.path / "postgres"
        self.logs = self.path / "logs"
        self._record = self.path / "stack.json"

    @classmethod
    def default(cls) -> "Home":
        """`CLICKSTREAM_HOME`, else `.clickstream/` at the root of the repository."""
        return cls(Path(os.environ.get("CLICKSTREAM_HOME") or Path(__file__).parents[1] / ".clickstream"))

    @property
    def name(self) -> str:
        """A short name, unique to this user and path: it goes where the path itself would be too long."""
        return f"clickstream-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:12]}"

    def create(self) -> None:
        """Make the directory, private to its owner, and its marker; an existing directory keeps its permissions.

        As root the directory can be entered (not listed), since PostgreSQL then runs as another user.
        Raises CommandError where that is not allowed.
        """
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for folder in (self.s3, self.s3 / BUCKET, self.logs):
                folder.mkdir(exist_ok=True, mode=0o700)
            (self.path / MARKER).touch()
        except OSError as error:
            raise CommandError(f"cannot use {self.path} as home: {error.strerror}; name another with --home") from error

    @contextmanager
    def held(self, patience: float = LOCK_SECONDS) -> Iterator[None]:
        """Hold the home for one stack; the lock ends with the process, however that ends.

        Raises CommandError if another still holds it after `patience` seconds: `env` does, for a moment.
        """
        deadline = time.monotonic() + patience
        with (self.path / "stack.lock").open("a") as lock:
            while not _locked(lock):
                if time.monotonic() >= deadline:
                    raise CommandError(f"a stack is already running on {self.path}; stop it, or name another --home")
                time.sleep(0.05)
            yield

    @property
    def is_held(self) -> bool:
        """Whether a stack is running on this home now."""
        try:
            with self.held(patience=0):
                return False
        except (CommandError, FileNotFoundError):
            return self.path.exists() and (self.path / "stack.lock").exists()

    def record_of(self, part: str) -> Path:
        """Where it is noted which process a part runs in, for a later start to find it if it was left behind."""
        return self.path / "run" / f"{part}.json"

    def key_pair(self) -> tuple[str, str]:
        """The S3 access key and secret of this home; made once, readable by its owner only."""
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
        """The record of the stack that runs, or ran last, on this home; raises CommandError if there was none."""
        try:
            return Stack(**json.loads(self._record.read_text()))
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

"""The parts of the stack that are programs of others: S3 server, ingest server, and a warehouse elsewhere."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import boto3
import httpx
import psycopg
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from emulator.errors import EmulatorError
from emulator.home import BUCKET, Home, Stack
from emulator.postgres import Postgres
from emulator.processes import Child

__all__ = ["ExternalWarehouse", "IngestServer", "Part", "S3Server", "WarehouseServer", "aws_environment"]

READY_SECONDS = 30
REGION = "us-east-1"
CHALICE_APP = Path(__file__).parents[1] / "chalice_app"


class Part(Protocol):
    """One part of the stack."""

    name: str

    def start(self) -> None:
        """Start it, and return when it really answers. Raises EmulatorError."""

    def stop(self) -> None:
        """Stop it; does nothing if it does not run."""

    def check(self) -> str | None:
        """Ask it something: None if it answers, else what is wrong in a few words."""

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""

    def last_lines(self) -> list[str]:
        """The end of its log."""


def aws_environment(stack: Stack) -> dict[str, str]:
    """The variables that point any AWS SDK, and both Lambdas, at this stack."""
    return {
        "AWS_ENDPOINT_URL_S3": stack.s3_url,
        "AWS_ACCESS_KEY_ID": stack.access_key,
        "AWS_SECRET_ACCESS_KEY": stack.secret_key,
        "AWS_DEFAULT_REGION": REGION,
        "RAW_BUCKET_NAME": stack.bucket,
        "DW_URL": stack.dw_url,
    }


def lambda_environment(stack: Stack) -> dict[str, str]:
    """What the Lambda code sees: this stack and nothing of the user's own AWS or rclone set-up."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_", "PG"))}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return inherited | nowhere | aws_environment(stack) | {"PYTHONUNBUFFERED": "1"}


class _Server:
    """A child process that serves on a port; subclasses say which, and how to see that it answers."""

    name: str

    def __init__(self, child: Child) -> None:
        self._child = child

    def start(self) -> None:
        """Start it, and return when it really answers. Raises EmulatorError with its last log lines."""
        self._child.start()
        deadline = time.monotonic() + READY_SECONDS
        while (problem := self.check()) is not None:
            if not self._child.is_alive or time.monotonic() > deadline:
                lines = "\n".join(self.last_lines())
                self._child.stop()
                raise EmulatorError(f"{self.name} did not start: {problem}; the end of {self._child.log}:\n{lines}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it; does nothing if it does not run."""
        self._child.stop()

    def check(self) -> str | None:
        """Ask it something: None if it answers, else what is wrong."""
        raise NotImplementedError

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._child.is_alive

    def last_lines(self) -> list[str]:
        """The end of its log."""
        return self._child.last_lines(10)


class S3Server(_Server):
    """`rclone serve s3` over plain files: `<home>/s3/<bucket>/<key>`."""

    name = "s3"

    def __init__(self, home: Home, stack: Stack) -> None:
        command = ["rclone", "serve", "s3", "--config", os.devnull, "--dir-cache-time", "1s"]
        command[0] = _program("rclone")
        command += ["--addr", stack.s3_url.removeprefix("http://"), str(home.s3)]
        # By the environment, since everybody can read the arguments of a process.
        key_pair = {"RCLONE_AUTH_KEY": f'"{stack.access_key},{stack.secret_key}"'}
        environment = {"PATH": os.defpath, "HOME": str(home.path)} | key_pair
        super().__init__(_child(self.name, command, home, environment))
        self._home = home
        self._client = boto3.client(
            "s3",
            endpoint_url=stack.s3_url,
            aws_access_key_id=stack.access_key,
            aws_secret_access_key=stack.secret_key,
            region_name=REGION,
            config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
        )

    def start(self) -> None:
        """Start it over a clean bucket: what a killed upload left behind never was an object."""
        for leftover in (self._home.s3 / BUCKET).rglob(".rclone_temp_put_*"):
            leftover.unlink(missing_ok=True)
        super().start()

    def check(self) -> str | None:
        """Ask for the bucket."""
        return _problem(lambda: self._client.head_bucket(Bucket=BUCKET), BotoCoreError, ClientError)


class IngestServer(_Server):
    """`chalice local`: API Gateway and the ingest Lambda."""

    name = "ingest"

    def __init__(self, home: Home, stack: Stack) -> None:
        port = stack.ingest_url.rpartition(":")[2]
        # A stage of its own: what config.json sets for the stages in AWS does not override this environment.
        options = ["local", "--no-autoreload", "--stage", "local", "--host", "127.0.0.1", "--port", port]
        command = [sys.executable, "-m", "emulator.chalice_local", "--project-dir", str(CHALICE_APP), *options]
        super().__init__(_child(self.name, command, home, lambda_environment(stack)))
        self._endpoint = stack.endpoint

    def check(self) -> str | None:
        """Send a preflight request."""
        return _problem(lambda: httpx.options(self._endpoint, timeout=5).raise_for_status(), httpx.HTTPError)


class WarehouseServer:
    """The embedded PostgreSQL, as a part."""

    name = "warehouse"

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def start(self) -> None:
        """Start it, and return when it answers a query. Raises EmulatorError."""
        self._postgres.start()

    def stop(self) -> None:
        """Stop it, letting it write everything to disk."""
        self._postgres.stop()

    def check(self) -> str | None:
        """Ask it a query."""
        return _query(self._postgres.url)

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._postgres.is_alive

    def last_lines(self) -> list[str]:
        """The end of its log."""
        return self._postgres.last_lines()


class ExternalWarehouse:
    """Any other PostgreSQL: it is only ever asked whether it answers."""

    name = "warehouse"
    is_alive = True

    def __init__(self, url: str) -> None:
        self._url = url

    def start(self) -> None:
        """See that it answers. Raises EmulatorError if it does not."""
        problem = self.check()
        if problem is not None:
            raise EmulatorError(f"the warehouse given by --dw or DW_URL does not answer: {problem}")

    def stop(self) -> None:
        """Leave it as it is."""

    def check(self) -> str | None:
        """Ask it a query."""
        return _query(self._url)

    def last_lines(self) -> list[str]:
        """Nothing: its log is elsewhere."""
        return []


def _child(name: str, command: list[str], home: Home, environment: dict[str, str]) -> Child:
    record = home.record_of(name)
    return Child(name, command, home.logs / f"{name}.log", environment, record=record)


def _program(name: str) -> str:
    """A program that a package of requirements.txt put into the virtual environment."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise EmulatorError(f"{name} is missing from {path.parent}: set the virtual environment up with 'make setup'")
    return str(path)


def _query(url: str) -> str | None:
    def ask() -> None:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")

    return _problem(ask, psycopg.Error)


def _problem(ask: Callable[[], object], *errors: type[Exception]) -> str | None:
    try:
        ask()
    except errors as error:
        return next(iter(str(error).splitlines()), type(error).__name__)
    return None

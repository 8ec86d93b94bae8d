"""Cold start benchmark: starts a process that imports our app and its S3 client, beside Chalice and boto3 alone."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.comparison import Comparison, seconds, take_turns

__all__ = ["ALTERNATIVE", "OURS", "ROUNDS", "environment", "measure"]

CHALICE_APP = Path(__file__).parents[1] / "chalice_app"
TARGET = 1.15
ROUNDS = 31

OURS = "import app; app.storage.client"
ALTERNATIVE = 'import chalice, boto3; boto3.client("s3")'
TITLE = f"cold-start: a new process that runs `{OURS}`, beside `{ALTERNATIVE}`"


def measure(rounds: Iterable[object]) -> Comparison:
    """Start one process of each kind per item of `rounds`, after one of each that is not counted."""
    variables = environment(os.environ)
    # The first start of each kind compiles modules and fills the disk cache.
    for code in (OURS, ALTERNATIVE):
        _start(code, variables)
    pairs = take_turns(rounds, lambda: _start(OURS, variables), lambda: _start(ALTERNATIVE, variables))
    return Comparison("cold-start", TITLE, "our app", "Chalice and boto3", TARGET, pairs)


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment as Lambda sets it: credentials and a region, without this computer's own AWS settings."""
    kept = {name: value for name, value in inherited.items() if not name.startswith(("AWS_", "BOTO", "PYTHON"))}
    return kept | {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _start(code: str, variables: dict[str, str]) -> float:
    """Return the seconds from start to end of one process, which runs in the folder of the app."""
    return seconds(lambda: subprocess.run([sys.executable, "-c", code], cwd=CHALICE_APP, env=variables, check=True))

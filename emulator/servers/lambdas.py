"""Loads the projector Lambda, the same `app.py` that is deployed, into the emulator's own process."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chalicelib import log

__all__ = ["CHALICE_APP", "load_projector"]

CHALICE_APP = Path(__file__).parents[2] / "chalice_app"


def load_projector(environment: Mapping[str, str], log_file: Path) -> Callable[[dict[str, Any]], Any]:
    """Import the app and return its projector.

    Args:
        environment: Environment of the Lambda; it replaces the environment of this process.
        log_file: Gets the log lines; the log of the last run is kept as `<log_file>.1`.

    Returns:
        The projector: it takes an event of S3 or, with `TRIGGER=sqs`, of SQS, and returns what `trigger.handle` does.
    """
    os.environ.clear()
    os.environ.update(environment)
    sys.path.insert(0, str(CHALICE_APP))
    import app

    if log_file.exists():
        log_file.replace(log_file.with_name(f"{log_file.name}.1"))
    log.output = log_file.open("a", buffering=1, encoding="utf-8")
    return lambda event: app.project(event, None)

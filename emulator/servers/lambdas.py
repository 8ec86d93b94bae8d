"""The projector Lambda inside the emulator's own process: the same `app.py` that is deployed."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chalicelib import log

__all__ = ["CHALICE_APP", "load_projector"]

CHALICE_APP = Path(__file__).parents[2] / "chalice_app"


def load_projector(environment: Mapping[str, str], log_file: Path) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """Import the app under `environment`, which becomes this process's own, and give its projector.

    Its log lines go to `log_file`; the log of the last run is kept as `<log_file>.1`.
    """
    os.environ.clear()
    os.environ.update(environment)
    sys.path.insert(0, str(CHALICE_APP))
    import app

    if log_file.exists():
        log_file.replace(log_file.with_name(f"{log_file.name}.1"))
    log.output = log_file.open("a", buffering=1, encoding="utf-8")
    return lambda event: list(app.project(event, None))

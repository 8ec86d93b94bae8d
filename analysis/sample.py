"""A small history for who has none yet: only a local bucket's directory without any event gets it."""

import os
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from analysis.errors import AnalysisError
from analysis.metrics.range import HISTORY_DAYS
from chalicelib.keys import PREFIX, SUFFIX
from command_line.errors import CommandError

__all__ = ["seed_if_empty"]

DAYS, SHOPPERS, SEED = HISTORY_DAYS - 1, 300, 1  # wholly within what a notebook looks at


def seed_if_empty(source: str | Path, dw_url: str | None) -> bool:
    """Write a sample history, faults and all, if `source` is an empty local bucket; say whether it was.

    It goes into the warehouse too, if there is one. Raises AnalysisError if it cannot be written.
    """
    if str(source).startswith("s3://") or not Path(source).is_dir() or _has_events(Path(source)):
        return False
    # Imported here, since hardly anyone needs it a second time.
    from emulator.seed.clock import hour_of, milliseconds
    from emulator.seed.run import run
    from emulator.seed.store import Store

    console = Console(stderr=True)
    console.print(f"No events yet in {source}: writing a sample of {DAYS} days into it.", markup=False, soft_wrap=True)
    store = Store(SEED, DAYS, SHOPPERS, hour_of(milliseconds(datetime.now(UTC))))
    try:
        run(store, Path(source), Path(source).parent / "seed-answers.json", dw_url, console)
    except CommandError as error:
        raise AnalysisError(str(error)) from error
    return True


def _has_events(directory: Path) -> bool:
    return any(name.endswith(SUFFIX) for _, _, names in os.walk(directory / PREFIX.rstrip("/")) for name in names)

"""Writes the sample: a small history of made-up events, for who has no events yet."""

from datetime import UTC, datetime

from rich.console import Console

from analysis.metrics.range import HISTORY_DAYS
from analysis.place import has_events
from analysis.raw.sample import MARKER, Sample
from command_line.errors import CommandError
from command_line.home import BUCKET, Home
from emulator.seed.clock import hour_of, milliseconds, moment
from emulator.seed.run import SeedReport, run
from emulator.seed.store import Store
from emulator.servers.environment import forget_postgres_variables

__all__ = ["write_sample"]

DAYS, SHOPPERS, SEED = HISTORY_DAYS - 1, 300, 1  # wholly within what a notebook looks at


def write_sample(home: Home, console: Console, shoppers: int = SHOPPERS) -> SeedReport:
    """Write the sample into the bucket of a home, and into the embedded warehouse if its stack runs.

    Args:
        home: The stack's home, which is made if it is not there.
        console: Where progress is shown.
        shoppers: How many people shop in the sample; each makes about 45 events.

    Returns:
        What was written; `loaded` is None if the stack does not run, which projects the events when it starts.

    Raises:
        CommandError: The bucket has events already, the running stack's warehouse is not its own, or something cannot
            be written.
    """
    home.create()
    if home.is_held:
        stack = home.read_stack()
        if not stack.is_own_dw:
            raise CommandError(
                "the running stack uses a warehouse of somebody else, which a sample must not reach: stop the stack, "
                "and start it without --dw and DW_URL, or name another --home"
            )
        # A variable of the user's own could lead the connection to another server.
        forget_postgres_variables()
        return _write(home, stack.dw_url, console, shoppers, stack.price_decimals)
    with home.held():  # no stack may start meanwhile, with another warehouse
        return _write(home, None, console, shoppers)


def _write(home: Home, dw_url: str | None, console: Console, shoppers: int, price_decimals: int = 0) -> SeedReport:
    bucket = home.s3 / BUCKET
    if has_events(bucket):
        what = "a sample" if (bucket / MARKER).exists() else "events"
        raise CommandError(
            f"{bucket} has {what} already, and a sample must not mix with other events: "
            "empty it with 'python -m emulator reset', or name another --home"
        )
    now = datetime.now(UTC)
    store = Store(SEED, DAYS, shoppers, hour_of(milliseconds(now)))
    sample = Sample(moment(store.start), moment(store.end), now)
    try:
        # First: not even a part of the sample may be taken for real events.
        (bucket / MARKER).write_bytes(sample.as_bytes())
    except OSError as error:
        raise CommandError(f"cannot write {error.filename}: {error.strerror}") from error
    return run(store, bucket, home.path / "seed-answers.json", dw_url, console, price_decimals=price_decimals)

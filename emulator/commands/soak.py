"""The command line of the soak."""

import json
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from command_line.errors import CommandError
from command_line.home import Home
from command_line.interrupt import stopped_by_ctrl_c
from emulator.servers.ports import free_ports
from emulator.servers.postgres.server import Postgres
from emulator.shoppers.crowd import FASTEST, SLOWEST

if TYPE_CHECKING:
    from emulator.soak.run import Plan, Soak
    from emulator.soak.subject import Subject

__all__ = ["soak_command"]

HELP = """
Break a stack of its own at random, under constant load, and prove that nothing is lost.

Simulated shoppers click all the time. Meanwhile, one after the other: ingest, S3 server, PostgreSQL, projector or all
of them are killed (kill -9), refuse connections, or hang; triggers come twice, late, out of order or not at all;
connections are cut in mid-statement; the disk of raw storage is full (as root, on Linux). After calm, every event
that was acknowledged has to be in raw as it was sent, and in the warehouse once; validate has to be clean; and the
warehouse, deleted and rebuilt from raw, has to be the same.

\b
Examples:
  python -m emulator soak
  python -m emulator soak --events 100000 --faults 60 --rate 120
  python -m emulator soak --events 2000 --faults 16 --fault "S3 killed" --fault "disk full" --json

Nothing is left of it afterwards. Exit code: 0 nothing was lost, 1 something was, 2 wrong usage or environment.
"""
OBJECT_BYTES = 8192  # of memory that an object of about one kilobyte takes, directory included
# Load goes on until the last fault is over, however long stacks take to recover.
SPARE_BYTES = 2**30


@click.command("soak", help=HELP)
@click.option("--events", type=click.IntRange(1), default=2_000, show_default=True, help="At least so many.")
@click.option("--faults", type=click.IntRange(0), default=16, show_default=True, help="How many, one after the other.")
@click.option(
    "--rate", type=click.FloatRange(SLOWEST, FASTEST), default=40.0, show_default=True, help="Events per second."
)
@click.option(
    "--fault", "kinds", multiple=True, metavar="NAME", help="Only this kind; may be repeated.  [default: all]"
)
@click.option("--seed", type=click.IntRange(min=0), help="Repeat the faults of a run.  [default: other ones each time]")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as one JSON object, and nothing else on stdout."
)
def soak_command(
    events: int, faults: int, rate: float, kinds: tuple[str, ...], seed: int | None, *, as_json: bool
) -> None:
    """Soak, print the report, and end with its exit code."""
    # Imported here, since httpx2 and rich take longer to import than `--help` takes to run.
    from rich.console import Console

    from emulator.soak import output
    from emulator.soak.faults import DISK_FULL, FAULTS
    from emulator.soak.run import Plan

    if unknown := [kind for kind in kinds if kind not in FAULTS]:
        raise click.BadParameter(f"no fault {', '.join(map(repr, unknown))}; there are {', '.join(FAULTS)}")
    size = events * OBJECT_BYTES + SPARE_BYTES
    with _subject(size) as (subject, has_small_disk):
        chosen = [kind for kind in kinds or FAULTS if kind != DISK_FULL or has_small_disk]
        if DISK_FULL in (kinds or FAULTS) and not has_small_disk:
            click.echo(
                f"{DISK_FULL!r} is left out: it takes root, on Linux, to give raw storage a disk of its own", err=True
            )
        if not chosen:
            raise CommandError("there is no fault left to inject")
        seed = random.SystemRandom().getrandbits(32) if seed is None else seed
        result = _run(subject, Plan(events, rate, faults, seed, chosen))
    if as_json:
        click.echo(json.dumps(output.as_json(result), indent=2))
    else:
        output.show(result, Console())
    raise SystemExit(0 if result.is_passed else 1)


def _run(subject: "Subject", plan: "Plan") -> "Soak":
    from rich.console import Console

    from command_line.progress import new_progress
    from emulator.soak.run import soak

    with stopped_by_ctrl_c() as stop, new_progress(Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=plan.events)

        def say(what: str, acknowledged: int, faults: int) -> None:
            description = f"{faults} of {plan.faults} faults; {what}"
            bar.update(task, completed=min(acknowledged, plan.events), description=description)

        subject.start()
        return soak(subject, plan, stop, say)


@contextmanager
def _subject(size: int) -> Iterator[tuple["Subject", bool]]:
    """A stack on a home of its own, whose raw storage has a disk of `size` bytes, if that may be; none of it stays."""
    from emulator.soak.disk import small_disk
    from emulator.soak.subject import Subject

    with ExitStack() as stack:
        home = Home(Path(tempfile.mkdtemp(prefix="clickstream-soak-")) / "home")
        stack.callback(shutil.rmtree, home.path.parent, ignore_errors=True)
        home.path.parent.chmod(0o711)  # as root, PostgreSQL's own user has to come through
        home.create()
        has_small_disk = stack.enter_context(small_disk(home.s3, size))
        home.create()  # what is in the directory now is below the new disk
        stack.callback(lambda: Postgres(home).remove())
        subject = Subject(home, free_ports(3))
        stack.callback(subject.stop)
        yield subject, has_small_disk

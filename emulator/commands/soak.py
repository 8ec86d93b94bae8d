"""`python -m emulator soak`: inject faults into a temporary stack under load, and prove that no event is lost."""

import json
import random
from typing import TYPE_CHECKING

import click

from command_line.errors import CommandError
from command_line.interrupt import stopped_by_ctrl_c
from command_line.numbers import FiniteRange
from emulator.shoppers.crowd import FASTEST, SLOWEST

if TYPE_CHECKING:
    from emulator.soak.run import Plan, Soak
    from emulator.soak.subject import Subject

__all__ = ["soak_command"]

HELP = """
Inject faults under load, and prove that no event is lost.

The soak runs a temporary stack, on which simulated shoppers click all the time. Meanwhile it injects one random fault
after the other:

\b
- killed       SIGKILL to ingest, the S3 server, PostgreSQL, the projector or all of them
- terminated   SIGTERM to a server, to PostgreSQL's first process (postmaster), or to the supervisor of all parts
- frozen       SIGSTOP to a server or to the postmaster, which the stack has to restart
- slow         SIGSTOP to a server or the supervisor, and SIGCONT after some seconds
- refuses      the S3 server or PostgreSQL is stopped in order, and started after some seconds
- triggers     come twice, late, out of order or not at all
- connections  to PostgreSQL are cut in the middle of a statement
- rows         a tenth of them is refused by a constraint that an analyst adds
- disk full    of the S3 server, of PostgreSQL's data, or of its WAL (as root, on Linux)
- clocks       of the stack (with Debian's package faketime) or of some browsers jump ahead and back, by up to days
- readers      of the API's stream and of its wait read nothing, or a byte per second
- second stack on the same ports, or on the same home: it has to end at once
- analysis     'backfill', 'validate' and 'erase' run under load

When no event waits any more, the soak checks that every acknowledged event is in raw as it was sent and in the
warehouse exactly once, that 'analysis validate' finds no problem, and that the warehouse is the same after it was
deleted and rebuilt from raw. Erased events must be in neither. If a clock jumped, findings of 'validate' that are
true of a wrong clock are expected, and named.

It also reports how long acknowledged events took to become rows: by kind of fault, and the longest wait of an event
while the warehouse was healthy.

\b
Examples:
  python -m emulator soak
  python -m emulator soak --events 100000 --faults 76 --rate 100
  python -m emulator soak --faults 16 --fault "S3 killed" --fault "S3 disk full" --json

The temporary stack is deleted afterwards. Exit codes: 0 passed, 1 a check failed, 2 wrong usage or environment.
"""
OBJECT_BYTES = 8192  # memory that an object of about one kilobyte takes, with its share of the directory
# The load goes on until the last fault is over, however long the stack takes to recover.
SPARE_BYTES = 2**30


@click.command("soak", help=HELP)
@click.option("--events", type=click.IntRange(1), default=2_000, show_default=True, help="Events to send, at least.")
@click.option(
    "--faults", type=click.IntRange(0), help="Faults to inject, one after the other.  [default: each kind once]"
)
@click.option("--rate", type=FiniteRange(SLOWEST, FASTEST), default=40.0, show_default=True, help="Events per second.")
@click.option(
    "--fault", "kinds", multiple=True, metavar="NAME", help="Inject only this fault; may be repeated.  [default: all]"
)
@click.option(
    "--seed", type=click.IntRange(min=0), help="Repeat the faults of the run with this seed.  [default: random]"
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the report as one JSON object, and nothing else on stdout."
)
def soak_command(
    events: int, faults: int | None, rate: float, kinds: tuple[str, ...], seed: int | None, *, as_json: bool
) -> None:
    """Run the soak, print the report, and exit with its exit code."""
    # Imported here, since httpx2 and rich take longer to import than `--help` takes to run.
    from rich.console import Console

    from emulator.soak import output
    from emulator.soak.faults import FAULTS, missing
    from emulator.soak.home import temporary_subject
    from emulator.soak.run import Plan

    if unknown := [kind for kind in kinds if kind not in FAULTS]:
        raise click.BadParameter(f"unknown fault {', '.join(map(repr, unknown))}; choose from: {', '.join(FAULTS)}")
    size = events * OBJECT_BYTES + SPARE_BYTES
    with temporary_subject(size) as subject:
        chosen: list[str] = []
        left_out: dict[str, list[str]] = {}
        for kind in kinds or FAULTS:
            reason = missing(kind, has_disks=bool(subject.disks))
            (chosen if reason is None else left_out.setdefault(reason, [])).append(kind)
        for reason, names in left_out.items():
            click.echo(f"Left out: {', '.join(names)}. {reason}.", err=True)
        if not chosen:
            raise CommandError("no fault is left to inject: name another one with --fault")
        seed = random.SystemRandom().getrandbits(32) if seed is None else seed
        result = _run(subject, Plan(events, rate, len(chosen) if faults is None else faults, seed, chosen))
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
            description = f"{faults} of {plan.faults} faults injected; {what}"
            bar.update(task, completed=min(acknowledged, plan.events), description=description)

        subject.start()
        return soak(subject, plan, stop, say)

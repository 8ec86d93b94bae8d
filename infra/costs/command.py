"""`python -m infra.costs`: print the bill of a stage, as tables or JSON."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from command_line.numbers import FiniteRange
from infra.costs.amounts import MEASURED, stage_amounts
from infra.costs.month import FIXED, month
from infra.costs.prices import PRICES

__all__ = ["main"]

EVENTS = (1e6, 1e7, 1e8, 1e9)

Bill = Mapping[str, float]
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--events",
    multiple=True,
    type=FiniteRange(min=0, min_open=True),
    default=EVENTS,
    help="Events per month, such as 2500000 or 2.5e6; may be repeated.  [default: 1e6, 1e7, 1e8, 1e9]",
)
@click.option(
    "--stage",
    default="prod",
    show_default=True,
    help="Stage whose memory, endpoints, warehouse and alarms are counted.",
)
@click.option("--prices", type=FILE, help="JSON file with prices that replace ours, by the names in docs/costs.md.")
@click.option("--amounts", type=FILE, help="JSON file with amounts that replace ours, by the names in docs/costs.md.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON array of costs in dollars, and nothing else.")
def main(events: tuple[float, ...], stage: str, prices: Path | None, amounts: Path | None, *, is_json: bool) -> None:
    """Print the costs of a stage per month and per million events, by purpose, in US dollars.

    Prices are AWS's list prices in us-east-1, from infra/costs/prices.py. They change: compare them with AWS's pages,
    which docs/costs.md links. Amounts are from infra/costs/amounts.py: measured or, if only AWS could tell, assumed.
    A JSON file can replace some of either:

    \b
      python -m infra.costs --events 2.5e6
      echo '{"ingest_ms": 25, "projector_ms": 30}' > amounts.json
      python -m infra.costs --stage dev --amounts amounts.json
      python -m infra.costs --json | jq '.[] | {events, total}'

    Exit codes: 0 printed, 2 wrong usage.
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    dollars = _changed({name: price.dollars for name, price in PRICES.items()}, prices)
    known = _changed(MEASURED, amounts)
    try:
        there = stage_amounts(stage)
    except KeyError:
        raise click.UsageError(f"there is no stage {stage}: see infra/stages for the stages that exist") from None
    bills = {count: month(count, there, known, dollars) for count in dict.fromkeys(events)}
    if is_json:
        click.echo(json.dumps([_record(count, bill) for count, bill in bills.items()], indent=2))
        return
    each = {count: {name: amount / count * 1e6 for name, amount in bill.items()} for count, bill in bills.items()}
    # Wide enough for every table, whatever the terminal: the tables are for copying, and Markdown cannot fold cells.
    Console(width=100 + 20 * len(bills)).print(
        _table("dollars a month", bills), _table("dollars per million events", each)
    )


def _record(count: float, bill: Bill) -> dict[str, object]:
    total = sum(bill.values())
    fixed = sum(bill[name] for name in FIXED)
    return {"events": count, "dollars": bill, "fixed": fixed, "total": total, "per_million": total / count * 1e6}


def _table(title: str, bills: Mapping[float, Bill]) -> Table:
    """Make a Markdown table with one column for each number of events."""
    table = Table(box=box.MARKDOWN)
    table.add_column(title)
    for count in bills:
        table.add_column(f"{count / 1e6:,.10g} million", justify="right", no_wrap=True)
    for name in next(iter(bills.values())):
        table.add_row(name, *(f"{bill[name]:,.2f}" for bill in bills.values()))
    table.add_row("**total**", *(f"**{sum(bill.values()):,.2f}**" for bill in bills.values()))
    return table


def _changed(known: Mapping[str, float], file: Path | None) -> dict[str, float]:
    """Replace known numbers by the numbers of a file. Raises UsageError if the file holds something else."""
    given = _numbers(file) if file else {}
    for name, value in given.items():
        if name not in known:
            raise click.UsageError(f"{file}: {name} is unknown; there are: {', '.join(known)}")
        if not (value >= 0 and math.isfinite(value)):
            raise click.UsageError(f"{file}: {name} must be a number from 0 up")
    return {**known, **given}


def _numbers(file: Path) -> dict[str, float]:
    try:
        return {name: float(value) for name, value in json.loads(file.read_text()).items()}
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise click.UsageError(f"{file} is not a JSON object of numbers") from None

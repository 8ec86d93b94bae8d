"""The command `python -m analysis ledger`."""

from datetime import datetime, timedelta

import click

from analysis.commands.notes import note_sample
from analysis.commands.options import DAYS, lookback_option, source_option, span_options, stage_option
from analysis.metrics.range import span
from analysis.metrics.zone import local_text
from command_line.json_text import json_text

__all__ = ["ledger_command"]

WIDTH = 120
# The columns by the names of COUNTS, where people know another word.
TITLES = {"repeated": "duplicates", "rejected": "rejects"}
SUM = "sent = received + lost + overflowed + refused + withheld"


@click.command("ledger")
@stage_option
@source_option
@span_options(DAYS)
@lookback_option
@click.option("--by-client", is_flag=True, help="Print a row per client instead of per hour.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def ledger_command(
    source: str | None,
    start: datetime | None,
    end: datetime | None,
    zone: str,
    lookback: float,
    *,
    by_client: bool,
    as_json: bool,
) -> None:
    """Account for every event that browsers numbered.

    It counts received, lost and dropped events, by hour or by client. The publisher numbers the events of each tab. It
    also counts the events that it drops: because its store overflowed, because ingest refused them, or because the shop
    or the visitor withheld them. Exit code 1 if an event was lost.

    Partitions are hours in UTC: all that cover the span are taken. The table shows them on the clocks of the zone. An
    event that was received before the span, within --lookback, is not counted again, and its number is not missing.

    \b
    Examples:
      python -m analysis ledger
      python -m analysis ledger --start 2026-11-24 --end 2026-11-25 --by-client --json
      python -m analysis ledger --stage prod
    """
    # Imported here, because Polars takes longer to import than --help takes to run.
    from analysis.checks.ledger import COUNTS, account, total
    from analysis.place import source_of

    bucket = source_of(source)
    back = timedelta(hours=lookback)
    ledger = account(bucket, *span(start, end, DAYS, zone), by_client=by_client, lookback=back)
    note_sample(bucket)
    together = total(ledger)
    if as_json:
        click.echo(json_text({"zone": zone, "lookback_hours": lookback, "total": together, "rows": ledger.to_dicts()}))
    else:
        from rich.console import Console

        from command_line.console import text_table

        by = "client" if by_client else "hour"
        rows = [[_plain(value, by, zone) for value in row] for row in (*ledger.rows(), ("total", *together.values()))]
        # Wider than a narrow terminal, because a folded number is hard to read.
        console = Console(width=max(Console().width, WIDTH))
        console.print(
            text_table([by if by_client else f"hour ({zone})", *(TITLES.get(name, name) for name in COUNTS)], rows)
        )
        console.print(f"{SUM}; late events, duplicates and rejects are counted beside this.")
        console.print(f"lookback {lookback:g} h for events that came before")
    raise SystemExit(1 if together["lost"] else 0)


def _plain(value: object, by: str, zone: str) -> str:
    if isinstance(value, datetime):
        return local_text(value, zone)
    return f"{value:,}" if isinstance(value, int) else str(value or f"no {by}")

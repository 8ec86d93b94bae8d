"""`python -m analysis ledger`."""

from datetime import datetime

import click

from analysis.commands.options import DAYS, source_option, span_options
from analysis.metrics.range import span
from command_line.json_text import json_text

__all__ = ["ledger_command"]

WIDTH = 120


@click.command("ledger")
@source_option
@span_options(DAYS)
@click.option("--by-client", is_flag=True, help="A row per client instead of per hour.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def ledger_command(
    source: str | None, start: datetime | None, end: datetime | None, *, by_client: bool, as_json: bool
) -> None:
    """Account for what browsers sent: received, lost, dropped, late, repeated, rejected; by hour or by client.

    The publisher numbers what a tab sends, and counts what it drops itself, because its store overflowed or ingest
    refused it. Exit code 1 if something was lost.

    \b
    Examples:
      python -m analysis ledger
      python -m analysis ledger --start 2026-11-24 --end 2026-11-25 --by-client --json
    """
    # Imported here, since Polars takes longer to import than --help takes to run.
    from analysis.checks.ledger import COUNTS, account, total
    from analysis.place import source_of

    ledger = account(source_of(source), *span(start, end, DAYS), by_client=by_client)
    together = total(ledger)
    if as_json:
        click.echo(json_text({"total": together, "rows": ledger.to_dicts()}))
    else:
        from rich.console import Console

        from command_line.console import text_table

        rows = [[_plain(value) for value in row] for row in (*ledger.rows(), ("together", *together.values()))]
        # Wider than a narrow terminal: a number that is folded is not read.
        Console(width=max(Console().width, WIDTH)).print(text_table(["client" if by_client else "hour", *COUNTS], rows))
    raise SystemExit(1 if together["lost"] else 0)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:00}"
    return f"{value:,}" if isinstance(value, int) else str(value or "none")

"""The command `python -m analysis validate`."""

from datetime import datetime, timedelta

import click

from analysis.commands.options import (
    DAYS,
    lake_options,
    lookback_option,
    source_option,
    span_options,
    stage_option,
    warehouse_option,
)
from analysis.metrics.range import span
from command_line.numbers import FiniteRange

__all__ = ["validate_command"]

MOST_SETTLE = 24 * 3600  # AWS keeps a failed event for no longer


@click.command("validate")
@stage_option
@source_option
@warehouse_option
@span_options(DAYS)
@click.option(
    "--settle",
    type=FiniteRange(0, MOST_SETTLE),
    default=300.0,
    show_default=True,
    help="Seconds from an event's receipt to its row. Younger events are not yet judged.",
)
@lookback_option
@lake_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every finding, and nothing else.")
def validate_command(
    source: str | None,
    dw: str | None,
    start: datetime | None,
    end: datetime | None,
    zone: str,
    settle: float,
    lookback: float,
    *,
    lake: str | bool,
    as_json: bool,
) -> None:
    """Find what is wrong with the events, and say what to do.

    It compares raw with the warehouse, row by row, and checks keys, ids, members, prices, clocks, sequences, sessions
    and senders. Exit code 1 if somebody should act on a finding. It may run on a living stack, each hour for example:
    events of the last minutes (--settle) are not yet judged, because their rows may still be on their way.

    \b
    Examples:
      python -m analysis validate
      python -m analysis validate --start 2026-11-24 --end 2026-11-25 --zone Asia/Ho_Chi_Minh
      python -m analysis validate --settle 0
      python -m analysis validate --source s3://my-bucket --dw "$DW_URL" --json
      python -m analysis validate --stage prod
    """
    # Imported here, because Polars takes longer to import than --help takes to run.
    from analysis.checks.validation import output
    from analysis.checks.validation.run import validate
    from analysis.place import source_of, warehouse_of

    bucket = source_of(source)
    report = validate(
        bucket,
        warehouse_of(dw, bucket),
        *span(start, end, DAYS, zone),
        zone,
        settle=timedelta(seconds=settle),
        lookback=timedelta(hours=lookback),
        lake=lake,
    )
    click.echo(output.as_json(report, zone)) if as_json else output.show(report, zone)
    raise SystemExit(0 if report.is_passed else 1)

"""`python -m analysis backfill`."""

from datetime import datetime

import click

from analysis.commands.options import DAYS, source_option, span_options, stage_option, warehouse_option
from analysis.metrics.range import span

__all__ = ["backfill_command"]


@click.command("backfill")
@stage_option
@source_option
@warehouse_option
@span_options(DAYS)
@click.option("--dry-run", is_flag=True, help="Only count; exit code 1 if rows are missing. SELECT is enough.")
@click.option("--rebuild", is_flag=True, help="Fill an empty warehouse from all of raw. It gets PRICE_DECIMALS.")
@click.option("--beyond-horizon", is_flag=True, help="Also insert rows that 'retain' has deleted for their age.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def backfill_command(
    source: str | None,
    dw: str | None,
    start: datetime | None,
    end: datetime | None,
    zone: str,
    *,
    dry_run: bool,
    rebuild: bool,
    beyond_horizon: bool,
    as_json: bool,
) -> None:
    """Insert the events of raw that have no row in the warehouse.

    The rows are the projector's, but inserted in bulk. It is safe while the projector runs, and can be repeated:
    existing rows stay as they are. Objects that are not valid events are recorded in clickstream_rejects; a reject that
    has become a row is deleted there. Partitions are hours in UTC: all that cover the span are taken. Each hour is
    inserted as a whole or not at all. If you interrupt the command, its last line says where to continue. An object
    that may not be read is named, and all others are inserted. Exit code 1 if there is one. Hours before the horizon of
    the warehouse, which 'retain' records, are left out.

    With --stage, a function in the stage's VPC reads the objects and inserts the rows, with the stage's PRICE_DECIMALS.
    The command asks it hour by hour, and shows how far it is. An hour that takes longer than 15 minutes is inserted in
    parts. With --dry-run, a missing event whose objects are in two hours counts twice.

    \b
    Examples:
      python -m analysis backfill --start 2026-11-24 --end 2026-11-25 --dry-run
      python -m analysis backfill --start 2026-11-24T09:00Z
      python -m analysis backfill --source s3://my-bucket --dw "$DW_URL" --rebuild
      python -m analysis backfill --stage prod --start 2026-11-24
    """
    # Imported here, since Polars takes longer to import than --help takes to run.
    from analysis.place import keep_sample_at_home, needed_warehouse_of, source_of
    from analysis.raw.partitions import hour_prefixes
    from analysis.raw.source import open_source
    from analysis.repair.backfill import output
    from analysis.repair.backfill.run import backfill

    if rebuild and (start or end or dry_run):
        raise click.UsageError("--rebuild takes all of raw: leave out --start, --end and --dry-run")
    bucket = source_of(source)
    warehouse = needed_warehouse_of(dw, bucket)
    if not dry_run:
        keep_sample_at_home(bucket, warehouse)
    prefixes = open_source(bucket).hours() if rebuild else hour_prefixes(*span(start, end, DAYS, zone))
    done = backfill(bucket, warehouse, prefixes, dry_run=dry_run, rebuild=rebuild, beyond_horizon=beyond_horizon)
    click.echo(output.as_json(done)) if as_json else output.show(done, dry_run=dry_run)
    raise SystemExit(1 if done.unreadable or (dry_run and done.added) else 0)

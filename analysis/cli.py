"""The command line of the analysis."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from analysis.errors import AnalysisError

__all__ = ["main"]

HOUR = timedelta(hours=1)
DAYS = 7


class _Problem(click.ClickException):
    """An AnalysisError on the command line."""

    exit_code = 2


class _Group(click.Group):
    """Ends with one line and exit code 2 where an AnalysisError says what is wrong."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except AnalysisError as error:
            raise _Problem(str(error)) from error


class _Time(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs only
    """An ISO-8601 time, UTC where it has no offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: ANN401
        """Give an aware time, or fail with an example."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time: write 2026-11-25T09:00Z, or 2026-11-25", param, ctx)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _place_options(command: Callable[..., None]) -> Callable[..., None]:
    """Where events are, and of which hours, as every command takes them."""
    here = "RAW_BUCKET_NAME, else the local stack's"
    options = [
        click.option("--source", metavar="DIR|s3://BUCKET", help=f"Raw bucket.  [default: {here}]"),
        click.option("--dw", metavar="URL", help="Warehouse.  [default: DW_URL, else the running local stack's]"),
        click.option("--start", type=_Time(), help=f"First hour, UTC.  [default: {DAYS} days before the end]"),
        click.option("--end", type=_Time(), help="Hour after the last, UTC.  [default: the next hour]"),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look at the events that were collected: in raw storage, and in the warehouse.

    Exit codes: 0 fine, 1 a finding or a loss, 2 wrong usage or environment.
    """


@main.command("validate")
@_place_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every finding, and nothing else.")
def validate_command(
    source: str | None, dw: str | None, start: datetime | None, end: datetime | None, *, as_json: bool
) -> None:
    """Say what is wrong with the events of a span of hours, and what to do about it.

    Compares raw with the warehouse, hour by hour, and checks ids, members, clocks, sequences and sessions. Exit code 1
    if there is a finding that somebody should act on.

    \b
    Examples:
      python -m analysis validate
      python -m analysis validate --start 2026-11-24 --end 2026-11-25
      python -m analysis validate --source s3://my-bucket --dw "$DW_URL" --json
    """
    # Imported here, since Polars takes longer to import than --help takes to run.
    from analysis.place import source_of, warehouse_of
    from analysis.validation import output
    from analysis.validation.run import validate

    last = end or datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + HOUR
    first = start or last - timedelta(days=DAYS)
    bucket = source_of(source)
    report = validate(bucket, warehouse_of(dw, bucket), first, last)
    click.echo(output.as_json(report)) if as_json else output.show(report)
    raise SystemExit(0 if report.is_passed else 1)

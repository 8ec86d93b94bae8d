"""The command line of the analysis."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.backfill.command import backfill_command
from analysis.erase.command import erase_command
from analysis.errors import AnalysisError
from analysis.ledger.command import ledger_command
from analysis.options import DAYS, source_option, span_options, warehouse_option
from analysis.redrive.command import redrive_command
from analysis.rejects.command import rejects_command
from analysis.span import HISTORY_DAYS, span
from analysis.trace.command import trace_command
from command_line.errors import CommandError

if TYPE_CHECKING:
    from analysis.range import LoginState

__all__ = ["main"]


class _Group(click.Group):
    """Ends with one line and exit code 2 where an AnalysisError says what is wrong."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except AnalysisError as error:
            raise CommandError(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look at the events that were collected, in raw storage and in the warehouse, and mend what is missing.

    Exit codes: 0 fine, 1 a finding or a loss, 2 wrong usage or environment.
    """


@main.command("validate")
@source_option
@warehouse_option
@span_options(DAYS)
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

    bucket = source_of(source)
    report = validate(bucket, warehouse_of(dw, bucket), *span(start, end, DAYS))
    click.echo(output.as_json(report)) if as_json else output.show(report)
    raise SystemExit(0 if report.is_passed else 1)


@main.command("report")
@source_option
@warehouse_option
@span_options(HISTORY_DAYS)
@click.option("--login-state", type=click.Choice(["logged_in", "anonymous"]), help="Only these events.  [default: all]")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default="report.html", show_default=True, help="The page."
)
@click.option("--json", "as_json", is_flag=True, help="Print the overview as one JSON object, and nothing else.")
def report_command(
    source: str | None,
    dw: str | None,
    start: datetime | None,
    end: datetime | None,
    login_state: "LoginState | None",
    out: Path,
    *,
    as_json: bool,
) -> None:
    """Write what the notebooks show as one page, which needs no network and runs no script.

    Every metric is computed from raw; a warehouse, where there is one, is validated against it.

    \b
    Examples:
      python -m analysis report --out report.html
      python -m analysis report --start 2026-11-01 --end 2026-12-01 --login-state logged_in
      python -m analysis report --source s3://my-bucket --dw "$DW_URL"
    """
    # Imported here, as above.
    from analysis.history import read_history
    from analysis.place import source_of, warehouse_of
    from analysis.range import Range
    from analysis.report.write import overview_as_json, overview_as_text, write_report

    bucket = source_of(source)
    within = Range(*span(start, end, HISTORY_DAYS), login_state)
    history = read_history(bucket, warehouse_of(dw, bucket), within)
    write_report(history, out)
    click.echo(overview_as_json(history) if as_json else overview_as_text(history, out))


@main.command("smoke")
@click.option("--url", metavar="URL", help="Where events are posted.  [default: the running local stack's]")
@click.option(
    "--header", "headers", metavar="NAME:VALUE", multiple=True, help="Sent along: a token, a key.  [env: SMOKE_HEADER]"
)
@source_option
@warehouse_option
@click.option("--log-group", metavar="NAME", help="Log of the projector, to be asked instead of a private warehouse.")
@click.option("--timeout", type=click.FloatRange(min=0), default=60, show_default=True, help="Seconds for all of it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def smoke_command(
    url: str | None,
    headers: tuple[str, ...],
    source: str | None,
    dw: str | None,
    log_group: str | None,
    timeout: float,
    *,
    as_json: bool,
) -> None:
    """Post one event, and find it in raw storage and in the warehouse; say how long that took.

    The event is named smoke_test and has no client, session or product, so that it counts for none. Exit code 1 if it
    was not accepted, or not found in time.

    \b
    Examples:
      python -m analysis smoke
      python -m analysis smoke --url https://…/clickstream --source s3://my-bucket --dw "$DW_URL"
      python -m analysis smoke --url https://…/clickstream --source s3://my-bucket --log-group /aws/lambda/…-projector
    """
    # Imported here, as above.
    from analysis.place import source_of, warehouse_of
    from analysis.smoke import endpoint_of, headers_of, in_log, in_raw, in_warehouse, smoke

    endpoint, sent = endpoint_of(url, source), headers_of(headers)
    bucket = source_of(source)
    warehouse = None if log_group else warehouse_of(dw, bucket)
    places = {"in raw": in_raw(bucket)}
    if log_group:
        places["in the warehouse, by the projector's log"] = in_log(log_group)
    elif warehouse:
        places["in the warehouse"] = in_warehouse(warehouse)
    else:
        click.echo("The warehouse is not looked at: name --dw, or the projector's log with --log-group.", err=True)
    result = smoke(endpoint, sent, places, timeout)
    click.echo(result.as_json() if as_json else result.as_text())
    raise SystemExit(0 if result.is_passed else 1)


COMMANDS = (backfill_command, rejects_command, redrive_command, trace_command, ledger_command, erase_command)
for command in COMMANDS:
    main.add_command(command)

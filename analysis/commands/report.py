"""The command `python -m analysis report`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analysis.commands.options import lake_options, source_option, span_options, stage_option, warehouse_option
from analysis.metrics.range import HISTORY_DAYS, span

if TYPE_CHECKING:
    from analysis.dashboard.periods import Comparison
    from analysis.metrics.range import LoginState
    from analysis.rows.reader import OnError
    from analysis.rows.selection import Clock

__all__ = ["report_command"]


@click.command("report")
@stage_option
@source_option
@warehouse_option
@span_options(HISTORY_DAYS)
@click.option(
    "--login-state",
    type=click.Choice(["logged_in", "anonymous"]),
    help="Only events of this login state.  [default: all]",
)
@click.option(
    "--clock",
    type=click.Choice(["received", "occurred"]),
    default="received",
    show_default=True,
    help="Count an event when it was received, as the warehouse does, or when it occurred in the browser.",
)
@click.option(
    "--on-error",
    type=click.Choice(["raise", "report"]),
    default="raise",
    show_default=True,
    help="If an object may not be read: end with its name, or report without it.",
)
@click.option(
    "--bots/--no-bots",
    default=True,
    help="Count the events of crawlers, headless browsers and monitors, or leave them out.  [default: --bots]",
)
@click.option(
    "--compare",
    type=click.Choice(["previous", "week", "year", "none"]),
    default="previous",
    show_default=True,
    help="Compare with the period before, with the same weekdays before, with the year before, or with nothing. The"
    " events of that range are read, too.",
)
@lake_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default="report.html",
    show_default=True,
    help="File to write the page to.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the overview as one JSON object, and nothing else.")
def report_command(
    source: str | None,
    dw: str | None,
    start: datetime | None,
    end: datetime | None,
    zone: str,
    login_state: "LoginState | None",
    clock: "Clock",
    on_error: "OnError",
    compare: "Comparison",
    out: Path,
    *,
    bots: bool,
    lake: str | bool,
    as_json: bool,
) -> None:
    """Write the pages of the dashboard to one file that needs no server.

    The file is HTML, and opens in any browser without a network. It begins with the revenue and how it changed, and
    ends with the validation. Every metric is computed from raw. If there is a warehouse, it is compared with raw. The
    page says which zone and which clock count. An event that was received in the 24 hours before --start does not
    count again. If there is a lake, it gives the hours that 'compact' has written.

    \b
    Examples:
      python -m analysis report --out report.html
      python -m analysis report --start 2026-11-01 --end 2026-12-01 --login-state logged_in
      python -m analysis report --start 2026-11-24 --zone Asia/Ho_Chi_Minh --clock occurred --no-bots
      python -m analysis report --source s3://my-bucket --dw "$DW_URL" --lake glue
      python -m analysis report --no-lake
      python -m analysis report --stage prod --out prod.html
    """
    # Imported here, because Polars takes longer to import than --help takes to run.
    from analysis.metrics.range import Range
    from analysis.place import source_of, warehouse_of
    from analysis.report.reading import read_validated
    from analysis.report.write import overview_as_json, overview_as_text, require_directory, write_report

    require_directory(out)
    bucket = source_of(source)
    within = Range(*span(start, end, HISTORY_DAYS, zone), login_state, zone)
    place = bucket, warehouse_of(dw, bucket)
    history, validation = read_validated(*place, within, clock, on_error=on_error, bots=bots, lake=lake)
    write_report(history, validation, out, compare, on_error)
    click.echo(overview_as_json(history) if as_json else overview_as_text(history, out))

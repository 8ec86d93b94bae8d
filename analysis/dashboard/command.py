"""The command `python -m analysis dashboard`."""

import click

from analysis.commands.options import lake_options, source_option, stage_option, warehouse_option

__all__ = ["dashboard_command"]

PORT = 8090


@click.command("dashboard")
@stage_option
@source_option
@warehouse_option
@lake_options
@click.option(
    "--engine",
    type=click.Choice(["raw", "warehouse"]),
    default="raw",
    show_default=True,
    help="Compute the figures from raw and the lake, or from the warehouse, which lacks some of them.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 for any free one."
)
@click.option("--open", "is_opened", is_flag=True, help="Open the dashboard in the browser.")
def dashboard_command(
    source: str | None, dw: str | None, engine: str, port: int, *, lake: str | bool, is_opened: bool
) -> None:
    """Show the shop's figures in the browser, until Ctrl-C.

    Choose the range, what it is compared with, and filters on the page. A click on a product, a channel or a device
    filters by it. The page's address holds the whole view, so it can be sent to somebody who runs a dashboard over the
    same events. Every panel can be copied as SQL or Python, and downloaded as CSV or Parquet.

    The server answers this computer only, and only reads. CLICKSTREAM_ZONE names the time zone of a first visit.

    \b
    Examples:
      python -m analysis dashboard --open
      python -m analysis dashboard --source s3://my-bucket --lake glue --dw "$DW_URL"
      python -m analysis dashboard --stage prod
      python -m analysis dashboard --engine warehouse --dw "$DW_URL" --port 9000
    """
    # Imported here, because Polars and the web server take longer to import than --help takes to run.
    from analysis.dashboard.events import Place
    from analysis.dashboard.serving import serve
    from analysis.errors import AnalysisError
    from analysis.place import require_events, source_of, warehouse_of

    if engine == "warehouse":
        if (url := warehouse_of(dw, source or source_of(None))) is None:
            raise AnalysisError("no warehouse here: name it with --dw or DW_URL, or start the local stack")
        place = Place(None, url)
    else:
        bucket = source_of(source)
        require_events(bucket)
        place = Place(bucket, warehouse_of(dw, bucket), lake=lake)
    serve(place, port, is_opened=is_opened)

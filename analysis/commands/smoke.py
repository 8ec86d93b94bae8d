"""The command `python -m analysis smoke`."""

import click

from analysis.commands.options import source_option, stage_option, warehouse_option
from command_line.numbers import FiniteRange

__all__ = ["smoke_command"]

MOST_TIMEOUT = 24 * 3600


@click.command("smoke")
@click.option("--url", metavar="URL", help="Endpoint to post to.  [default: the running local stack's]")
@click.option(
    "--header",
    "headers",
    metavar="NAME:VALUE",
    multiple=True,
    help="Header to send along, for example a key.  [env: SMOKE_HEADER]",
)
@stage_option
@source_option
@warehouse_option
@click.option("--log-group", metavar="NAME", help="Log group of the projector, read instead of a private warehouse.")
@click.option(
    "--timeout", type=FiniteRange(0, MOST_TIMEOUT), default=60, show_default=True, help="Seconds to wait in all."
)
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
    """Post one event, and find it in raw and in the warehouse.

    It says how long that took. The event is named smoke_test. It has no client, session or product, so it counts for no
    visitor, session or product. Exit code 1 if ingest does not accept the event, or if the event is not found in time.

    \b
    Examples:
      python -m analysis smoke
      python -m analysis smoke --stage prod
      python -m analysis smoke --url https://…/clickstream --source s3://my-bucket --dw "$DW_URL"
      python -m analysis smoke --url https://…/clickstream --source s3://my-bucket --log-group /aws/lambda/…-projector
    """
    # Imported here, because boto3 takes longer to import than --help takes to run.
    from analysis.checks.smoke import endpoint_of, headers_of, in_log, in_raw, in_warehouse, smoke
    from analysis.place import source_of, warehouse_of

    endpoint, sent = endpoint_of(url, source), headers_of(headers)
    bucket = source_of(source)
    warehouse = None if log_group else warehouse_of(dw, bucket)
    places = {"in raw": in_raw(bucket)}
    if log_group:
        places["in the warehouse, by the projector's log"] = in_log(log_group)
    elif warehouse:
        places["in the warehouse"] = in_warehouse(warehouse)
    else:
        click.echo(
            "The warehouse is not searched: name it with --dw, or name the projector's log with --log-group.", err=True
        )
    result = smoke(endpoint, sent, places, timeout)
    click.echo(result.as_json() if as_json else result.as_text())
    raise SystemExit(0 if result.is_passed else 1)

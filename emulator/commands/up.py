"""`python -m emulator up`."""

import os

import click

from command_line.errors import CommandError
from command_line.home import Home
from emulator.commands.options import home_option
from emulator.servers.s3 import CACHE_SECONDS
from emulator.stack.run import Options, up

__all__ = ["up_command"]

PORT = click.IntRange(1, 65535)


@click.command("up")
@home_option
@click.option("--web-port", type=PORT, default=8080, show_default=True, help="Port of the page and the API.")
@click.option("--ingest-port", type=PORT, default=8000, show_default=True, help="Port of POST /clickstream.")
@click.option("--s3-port", type=PORT, default=9000, show_default=True, help="Port of the S3 server.")
@click.option(
    "--dw", metavar="URL", help="Use this PostgreSQL as the warehouse.  [default: DW_URL, else an embedded one]"
)
@click.option("--headless", is_flag=True, help="For CI: no page, the API only, and one line on stdout when ready.")
@click.option(
    "--s3-cache",
    type=click.FloatRange(0.1, 3600),
    default=CACHE_SECONDS,
    show_default=True,
    help="Seconds for which the S3 server may overlook files written straight to disk; more is quicker from some ten "
    "thousand objects an hour on.",
)
def up_command(
    home: Home, web_port: int, ingest_port: int, s3_port: int, dw: str | None, *, headless: bool, s3_cache: float
) -> None:
    """Start the stack, and keep it running until Ctrl-C.

    Events stored earlier are still there, and those that the warehouse lacks are projected first. A part that dies is
    reported and started again.

    \b
    In a CI job:
        python -m emulator up --headless > ready.txt &
        until grep -q ^ready ready.txt; do sleep 0.2; done
        curl -f 'http://127.0.0.1:8080/api/wait?eventName=checkout_complete&count=1&timeout=30'
    """
    options = Options(web_port, ingest_port, s3_port, dw or _given_dw(home), headless, s3_cache)
    up(home, options)


def _given_dw(home: Home) -> str | None:
    """`DW_URL`, unless it only names this home's own embedded warehouse, as after `eval "$(… env)"`."""
    url = os.environ.get("DW_URL") or None
    try:
        own = home.read_stack()
    except CommandError:
        return url
    return None if own.is_own_dw and url == own.dw_url else url

"""`python -m emulator up`: start the stack, and keep it running."""

import click

from chalicelib.settings import TRIGGERS
from command_line.home import Home
from command_line.numbers import FiniteRange
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
    "--dw", metavar="URL", help="Use this PostgreSQL as the warehouse.  [default: the home's own, an embedded one]"
)
@click.option(
    "--headless", is_flag=True, help="For CI: serve the API without the page, and print one line on stdout when ready."
)
@click.option(
    "--s3-cache",
    type=FiniteRange(0.1, 3600),
    default=CACHE_SECONDS,
    show_default=True,
    help="Seconds for which the S3 server caches directories. Files written straight to disk stay unseen for so long; "
    "a larger value is quicker with more than about 10,000 objects an hour.",
)
@click.option(
    "--trigger",
    type=click.Choice(TRIGGERS),
    default="s3",
    show_default=True,
    help="What calls the projector: an event of S3, or one of SQS that holds S3's, as after 'make deploy'.",
)
def up_command(
    home: Home,
    web_port: int,
    ingest_port: int,
    s3_port: int,
    dw: str | None,
    *,
    headless: bool,
    s3_cache: float,
    trigger: str,
) -> None:
    """Start the stack, and keep it running until Ctrl-C.

    The stack has a warehouse of its own, unless --dw names another. DW_URL is not used here: other commands read it.

    With 'nohup', it goes on when the terminal is closed; end it with 'kill' then.

    Events stored earlier are kept. At the start, the stack projects the ones that are not in the warehouse yet. When a
    part dies, the stack says so and starts it again.

    \b
    In a CI job:
        python -m emulator up --headless > ready.txt &
        until grep -q ^ready ready.txt; do sleep 0.2; done
        curl -f 'http://127.0.0.1:8080/api/wait?eventName=checkout_complete&count=1&timeout=30'
    """
    options = Options(web_port, ingest_port, s3_port, dw, headless, s3_cache, trigger)
    up(home, options)

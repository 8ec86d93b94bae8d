"""The command line of the local stack."""

import json
import os
import shlex
import shutil

import click
from psycopg import conninfo

from command_line.errors import CommandError
from command_line.home import MARKER, Home, Stack
from emulator.environment import aws_environment
from emulator.options import home_option
from emulator.postgres import Postgres
from emulator.replay import replay_command
from emulator.s3_server import CACHE_SECONDS
from emulator.seed import seed_command
from emulator.shoppers import shoppers_command
from emulator.soak import soak_command
from emulator.up import Options, stop_orphans, up

__all__ = ["main"]

PORT = click.IntRange(1, 65535)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the whole clickstream pipeline on this computer.

    A browser event goes through the same code as on AWS: POST /clickstream, one object in S3, one row in PostgreSQL.
    Everything listens on 127.0.0.1 only. Start with:

        python -m emulator up

    Exit codes: 0 fine, 1 a finding or a loss, 2 wrong usage or environment.
    """


@main.command("up")
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


@main.command("env")
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of shell lines.")
def env_command(home: Home, *, as_json: bool) -> None:
    """Print the environment that points any AWS SDK, psql or notebook at the stack.

    \b
    Use it as:
        eval "$(python -m emulator env)"
        aws s3 ls --recursive s3://$RAW_BUCKET_NAME/events/
        psql -c 'SELECT count(*) FROM clickstream_events'
    """
    environment = _environment(home.read_stack())
    if as_json:
        click.echo(json.dumps(environment, indent=2))
        return
    if not home.is_held:
        click.echo("The stack is not running; this is where it was. Start it with 'python -m emulator up'.", err=True)
    # These would be used instead of what follows.
    click.echo("unset AWS_PROFILE AWS_SESSION_TOKEN PGHOSTADDR PGSERVICE PGPASSWORD")
    for name in ("NO_PROXY", "no_proxy"):
        click.echo(f'export {name}="127.0.0.1,localhost${{{name}:+,${name}}}"')
    for name, value in environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@main.command("reset")
@home_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset_command(home: Home, *, yes: bool) -> None:
    """Delete every stored event, the embedded warehouse and the logs, for a fresh start.

    The stack must not be running. A warehouse given by --dw is left as it is.
    """
    if not os.access(home.path / MARKER, os.W_OK):
        raise CommandError(f"{home.path} is no home of a stack: nothing was deleted")
    with home.held():
        if not yes:
            click.confirm(f"Delete every event and the warehouse in {home.path}?", abort=True)
        stop_orphans(home)
        Postgres(home).remove()
        try:
            for folder in (home.s3, home.logs, home.path / "run"):
                if folder.exists():
                    shutil.rmtree(folder)
            (home.path / "stack.json").unlink(missing_ok=True)
        except OSError as error:
            raise CommandError(f"cannot delete {error.filename}: {error.strerror}") from error
    click.echo(f"{home.path} is empty.")


main.add_command(replay_command, "replay")
main.add_command(seed_command, "seed")
main.add_command(shoppers_command, "shoppers")
main.add_command(soak_command, "soak")


def _given_dw(home: Home) -> str | None:
    """`DW_URL`, unless it only names this home's own embedded warehouse, as after `eval "$(… env)"`."""
    url = os.environ.get("DW_URL") or None
    try:
        own = home.read_stack()
    except CommandError:
        return url
    return None if own.is_own_dw and url == own.dw_url else url


def _environment(stack: Stack) -> dict[str, str]:
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    database = conninfo.conninfo_to_dict(stack.dw_url)
    postgres = {variable: str(database[name]) for name, variable in names.items() if database.get(name)}
    return aws_environment(stack) | postgres | {"CLICKSTREAM_ENDPOINT": stack.endpoint}

"""`python -m emulator env`: print the environment variables that point other programs at the stack."""

import json
import shlex

import click
from psycopg import conninfo

from command_line.home import Home
from emulator.commands.options import home_option
from emulator.servers.environment import aws_environment

__all__ = ["env_command"]


@click.command("env")
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of shell lines.")
def env_command(home: Home, *, as_json: bool) -> None:
    """Print the variables that point other programs at the stack.

    They work for any AWS SDK, the AWS CLI, psql, the notebooks and 'python -m analysis'.

    \b
    Example:
        eval "$(python -m emulator env)"
        aws s3 ls --recursive s3://$RAW_BUCKET_NAME/events/
        psql -c 'SELECT count(*) FROM clickstream_events'
    """
    environment = _environment(home)
    if as_json:
        click.echo(json.dumps(environment, indent=2))
        return
    if not home.is_held:
        click.echo(
            "The stack is not running. These are its last addresses; start it with 'python -m emulator up'.", err=True
        )
    # These variables would win over the ones below.
    click.echo("unset AWS_PROFILE AWS_SESSION_TOKEN PGHOSTADDR PGSERVICE PGPASSWORD")
    for name in ("NO_PROXY", "no_proxy"):
        click.echo(f'export {name}="127.0.0.1,localhost${{{name}:+,${name}}}"')
    for name, value in environment.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _environment(home: Home) -> dict[str, str]:
    stack = home.read_stack()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    database = conninfo.conninfo_to_dict(stack.dw_url)
    postgres = {variable: str(database[name]) for name, variable in names.items() if database.get(name)}
    # The home, so that commands know whose bucket and warehouse these are: a sample may go from one to the other.
    ours = {"CLICKSTREAM_ENDPOINT": stack.endpoint, "CLICKSTREAM_HOME": str(home.path)}
    return aws_environment(stack) | postgres | ours

"""`python -m analysis redrive`."""

from dataclasses import asdict

import click

from command_line.json_text import json_text
from command_line.printable import printable

__all__ = ["redrive_command"]


@click.command("redrive")
@click.option("--queue", required=True, metavar="NAME|URL", help="The failure queue, as clickstream-prod-failures.")
@click.option("--function", metavar="NAME", help="Who is to try again.  [default: the function that failed]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def redrive_command(queue: str, function: str | None, *, as_json: bool) -> None:
    """Give to the projector once more what Lambda gave up on.

    Each message's event goes to the function that failed; the message is deleted once that has worked, and comes back
    after five minutes if it has not. An event that has its row already changes nothing. Exit code 1 if one failed.

    \b
    Examples:
      python -m analysis redrive --queue clickstream-prod-failures
      python -m analysis redrive --queue https://sqs.….amazonaws.com/…/clickstream-prod-failures --json
    """
    # Imported here: boto3 takes longer to import than --help takes to run.
    from analysis.repair.redrive import invoke_function, queue_url, redrive

    done = redrive(queue_url(queue), invoke_function, function)
    if as_json:
        click.echo(json_text(asdict(done)))
    else:
        click.echo(f"{done.taken} messages: {done.done} went through, {len(done.failed)} failed.")
        for reason in dict.fromkeys(done.failed):
            click.echo(f"  {done.failed.count(reason)} times: {printable(reason)}", err=True)
    raise SystemExit(1 if done.failed else 0)

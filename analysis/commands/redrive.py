"""`python -m analysis redrive`."""

from dataclasses import asdict

import click

from analysis.commands.options import stage_option
from command_line.json_text import json_text
from command_line.printable import printable

__all__ = ["redrive_command"]


@click.command("redrive")
@stage_option
@click.option("--queue", metavar="NAME|URL", help="The failure queue, as clickstream-prod-failures.")
@click.option("--function", metavar="NAME", help="Function that tries again.  [default: the function that failed]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else.")
def redrive_command(queue: str | None, function: str | None, *, as_json: bool) -> None:
    """Send events that Lambda gave up on to the projector again.

    Each message's event goes to the function that failed. If that works, the message is deleted; otherwise it becomes
    visible again after five minutes. An event that has a row already changes nothing. Exit code 1 if an event failed.

    This is for stages whose Trigger is s3. With Trigger sqs, SQS itself moves what failed (the dead letters) back:

    
      aws sqs start-message-move-task --source-arn arn:aws:sqs:REGION:ACCOUNT:clickstream-prod-dead-letters

    \b
    Examples:
      python -m analysis redrive --stage prod
      python -m analysis redrive --queue clickstream-prod-failures
      python -m analysis redrive --queue https://sqs.….amazonaws.com/…/clickstream-prod-failures --json
    """
    # Imported here: boto3 takes longer to import than --help takes to run.
    from analysis.repair.operations import invoke_function
    from analysis.repair.redrive import queue_url, redrive

    if not queue:
        raise click.UsageError("name the --stage or the --queue")
    done = redrive(queue_url(queue), invoke_function, function)
    if as_json:
        click.echo(json_text(asdict(done)))
    else:
        click.echo(f"{done.taken} messages: {done.done} were projected, {len(done.failed)} failed.")
        for reason in dict.fromkeys(done.failed):
            click.echo(f"  {done.failed.count(reason)} times: {printable(reason)}", err=True)
    raise SystemExit(1 if done.failed else 0)

"""Lets the raw bucket notify a stage's queue in place of its projector, or stops that; other notifications stay."""

import time
from collections.abc import Callable
from typing import Any

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.keys import PREFIX, SUFFIX

__all__ = ["main", "notify"]

EVENTS = ["s3:ObjectCreated:*"]
FILTER = {"Key": {"FilterRules": [{"Name": "prefix", "Value": PREFIX}, {"Name": "suffix", "Value": SUFFIX}]}}
# S3 may not see the queue's policy yet when that has just been made.
TRIES = 6
PAUSE_SECONDS = 5.0


class NotificationError(click.ClickException):
    """The bucket's notifications were not changed; the text says why."""

    exit_code = 2


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("bucket")
@click.argument("queue_arn")
@click.option("--function", metavar="NAME", help="Notify this function no longer: the queue takes its place.")
@click.option("--remove", is_flag=True, help="Notify the queue no longer.")
def main(bucket: str, queue_arn: str, function: str | None, *, remove: bool) -> None:
    """Let BUCKET notify the queue QUEUE_ARN of every new event, at once and in one step, so that none is missed.

    `make deploy` and `make destroy` call this. It says nothing if nothing has to be changed.

    \b
      python -m infra.steps.notifications clickstream-s3-ingest arn:aws:sqs:…:clickstream-prod-notifications
    """  # noqa: D301  # click's own mark for "do not wrap" is a backspace
    try:
        changed = notify(boto3.client("s3"), bucket, queue_arn, function, remove=remove)
    except (BotoCoreError, ClientError) as error:
        raise NotificationError(f"bucket {bucket}: {error}") from None
    if changed:
        click.echo(
            f"   bucket {bucket} {'no longer notifies' if remove else 'notifies'} {queue_arn.rpartition(':')[2]}"
        )


def notify(
    s3: Any,  # noqa: ANN401  # botocore makes its client classes at run time
    bucket: str,
    queue_arn: str,
    function: str | None = None,
    *,
    remove: bool = False,
    wait: Callable[[float], object] = time.sleep,
) -> bool:
    """Change the bucket's notifications.

    Args:
        s3: The S3 client.
        bucket: Name of the bucket.
        queue_arn: The queue that is notified of every event.
        function: A function that was notified until now, whose place the queue takes.
        remove: Notify the queue no longer, instead.
        wait: Waits so many seconds before S3 is asked again.

    Returns:
        Whether anything had to be changed.

    Raises:
        ClientError: S3 refuses, also after some tries.
    """
    was = s3.get_bucket_notification_configuration(Bucket=bucket)
    was.pop("ResponseMetadata", None)
    now = dict(was)
    ours = {"Id": queue_arn.rpartition(":")[2], "QueueArn": queue_arn, "Events": EVENTS, "Filter": FILTER}
    queues = [each for each in was.get("QueueConfigurations", []) if each["QueueArn"] != queue_arn]
    functions = [
        each
        for each in was.get("LambdaFunctionConfigurations", [])
        if function is None or not each["LambdaFunctionArn"].endswith(f":function:{function}")
    ]
    now |= {"QueueConfigurations": queues if remove else [*queues, ours], "LambdaFunctionConfigurations": functions}
    now = {name: value for name, value in now.items() if value or isinstance(value, dict)}
    if _comparable(now) == _comparable(was):
        return False
    for left in reversed(range(TRIES)):
        try:
            s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=now)
            break
        except ClientError as error:
            if not left or error.response["Error"]["Code"] != "InvalidArgument":
                raise
            wait(PAUSE_SECONDS)
    return True


def _comparable(configuration: Any) -> Any:  # noqa: ANN401  # JSON
    """Give a configuration without what S3 spells and orders as it likes."""
    if isinstance(configuration, dict):
        return {name: _comparable(value) for name, value in configuration.items()}
    if isinstance(configuration, list):
        return sorted((_comparable(each) for each in configuration), key=str)
    return configuration.lower() if configuration in ("Prefix", "Suffix") else configuration


if __name__ == "__main__":
    main(prog_name="python -m infra.steps.notifications")

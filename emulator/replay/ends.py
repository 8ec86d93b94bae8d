"""The ends of a replay: the endpoint that takes the events, and where they are looked for afterwards."""

import os
from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from command_line.errors import CommandError
from command_line.home import Stack
from command_line.printable import short_line
from emulator.replay.storage import S3Storage, Storage
from emulator.replay.warehouse import PostgresWarehouse, Warehouse
from emulator.servers.environment import REGION

__all__ = ["Ends", "ends_of_environment", "ends_of_stack"]

PATH_STYLE = Config(s3={"addressing_style": "path"})


@dataclass(frozen=True)
class Ends:
    """Where events are posted and looked for; storage and warehouse are None where they are not checked."""

    endpoint: str
    storage: Storage | None = None
    warehouse: Warehouse | None = None


def ends_of_stack(stack: Stack) -> Ends:
    """The ends of a local stack."""
    client = boto3.client(
        "s3",
        endpoint_url=stack.s3_url,
        aws_access_key_id=stack.access_key,
        aws_secret_access_key=stack.secret_key,
        region_name=REGION,
        # A proxy of the environment cannot reach this machine's loopback.
        config=PATH_STYLE.merge(Config(proxies={})),
    )
    return Ends(stack.endpoint, S3Storage(client, stack.bucket), PostgresWarehouse(stack.dw_url))


def ends_of_environment(endpoint: str) -> Ends:
    """The endpoint, and what RAW_BUCKET_NAME with the AWS_* variables, and DW_URL, name, if anything."""
    bucket, dw_url = os.environ.get("RAW_BUCKET_NAME"), os.environ.get("DW_URL")
    return Ends(endpoint, _bucket(bucket) if bucket else None, PostgresWarehouse(dw_url) if dw_url else None)


def _bucket(name: str) -> Storage:
    try:
        return S3Storage(boto3.client("s3", config=PATH_STYLE), name)
    except (BotoCoreError, ValueError) as error:
        raise CommandError(f"the AWS_* variables are not usable: {short_line(str(error))}") from error

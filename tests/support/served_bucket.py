"""A bucket in a real S3 server that takes keys which no directory can hold, and that obeys bucket policies."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from command_line.home import BUCKET

__all__ = ["ServedBucket", "served_bucket"]


class ServedBucket:
    """The bucket `s3://BUCKET`, and the environment that leads there."""

    source = f"s3://{BUCKET}"

    def __init__(self, url: str) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL_S3": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # of a pretend server
            region_name="us-east-1",
        )

    def fill(self, objects: Mapping[str, bytes]) -> None:
        """Make these its only objects, which nobody is denied."""
        self.client.delete_bucket_policy(Bucket=BUCKET)
        for key in self.listed():
            self.client.delete_object(Bucket=BUCKET, Key=key)
        for key, body in objects.items():
            self.client.put_object(Bucket=BUCKET, Key=key, Body=body)

    def listed(self) -> list[str]:
        """List every key."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        return [each["Key"] for page in pages for each in page.get("Contents", ())]

    def deny(self, keys: Sequence[str]) -> None:
        """Let nobody get these objects; they are listed as before."""
        denied = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": [f"arn:aws:s3:::{BUCKET}/{key}" for key in keys],
        }
        policy = {"Version": "2012-10-17", "Statement": [denied]}
        self.client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))


@contextmanager
def served_bucket() -> Iterator[ServedBucket]:
    """Start the server, with one empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        bucket = ServedBucket("http://{}:{}".format(*server.get_host_and_port()))
        bucket.client.create_bucket(Bucket=BUCKET)
        yield bucket
    finally:
        server.stop()

"""Every AWS call that code makes, recorded by botocore itself, as the permissions that it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import boto3

__all__ = ["Call", "Names", "permissions", "recorded"]


@dataclass(frozen=True)
class Call:
    """One call of one AWS service's API."""

    service: str
    operation: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Names:
    """What a stage's resources are called: the patterns that a policy may name, no wider and no narrower."""

    bucket: str
    place: str
    secret: str
    parameter: str
    queue: str
    function: str


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """Record the calls of every client that is made of boto3's default session from now on."""
    calls: list[Call] = []

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append(Call(model.service_model.service_name, model.name, dict(params)))

    boto3.setup_default_session()
    boto3.DEFAULT_SESSION.events.register("before-parameter-build.*.*", record)
    yield calls
    boto3.setup_default_session()


def permissions(call: Call, names: Names) -> set[tuple[str, str]]:
    """What one call takes: pairs of an action and the pattern of resources that it has to be allowed for.

    Raises AssertionError if the call is about something that no pattern of these names covers, and KeyError if nobody
    has said yet what such a call takes.
    """
    bucket = f"arn:aws:s3:::{names.bucket}"
    take = {
        ("s3", "PutObject"): {("s3:PutObject", f"{bucket}/events/*")},
        # Without the right to list, S3 says of an object that is gone that it may not be read.
        ("s3", "GetObject"): {("s3:GetObject", f"{bucket}/events/*"), ("s3:ListBucket", bucket)},
        ("secretsmanager", "GetSecretValue"): {("secretsmanager:GetSecretValue", names.secret)},
        ("ssm", "GetParameter"): {("ssm:GetParameter", f"arn:aws:ssm:{names.place}:parameter/{names.parameter}")},
    }[call.service, call.operation]
    asked = _resource(call)
    assert any(fnmatchcase(asked, pattern) for _, pattern in take), f"{asked} is none of {take}"
    return take


def _resource(call: Call) -> str:
    """The ARN of what a call is about."""
    parameters = call.parameters
    if call.service == "s3":
        return f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}"
    if call.service == "ssm":
        return f"arn:aws:ssm:us-east-1:123456789012:parameter/{parameters['Name'].lstrip('/')}"
    return str(parameters["SecretId"])

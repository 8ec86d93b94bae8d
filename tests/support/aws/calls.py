"""Every AWS call that code makes, recorded by botocore itself, as the permissions that it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import boto3

__all__ = ["ACCOUNT", "REGION", "Call", "Names", "Permission", "permissions", "recorded"]

# Those of the pretend AWS.
REGION = "us-east-1"
ACCOUNT = "123456789012"


# A call with others may take more: tags, an access list, a version, a key.
PARAMETERS = {
    "PutObject": {"Bucket", "Key", "Body", "ContentType"},
    "GetObject": {"Bucket", "Key"},
    "ListObjectsV2": {"Bucket", "Prefix", "Delimiter", "StartAfter", "MaxKeys", "ContinuationToken"},
    "GetSecretValue": {"SecretId"},
    "GetParameter": {"Name", "WithDecryption"},
}


@dataclass(frozen=True)
class Call:
    """One call of one AWS service's API."""

    service: str
    operation: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Names:
    """What a stage's resources are called: the patterns that a policy may name, no wider and no narrower.

    `place` is region and account; empty: there is no such resource.
    """

    bucket: str
    place: str
    function: str
    secret: str = ""
    parameter: str = ""
    queue: str = ""
    notifications: str = ""
    has_vpc: bool = True


class Permission(NamedTuple):
    """An action, and the pattern of resources for which a policy has to allow it."""

    action: str
    resource: str


class _Need(NamedTuple):
    """What a call takes: an action on one resource, which a policy names by a pattern."""

    action: str
    resource: str
    pattern: str


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """Record the calls of every client that is made of boto3's default session from now on.

    Of another session nothing is recorded: tests prepare a pretend AWS with one of their own.
    """
    calls: list[Call] = []

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.append(Call(model.service_model.service_name, model.name, dict(params)))

    boto3.setup_default_session()
    boto3.DEFAULT_SESSION.events.register("before-parameter-build.*.*", record)
    try:
        yield calls
    finally:
        boto3.setup_default_session()


def permissions(call: Call, names: Names) -> set[Permission]:
    """What one call takes of a policy.

    Raises KeyError if nobody has said yet what such a call takes, and AssertionError if it is about something that
    these names do not cover, or has parameters that nobody knows.
    """
    table = {
        ("s3", "PutObject"): _put_object,
        ("s3", "GetObject"): _get_object,
        ("s3", "ListObjectsV2"): _list_objects,
        ("secretsmanager", "GetSecretValue"): _get_secret_value,
        ("ssm", "GetParameter"): _get_parameter,
    }
    needs = table[call.service, call.operation](call.parameters, names)
    others = call.parameters.keys() - PARAMETERS[call.operation]
    assert not others, f"nobody has said what {call.operation} with {others} takes"
    for need in needs:
        assert fnmatchcase(need.resource, need.pattern), f"{need.action} on {need.resource} is not {need.pattern}"
    return {Permission(need.action, need.pattern) for need in needs}


def _put_object(parameters: dict[str, Any], names: Names) -> list[_Need]:
    return [_Need("s3:PutObject", _object(parameters), f"arn:aws:s3:::{names.bucket}/{_folder(parameters)}/*")]


def _get_object(parameters: dict[str, Any], names: Names) -> list[_Need]:
    return [
        _Need("s3:GetObject", _object(parameters), f"arn:aws:s3:::{names.bucket}/{_folder(parameters)}/*"),
        # Without the right to list, S3 says of an object that is gone that it may not be read.
        _Need("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}", f"arn:aws:s3:::{names.bucket}"),
    ]


def _list_objects(parameters: dict[str, Any], names: Names) -> list[_Need]:
    return [_Need("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}", f"arn:aws:s3:::{names.bucket}")]


# Neither takes kms:Decrypt: the keys aws/secretsmanager and aws/ssm let in whoever may read what they encrypt.
def _get_secret_value(parameters: dict[str, Any], names: Names) -> list[_Need]:
    return [_Need("secretsmanager:GetSecretValue", parameters["SecretId"], names.secret)]


def _get_parameter(parameters: dict[str, Any], names: Names) -> list[_Need]:
    parameter = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{parameters['Name'].lstrip('/')}"
    return [_Need("ssm:GetParameter", parameter, f"arn:aws:ssm:{names.place}:parameter/{names.parameter}")]


def _folder(parameters: dict[str, Any]) -> str:
    """Where an object lies: with the events, or with what the reconciler remembers."""
    return "reconciler" if parameters["Key"].startswith("reconciler/") else "events"


def _object(parameters: dict[str, Any]) -> str:
    return f"arn:aws:s3:::{parameters['Bucket']}/{parameters['Key']}"

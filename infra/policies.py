"""Policies of one stage: the committed ones allow what any stage needs; here each is narrowed to what this one has."""

from collections.abc import Mapping
from typing import Any

__all__ = ["CLOSED", "Policy", "narrowed"]

Policy = dict[str, Any]

# A resource policy of Chalice's REST API: nobody may call it.
CLOSED: Policy = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "OnlyThroughTheHttpApi",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
        }
    ],
}


def narrowed(policy: Policy, outputs: Mapping[str, str], function: str) -> Policy:
    """The policy of `function` (its name in Lambda), whose statements name this stage's resources only.

    A statement is known by its `Sid`; one about something that the stage does not have is left out. Raises KeyError
    for one that nobody has said how to narrow.
    """
    resources = _resources(outputs, function)
    statements = [
        statement | {"Resource": resources[statement["Sid"]]}
        for statement in policy["Statement"]
        if resources[statement["Sid"]]
    ]
    return policy | {"Statement": statements}


def _resources(outputs: Mapping[str, str], function: str) -> dict[str, list[str]]:
    """What each statement is about: ARNs, by its Sid."""
    partition, bucket = outputs["Partition"], f"arn:{outputs['Partition']}:s3:::{outputs['RawBucketName']}"
    place = f"{outputs['Region']}:{outputs['AccountId']}"
    parameter = outputs.get("DwParameterName", "").lstrip("/")
    return {
        "RawEvents": [f"{bucket}/events/*"],
        "RawBucket": [bucket],
        "SecretOfWarehouse": _given(outputs.get("DwSecretArn")),
        "ParameterOfWarehouse": _given(parameter and f"arn:{partition}:ssm:{place}:parameter/{parameter}"),
        "FailureQueue": _given(outputs.get("FailureQueueArn")),
        # Lambda itself makes them, and cannot be told beforehand which; without a VPC there are none.
        "NetworkInterfaces": _given(outputs.get("SubnetIds") and "*"),
        "Logs": [f"arn:{partition}:logs:{place}:log-group:/aws/lambda/{function}:*"],
        "Traces": ["*"],  # X-Ray knows no resources
    }


def _given(arn: str | None) -> list[str]:
    return [arn] if arn else []

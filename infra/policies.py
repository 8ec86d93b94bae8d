"""Narrows the committed IAM policies, which fit any stage, to the resources of one stage."""

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


def narrowed(policy: Policy, outputs: Mapping[str, str], function: str, *, is_owner: bool = False) -> Policy:
    """Return a policy whose statements name only this stage's resources.

    Args:
        policy: The committed policy. Each statement is identified by its `Sid`.
        outputs: Outputs of the stage's stacks.
        function: Name of the function in Lambda.
        is_owner: Whether it connects to the warehouse as the owner of the tables, if the stage has one.

    Returns:
        The policy; statements about resources that the stage does not have are left out.

    Raises:
        KeyError: A statement has an unknown `Sid`.
    """
    resources = _resources(outputs, function, is_owner=is_owner)
    statements = [
        statement | {"Resource": resources[statement["Sid"]]}
        for statement in policy["Statement"]
        if resources[statement["Sid"]]
    ]
    return policy | {"Statement": statements}


def _resources(outputs: Mapping[str, str], function: str, *, is_owner: bool) -> dict[str, list[str]]:
    """Return the resources (ARNs) of each statement, by its Sid."""
    partition, bucket = outputs["Partition"], f"arn:{outputs['Partition']}:s3:::{outputs['RawBucketName']}"
    place = f"{outputs['Region']}:{outputs['AccountId']}"
    parameter = outputs.get("DwParameterName", "").lstrip("/")
    # Only S3's direct trigger invokes asynchronously, so that Lambda gives up on invocations.
    queue = outputs.get("NotificationQueueArn") if outputs.get("Trigger") == "sqs" else ""
    owner = outputs.get("DwOwnerSecretArn") if is_owner else None
    secret = owner or outputs.get("DwSecretArn")
    users = (outputs.get("DwSecretArn"), outputs.get("DwReaderSecretArn")) if owner else ()
    return {
        "RawEvents": [f"{bucket}/events/*"],
        "ReconcilerMemory": [f"{bucket}/reconciler/*"],
        "RawBucket": [bucket],
        "SecretOfWarehouse": _given(secret),
        "SecretsOfUsers": [each for each in users if each],
        "ParameterOfWarehouse": _given(parameter and f"arn:{partition}:ssm:{place}:parameter/{parameter}"),
        "FailureQueue": _given(outputs.get("FailureQueueArn") if not queue else ""),
        "NotificationQueue": _given(queue),
        # Lambda creates them, and their ids are not known before; without a VPC there are none.
        "NetworkInterfaces": _given(outputs.get("SubnetIds") and "*"),
        "Logs": [f"arn:{partition}:logs:{place}:log-group:/aws/lambda/{function}:*"],
        "Traces": ["*"],  # X-Ray has no resources to name
    }


def _given(arn: str | None) -> list[str]:
    return [arn] if arn else []

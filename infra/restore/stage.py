"""Finds the region of a stage, and what its stacks have made."""

import json
import os
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.restore.rds import RestoreError

__all__ = ["outputs_of", "session_of"]

STAGES = Path(__file__).parents[1] / "stages"


def session_of(stage: str) -> boto3.Session:
    """Return a session in the stage's region, which is found as deploy.sh finds it."""
    file = STAGES / f"{stage}.json"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in STAGES.glob("*.json")))
        raise RestoreError(f"there is no stage {stage} (there are: {known})")
    session = boto3.Session(region_name=json.loads(file.read_text())["Region"] or os.environ.get("AWS_REGION"))
    if session.region_name is None:
        raise RestoreError(f"no region is named: set Region in infra/stages/{stage}.json, or run 'aws configure'")
    return session


def outputs_of(stage: str, session: boto3.Session) -> dict[str, str]:
    """Return the outputs of the stage's stacks. Raises RestoreError if it has no warehouse of its own."""
    made: dict[str, str] = {}
    try:
        for page in session.client("cloudformation").get_paginator("describe_stacks").paginate():
            for stack in page["Stacks"]:
                if stack["StackName"].startswith(f"clickstream-{stage}-"):
                    made |= {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}
    except (ClientError, BotoCoreError) as error:
        raise RestoreError(str(error)) from None
    if missing := {"DwClusterArn", "DwSecretArn", "RawBucketName"} - made.keys():
        raise RestoreError(
            f"stage {stage} has no Aurora warehouse of its own here (no output {', '.join(sorted(missing))}): "
            "name a deployed stage, and its region"
        )
    return made

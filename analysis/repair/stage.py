"""Finds the parts of a deployed stage by the outputs of its stacks."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from analysis.engines.data_api.url import DataApiUrl
from analysis.errors import AnalysisError

__all__ = ["Stage", "stage_named"]

NAME = re.compile("[a-z][a-z0-9]{0,15}")
DATABASE = "clickstream_dw"
# The stack that makes each output, by its name after `clickstream-STAGE-`, and what it is.
OUTPUTS = {
    "RawBucketName": ("raw", "raw bucket"),
    "DwClusterArn": ("warehouse", "Aurora cluster, which the Data API reads"),
    "DwReaderSecretArn": ("warehouse", "secret of the warehouse's reader"),
    "OperationsFunctionName": ("operations", "function that repairs the warehouse"),
    "LakeBucketName": ("lake", "bucket of the lake"),
    "LakeDatabaseName": ("lake", "database of the lake"),
    "FailureQueueUrl": ("base", "failure queue"),
    "Endpoint": ("api", "endpoint"),
}
# What CloudFormation says of a stack that is not there.
IS_MISSING = "ValidationError"


@dataclass(frozen=True)
class Stage:
    """One deployed stage. Each part raises AnalysisError if the stage does not have it."""

    name: str

    @property
    def source(self) -> str:
        """The raw bucket, as `s3://bucket`."""
        return f"s3://{self._output('RawBucketName')}"

    @property
    def dw_url(self) -> str:
        """The warehouse: read through the Data API as its reader, repaired by the operations function."""
        cluster, secret = (self._output(name) for name in ("DwClusterArn", "DwReaderSecretArn"))
        return str(DataApiUrl(DATABASE, cluster, secret, self.function))

    @property
    def function(self) -> str:
        """The name of the operations function."""
        return self._output("OperationsFunctionName")

    @property
    def queue(self) -> str:
        """The URL of the failure queue."""
        return self._output("FailureQueueUrl")

    @property
    def endpoint(self) -> str:
        """The URL that events are posted to."""
        return self._output("Endpoint")

    @property
    def lake(self) -> str | None:
        """The lake, as `LAKE` names it; None if the stage has none."""
        if not self._outputs("lake"):
            return None
        return f"glue://{self._output('LakeBucketName')}/{self._output('LakeDatabaseName')}"

    def _output(self, name: str) -> str:
        stack, what = OUTPUTS[name]
        found = self._outputs(stack)
        if value := found.get(name):
            return value
        why = "has no output" if found else "is not deployed, or gives no output"
        raise AnalysisError(
            f"stage {self.name} has no {what}: stack clickstream-{self.name}-{stack} {why} {name} in {self._region}; "
            f"run 'make deploy STAGE={self.name}', or name another region with AWS_REGION"
        )

    def _outputs(self, stack: str) -> Mapping[str, str]:
        if stack not in self._known:
            self._known[stack] = self._read(f"clickstream-{self.name}-{stack}")
        return self._known[stack]

    def _read(self, stack: str) -> dict[str, str]:
        try:
            found = self._client.describe_stacks(StackName=stack)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] == IS_MISSING:
                return {}
            raise AnalysisError(f"stack {stack} cannot be read: {_reason(error)}") from error
        except BotoCoreError as error:
            raise AnalysisError(f"stack {stack} cannot be read: {error}") from error
        return dict(_pairs(found))

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401  # botocore makes its client classes at run time
        try:
            return boto3.client("cloudformation")
        except BotoCoreError as error:
            raise AnalysisError(f"AWS cannot be asked: {error}: set AWS_REGION, or run 'aws configure'") from None

    @property
    def _region(self) -> str:
        return str(self._client.meta.region_name)

    @cached_property
    def _known(self) -> dict[str, Mapping[str, str]]:
        return {}


def stage_named(name: str) -> Stage:
    """Give a stage by its name, as in `infra/stages/`. Raises AnalysisError if no stage can have that name."""
    if not NAME.fullmatch(name):
        raise AnalysisError(f"a stage's name is up to 16 letters a-z and digits, not {name!r}")
    return Stage(name)


def _pairs(stacks: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    for stack in stacks:
        for output in stack.get("Outputs", ()):
            yield output["OutputKey"], output["OutputValue"]


def _reason(error: ClientError) -> str:
    return str(error.response["Error"].get("Message") or error.response["Error"]["Code"])

"""Asks the operations function of a stage for bulk work on the warehouse, and waits for it slice by slice."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import sleep
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from analysis.engines.data_api.url import function_of
from analysis.errors import AnalysisError, FunctionFailed
from analysis.raw.tombstones import Tombstones
from chalicelib.operations.people import Ids

__all__ = ["Operations", "batches_of", "ids_of", "invoke_function", "operations_of", "stones_of"]

# A function may take 15 minutes. Networks drop a connection on which nothing is said, so the kernel asks for signs of
# life. To ask a second time, while the first goes on, would do the work twice.
PATIENT = Config(read_timeout=910, tcp_keepalive=True, retries={"total_max_attempts": 1})
# A warehouse that sleeps takes 15 s to wake up, a long query may hold a table, and all copies may be busy.
TRIES = 6
PAUSE_SECONDS = 10.0
PASSING = frozenset(
    {
        "CredentialsUnavailable",
        "ResourceConflictException",
        "StorageUnavailable",
        "TooManyRequestsException",
        "WarehouseUnavailable",
    }
)
# Lambda takes 6 MB of an event, and a key has about 80 bytes.
KEYS = 10_000


@dataclass(frozen=True)
class Operations:
    """The operations function of one stage."""

    function: str
    region: str | None = None

    def ask(self, operation: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
        """Let the function do one slice of work, and give what it says. Waits while it or the warehouse is not ready.

        Raises:
            AnalysisError: The function fails, or AWS does not answer.
        """
        event = {"operation": operation, **arguments}
        for left in reversed(range(TRIES)):
            try:
                returned = invoke_function(self.function, event, self.region)
            except AnalysisError as error:
                if _kind(error) not in PASSING or not left:
                    raise
                sleep(PAUSE_SECONDS)
            else:
                break
        if not isinstance(returned, dict):
            raise AnalysisError(f"{self.function} is no operations function: deploy this version first")
        return returned


def invoke_function(function: str, event: Mapping[str, Any], region: str | None = None) -> Any:  # noqa: ANN401  # any JSON
    """Call a Lambda function, and wait for what it returns.

    Raises:
        FunctionFailed: The function raised an error.
        AnalysisError: AWS does not answer, or refuses.
    """
    try:
        client = boto3.client("lambda", region_name=region, config=PATIENT)
        answer = client.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        returned = json.loads(answer["Payload"].read() or "{}")
    except ClientError as error:
        said = error.response["Error"]
        raise AnalysisError(f"AWS refuses {function}: {said['Code']}: {said.get('Message', '')}") from error
    except BotoCoreError as error:
        raise AnalysisError(f"AWS does not answer: {error}") from error
    if answer.get("FunctionError"):
        said = returned.get("errorMessage", answer["FunctionError"])
        raise FunctionFailed(f"{function}: {said}", returned.get("errorType", ""))
    return returned


def operations_of(dw_url: str) -> Operations | None:
    """Give the function that repairs the warehouse of a stage; None for a URL that a connection can be opened to."""
    found = function_of(dw_url)
    return None if found is None else Operations(*found)


def _kind(error: AnalysisError) -> str:
    """The class of the function's error, or the code that AWS refused with; empty for anything else."""
    if isinstance(error.__cause__, ClientError):
        return str(error.__cause__.response["Error"]["Code"])
    return error.kind if isinstance(error, FunctionFailed) else ""


def batches_of(keys: Sequence[str], most: int = KEYS) -> Iterator[list[str]]:
    """Cut keys into as many as one event holds; one empty batch if there are none."""
    for start in range(0, len(keys) or 1, most):
        yield list(keys[start : start + most])


def stones_of(tombstones: Tombstones | None) -> dict[str, Any] | None:
    """Write tombstones as the function takes them."""
    if tombstones is None:
        return None
    stones = tombstones.stones
    return {
        "inner": stones.inner_key.hex(),
        "outer": stones.outer_key.hex(),
        "hashes": [each.hex() for each in stones.hashes],
    }


def ids_of(ids: Ids | None) -> dict[str, list[str]] | None:
    """Write a person's ids as the function takes them."""
    return None if ids is None else {"clientIds": [*ids.client_ids], "userIds": [*ids.user_ids]}

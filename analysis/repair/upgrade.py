"""Upgrades a warehouse: over a connection, or through the projector that is deployed beside it."""

from dataclasses import dataclass
from time import sleep

from botocore.exceptions import ClientError
from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from analysis.errors import AnalysisError, FunctionFailed
from analysis.repair.connection import connected, schema_here
from analysis.repair.redrive import invoke_function
from chalicelib.errors import UpgradeRefused
from chalicelib.projector import upgrade_event
from chalicelib.warehouse.client import UPGRADE, reason
from chalicelib.warehouse.schema import SCHEMA

__all__ = ["Upgraded", "upgrade", "upgrade_through"]

# A warehouse that sleeps takes 15 s to wake up, a long query may hold a table, and all projectors may be busy.
TRIES = 6
PAUSE_SECONDS = 10.0
PASSING = (
    "WarehouseUnavailable",
    "CredentialsUnavailable",
    "TooManyRequestsException",
    "ResourceConflictException",
)


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did, or would do.

    `was` is the warehouse's version before and `knows` the version of the code, both as text; `statements` is SQL, in
    order. `is_newer` says that the warehouse is newer than the projector's code, which is nothing to do.
    """

    was: str
    knows: str
    statements: list[str]
    is_newer: bool = False


def upgrade(dw_url: str, *, dry_run: bool) -> Upgraded:
    """Add the tables and columns that a warehouse lacks, all of them or none.

    Args:
        dw_url: A libpq URL, of a role that owns the tables.
        dry_run: Only find what is missing.

    Raises:
        AnalysisError: The warehouse does not answer, refuses, or is newer than this code.
    """
    with connected(dw_url, make=False) as connection:
        try:
            SCHEMA.refuse_lost_tombstones(connection)
            schema = schema_here()
            done = schema.preview(connection) if dry_run else schema.upgrade(connection)
        except UpgradeRefused as error:
            raise AnalysisError(str(error)) from None
        except InsufficientPrivilege as error:
            raise AnalysisError(f"the warehouse was not upgraded: {reason(error)}: {UPGRADE}") from error
        except LockNotAvailable as error:
            raise AnalysisError(
                "the warehouse was not upgraded: another session holds a table, so run this again"
            ) from error
        connection.commit()
    return Upgraded(str(done.was), str(done.knows), done.statements)


def upgrade_through(function: str, *, dry_run: bool) -> Upgraded:
    """Let a deployed projector do it, since it reaches a private warehouse.

    Args:
        function: The name of its Lambda function. Waits about a minute while it or its warehouse is not ready.
        dry_run: Only find what is missing.

    Raises:
        AnalysisError: The function fails, or is of a version that cannot upgrade.
    """
    for left in reversed(range(TRIES)):
        try:
            (done,) = invoke_function(function, upgrade_event(dry_run=dry_run))
            break
        except AnalysisError as error:
            kind = _kind(error)
            if kind == "ProjectionFailed":  # older code looks for an object that the event names
                raise AnalysisError(f"{function} cannot upgrade its warehouse: deploy this version first") from error
            if kind not in PASSING or not left:
                raise
            sleep(PAUSE_SECONDS)
    return Upgraded(done["was"], done["knows"], done["statements"], done["isNewer"])


def _kind(error: AnalysisError) -> str:
    """The class of the function's error, or the code that AWS refused with; empty for anything else."""
    if isinstance(error.__cause__, ClientError):
        return str(error.__cause__.response["Error"]["Code"])
    return error.kind if isinstance(error, FunctionFailed) else ""

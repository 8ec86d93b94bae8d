"""Upgrades a warehouse: over a connection, or through the operations function that is deployed beside it."""

from dataclasses import dataclass, field

from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from analysis.engines.data_api.url import function_of
from analysis.errors import AnalysisError
from analysis.repair.connection import connected, schema_here
from analysis.repair.operations import Operations
from chalicelib.errors import UpgradeRefused
from chalicelib.warehouse.client import UPGRADE, reason
from chalicelib.warehouse.schema import SCHEMA

__all__ = ["Upgraded", "upgrade", "upgrade_through"]


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did, or would do.

    `was` is the warehouse's version before and `knows` the version of the code, both as text; `statements` is SQL, in
    order. `is_newer` says that the warehouse is newer than the function's code, which is nothing to do. `users` are the
    database users of the stage that were made, or given their privileges again.
    """

    was: str
    knows: str
    statements: list[str]
    is_newer: bool = False
    users: list[str] = field(default_factory=list)


def upgrade(dw_url: str, *, dry_run: bool) -> Upgraded:
    """Add the tables and columns that a warehouse lacks, all of them or none.

    Args:
        dw_url: A libpq URL, of a role that owns the tables; or that of a stage's warehouse.
        dry_run: Only find what is missing.

    Raises:
        AnalysisError: The warehouse does not answer, refuses, or is newer than this code.
    """
    if (found := function_of(dw_url)) is not None:
        function, region = found
        return upgrade_through(function, dry_run=dry_run, region=region)
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


def upgrade_through(function: str, *, dry_run: bool, region: str | None = None) -> Upgraded:
    """Let the operations function of a stage do it, since it reaches a private warehouse.

    It also makes the database users of the stage, and gives each its privileges.

    Args:
        function: The name of its Lambda function. Waits about a minute while it or its warehouse is not ready.
        dry_run: Only find what is missing.
        region: Its region; by default the one that boto3 finds.

    Raises:
        AnalysisError: The function fails, or is of a version that cannot upgrade.
    """
    done = Operations(function, region).ask("upgrade", dryRun=dry_run)
    return Upgraded(done["was"], done["knows"], done["statements"], done["isNewer"], done["users"])

"""Removes the bytes of deleted rows from the warehouse's files, as far as the role may do that."""

import re
from dataclasses import dataclass

import psycopg
from psycopg.errors import Diagnostic, LockNotAvailable

from analysis.engines.data_api.url import data_api_url
from analysis.errors import AnalysisError
from analysis.repair.connection import connected
from chalicelib.contract import TABLE
from chalicelib.warehouse.schema import has_table
from chalicelib.warehouse.tables import REJECTS

__all__ = ["Vacuumed", "refuse_stage", "vacuum"]

# A plain VACUUM leaves the bytes in the free space of the pages. FULL writes the table and its indexes anew.
VACUUM = "VACUUM (FULL, ANALYZE, VERBOSE) {}"
# It holds samples of each column, so also ids.
STATISTICS = "pg_catalog.pg_statistic"
# Whoever waits for the table's lock lets the projector wait, too.
LOCK_TIMEOUT = "SET lock_timeout = '10s'"
IS_SUPERUSER = "SELECT current_setting('is_superuser') = 'on'"


@dataclass(frozen=True)
class Vacuumed:
    """What was written anew.

    `still_visible` counts deleted rows that had to stay, since an open transaction can see them. `with_wal` says
    whether statistics and WAL were dealt with, too, which needs a superuser.
    """

    still_visible: int
    with_wal: bool


def refuse_stage(dw_url: str | None) -> None:
    """Raise AnalysisError for the warehouse of a stage: to write a table anew may take longer than its function may."""
    if dw_url and data_api_url(dw_url) is not None:
        raise AnalysisError(
            "--vacuum needs a connection to the warehouse: leave it out here, and run 'python -m analysis erase "
            "--again --vacuum' with --source and --dw from within the VPC"
        )


def vacuum(dw_url: str) -> Vacuumed:
    """Write the tables that held a person's rows anew. Nobody can use a table meanwhile.

    A superuser also writes the planner's statistics anew, begins a new WAL segment, and makes a checkpoint. After that,
    PostgreSQL needs none of the earlier segments. It deletes them if `wal_recycle` is off, as in the local stack.

    Args:
        dw_url: A libpq URL; the role must own the tables.

    Raises:
        AnalysisError: The warehouse refuses, or somebody uses a table for longer than 10 seconds.
    """
    heard = _Heard()
    with connected(dw_url, make=False) as connection:
        connection.autocommit = True
        connection.add_notice_handler(heard.note)
        connection.execute(LOCK_TIMEOUT)
        tables = [table for table in (TABLE, REJECTS) if has_table(connection, table)]
        row = connection.execute(IS_SUPERUSER).fetchone()
        is_superuser = row == (True,)
        for table in [*tables, STATISTICS] if is_superuser else tables:
            _vacuum(connection, table)
        if is_superuser:
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
        if heard.warning is not None:
            raise AnalysisError(f"the warehouse refuses: {heard.warning}: name the owner of the tables in --dw")
        return Vacuumed(heard.still_visible, is_superuser)


def _vacuum(connection: psycopg.Connection, table: str) -> None:
    try:
        connection.execute(VACUUM.format(table).encode())
    except LockNotAvailable as error:
        raise AnalysisError(
            f"everything was erased, but {table} could not be vacuumed, since somebody uses it: end that, and run "
            "'python -m analysis erase --again --vacuum'"
        ) from error


@dataclass
class _Heard:
    """What the server says meanwhile: VACUUM reports nothing else, and for a missing right it only warns."""

    warning: str | None = None
    still_visible: int = 0

    def note(self, notice: Diagnostic) -> None:
        """Read a notice, such as `3 dead row versions cannot be removed yet.`; the number is first in any language."""
        if notice.severity_nonlocalized == "WARNING":
            self.warning = notice.message_primary
        elif found := re.match(r"(\d+) ", notice.message_detail or ""):
            self.still_visible += int(found[1])

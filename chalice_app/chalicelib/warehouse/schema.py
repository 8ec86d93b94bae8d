"""The warehouse's schema: its version, and the upgrade of an older warehouse.

A version is two counts, as `1.16`: of the numbered steps that were applied, and of the contract's columns. Both only
grow, since columns are added at the end and never removed. So a warehouse is newer than the code if either count is
higher, also if only a column was added. The upgrade looks at the tables themselves for what is missing, so a dropped
table comes back; the version says which steps were applied, and lets older code see that it is older.

A warehouse also records the `PRICE_DECIMALS` of its prices. Whoever creates the table of events records it; afterwards
only a rebuild changes it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import psycopg
from psycopg.errors import InsufficientPrivilege, UndefinedTable

from chalicelib.contract import COLUMNS, TABLE, Column
from chalicelib.errors import NewerWarehouse, OtherPriceDecimals, SchemaError, UpgradeRefused
from chalicelib.warehouse.tables import (
    CREATE_HOURS,
    CREATE_REJECTS,
    CREATE_SETTINGS,
    CREATE_TOMBSTONES,
    CREATE_VERSIONS,
    HOURS,
    IS_ERASED,
    KEEP_OUT,
    REJECTS,
    SETTINGS,
    TOMBSTONE_KEYS,
    TOMBSTONES,
    VERSIONS,
)

__all__ = [
    "FIRST_COLUMNS",
    "LOCK",
    "SCHEMA",
    "STEPS",
    "Reading",
    "Schema",
    "Step",
    "Upgrade",
    "Version",
    "has_table",
    "recorded_decimals",
]

# Every table of events has the first 16 columns: the contract had them before warehouses could be upgraded.
FIRST_COLUMNS = 16

# Several Lambdas may meet an old warehouse at once, and CREATE TABLE IF NOT EXISTS is not safe against that.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('clickstream: create tables'))"
# Inserts wait behind an ALTER TABLE that waits for a long query: rather give up, and try again later.
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '5s'"

LOOK = f"""
SELECT
    to_regclass('{TABLE}') IS NOT NULL AS has_events,
    ARRAY(
        SELECT attname::TEXT FROM pg_attribute
        WHERE attrelid = to_regclass('{TABLE}') AND attnum > 0 AND NOT attisdropped
    ) AS columns,
    to_regclass('{REJECTS}') IS NOT NULL AS has_rejects,
    to_regclass('{TOMBSTONES}') IS NOT NULL AND to_regclass('{TOMBSTONE_KEYS}') IS NOT NULL
        AND to_regprocedure('{IS_ERASED}(TEXT, TEXT)') IS NOT NULL AND to_regprocedure('{KEEP_OUT}()') IS NOT NULL
        AS has_tombstones,
    EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass('{TABLE}') AND tgname = 'keep_out_erased') AS is_guarded,
    to_regclass('{SETTINGS}') IS NOT NULL AS has_settings,
    to_regclass('{VERSIONS}') IS NOT NULL AS has_versions,
    to_regclass('{HOURS}') IS NOT NULL AS has_hours
"""  # noqa: S608  # our own names
SELECT_DECIMALS = f"SELECT value FROM {SETTINGS} WHERE name = 'price_decimals'"  # noqa: S608  # our own name
SET_DECIMALS = f"""
INSERT INTO {SETTINGS} (name, value) VALUES ('price_decimals', %s)
ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value
"""  # noqa: S608  # our own name
SELECT_VERSION = f"SELECT coalesce(max(steps), 0), coalesce(max(columns), 0) FROM {VERSIONS}"  # noqa: S608  # our own name


class Answer(Protocol):
    """What a query gives."""

    def fetchone(self) -> Any | None:  # noqa: ANN401  # a row
        """Give the next row; None after the last."""


class Reading(Protocol):
    """What runs a query with placeholders: a connection of psycopg, for example."""

    def execute(self, query: bytes, params: Sequence[Any] | None = None, /) -> Answer:
        """Run one query."""


class Step(NamedTuple):
    """A change that cannot be derived from the contract's columns.

    Args:
        number: Its place among the steps, from 1.
        statements: SQL that does no harm to new tables, which have all of it (`IF NOT EXISTS`), and that lets the code
            before it go on inserting: a NOT NULL column needs a DEFAULT.
        columns: Columns of the contract that it adds, since they have a constraint.
    """

    number: int
    statements: str
    columns: tuple[str, ...] = ()


def _record_decimals(price_decimals: int) -> str:
    return f"INSERT INTO {SETTINGS} (name, value) VALUES ('price_decimals', '{price_decimals}') ON CONFLICT DO NOTHING;"  # noqa: S608  # our own name, a number


HOURS_STEP = 3
STEPS = (
    Step(1, f"ALTER TABLE {REJECTS} ADD COLUMN IF NOT EXISTS dismissed TEXT;"),
    # The prices of a warehouse that says nothing have no decimals.
    Step(2, _record_decimals(0)),
    Step(HOURS_STEP, CREATE_HOURS),
)


class Version(NamedTuple):
    """How far a warehouse, or the code, has come."""

    steps: int
    columns: int

    def __str__(self) -> str:
        return f"{self.steps}.{self.columns}"

    def is_within(self, other: "Version") -> bool:
        """Whether neither count is higher than that of the other."""
        return self.steps <= other.steps and self.columns <= other.columns


class Upgrade(NamedTuple):
    """What an upgrade did, or would do.

    `was` is the warehouse's version before, `knows` that of the code. `statements` is the SQL that ran, in order, and
    `refused` the SQL that the role may not run.
    """

    was: Version
    knows: Version
    statements: list[str]
    refused: list[str]

    def as_json(self) -> dict[str, Any]:
        """What a projector that was asked to upgrade answers; all that runs there runs as a whole or not at all."""
        return {
            "was": str(self.was),
            "knows": str(self.knows),
            "isNewer": not self.was.is_within(self.knows),
            "statements": self.statements,
        }


class Schema:
    """The tables of one contract."""

    def __init__(
        self, columns: Sequence[Column] = COLUMNS, steps: Sequence[Step] = STEPS, price_decimals: int = 0
    ) -> None:
        """Take the contract's columns, the steps, and the `PRICE_DECIMALS` of whoever writes.

        Raises:
            SchemaError: The steps are not numbered 1, 2, 3 …, or a column with a constraint lacks its step, or is
                NOT NULL without a default.
        """
        if [step.number for step in steps] != list(range(1, len(steps) + 1)):
            raise SchemaError("the steps of the warehouse's schema must be numbered 1, 2, 3 … without a gap")
        self._by_step = {name for step in steps for name in step.columns}
        for column in columns[FIRST_COLUMNS:]:
            if column.constraint and column.name not in self._by_step:
                raise SchemaError(
                    f"column {column.name} cannot be added to a filled table, since it is {column.constraint}: "
                    "write a numbered step that adds it, and name it in the step's columns"
                )
            if "NOT NULL" in column.constraint and "DEFAULT" not in column.constraint:
                raise SchemaError(
                    f"column {column.name} is NOT NULL and has no DEFAULT: the code before it inserts rows without it"
                )
        self.columns = tuple(columns)
        self.steps = tuple(steps)
        self.price_decimals = price_decimals
        self.version = Version(len(steps), len(columns))
        self.names = ", ".join(column.name for column in columns)
        self._record = (
            f"INSERT INTO {VERSIONS} (steps, columns) VALUES ({len(steps)}, {len(columns)}) ON CONFLICT DO NOTHING;"  # noqa: S608  # numbers
        )

    def with_decimals(self, price_decimals: int) -> "Schema":
        """Give the same tables for a writer with another `PRICE_DECIMALS`."""
        return Schema(self.columns, self.steps, price_decimals)

    @property
    def definitions(self) -> str:
        """The columns with their types, without constraints, for a table that rows pass through."""
        return ", ".join(f"{column.name} {column.type}" for column in self.columns)

    @property
    def create_events(self) -> str:
        """SQL that creates the table of events, with its index."""
        definitions = ",\n    ".join(_definition(column) for column in self.columns)
        return (
            f"CREATE TABLE IF NOT EXISTS {TABLE} (\n    {definitions}\n);\n"
            f"CREATE INDEX IF NOT EXISTS clickstream_events_event_timestamp_idx ON {TABLE} (event_timestamp);"
        )

    @property
    def insert(self) -> str:
        """SQL that inserts one row, with a placeholder for each column."""
        values = ", ".join(["%s"] * len(self.columns))
        return f"INSERT INTO {TABLE} ({self.names}) VALUES ({values}) ON CONFLICT (event_id) DO NOTHING"  # noqa: S608  # names of the contract

    @property
    def insert_arrays(self) -> str:
        """SQL that inserts many rows, with a placeholder for the array of each column; it returns the new ids."""
        return self.insert_from(f"unnest({', '.join(f'%s::{column.type}[]' for column in self.columns)})")

    def insert_from(self, source: str) -> str:
        """SQL that inserts the rows of a table or function with the same columns; it returns the new ids."""
        return (
            f"INSERT INTO {TABLE} ({self.names}) SELECT * FROM {source}"  # noqa: S608  # names of the contract
            " ON CONFLICT (event_id) DO NOTHING RETURNING event_id"
        )

    def pending(self, connection: psycopg.Connection) -> list[str]:
        """Find what this warehouse lacks, and change nothing.

        Returns:
            The SQL that adds it, in the order in which it has to run.
        """
        (has_events, there, has_rejects, has_tombstones, is_guarded, has_settings, has_versions, has_hours) = _row(
            connection, LOOK
        )
        version = self.version_of(connection)
        statements = []
        if not has_events:
            statements.append(self.create_events)
        elif lacking := [each for each in self.columns if each.name not in {*there, *self._by_step}]:
            added = ",\n    ".join(f"ADD COLUMN IF NOT EXISTS {_definition(column)}" for column in lacking)
            statements.append(f"ALTER TABLE {TABLE}\n    {added};")
        if not has_rejects:
            statements.append(CREATE_REJECTS)
        # The trigger without its tombstones refuses every row. New, empty ones would let in everybody who was erased.
        if not has_tombstones and not is_guarded:
            statements.append(CREATE_TOMBSTONES)
        if not has_settings:
            statements.append(CREATE_SETTINGS)
            if not has_events:
                statements.append(_record_decimals(self.price_decimals))
        if not has_hours and version.steps >= HOURS_STEP:
            statements.append(CREATE_HOURS)
        statements += [step.statements for step in self.steps if step.number > version.steps]
        if not has_versions:
            statements.append(CREATE_VERSIONS)
        if not self.version.is_within(version):
            statements.append(self._record)
        return statements

    def preview(self, connection: psycopg.Connection) -> Upgrade:
        """Give what an upgrade would do, and change nothing."""
        return Upgrade(self.version_of(connection), self.version, self.pending(connection), [])

    def upgrade(self, connection: psycopg.Connection, *, as_allowed: bool = False) -> Upgrade:
        """Add what this warehouse lacks, in one transaction, one session at a time.

        Args:
            connection: A connection to the warehouse.
            as_allowed: Leave out what the role may not do. Whoever does the rest then writes the version.

        Raises:
            psycopg.Error: The warehouse refuses; InsufficientPrivilege only without `as_allowed`.
        """
        done: list[str] = []
        refused: list[str] = []
        was = self.version_of(connection)
        if self.pending(connection):
            with connection.transaction():
                connection.execute(LOCK_TIMEOUT)
                connection.execute(LOCK)
                for statement in self.pending(connection):
                    if refused and statement in (CREATE_VERSIONS, self._record):
                        continue  # whoever does the rest writes the version, and owns its table
                    try:
                        with connection.transaction():
                            connection.execute(statement.encode())
                    except (InsufficientPrivilege, UndefinedTable) as error:
                        # A step misses the table that the role may not create.
                        if not as_allowed or not (refused or isinstance(error, InsufficientPrivilege)):
                            raise
                        refused.append(statement)
                    else:
                        done.append(statement)
        return Upgrade(was, self.version, done, refused)

    def refuse_lost_tombstones(self, connection: psycopg.Connection) -> None:
        """Raise UpgradeRefused if the tombstones were dropped, but not their trigger: it refuses every row then."""
        *_, has_tombstones, is_guarded, _, _, _ = _row(connection, LOOK)
        if is_guarded and not has_tombstones:
            raise UpgradeRefused(
                f"{TOMBSTONES} or its keys are gone, so the warehouse refuses every row: "
                "'python -m analysis backfill' brings them back from raw"
            )

    def version_of(self, connection: Reading) -> Version:
        """The version of this warehouse; 0.0 if it was made before there were versions."""
        return Version(*_row(connection, SELECT_VERSION)) if has_table(connection, VERSIONS) else Version(0, 0)

    def refuse_other_decimals(self, connection: psycopg.Connection) -> None:
        """See that rows of this writer fit the rows that are there. Raises OtherPriceDecimals."""
        recorded = recorded_decimals(connection)
        if recorded is not None and recorded != self.price_decimals:
            raise OtherPriceDecimals(
                f"the warehouse's prices were stored with PRICE_DECIMALS={recorded}, and here it is "
                f"{self.price_decimals}: set PRICE_DECIMALS={recorded}, or rebuild the warehouse (TRUNCATE {TABLE}, "
                f"then 'PRICE_DECIMALS={self.price_decimals} python -m analysis backfill --rebuild')"
            )

    def change_decimals(self, connection: psycopg.Connection) -> None:
        """Record this writer's decimals; the table of events has to be empty."""
        connection.execute(SET_DECIMALS.encode(), (str(self.price_decimals),))

    def refuse_newer(self, connection: Reading) -> None:
        """See that this code knows all of the warehouse. Raises NewerWarehouse."""
        version = self.version_of(connection)
        if not version.is_within(self.version):
            raise NewerWarehouse(
                f"the warehouse is at version {version}, this code knows {self.version}: update the code"
            )


def recorded_decimals(connection: Reading) -> int | None:
    """The `PRICE_DECIMALS` that a warehouse's prices were stored with; None if it has no table of events yet.

    A warehouse that records nothing was made before there was a choice: its prices have no decimals.
    """
    has_settings, has_events = _row(
        connection, f"SELECT to_regclass('{SETTINGS}') IS NOT NULL, to_regclass('{TABLE}') IS NOT NULL"
    )
    found = _row(connection, SELECT_DECIMALS) if has_settings else ()
    if found:
        return int(found[0])
    return 0 if has_events else None


def has_table(connection: Reading, table: str) -> bool:
    """Whether a table is there."""
    return _row(connection, "SELECT to_regclass(%s) IS NOT NULL", table) == (True,)


def _definition(column: Column) -> str:
    return f"{column.name} {column.type} {column.constraint}".rstrip()


def _row(connection: Reading, query: str, *parameters: str) -> tuple[Any, ...]:
    return connection.execute(query.encode(), parameters or None).fetchone() or ()


SCHEMA = Schema()

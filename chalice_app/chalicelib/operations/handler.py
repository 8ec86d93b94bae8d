"""The operations function: does one slice of bulk work on the warehouse, in its VPC, as the owner of its tables.

`python -m analysis … --stage` asks for it, and watches it. An event is `{"operation": …}` with the arguments of the
operation, and so is the result with its counts. An error is raised: Lambda gives its class and text to the caller. No
log line and no error quotes an id of a person.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.errors import InsufficientPrivilege, LockNotAvailable

from chalicelib import log
from chalicelib.errors import (
    OperationRefused,
    RowRefused,
    SettingsError,
    UpgradeRefused,
    WarehouseUnavailable,
)
from chalicelib.operations.backfill import Time, backfill, retry
from chalicelib.operations.loading import Raw
from chalicelib.operations.people import Ids, count_rejects, count_rows, delete_rejects, delete_rows
from chalicelib.operations.preparing import prepare
from chalicelib.operations.retaining import AGES, delete_old, plan, record, tidy
from chalicelib.settings import Settings
from chalicelib.storage import RawStorage
from chalicelib.warehouse.client import CONNECTION_DEFAULTS, PATIENCE, UPGRADE, is_of_the_row, pin, reason
from chalicelib.warehouse.credentials import credentials_of
from chalicelib.warehouse.horizon import recorded_horizon
from chalicelib.warehouse.schema import SCHEMA, Schema
from chalicelib.warehouse.tables import DISMISS
from chalicelib.warehouse.tombstones import Stones, enforce
from chalicelib.warehouse.users import READER, WRITER, Login, provide

__all__ = ["SECONDS", "handle"]

SECONDS = 60.0  # after which a slice ends at the next hour, so that whoever watches sees it go on
MARGIN_SECONDS = 120.0  # before Lambda ends the function, to insert what was read

Event = Mapping[str, Any]


def handle(event: Event, seconds_left: Callable[[], float], settings: Settings, storage: RawStorage) -> dict[str, Any]:
    """Do one slice of an operation, and log its outcome. Every operation is safe to repeat.

    Args:
        event: The operation and its arguments.
        seconds_left: The seconds until Lambda ends the function.
        settings: Whose warehouse, and whose raw bucket.
        storage: Reads the raw bucket.

    Returns:
        What the operation did.

    Raises:
        SettingsError: There is no such operation.
        OperationRefused: The warehouse is not as the operation needs it.
        UpgradeRefused: The user of the warehouse does not own its tables.
        NewerWarehouse: The warehouse is newer than this code.
        OtherPriceDecimals: The warehouse's prices have other decimals than this stage.
        RowRefused: PostgreSQL refuses a row, because of a constraint for example.
        WarehouseUnavailable: The warehouse does not answer.
        StorageUnavailable: S3 does not answer.
    """
    name = event.get("operation")
    if name not in OPERATIONS:
        raise SettingsError(f"there is no operation {name!r}: there are {', '.join(OPERATIONS)}")
    work = _Work(event, seconds_left, settings, storage)
    with work.errors(), work.connected() as connection:
        done = OPERATIONS[name](work, connection)
    counts = {key: value for key, value in done.items() if isinstance(value, int)}
    log.write("operations", "done", operation=name, counts=counts)
    return done


class _Work:
    """One event, with what its operation needs."""

    def __init__(
        self, event: Event, seconds_left: Callable[[], float], settings: Settings, storage: RawStorage
    ) -> None:
        self.event = event
        self.settings = settings
        self.schema: Schema = SCHEMA.with_decimals(settings.price_decimals)
        self.raw = Raw(storage, settings.raw_bucket, settings.price_decimals)
        until = time.monotonic() + float(event.get("seconds", SECONDS))
        self.time = Time(
            lambda: time.monotonic() >= until or seconds_left() < MARGIN_SECONDS,
            lambda: seconds_left() < MARGIN_SECONDS,
        )

    @contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        """Connect as the owner. What is not committed is undone."""
        # Not the projector's name: a change of decimals ends the connections of that name.
        ours = {"application_name": "clickstream-operations", "prepare_threshold": None}
        # Whoever asks for bulk work has the time that a warehouse takes to wake up.
        parameters = {**CONNECTION_DEFAULTS, **PATIENCE, **credentials_of(self.settings)(), **ours}
        with psycopg.connect(**parameters) as connection:
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            pin(connection)
            connection.commit()
            yield connection
            connection.rollback()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn PostgreSQL's errors into ours, which quote no row."""
        try:
            yield
        except InsufficientPrivilege as error:
            raise UpgradeRefused(
                f"the warehouse refuses: {reason(error)}: the function has to own its tables"
            ) from error
        except LockNotAvailable as error:
            raise WarehouseUnavailable("another session holds a table of the warehouse: run this again") from error
        except psycopg.Error as error:
            kind = RowRefused if is_of_the_row(error) else WarehouseUnavailable
            raise kind(f"the warehouse failed: {reason(error)}") from error

    @property
    def stones(self) -> Stones | None:
        """The tombstones of raw, which came along; None if nobody was erased."""
        given = self.event.get("stones")
        if given is None:
            return None
        inner, outer, *hashes = (bytes.fromhex(each) for each in (given["inner"], given["outer"], *given["hashes"]))
        return Stones(inner, outer, hashes)

    @property
    def ids(self) -> Ids | None:
        """The ids of the person, which came along."""
        given = self.event.get("ids")
        return None if given is None else Ids(given["clientIds"], given["userIds"])


def _upgrade(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    """Add tables and columns that are missing, then make the users and their privileges as this version wants them."""
    work.schema.refuse_other_decimals(connection)
    work.schema.refuse_lost_tombstones(connection)
    if work.event.get("dryRun"):
        return work.schema.preview(connection).as_json() | {"users": []}
    try:
        done = work.schema.upgrade(connection).as_json()
        users = provide(connection, _users(work.settings))
    except InsufficientPrivilege as error:
        raise UpgradeRefused(f"the warehouse was not upgraded: {reason(error)}: {UPGRADE}") from error
    connection.commit()
    return done | {"users": users}


def _users(settings: Settings) -> dict[str, Any]:
    """Read the users that this stage has a secret for."""
    wanted = {"writer": (settings.dw_writer_secret_arn, WRITER), "reader": (settings.dw_reader_secret_arn, READER)}
    users = {}
    for name, (arn, privileges) in wanted.items():
        if arn:
            read = credentials_of(replace(settings, dw_url="", dw_parameter_name="", dw_secret_arn=arn))()
            users[name] = (Login(read["user"], read["password"]), privileges)
    return users


def _prepare(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    dry_run, rebuild = work.event["dryRun"], work.event["rebuild"]
    prepare(connection, work.schema, work.stones, dry_run=dry_run, must_be_empty=rebuild)
    horizon = recorded_horizon(connection)
    return {"horizon": None if horizon is None else horizon.isoformat()}


def _backfill(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    work.schema.refuse_other_decimals(connection)
    event = work.event
    horizon = None if event["beyondHorizon"] else recorded_horizon(connection)
    return backfill(
        connection,
        work.raw,
        event["hours"],
        after=event["after"],
        horizon=horizon,
        dry_run=event["dryRun"],
        time=work.time,
    )


def _retry(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    work.schema.refuse_other_decimals(connection)
    return retry(connection, work.raw, work.event["keys"])


def _dismiss(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    parameters = (work.event["reason"], work.raw.bucket, work.event["key"])
    dismissed = connection.execute(DISMISS.encode(), parameters).rowcount
    connection.commit()
    return {"dismissed": dismissed}


def _count(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    rows, mentions = (0, 0) if work.ids is None else count_rows(connection, work.ids)
    rejects = count_rejects(connection, work.raw.bucket, work.event["keys"])
    return {"rows": rows, "mentions": mentions, "rejects": rejects}


def _erase(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    """Bury the person first, so that no row of them comes back."""
    if work.stones is None:
        raise OperationRefused("to erase a person needs their tombstones")
    work.schema.upgrade(connection, as_allowed=True)
    enforce(connection, work.stones)
    if work.ids is not None:
        delete_rows(connection, work.ids, mentions=work.event["mentions"])
    delete_rejects(connection, work.raw.bucket, work.event["keys"])
    connection.commit()
    return {}


def _plan_retain(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    """Count what is older than some days; unless that is all, record the horizon."""
    dry_run, move_back = work.event["dryRun"], work.event["moveBack"]
    if not dry_run:
        work.schema.upgrade(connection, as_allowed=True)
    planned = plan(connection, work.event["days"], move_back=move_back)
    if not dry_run:
        record(connection, planned, move_back=move_back)
    was = None if planned.was is None else planned.was.isoformat()
    return {"horizon": planned.horizon.isoformat(), "was": was, "counts": dict(planned.counts)}


def _retain(work: _Work, connection: psycopg.Connection) -> dict[str, Any]:
    """Delete old rows of one table until the time is up; at its end, vacuum it."""
    event, rows, since = work.event, 0, work.event["since"]
    # Only what was planned, and recorded, is deleted.
    horizon = recorded_horizon(connection)
    if event["table"] not in AGES or horizon is None:
        raise OperationRefused(f"no rows of {event['table']} were planned to be deleted")
    for batch in delete_old(connection, horizon, event["table"], since):
        rows, since = rows + batch.rows, batch.since
        if work.time.is_up():
            break
    if since is None:
        tidy(connection, event["table"])
    return {"rows": rows, "since": since}


OPERATIONS: dict[str, Callable[[_Work, psycopg.Connection], dict[str, Any]]] = {
    "upgrade": _upgrade,
    "prepare": _prepare,
    "backfill": _backfill,
    "retry": _retry,
    "dismiss": _dismiss,
    "count": _count,
    "erase": _erase,
    "plan_retain": _plan_retain,
    "retain": _retain,
}

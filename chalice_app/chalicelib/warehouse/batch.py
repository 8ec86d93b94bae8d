"""Inserts many rows in one transaction: as arrays, or by COPY if there are very many."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext

import psycopg
from psycopg.errors import InsufficientPrivilege

from chalicelib.contract import EVENT_ID, TABLE, Value
from chalicelib.flatten import Row
from chalicelib.warehouse.schema import Schema

__all__ = ["ALREADY_KNOWN", "COPY_ROWS", "ERASED", "PROJECTED", "insert_rows"]

PROJECTED = "projected"
ALREADY_KNOWN = "already_known"
ERASED = "erased"

# COPY is quicker than arrays, but takes more statements, each of which waits for the network: so not for few rows.
# `python -m benchmarks batches` measures both.
COPY_ROWS = 500

KNOWN = f"SELECT event_id FROM {TABLE} WHERE event_id = ANY(%s)"  # noqa: S608  # a name of the contract
ARRIVING = "pg_temp.clickstream_arriving"


def insert_rows(connection: psycopg.Connection, schema: Schema, rows: Sequence[Row]) -> list[str]:
    """Insert all rows or, if it raises psycopg.Error, no row.

    Returns:
        For each row PROJECTED, ALREADY_KNOWN or ERASED, as if the rows had been inserted one by one in their order: of
        several rows with one id, the first counts, unless the warehouse keeps it out because its person was erased.
    """
    outcomes = [""] * len(rows)
    waiting: Iterable[tuple[int, Row]] = enumerate(rows)
    with connection.transaction() if len(rows) > 1 else nullcontext():
        while numbered := list(waiting):
            firsts, waiting = _by_turn(numbered)
            # Transactions that insert the same ids in different orders could wait for each other.
            firsts.sort(key=lambda each: str(each[1][EVENT_ID]))
            new = _insert(connection, schema, [row for _, row in firsts])
            old = [row[EVENT_ID] for _, row in firsts if row[EVENT_ID] not in new]
            known = {event_id for (event_id,) in connection.execute(KNOWN.encode(), (old,))} if old else set()
            for number, row in firsts:
                outcomes[number] = _outcome(row[EVENT_ID], new, known)
            if known or new:
                for number, row in waiting:
                    outcomes[number] = _outcome(row[EVENT_ID], set(), known | new)
                waiting = [(number, row) for number, row in waiting if outcomes[number] == ERASED]
    return outcomes


def _outcome(event_id: Value, new: set[Value], known: set[Value]) -> str:
    if event_id in new:
        return PROJECTED
    # If there is no such row, the warehouse refused the event because its person was erased.
    return ALREADY_KNOWN if event_id in known else ERASED


def _by_turn(numbered: Iterable[tuple[int, Row]]) -> tuple[list[tuple[int, Row]], list[tuple[int, Row]]]:
    """Divide rows into the first one of each id and the others."""
    firsts: dict[Value, tuple[int, Row]] = {}
    repeats = []
    for number, row in numbered:
        if firsts.setdefault(row[EVENT_ID], (number, row))[0] != number:
            repeats.append((number, row))
    return list(firsts.values()), repeats


def _insert(connection: psycopg.Connection, schema: Schema, rows: Sequence[Row]) -> set[Value]:
    """Insert rows of different ids with one statement; return the ids that are new."""
    if len(rows) == 1:
        is_new = connection.execute(schema.insert.encode(), rows[0]).rowcount == 1
        return {rows[0][EVENT_ID]} if is_new else set()
    if len(rows) >= COPY_ROWS and _copy(connection, schema, rows):
        new = connection.execute(schema.insert_from(ARRIVING).encode()).fetchall()
        connection.execute(f"DROP TABLE {ARRIVING}".encode())
    else:
        columns = [list(column) for column in zip(*rows, strict=True)]
        new = connection.execute(schema.insert_arrays.encode(), columns).fetchall()
    return {event_id for (event_id,) in new}


def _copy(connection: psycopg.Connection, schema: Schema, rows: Sequence[Row]) -> bool:
    """Copy rows into a temporary table; False if the role may not make one."""
    try:
        with connection.transaction():
            connection.execute(f"CREATE TEMPORARY TABLE {ARRIVING} ({schema.definitions})".encode())
    except InsufficientPrivilege:
        return False
    with connection.cursor() as cursor, cursor.copy(f"COPY {ARRIVING} FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)
    return True

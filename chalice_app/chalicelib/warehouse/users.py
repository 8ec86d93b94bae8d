"""The warehouse's users beside its owner: the writer, as projector and reconciler, and the reader, as analysts.

Each has exactly the privileges below. What a new table needs is one more line here.
"""

from collections.abc import Mapping
from typing import NamedTuple

import psycopg
from psycopg import sql

from chalicelib.contract import TABLE
from chalicelib.warehouse.hours import HourRecord
from chalicelib.warehouse.schema import LOCK, has_table
from chalicelib.warehouse.tables import HOURS, REJECTS, SETTINGS, VERSIONS

__all__ = ["READER", "WRITER", "Login", "provide"]

Privileges = Mapping[str, str]

# To insert a row once, PostgreSQL has to look for its key; the times say how far the rows have come. The reconciler
# needs no more of events and rejects, and records what it found of each hour.
WRITER: Privileges = {
    TABLE: "INSERT, SELECT (event_id, event_timestamp)",
    REJECTS: "INSERT, SELECT (bucket, key)",
    HOURS: f"INSERT, SELECT, UPDATE ({', '.join(HourRecord._fields[1:])})",
    SETTINGS: "SELECT",
    VERSIONS: "SELECT",
}
# Not the tombstones: with their keys, a reader could tell who was erased.
READER: Privileges = dict.fromkeys((TABLE, REJECTS, HOURS, SETTINGS, VERSIONS), "SELECT")


class Login(NamedTuple):
    """A database user, and its password in plain text."""

    name: str
    password: str


def provide(connection: psycopg.Connection, users: Mapping[str, tuple[Login, Privileges]]) -> list[str]:
    """Make users that are missing, give each its password, and its privileges and no others, in one transaction.

    Args:
        connection: A connection of the owner of the tables, who may make users.
        users: Each user with its privileges, by what it is for.

    Returns:
        The names of the users. The connection's own user is left out: its stage has one user for everything.

    Raises:
        psycopg.Error: The warehouse refuses.
    """
    done = []
    with connection.transaction():
        connection.execute(LOCK.encode())
        for login, privileges in users.values():
            if login.name == connection.info.user:
                continue
            _provide(connection, login)
            name = sql.Identifier(login.name)
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name))
            for table, granted in privileges.items():
                if has_table(connection, table):
                    place = sql.SQL(table)
                    connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}").format(place, name))
                    text = sql.SQL(granted)
                    connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(text, place, name))
            done.append(login.name)
    return done


def _provide(connection: psycopg.Connection, login: Login) -> None:
    """Make a user or change its password, of which the server gets the SCRAM verifier only: logs hold no password."""
    row = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (login.name,)).fetchone()
    verb = sql.SQL("CREATE" if row is None else "ALTER")
    verifier = connection.pgconn.encrypt_password(login.password.encode(), login.name.encode(), b"scram-sha-256")
    statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
    connection.execute(statement.format(verb, sql.Identifier(login.name), sql.Literal(verifier.decode())))

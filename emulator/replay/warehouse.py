"""The warehouse that a replay looks for rows in."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import psycopg

from command_line.errors import CommandError
from command_line.printable import short_line
from emulator.triggers.projected import known_events

__all__ = ["PostgresWarehouse", "Warehouse"]


class Warehouse(Protocol):
    """What a replay asks of the warehouse."""

    def known(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those of the ids that have a row; raises CommandError if the warehouse does not answer."""


class PostgresWarehouse:
    """The warehouse behind a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    def known(self, ids: Sequence[UUID]) -> set[UUID]:
        """Those of the ids that have a row: none without a table; raises CommandError if it does not answer."""
        try:
            with psycopg.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                return known_events(connection, ids)
        except psycopg.ProgrammingError as error:
            # psycopg quotes a URL that it cannot parse, and the URL may hold a password.
            raise CommandError(f"the warehouse refuses its URL or the query: {type(error).__name__}") from error
        except psycopg.Error as error:
            raise CommandError(f"the warehouse does not answer: {short_line(str(error))}") from error

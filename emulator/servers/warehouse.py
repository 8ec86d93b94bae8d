"""The warehouse as a part of the stack: the embedded PostgreSQL, or any other."""

import psycopg

from chalicelib.errors import SettingsError
from chalicelib.warehouse.client import Warehouse
from command_line.errors import CommandError
from emulator.servers.part import problem_of
from emulator.servers.postgres.server import Postgres

__all__ = ["ExternalWarehouse", "WarehouseServer"]


class WarehouseServer:
    """The embedded PostgreSQL, as a part."""

    name = "warehouse"

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def start(self) -> None:
        """Start it, and return when it answers a query. Raises CommandError."""
        self._postgres.start()

    def stop(self) -> None:
        """Stop it, letting it write everything to disk."""
        self._postgres.stop()

    def check(self) -> str | None:
        """Ask it a query."""
        return _query(self._postgres.url)

    @property
    def is_alive(self) -> bool:
        """Whether its process runs."""
        return self._postgres.is_alive

    def last_lines(self) -> list[str]:
        """The end of its log."""
        return self._postgres.last_lines()


class ExternalWarehouse:
    """Any other PostgreSQL: it is only ever asked whether it answers."""

    name = "warehouse"
    is_alive = True

    def __init__(self, url: str) -> None:
        self._url = url

    def start(self) -> None:
        """See that it answers. Raises CommandError if it does not."""
        problem = self.check()
        if problem is not None:
            raise CommandError(f"the warehouse given by --dw or DW_URL does not answer: {problem}")

    def stop(self) -> None:
        """Leave it as it is."""

    def check(self) -> str | None:
        """Ask it a query."""
        return _query(self._url)

    def last_lines(self) -> list[str]:
        """Nothing: its log is elsewhere."""
        return []


def _query(url: str) -> str | None:
    def ask() -> None:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")

    try:
        Warehouse(url)
    except SettingsError as error:
        return str(error)  # libpq's own text would quote the URL, password and all
    return problem_of(ask, psycopg.Error)

from uuid import uuid4

import psycopg
import pytest

from chalicelib.contract import CREATE_TABLE
from command_line.errors import CommandError
from emulator.replay.warehouse import PostgresWarehouse


class TestPostgresWarehouse:
    def test_known_ids_are_those_with_a_row(self, warehouse_url: str) -> None:
        """Before the first projection there is no table, hence no row."""
        warehouse, (there, missing) = PostgresWarehouse(warehouse_url), (uuid4(), uuid4())
        assert warehouse.known([there, missing]) == set()
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            connection.execute(CREATE_TABLE)
            insert = (
                "INSERT INTO clickstream_events (event_id, event_timestamp, event_name) VALUES (%s, now(), 'click')"
            )
            connection.execute(insert, [there])
        assert warehouse.known([there, missing]) == {there}
        assert warehouse.known([]) == set()

    def test_url_that_is_none_keeps_its_password(self) -> None:
        """A URL that cannot be parsed is not quoted, since it may hold a password."""
        with pytest.raises(CommandError, match="refuses its URL") as caught:
            PostgresWarehouse("postgresql//u:hidden@host/db").known([])
        assert "hidden" not in caught.value.message

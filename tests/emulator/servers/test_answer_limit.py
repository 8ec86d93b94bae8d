import threading
import time

import psycopg
import pytest

from emulator.servers.answer_limit import answer_within


class TestAnswerWithin:
    def test_a_server_that_answers_in_time_stays_connected(self, warehouse_url: str) -> None:
        """Nothing watches the connection any more."""
        with psycopg.connect(warehouse_url) as connection:
            with answer_within(5, connection):
                connection.execute("SELECT 1")
            assert connection.execute("SELECT 2").fetchone() == (2,)
        assert "limit of a response" not in {each.name for each in threading.enumerate()}

    def test_one_that_takes_longer_is_cut_off(self, warehouse_url: str) -> None:
        """The error says how long it was waited for."""
        began = time.monotonic()
        with psycopg.connect(warehouse_url) as connection:
            with pytest.raises(psycopg.OperationalError, match="no response within 1 s"), answer_within(1, connection):
                connection.execute("SELECT pg_sleep(60)")
            assert connection.closed
        assert time.monotonic() - began < 30

    def test_other_errors_are_as_they_are(self, warehouse_url: str) -> None:
        """A statement that the server refuses."""
        with (
            psycopg.connect(warehouse_url) as connection,
            pytest.raises(psycopg.ProgrammingError, match="syntax error"),
            answer_within(5, connection),
        ):
            connection.execute("nonsense")

import psycopg
import pytest

from analysis import AnalysisError, WarehouseEvents
from chalicelib.contract import COLUMNS, Column
from chalicelib.warehouse.schema import Schema
from tests.support.event_rows import fill

SELECT = "SELECT event_id, event_timestamp, is_first_visit FROM public.clickstream_events"


class TestWarehouseEvents:
    def test_it_only_reads(self, metrics_url: str) -> None:
        """Though its user might write."""
        fill(metrics_url, [])
        with pytest.raises(AnalysisError, match="read-only transaction"):
            WarehouseEvents(metrics_url).query("DELETE FROM public.clickstream_events RETURNING event_name", {})

    def test_a_query_that_takes_too_long_is_given_up(self, metrics_url: str) -> None:
        """And the error says after how long."""
        with pytest.raises(AnalysisError, match=r"more than 0\.05 s"):
            WarehouseEvents(metrics_url, timeout=0.05).query("SELECT pg_sleep(10)", {})

    def test_an_absent_warehouse_is_an_error(self) -> None:
        """In one line."""
        with pytest.raises(AnalysisError, match=r"the warehouse does not answer: .*refused"):
            WarehouseEvents("postgresql://nobody@127.0.0.1:1/nothing").query(SELECT, {})

    def test_an_empty_warehouse_is_an_error(self, warehouse_url: str) -> None:
        """Its table is made with the first event."""
        with pytest.raises(AnalysisError, match="no event has been projected yet"):
            WarehouseEvents(warehouse_url).query(SELECT, {})

    def test_an_older_warehouse_is_an_error(self, warehouse_url: str) -> None:
        """If a column of the contract is missing; to read is not to upgrade."""
        fill(warehouse_url, [])
        with psycopg.connect(warehouse_url) as connection:
            connection.execute("ALTER TABLE clickstream_events DROP COLUMN is_first_visit")
        said = r"\"is_first_visit\" does not exist: .* run 'python -m analysis upgrade'"
        with pytest.raises(AnalysisError, match=said):
            WarehouseEvents(warehouse_url).query(SELECT, {})

    def test_a_newer_warehouse_is_refused(self, warehouse_url: str) -> None:
        """Before the first query, by both versions."""
        fill(warehouse_url, [])
        newer = Schema((*COLUMNS, Column("utm_source", "TEXT", ("utm.source",))))
        with psycopg.connect(warehouse_url) as connection:
            newer.upgrade(connection)
        with pytest.raises(AnalysisError, match=r"at version 3\.17, this code knows 3\.16: update the code"):
            WarehouseEvents(warehouse_url).query(SELECT, {})

    def test_another_text_is_no_url(self) -> None:
        """And the error does not quote it, since it may hold a password."""
        with pytest.raises(AnalysisError) as caught:
            WarehouseEvents("postgresql//user:secret@host")
        assert "secret" not in str(caught.value)

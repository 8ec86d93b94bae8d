from datetime import UTC, datetime, timedelta

import polars as pl
import psycopg
import pytest

from analysis.dashboard.answer import shown_for
from analysis.dashboard.events import Place
from analysis.dashboard.panel import Query
from analysis.engines.protocol import Engine
from analysis.metrics.overview import key_figures
from analysis.metrics.range import Range
from chalicelib.warehouse.schema import SCHEMA
from tests.analysis.dashboard.conftest import Seeded
from tests.analysis.engines.test_completeness import RECORD

DAY = "start=2026-11-19T00:00Z&end=2026-11-20T00:00Z"
NOW = datetime(2026, 11, 19, 15, 30, tzinfo=UTC)


class TestCompleteUntil:
    @pytest.mark.slow
    def test_it_ends_at_the_first_hour_that_the_reconciler_found_incomplete(
        self, seeded: Seeded, warehouse_url: str
    ) -> None:
        """Of the range; the hours of the day from there on are marked. By the other clock, a day earlier."""
        with psycopg.connect(warehouse_url, autocommit=True) as connection:
            SCHEMA.upgrade(connection)
            for hour, is_complete in ((8, True), (9, False), (10, True)):
                connection.execute(RECORD, (datetime(2026, 11, 19, hour, tzinfo=UTC), NOW, is_complete))
            connection.execute(RECORD, (datetime(2026, 11, 18, 9, tzinfo=UTC), NOW, False))
        place = Place(seeded.bucket, warehouse_url, lake=False)
        shown = shown_for(place, DAY, NOW)
        assert shown.complete_until == datetime(2026, 11, 19, 9, tzinfo=UTC)
        assert shown.periods("hour")["is_complete"].to_list() == [True] * 9 + [False] * 15
        occurred = shown_for(place, f"{DAY}&clock=occurred", NOW)
        assert occurred.complete_until == datetime(2026, 11, 18, 9, tzinfo=UTC)

    def test_it_is_now_if_nobody_can_say(self, seeded: Seeded) -> None:
        """Without a warehouse, and with one that is away; by the other clock, a day before."""
        away = Place(seeded.bucket, "postgresql://nobody@127.0.0.1:1/nowhere", lake=False)
        for place in (seeded.place, away):
            assert shown_for(place, DAY, NOW).complete_until == NOW
            assert shown_for(place, f"{DAY}&clock=occurred", NOW).complete_until == NOW - timedelta(days=1)


class TestFrame:
    def test_a_query_runs_once_for_all_views_of_a_range(self, seeded: Seeded) -> None:
        """Under the same filters; other filters, another login state, and Refresh ask again."""
        place, query, asked = seeded.place, "start=2026-11-13&end=2026-11-20", list[str]()

        def counted(engine: Engine, within: Range) -> pl.DataFrame:
            asked.append(str(within.login_state))
            return key_figures(engine, within)

        def shown(address: str) -> pl.DataFrame:
            return shown_for(place, address, NOW).frame(Query(counted))

        for address in (query, f"{query}&compare=none", f"{query}&page=live"):
            assert shown(address).equals(shown(query))
        assert len(asked) == 1
        shown(f"{query}&device=mobile")
        shown(f"{query}&login=logged_in")
        assert len(asked) == 3
        shown(f"{query}&device=mobile")
        assert len(asked) == 3
        place.forget()
        shown(query)
        assert len(asked) == 4

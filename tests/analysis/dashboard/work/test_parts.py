from typing import get_args

from analysis.dashboard.work.parts import kept_name, with_kept_parts
from analysis.metrics.acquisition import SessionColumn, session_groups
from analysis.metrics.statement import statement

PARAMETERS = {"start": 1, "by": "channel", "limit": 5}


def sessions_by(by: str) -> str:
    return statement("acquisition/sessions_by", derived=True, **session_groups(by))


class TestWithKeptParts:
    def test_each_part_is_read_from_a_table(self) -> None:
        """Which holds the rows of the part; the rest of the query is as it was."""
        sql, tables = with_kept_parts(sessions_by("channel"), PARAMETERS)
        assert len(tables) == 2
        for name in tables:
            assert f"AS (FROM {name})" in sql
        visitors, groups = tables.values()
        assert visitors.endswith("SELECT * FROM session_visitors")
        assert groups.endswith("SELECT * FROM session_groups")
        assert "BOOL_OR" not in sql

    def test_queries_share_the_parts_that_are_the_same(self) -> None:
        """The visitors of sessions are the same for every group; the groups are not. The limit is no matter."""
        found = [
            with_kept_parts(sessions_by(by), {**PARAMETERS, "by": by, "limit": limit})[1]
            for limit in (5, 9)
            for by in get_args(SessionColumn)
        ]
        names = {name for tables in found for name in tables}
        assert len(names) == 1 + len(get_args(SessionColumn))

    def test_another_range_has_other_tables(self) -> None:
        """As has another filter, which is in the text."""
        sql = sessions_by("channel")
        [first, *_], [second, *_] = (with_kept_parts(sql, {**PARAMETERS, "start": start})[1] for start in (1, 2))
        assert first != second
        assert kept_name(sql, PARAMETERS) != kept_name(sql.replace("FROM public", "FROM another"), PARAMETERS)

    def test_a_query_without_such_parts_stays_as_it_is(self) -> None:
        """It needs no table."""
        sql = statement("overview/top_events")
        assert with_kept_parts(sql, PARAMETERS) == (sql, {})

from datetime import UTC, date, datetime, timedelta

import pytest

from analysis.errors import AnalysisError
from analysis.lake.compaction.planning import Closing, day_span, span_of

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class TestClosing:
    def test_an_hour_is_closed_ten_minutes_after_its_end(self) -> None:
        """Until then its objects may still be on their way."""
        assert not Closing.at(NOON + timedelta(hours=1, minutes=9, seconds=59)).has_hour(NOON)
        assert Closing.at(NOON + timedelta(hours=1, minutes=10)).has_hour(NOON)

    def test_the_minutes_are_a_setting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A whole number."""
        monkeypatch.setenv("LAKE_CLOSE_MINUTES", "90")
        assert not Closing.at(NOON + timedelta(hours=2, minutes=29)).has_hour(NOON)
        assert Closing.at(NOON + timedelta(hours=2, minutes=30)).has_hour(NOON)
        monkeypatch.setenv("LAKE_CLOSE_MINUTES", "-1")
        with pytest.raises(AnalysisError, match="LAKE_CLOSE_MINUTES must be a whole number of minutes, not '-1'"):
            Closing.at(NOON)

    def test_a_day_is_closed_with_its_last_hour(self) -> None:
        """By UTC."""
        assert not Closing(datetime(2026, 11, 25, 23, tzinfo=UTC)).has_day(date(2026, 11, 25))
        assert Closing(datetime(2026, 11, 26, tzinfo=UTC)).has_day(date(2026, 11, 25))


class TestSpans:
    def test_a_day_goes_from_midnight_to_midnight(self) -> None:
        """In UTC."""
        assert day_span(date(2026, 12, 31)) == (datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))

    def test_one_end_of_a_span_is_enough(self) -> None:
        """The other is the beginning of raw, or now; without both, there is no span."""
        assert span_of(None, None) is None
        earliest = span_of(None, NOON)
        assert earliest is not None
        assert earliest[0] < datetime(100, 1, 1, tzinfo=UTC)
        latest = span_of(NOON, None)
        assert latest is not None
        assert latest[1] > NOON

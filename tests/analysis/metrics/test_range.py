from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analysis import AnalysisError, Range, moment, span

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class TestRange:
    def test_the_zone_is_utc_by_default(self) -> None:
        """If the environment names no other zone."""
        assert Range(NOON, NOON).zone == "UTC"

    def test_the_environment_names_the_default_zone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A zone that is given counts instead; an empty variable is as good as none."""
        monkeypatch.setenv("CLICKSTREAM_ZONE", "Asia/Ho_Chi_Minh")
        assert Range(NOON, NOON).zone == "Asia/Ho_Chi_Minh"
        assert Range(NOON, NOON, zone="UTC").zone == "UTC"
        monkeypatch.setenv("CLICKSTREAM_ZONE", "")
        assert Range(NOON, NOON).zone == "UTC"

    def test_a_wrong_zone_in_the_environment_is_an_error_that_names_the_variable(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is not taken for UTC."""
        monkeypatch.setenv("CLICKSTREAM_ZONE", "Hanoi time")
        with pytest.raises(AnalysisError, match="CLICKSTREAM_ZONE: 'Hanoi time' is not the IANA name of a time zone"):
            Range(NOON, NOON)

    @pytest.mark.parametrize(
        ("zone", "advice"),
        [
            ("Asia/Hanoi", "write one such as Asia/Ho_Chi_Minh, Europe/Berlin or UTC"),
            ("+07:00", "write one such as Asia/Ho_Chi_Minh"),
            ("GMT+7", "write one such as Asia/Ho_Chi_Minh"),
            ("", "write one such as Asia/Ho_Chi_Minh"),
            ("localtime", "write one such as Asia/Ho_Chi_Minh"),
            ("../../etc/passwd", "write one such as Asia/Ho_Chi_Minh"),
            ("europe/berlin", r"did you mean Europe/Berlin\?"),
            ("New York", r"did you mean America/New_York\?"),
            ("Ho Chi Minh", r"did you mean Asia/Ho_Chi_Minh\?"),
            ("Asia/Kathmando", r"did you mean Asia/Kathmandu\?"),
        ],
    )
    def test_an_unknown_zone_is_an_error_that_says_what_to_write(self, zone: str, advice: str) -> None:
        """A near miss is named."""
        with pytest.raises(AnalysisError, match=advice):
            Range(NOON, NOON, zone=zone)

    def test_it_is_shown_as_the_zones_clocks_show_it(self) -> None:
        """With the zone's name."""
        within = Range(NOON, NOON + timedelta(days=1), zone="Asia/Kathmandu")
        assert str(within) == "2026-11-24 17:45 to 2026-11-25 17:45 (Asia/Kathmandu)"

    def test_the_hour_that_clocks_show_twice_has_a_length(self) -> None:
        """Its times are compared as instants: clocks show 2:50 before they show 2:10 once more."""
        berlin = ZoneInfo("Europe/Berlin")
        first = datetime(2026, 10, 25, 2, 50, tzinfo=berlin)
        again = datetime(2026, 10, 25, 2, 10, tzinfo=berlin, fold=1)
        assert Range(first, again).start == first
        with pytest.raises(AnalysisError, match="before it starts"):
            Range(again, first)

    def test_a_range_of_all_times_is_no_problem(self) -> None:
        """Nobody waits for the rules of the year 9999."""
        within = Range(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), zone="Europe/Berlin")
        starts, ends = (within.parameters[f"zone_{name}"] for name in ("starts", "ends"))
        assert isinstance(starts, list)
        assert isinstance(ends, list)
        assert (starts[0], ends[-1]) == (within.start, within.end)
        assert starts[1:] == ends[:-1]


class TestMoment:
    @pytest.mark.parametrize(
        ("text", "zone", "expected"),
        [
            ("2026-11-24", "UTC", datetime(2026, 11, 24, tzinfo=UTC)),
            ("2026-11-24", "Asia/Ho_Chi_Minh", datetime(2026, 11, 23, 17, tzinfo=UTC)),
            ("2026-11-24T09:30", "Asia/Kathmandu", datetime(2026, 11, 24, 3, 45, tzinfo=UTC)),
            ("2026-11-24T09:30Z", "Asia/Kathmandu", datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
            ("2026-11-24T09:30-05:00", "Asia/Kathmandu", datetime(2026, 11, 24, 14, 30, tzinfo=UTC)),
            ("2026-10-25T03:00", "Europe/Berlin", datetime(2026, 10, 25, 2, tzinfo=UTC)),
        ],
    )
    def test_a_time_without_offset_is_of_the_zone(self, text: str, zone: str, expected: datetime) -> None:
        """An offset counts whatever the zone is."""
        assert moment(text, zone) == expected
        assert moment(datetime.fromisoformat(text), zone) == expected
        assert moment(text, zone).tzinfo == UTC

    def test_the_environment_names_the_default_zone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else it is UTC."""
        assert moment("2026-11-24") == datetime(2026, 11, 24, tzinfo=UTC)
        monkeypatch.setenv("CLICKSTREAM_ZONE", "Asia/Ho_Chi_Minh")
        assert moment("2026-11-24") == datetime(2026, 11, 23, 17, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("text", "zone", "expected"),
        [
            ("2026-04-24", "Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
            ("2026-09-06", "America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
            ("2025-11-02", "America/Havana", datetime(2025, 11, 2, 4, tzinfo=UTC)),
        ],
    )
    def test_a_date_is_the_beginning_of_its_day(self, text: str, zone: str, expected: datetime) -> None:
        """Also where clocks jump over midnight, or show it twice."""
        assert moment(text, zone) == expected

    def test_a_time_that_clocks_show_twice_is_an_error_that_says_what_to_write(self) -> None:
        """It could be either."""
        both = "write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00"
        with pytest.raises(
            AnalysisError, match=f"Europe/Berlin show 2026-10-25T02:30:00 twice: {both}".replace("+", ".")
        ):
            moment("2026-10-25T02:30", "Europe/Berlin")

    def test_a_time_that_clocks_never_show_is_an_error_that_says_what_to_write(self) -> None:
        """It is a slip of the hand."""
        with pytest.raises(AnalysisError, match=r"jump over 2026-03-29T02:30:00: write .* 2026-03-29T03:30:00.02:00"):
            moment("2026-03-29T02:30", "Europe/Berlin")

    @pytest.mark.parametrize(
        ("text", "zone"),
        [("0001-01-01", "Asia/Tokyo"), ("9999-12-31T23:00-05:00", "UTC"), ("0001-12-31", "UTC"), ("9999-01-01", "UTC")],
    )
    def test_a_time_beyond_all_calendars_is_an_error(self, text: str, zone: str) -> None:
        """In UTC it has no date, or leaves no room to look back and ahead."""
        with pytest.raises(AnalysisError, match="is too far away"):
            moment(text, zone)


class TestSpan:
    def test_by_default_it_ends_with_the_zones_hour(self) -> None:
        """In Kathmandu hours begin at a quarter past those of UTC."""
        first, last = span(None, None, 7, "Asia/Kathmandu")
        assert last.minute == 15
        assert last - first == timedelta(days=7)
        assert timedelta(0) < last - datetime.now(UTC) <= timedelta(hours=1)

    def test_times_without_offset_are_of_the_zone(self) -> None:
        """Both of them."""
        expected = (datetime(2026, 11, 23, 17, tzinfo=UTC), datetime(2026, 11, 24, 17, tzinfo=UTC))
        assert span("2026-11-24", "2026-11-25", 7, "Asia/Ho_Chi_Minh") == expected

    def test_the_default_start_is_on_the_same_hour_of_the_clock(self) -> None:
        """A day of 25 hours lies between."""
        first, last = span(None, "2026-10-26", 7, "Europe/Berlin")
        assert (first, last - first) == (moment("2026-10-19", "Europe/Berlin"), timedelta(days=7, hours=1))

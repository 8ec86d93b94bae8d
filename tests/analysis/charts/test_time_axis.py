import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
import vl_convert

from analysis import charts

HOUR = timedelta(hours=1)
# In Berlin, this day begins at 22:00 in UTC and has 25 hours: clocks show 2:00 to 3:00 twice.
LONG_DAY = datetime(2026, 10, 24, 22, tzinfo=UTC)


@pytest.fixture(autouse=True, params=["UTC", "Asia/Tokyo"])
def computer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the computer have another time zone."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def periods(moments: Sequence[datetime]) -> pl.DataFrame:
    frame = pl.DataFrame({"period": moments}, {"period": pl.Datetime("us", "UTC")})
    return frame.with_columns(events=1, visitors=1, sessions=1, currency=pl.lit("EUR"), revenue=1)


def drawn(chart: object) -> str:
    svg: str = vl_convert.vegalite_to_svg(chart.to_json(), allowed_base_urls=[])  # type: ignore[attr-defined]
    return svg


def labels(svg: str) -> list[str]:
    """The texts below the first axis of time."""
    found = re.findall(r">([A-Z][a-z]{2} \d\d|\d\d:\d\d(?: [+-]\d{4})?|\d{4}-\d\d-\d\d)<", svg)
    return found[: len(found) // 3] if svg.count("per hour<") + svg.count("per day<") > 2 else found


class TestLines:
    def test_days_are_the_zones(self) -> None:
        """A day that begins at 17:00 in UTC has the date of Hanoi."""
        starts = [datetime(2026, 11, 23, 17, tzinfo=UTC) + day * 24 * HOUR for day in range(3)]
        svg = drawn(charts.overview.events_over_time(periods(starts), "day", "Asia/Ho_Chi_Minh"))
        assert labels(svg) == ["Nov 24", "Nov 25", "Nov 26"]
        assert "day (Asia/Ho_Chi_Minh)" in svg

    def test_hours_are_the_zones(self) -> None:
        """In Kathmandu they begin at a quarter past those of UTC."""
        starts = [datetime(2026, 11, 24, 18, 15, tzinfo=UTC) + n * HOUR for n in range(24)]
        svg = drawn(charts.overview.events_over_time(periods(starts), "hour", "Asia/Kathmandu"))
        assert labels(svg) == ["Nov 25", *(f"{hour:02}:00" for hour in range(3, 24, 3))]

    def test_a_day_of_25_hours_is_wider(self) -> None:
        """Each label is where its instant is, and the hour that clocks show twice takes two hours."""
        starts = [LONG_DAY + n * HOUR for n in range(25)]
        svg = drawn(charts.overview.events_over_time(periods(starts), "hour", "Europe/Berlin"))
        places = dict(re.findall(r'translate\(([\d.]+),[\d.]+\)"[^>]*>(\d\d:00|Oct 25)<', svg))
        first, *others = [
            float(place) for place, _ in re.findall(r'translate\(([\d.]+),[\d.]+\)"[^>]*>(\d\d:00)<', svg)
        ]
        assert len(places) >= 8
        assert others[0] - first < first  # three hours from 3:00 to 6:00, and four from 0:00 to 3:00

    def test_the_environment_names_the_default_zone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As for ranges."""
        monkeypatch.setenv("CLICKSTREAM_ZONE", "Asia/Kolkata")
        assert "day (Asia/Kolkata)" in drawn(charts.overview.events_over_time(periods([LONG_DAY])))

    def test_many_days_have_few_labels(self) -> None:
        """With the year, if there are several."""
        starts = [LONG_DAY + n * 24 * HOUR for n in range(100)]
        found = labels(drawn(charts.overview.events_over_time(periods(starts), "day", "Africa/Johannesburg")))
        assert 4 <= len(found) <= 8
        assert found[0] == "2026-10-25"

    def test_nothing_can_be_drawn_too(self) -> None:
        """The zone is named all the same."""
        assert "day (Asia/Kolkata)" in drawn(charts.overview.events_over_time(periods([]), "day", "Asia/Kolkata"))
        assert "Revenue" in drawn(charts.products.revenue_over_time(periods([]), "day", "Asia/Kolkata"))


class TestBars:
    def test_a_bar_is_as_wide_as_its_day(self) -> None:
        """A day of 25 hours, and one of 24."""
        svg = drawn(
            charts.products.revenue_over_time(periods([LONG_DAY, LONG_DAY + 25 * HOUR]), "day", "Europe/Berlin")
        )
        assert labels(svg) == ["Oct 25", "Oct 26"]
        # Each is drawn from its beginning to a pixel before its end, of 640 pixels in all.
        widths = [float(width) for width in re.findall(r'aria-roledescription="bar" d="M[\d.]+,[\d.]+h([\d.]+)v', svg)]
        assert [round(width) for width in widths] == [round(640 * 25 / 49) - 1, round(640 * 24 / 49) - 1]

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from analysis.dashboard.answer import shown_for
from analysis.dashboard.events import Shown
from analysis.dashboard.pages.journeys.retention import RETENTION, grid
from analysis.dashboard.panel import Chart, Figure, as_json
from emulator.seed.answers import visitors
from tests.analysis.dashboard.conftest import NOW, Chosen, Seeded
from tests.analysis.dashboard.pages.contents import EARLIER, LATER, WEEK, figures, made, rows

pytestmark = pytest.mark.slow

# The days of the seeded week that are whole in each zone.
WHOLE = {"UTC": (date(2026, 11, 13), date(2026, 11, 19)), "Asia/Ho_Chi_Minh": (date(2026, 11, 14), date(2026, 11, 19))}


def together(answer: list[dict[str, Any]], zone: str) -> dict[int, tuple[int, int]]:
    """Active visitors and visitors of all cohorts, by the days since the first one, where all days are whole."""
    first, last = WHOLE[zone]
    sizes = {date.fromisoformat(row["cohort"]): row["visitors"] for row in answer}
    active = {(date.fromisoformat(row["cohort"]), row["period"]): row["active"] for row in answer}
    sums = {}
    for later in range(1, (last - first).days + 1):
        cohorts = [day for day in sizes if first <= day and day + timedelta(days=later) <= last]
        if cohorts:
            sums[later] = sum(active.get((day, later), 0) for day in cohorts), sum(sizes[day] for day in cohorts)
    return sums


def seeded_week(seeded: Seeded) -> Shown:
    return shown_for(seeded.place, f"page=retention&{WEEK}", NOW)


class TestRetention:
    @pytest.mark.parametrize("zone", WHOLE)
    @pytest.mark.parametrize("cohort", ["first_visit", "range"])
    @pytest.mark.parametrize(
        ("added", "filters"),
        [("", {}), ("&device=mobile&channel=Direct", {"device": ["mobile"], "channel": ["Direct"]})],
        ids=["all", "filtered"],
    )
    def test_every_figure_is_exact(self, seeded: Seeded, zone: str, cohort: str, added: str, filters: Chosen) -> None:
        """Beside the seed's answers, in two zones, with and without filters."""
        contents = made(seeded, "retention", f"{WEEK}&zone={zone}&grain=day&cohort={cohort}{added}")
        answer = seeded.answer(visitors.retention, filters, zone, grain="day", cohort=cohort)
        sums = together(answer, zone)
        assert figures(contents) == {
            "visitors": sum(row["visitors"] for row in answer if row["period"] == 0),
            "returned": sums[1][0] / sums[1][1],
        }
        found = rows(contents, "together")
        assert {row["later"]: (row["active"], row["visitors"]) for row in found} == sums
        assert [row["share"] for row in found] == [active / size for active, size in sums.values()]
        cells = rows(contents, "cohorts")
        assert [
            {"cohort": row["cohort"].isoformat(), "period": row["later"]}
            | {name: row[name] for name in ("visitors", "active", "share")}
            for row in cells
            if row["active"]
        ] == answer
        assert {row["share"] for row in cells if not row["active"]} <= {0}

    @pytest.mark.parametrize("grain", ["week", "month"])
    def test_weeks_and_months(self, seeded: Seeded, grain: str) -> None:
        """A week and a month that the range cuts are not complete, so nothing is said of all of them together."""
        contents = made(seeded, "retention", f"{WEEK}&grain={grain}")
        answer = seeded.answer(visitors.retention, grain=grain, cohort="first_visit")
        cells = rows(contents, "cohorts")
        assert [(row["cohort"].isoformat(), row["later"], row["active"]) for row in cells if row["active"]] == [
            (row["cohort"], row["period"], row["active"]) for row in answer
        ]
        assert not any(row["is_complete"] for row in cells)
        assert rows(contents, "together") == []
        assert figures(contents)["returned"] is None

    def test_it_is_compared_with_the_period_before(self, seeded: Seeded) -> None:
        """Both figures and the course, which are those of the earlier range alone."""
        later, earlier = made(seeded, "retention", LATER), made(seeded, "retention", EARLIER)
        assert {name: each.previous for name, each in later.items() if isinstance(each, Figure)} == figures(earlier)
        before = {row["later"]: row["share"] for row in rows(earlier, "together")}
        assert before[1] > 0
        assert {row["later"]: row["previous"] for row in rows(later, "together")} == before

    def test_a_period_that_is_not_over_is_marked(self, seeded: Seeded) -> None:
        """It is listed, and counts in no share; what has not begun is not listed."""
        contents = made(seeded, "retention", "start=2026-11-18T12:00&end=2026-11-30&zone=UTC&cohort=range&compare=none")
        cells = rows(contents, "cohorts")
        assert [(row["cohort"].day, row["later"], row["is_complete"]) for row in cells] == [
            *((18, later, False) for later in range(4)),  # its first half is missing
            *((19, later, later < 2) for later in range(3)),  # 21 November is not over
        ]
        assert {row["later"]: row["cohorts"] for row in rows(contents, "together")} == {1: 1}

    @pytest.mark.parametrize(
        ("end", "grain"),
        [("2026-11-20", "day"), ("2027-04-01", "week"), ("2027-11-13", "month")],
        ids=["week", "half_year", "year"],
    )
    def test_long_ranges_have_longer_periods(self, seeded: Seeded, end: str, grain: str) -> None:
        """So the chart of a half year has as few cells as that of a month."""
        chart = made(seeded, "retention", f"start=2026-11-13&end={end}&compare=none")["cohorts"]
        assert isinstance(chart, Chart)
        assert chart.query is not None
        assert chart.query.arguments["grain"] == grain == chart.grain

    def test_a_half_year_of_days_is_drawn(self, seeded: Seeded) -> None:
        """Every cohort, and as many later days as a chart may hold; the table has all."""
        shown = shown_for(seeded.place, "page=retention&start=2026-05-20&end=2026-11-20&grain=day&compare=none", NOW)
        days = [date(2026, 5, 20) + timedelta(days=number) for number in range(184)]
        cells = [(day, later, 9, 1, 1 / 9, True) for day in days for later in range((days[-1] - day).days + 1)]
        frame = shown.once("grid", lambda: pl.DataFrame(cells, grid(seeded_week(seeded), "day").schema, orient="row"))
        [content] = [panel.make() for panel in RETENTION.panels(shown) if panel.name == "cohorts"]
        drawn: Any = as_json(content)
        [dataset] = drawn["spec"]["datasets"].values()
        assert {row["cohort"] for row in dataset} == {day.isoformat() for day in days}
        assert max(row["later"] for row in dataset) >= 14
        assert drawn["table"]["height"] == frame.height

    def test_an_empty_range_shows_nothing(self, seeded: Seeded) -> None:
        """Zero visitors, no share, and no error."""
        contents = made(seeded, "retention", "start=2026-10-01&end=2026-10-02")
        assert figures(contents) == {"visitors": 0, "returned": None}
        assert rows(contents, "cohorts") == []

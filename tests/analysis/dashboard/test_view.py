from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import AnalysisError
from analysis.dashboard.filters import FILTERS
from analysis.dashboard.pages import PAGES
from analysis.dashboard.periods import PRESETS
from analysis.dashboard.view import View

OPTIONS = {name: page.options for name, page in PAGES.items()}
NOW = datetime(2026, 11, 30, 22, 15, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(36525)).map(lambda past: datetime(1990, 1, 1, tzinfo=UTC) + past)
# Vancouver's clocks jump, Lord Howe's go back by half an hour, and Kathmandu's are a quarter of an hour off.
ZONES = st.sampled_from(["UTC", "Asia/Ho_Chi_Minh", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


def values_of(name: str) -> st.SearchStrategy[str]:
    choices = FILTERS[name].choices
    return st.sampled_from(choices) if choices else TEXTS


@st.composite
def views(draw: st.DrawFn) -> View:
    page = draw(st.sampled_from(sorted(PAGES)))
    ranges: dict[str, Any] = {"preset": draw(st.sampled_from(sorted(PRESETS)))}
    if draw(st.booleans()):
        start = draw(MOMENTS)
        ranges = {
            "preset": None,
            "start": start,
            "end": start + draw(st.timedeltas(timedelta(seconds=1), timedelta(900))),
        }
    filters = {
        name: tuple(sorted(draw(st.sets(values_of(name), min_size=1, max_size=3))))
        for name in FILTERS
        if draw(st.booleans())
    }
    options = {name: draw(st.sampled_from(values) if values else TEXTS) for name, values in OPTIONS[page].items()}
    return View(
        page=page,
        zone=draw(ZONES),
        comparison=draw(st.sampled_from(["none", "previous", "week", "year"])),
        clock=draw(st.sampled_from(["received", "occurred"])),
        bots=draw(st.booleans()),
        language=draw(st.sampled_from(["en", "vi"])),
        login_state=draw(st.sampled_from([None, "logged_in", "anonymous"])),
        filters=tuple(filters.items()),
        options=tuple(options.items()),
        **ranges,
    )


class TestView:
    @given(views())
    def test_its_address_says_it_in_full(self, view: View) -> None:
        """Whatever is chosen, what is read back is the same view, and has the same address."""
        again = View.parse(view.query(), OPTIONS)
        assert again == view
        assert again.query() == view.query()

    @given(views())
    def test_a_fixed_view_shows_the_same_range_later(self, view: View) -> None:
        """A preset becomes the range that it means now."""
        fixed = view.fixed(NOW)
        assert fixed.preset is None
        assert fixed.within(NOW + timedelta(days=400)) == view.within(NOW)

    def test_an_empty_address_is_the_default(self) -> None:
        """The last 28 days of the default zone, compared with the 28 before, without bots."""
        view = View.parse("", OPTIONS)
        assert (view.page, view.preset, view.comparison, view.bots, view.zone) == (
            "overview",
            "28d",
            "previous",
            False,
            "UTC",
        )

    def test_times_are_of_the_zone(self) -> None:
        """A date is the beginning of its day there."""
        view = View.parse("start=2026-11-24&end=2026-11-25T06:30&zone=Asia/Ho_Chi_Minh", OPTIONS)
        assert view.start == datetime(2026, 11, 23, 17, tzinfo=UTC)
        assert view.end == datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
        assert "start=2026-11-24&end=2026-11-25T06%3A30" in view.query()

    @pytest.mark.parametrize(
        ("query", "said"),
        [
            ("page=nowhere", "page is 'nowhere': choose from overview, acquisition"),
            ("rnage=7d", "unknown name, 'rnage'"),
            ("range=7d&range=28d", "gives range more than once"),
            ("range=fortnight", "range is 'fortnight': choose from today, yesterday"),
            ("range=7d&start=2026-11-01&end=2026-11-02", "a range and also start or end"),
            ("start=2026-11-01", "needs both start and end"),
            ("start=yesterday&end=2026-11-01", "'yesterday' is not a time"),
            ("start=2026-11-02&end=2026-11-01", "ends before it begins"),
            ("start=2026-11-02&end=2026-11-02", "ends before it begins"),
            ("zone=Hanoi", "'Hanoi' is not the IANA name of a time zone"),
            ("compare=month", "compare is 'month': choose from none, previous, week, year"),
            ("clock=sent", "clock is 'sent': choose from received, occurred"),
            ("bots=yes", "bots is 'yes': choose from 0, 1"),
            ("lang=fr", "lang is 'fr': choose from en, vi"),
            ("login=maybe", "login is 'maybe': choose from logged_in, anonymous"),
            ("visitor=old", "'old' is no value of this filter: choose from new, returning, unknown"),
            ("device=", "the filter device has no value"),
            ("grain=second", "grain is 'second': choose from auto, hour"),
            ("page=quality&grain=day", "unknown name, 'grain'"),
            ("device=%00", "U+0000"),
            ("device=" + "x" * 8000, "too long"),
        ],
    )
    def test_each_bad_value_is_named(self, query: str, said: str) -> None:
        """With what to write instead."""
        with pytest.raises(AnalysisError) as raised:
            View.parse(query, OPTIONS)
        assert said in str(raised.value)

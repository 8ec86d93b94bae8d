from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from analysis.dashboard.pages.journeys.funnel import FUNNEL, MOST_STEPS, WINDOWS
from analysis.dashboard.panel import Chart, Content, Figure, Steps, Table, as_json
from analysis.errors import AnalysisError
from emulator.seed.answers import funnel, overview
from tests.analysis.dashboard.conftest import Chosen, Seeded
from tests.analysis.dashboard.pages.contents import EARLIER, LATER, WEEK, check_compared, figures, made, rows

pytestmark = pytest.mark.slow

Rows = list[dict[str, Any]]
SHORT = ("category_view", "product_view", "wishlist_toggle")


def worst(steps: Rows) -> int:
    """The step before which the most visitors leave, the first of several."""
    return int(max(steps[1:], key=lambda row: (row["dropped"], -row["step"]))["step"])


def by_group(answer: Rows, labels: list[str]) -> Rows:
    """One row per group, the largest first."""
    found = []
    for group in sorted({row["group"] for row in answer}):
        steps = [row for row in answer if row["group"] == group]
        row = {"group": group} | {label: step["visitors"] for label, step in zip(labels, steps, strict=True)}
        leaving = steps[worst(steps) - 1]
        has_left = leaving["dropped"] > 0
        found.append(
            row
            | {
                "conversion": steps[-1]["from_first"],
                "most_leave_at": labels[leaving["step"] - 1] if has_left else None,
                "lost_share": leaving["dropped"] / steps[leaving["step"] - 2]["visitors"] if has_left else None,
            }
        )
    return sorted(found, key=lambda row: -row[labels[0]])


def note(contents: dict[str, Content], name: str) -> dict[str, Any] | None:
    """What the text above a panel says."""
    content = contents[name]
    assert isinstance(content, (Chart, Table))
    return None if content.note is None else content.note.row(0, named=True)


class TestFunnel:
    @pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
    @pytest.mark.parametrize(
        ("added", "filters", "arguments"),
        [
            ("", {}, {}),
            ("&device=mobile", {"device": ["mobile"]}, {}),
            (f"&steps={','.join(SHORT)}&window=1h", {}, {"steps": SHORT, "window": 3600}),
            ("&order=strict&window=7d", {}, {"order": "strict", "window": 7 * 86400}),
            ("&order=any&channel=Email", {"channel": ["Email"]}, {"order": "any"}),
        ],
        ids=["usual", "phones", "steps", "strict", "any"],
    )
    def test_every_figure_is_exact(
        self, seeded: Seeded, zone: str, added: str, filters: Chosen, arguments: dict[str, Any]
    ) -> None:
        """Beside the seed's answers, in two zones, with filters, and with other steps, windows and orders."""
        contents = made(seeded, "funnel", f"{WEEK}&zone={zone}&limit=500{added}")
        steps = seeded.answer(funnel.funnel, filters, zone, **arguments)
        times = seeded.answer(funnel.funnel_times, filters, zone, **arguments)
        assert figures(contents) == {
            "began": steps[0]["visitors"],
            "finished": steps[-1]["visitors"],
            "conversion": steps[-1]["from_first"],
            "median_time": times[-1]["median_time"],
        }
        assert steps[0]["visitors"] > steps[-1]["visitors"]
        assert rows(contents, "chart") == rows(contents, "steps") == steps
        assert rows(contents, "times") == times
        names = arguments.get("steps", funnel.STEPS)
        is_any = arguments.get("order") == "any"
        labels = [f"{place} / {len(names)}" if is_any else f"{place}. {name}" for place, name in enumerate(names, 1)]
        groups = seeded.answer(funnel.funnel, filters, zone, by="device", **arguments)
        assert rows(contents, "groups") == by_group(groups, labels)
        step = worst(steps)
        dropped = seeded.answer(funnel.funnel_dropped, filters, zone, step=step, limit=10_000, **arguments)
        shown = rows(contents, "dropped")
        assert shown == [{name: row[name] for name in shown[0]} for row in dropped]
        reached = steps[step - 2]["visitors"]
        said = {
            "label": labels[step - 1],
            "dropped": len(shown),
            "reached": reached,
            "lost_share": len(shown) / reached,
        }
        assert note(contents, "chart") == note(contents, "dropped") == said

    @pytest.mark.parametrize("by", FUNNEL.options["by"])
    def test_it_counts_by_each_group(self, seeded: Seeded, by: str) -> None:
        """The largest groups, as many as the option says; their values filter where a filter has them."""
        contents = made(seeded, "funnel", f"{WEEK}&by={by}&limit=10")
        labels = [f"{place}. {name}" for place, name in enumerate(funnel.STEPS, 1)]
        assert rows(contents, "groups") == by_group(seeded.answer(funnel.funnel, by=by), labels)[:10]
        has_filter = by not in {"source", "medium", "referrer", "exit_page", "system"}
        assert bool(contents["groups"].filters) == has_filter  # type: ignore[union-attr]  # a table

    def test_pages_hold_everybody_who_left_once(self, seeded: Seeded) -> None:
        """At the step that the address names, the latest first."""
        found, place = [], ""
        while True:
            contents = made(
                seeded, "funnel", f"{WEEK}&step=2&limit=10" + (f"&place={quote_plus(place)}" if place else "")
            )
            found += rows(contents, "dropped")
            table = contents["dropped"]
            assert isinstance(table, Table)
            place = table.following or ""
            if not place:
                break
        expected = seeded.answer(funnel.funnel_dropped, step=2, limit=10_000)
        assert len(found) > 20
        assert [row["visitor"] for row in found] == [row["visitor"] for row in expected]
        assert table.links["visitor"]["page"] == "visitors"

    def test_it_is_compared_with_the_period_before(self, seeded: Seeded) -> None:
        """Figures, steps, times and groups."""
        later, earlier = made(seeded, "funnel", LATER), made(seeded, "funnel", EARLIER)
        assert {name: each.previous for name, each in later.items() if isinstance(each, Figure)} == figures(earlier)
        check_compared(later, earlier, "steps", ("step",), "visitors")
        check_compared(later, earlier, "chart", ("step",), "visitors")
        check_compared(later, earlier, "times", ("step",), "median_time")
        before = {row["group"]: row["conversion"] for row in rows(earlier, "groups")}
        assert [row["previous"] for row in rows(later, "groups")] == [
            before.get(row["group"]) for row in rows(later, "groups")
        ]

    def test_an_empty_range_shows_nothing(self, seeded: Seeded) -> None:
        """Zeros and empty tables, no step that loses most, and no error."""
        contents = made(seeded, "funnel", "start=2026-10-01&end=2026-10-02")
        assert figures(contents) == {"began": 0, "finished": 0, "conversion": None, "median_time": None}
        assert [row["visitors"] for row in rows(contents, "steps")] == [0, 0, 0, 0]
        assert rows(contents, "groups") == rows(contents, "dropped") == []
        assert note(contents, "chart") is None
        for content in contents.values():
            as_json(content)


class TestSteps:
    def test_it_offers_the_events_of_the_range(self, seeded: Seeded) -> None:
        """The most frequent first, with their counts; the usual steps are the metric's."""
        editor = made(seeded, "funnel", f"{WEEK}&device=mobile")["editor"]
        assert isinstance(editor, Steps)
        events = seeded.answer(overview.top_events, {"device": ["mobile"]})
        assert as_json(editor)["candidates"] == [[row["event_name"], row["events"]] for row in events]
        assert tuple(editor.chosen) == tuple(editor.usual) == funnel.STEPS

    def test_a_name_may_hold_any_character(self, seeded: Seeded) -> None:
        """Percent-encoded, it may hold a comma."""
        names = ["a,b", "50 % of & more", "thêm"]
        steps = ",".join(quote(name, safe="") for name in names)
        editor = made(seeded, "funnel", f"{WEEK}&steps={quote(steps)}")["editor"]
        assert isinstance(editor, Steps)
        assert list(editor.chosen) == names

    @pytest.mark.parametrize(
        "steps",
        ["product_view", "product_view,product_view", "product_view,", ",".join(map(str, range(MOST_STEPS + 1)))],
        ids=["one", "repeated", "empty", "too_many"],
    )
    def test_wrong_steps_are_explained(self, seeded: Seeded, steps: str) -> None:
        """In words, with an example."""
        wanted = "write 2 to 10 different event names, with a comma between two, like product_view,add_to_cart_click"
        with pytest.raises(AnalysisError, match=wanted):
            made(seeded, "funnel", f"{WEEK}&steps={steps}")

    @pytest.mark.parametrize("step", ["1", "5", "two", "02", "-1"])
    def test_a_wrong_step_is_explained(self, seeded: Seeded, step: str) -> None:
        """In words, with the numbers that there are."""
        with pytest.raises(AnalysisError, match=f"step is '{step}': write the number of a step .* from 2 to 4"):
            made(seeded, "funnel", f"{WEEK}&step={step}")

    def test_the_first_window_is_the_metrics(self) -> None:
        """A day."""
        assert next(iter(WINDOWS.values())) == funnel.WINDOW

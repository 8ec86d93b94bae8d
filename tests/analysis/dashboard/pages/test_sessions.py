"""The page Sessions: its figures are the seed's, and its classes add up to them."""

from typing import Any

import pytest

from analysis.dashboard.panel import Chart
from emulator.seed.answers.carts import carts, paths
from emulator.seed.answers.sessions import session_summary, sessions
from tests.analysis.dashboard.conftest import Seeded
from tests.analysis.dashboard.pages.contents import WEEK, figures, made, rows

FILTERED = {"device": ["mobile"]}


class TestSessions:
    @pytest.mark.parametrize("filters", [{}, FILTERED])
    def test_every_figure_is_the_seeds(self, seeded: Seeded, filters: dict[str, list[str]]) -> None:
        """Also under a filter."""
        address = "&".join([WEEK, *(f"{name}={value}" for name, values in filters.items() for value in values)])
        shown = made(seeded, "sessions", address)
        summary = seeded.answer(session_summary, filters)
        for name, value in figures(shown).items():
            assert value == pytest.approx(summary[0][name]), name
        for found, known in zip(rows(shown, "summary"), summary, strict=True):
            assert found == pytest.approx(known)
        assert rows(shown, "carts") == seeded.answer(carts, filters)
        assert rows(shown, "next_events") == seeded.answer(paths, filters, limit=1000)

    def test_each_session_is_in_one_class(self, seeded: Seeded) -> None:
        """Of duration, and of depth."""
        shown = made(seeded, "sessions", WEEK)
        answer = seeded.answer(sessions)
        for name in ("durations", "depths"):
            assert sum(row["sessions"] for row in rows(shown, name)) == len(answer)
        [shortest, *_] = rows(shown, "durations")
        assert shortest["sessions"] == sum(row["duration"] == 0 for row in answer)
        [one, *_] = rows(shown, "depths")
        assert (one["depth"], one["sessions"]) == ("1", sum(row["events"] == 1 for row in answer))

    @pytest.mark.parametrize("name", ["durations", "depths"])
    def test_its_python_gives_the_same_classes(self, seeded: Seeded, name: str) -> None:
        """In a notebook."""
        content = made(seeded, "sessions", WEEK)[name]
        assert isinstance(content, Chart)
        names: dict[str, Any] = {}
        exec(content.python or "", names)  # noqa: S102  # our own text
        assert names["frame"].equals(content.frame)

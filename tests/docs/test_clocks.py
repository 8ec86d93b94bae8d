"""The page of metrics shows one history by both clocks: the code runs, and prints what the page says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analysis import Range, RawEvents, funnel, read_events, session_summary
from emulator.commands.main import main
from emulator.seed.answers.events import Events
from emulator.seed.answers.funnel import funnel as known_funnel
from emulator.seed.answers.sessions import session_summary as known_summary
from emulator.seed.clock import DAY, milliseconds
from emulator.seed.record import record_of
from emulator.seed.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
SECTION = PAGE.partition("### One history by both clocks")[2].partition("\n### ")[0]


def block(language: str) -> str:
    """The section's block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    assert found, language
    return found[1]


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a directory where the page's command has written the history."""
    monkeypatch.chdir(tmp_path)
    command = block("sh").split()
    assert command[:3] == ["python", "-m", "emulator"]
    done = CliRunner().invoke(main, command[3:])
    assert done.exit_code == 0, done.output


@pytest.mark.usefixtures("there")
class TestOneHistoryByBothClocks:
    def test_the_page_prints_what_it_says(self, capsys: pytest.CaptureFixture[str]) -> None:
        """To the digit."""
        exec(block("python"), {})  # noqa: S102  # of our own page
        assert capsys.readouterr().out == block("text")

    def test_by_occurrence_the_figures_are_the_truth(self) -> None:
        """Of the times that the seed gave to the events, before any of them waited."""
        names: dict[str, Any] = {}
        exec(block("python"), names)  # noqa: S102  # of our own page
        start, end, week = names["start"], names["end"], names["week"]
        store = Store(3, 7, 60, milliseconds(end), only="late_events")
        assert store.start == milliseconds(start) == store.end - 7 * DAY
        events = [event for number in range(60) for event in store.history(number)[0].events]
        assert any(event.received_at - event.at > DAY // 2 for event in events)
        truth = Events([record_of(event, event.at) for event in events], clock="occurred")
        raw = RawEvents(read_events("late/bucket", start, end, clock="occurred"))
        pairs: list[tuple[Callable[[RawEvents, Range], Any], Callable[[Events], Any]]] = [
            (funnel, known_funnel),
            (session_summary, known_summary),
        ]
        for metric, known in pairs:
            assert metric(raw, week).rows() == known(truth).rows

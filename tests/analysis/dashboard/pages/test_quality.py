import pytest

from analysis.checks.ledger import account, total
from analysis.checks.validation.run import validate
from analysis.dashboard.answer import shown_for
from analysis.dashboard.events import Place
from analysis.dashboard.pages import quality
from analysis.dashboard.pages.quality import QUALITY
from analysis.dashboard.panel import Chart, Figure, Table
from analysis.engines.stopping import Stop, Stopped
from analysis.errors import AnalysisError
from command_line.progress import watched
from tests.analysis.dashboard.conftest import END, NOW, START, Seeded

pytestmark = pytest.mark.slow

ADDRESS = "page=quality&start=2026-11-13&end=2026-11-20&compare=none"


class TestQuality:
    def test_it_shows_what_validate_finds(self, seeded: Seeded) -> None:
        """Each check with findings, errors first; the figures add up."""
        contents = {panel.name: panel.make() for panel in QUALITY.panels(shown_for(seeded.place, ADDRESS, NOW))}
        report = validate(seeded.bucket, None, START, END, lake=False)
        checks, passed, lost = contents["checks"], contents["passed"], contents["lost"]
        assert isinstance(checks, Table)
        found = {check.name: len(check.findings) for check in report.checks if check.findings}
        assert dict(checks.frame.select("check", "findings").rows()) == found
        severities = [{"error": 0, "warning": 1, "info": 2}[each] for each in checks.frame["severity"]]
        assert severities == sorted(severities)
        assert isinstance(passed, Figure)
        assert passed.value == sum(check.is_passed for check in report.checks)
        assert isinstance(lost, Figure)
        assert lost.value == total(account(seeded.bucket, START, END))["lost"]
        hours = contents["hours"]
        assert isinstance(hours, Chart)
        assert hours.frame.equals(report.hours)

    def test_a_day_that_is_not_over_is_not_complete(self, seeded: Seeded) -> None:
        """Every day has a row, the latest first; its objects are those of its hours."""
        address = "page=quality&start=2026-11-18&end=2026-11-22"
        [days] = [
            panel.make() for panel in QUALITY.panels(shown_for(seeded.place, address, NOW)) if panel.name == "days"
        ]
        assert isinstance(days, Table)
        assert days.frame["is_complete"].to_list()[:2] == [False, True]
        report = validate(seeded.bucket, None, START.replace(day=18), END.replace(day=22), lake=False)
        assert days.frame["objects"].sum() == report.hours["objects"].sum()

    def test_without_raw_it_says_what_it_needs(self) -> None:
        """In the place of each panel."""
        shown = shown_for(Place(None, "postgresql://127.0.0.1:1/none"), ADDRESS, NOW)
        for panel in QUALITY.panels(shown):
            with pytest.raises(AnalysisError, match="name it with --source"):
                panel.make()

    def test_filters_and_other_tabs_do_not_validate_again(
        self, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only another range, another zone and Refresh do."""
        asked: list[object] = []

        def counted(*arguments: object, **named: object) -> object:
            asked.append(arguments)
            return validate(*arguments, **named)  # type: ignore[arg-type]  # as they came

        monkeypatch.setattr(quality, "validate", counted)
        place = seeded.place
        for query in (ADDRESS, f"{ADDRESS}&device=mobile", f"{ADDRESS}&login=logged_in&bots=1"):
            for panel in QUALITY.panels(shown_for(place, query, NOW)):
                panel.make()
        assert len(asked) == 1
        place.forget()
        for query in (ADDRESS, f"{ADDRESS}&zone=Asia/Bangkok"):
            QUALITY.panels(shown_for(place, query, NOW))[0].make()
        assert len(asked) == 3

    def test_a_validation_that_was_stopped_is_done_anew(self, seeded: Seeded) -> None:
        """It ends at its next step, and its figures are those of a whole one."""
        stop = Stop()
        place = seeded.place

        def note(_name: str, done: int, _total: int) -> None:
            stop.check()
            if done:
                stop.request()

        with stop.watched(), watched(note), pytest.raises(Stopped):
            QUALITY.panels(shown_for(place, ADDRESS, NOW))[0].make()
        again = QUALITY.panels(shown_for(place, ADDRESS, NOW))[0].make()
        report = validate(seeded.bucket, None, START, END, lake=False)
        assert isinstance(again, Figure)
        assert again.value == sum(check.is_passed for check in report.checks)

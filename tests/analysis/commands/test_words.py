"""What the commands print over a history with every planted fault is easy to read."""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from html import unescape
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from click.testing import CliRunner, Result

from analysis.commands.main import main as analysis
from chalicelib.contract import TABLE
from emulator.commands.main import main as emulator
from tests.support.hard_phrases import hard_phrases

pytestmark = pytest.mark.slow

SPAN = ("--start", "2026-11-10", "--end", "2026-11-20")


class History(NamedTuple):
    """A seeded history: its bucket and its warehouse, and the findings that validation has to make."""

    bucket: Path
    dw_url: str
    checks: dict[str, list[dict[str, str]]]

    def run(self, *arguments: str) -> Result:
        """Run an analysis command over the history."""
        return CliRunner().invoke(analysis, [*arguments, "--source", str(self.bucket), "--dw", self.dw_url])


@pytest.fixture(scope="module")
def planted(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[], AbstractContextManager[str]]
) -> Iterator[History]:
    """Give a history with every kind of planted fault, loaded into a warehouse."""
    folder = tmp_path_factory.mktemp("history")
    bucket, answers = folder / "bucket", folder / "answers.json"
    with new_database() as dw_url:
        days = ("--days", "9", "--shoppers", "120", "--end", "2026-11-20T00")
        files = ("--out", str(bucket), "--answers", str(answers))
        done = CliRunner().invoke(emulator, ["seed", *days, *files, "--load", "--dw", dw_url])
        assert done.exit_code == 0, done.output
        for path in bucket.rglob("*.json"):
            os.utime(path, (0, 0))  # what was stored now is not yet judged
        checks = json.loads(answers.read_text())["checks"]
        yield History(bucket, dw_url, checks | _faults_of_the_warehouse(dw_url))


def _faults_of_the_warehouse(dw_url: str) -> dict[str, list[dict[str, str]]]:
    """Delete one row, and change the id of another: both events have no row then, and one row has no object."""
    with psycopg.connect(dw_url) as connection:
        some = f"(SELECT event_id FROM {TABLE} WHERE event_name = 'product_view' ORDER BY event_id LIMIT 1)"
        deleted = connection.execute(f"DELETE FROM {TABLE} WHERE event_id = {some} RETURNING event_id").fetchone()
        invented = connection.execute(
            f"UPDATE {TABLE} SET event_id = gen_random_uuid() WHERE event_id = {some} RETURNING event_id"
        ).fetchone()
    assert deleted
    assert invented
    return {
        "missing_rows": [{"event_id": str(deleted[0])}],
        "rows_without_object": [{"event_id": str(invented[0])}],
    }


class TestPrinted:
    @pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
    def test_validate(self, planted: History, options: tuple[str, ...]) -> None:
        """Every check with a planted fault is named, in plain words."""
        done = planted.run("validate", *SPAN, *options)
        assert done.exit_code == 1
        for check, findings in planted.checks.items():
            assert not findings or check in done.stdout
        assert hard_phrases(done.stdout) == []

    def test_validate_without_a_warehouse(self, planted: History) -> None:
        """The summary says that nothing was compared."""
        done = CliRunner().invoke(analysis, ["validate", *SPAN, "--source", str(planted.bucket)])
        assert "Raw was not compared with a warehouse" in done.stdout
        assert hard_phrases(done.stdout) == []

    @pytest.mark.parametrize("options", [(), ("--by-client",), ("--json",)], ids=["hours", "clients", "json"])
    def test_ledger(self, planted: History, options: tuple[str, ...]) -> None:
        """By hour, by client and as JSON."""
        done = CliRunner().invoke(analysis, ["ledger", *SPAN, "--source", str(planted.bucket), *options])
        assert done.exit_code == 1
        assert hard_phrases(done.stdout) == []

    @pytest.mark.parametrize(
        ("check", "said"),
        [
            ("missing_rows", "The warehouse has no row of this event."),
            ("rows_without_object", "Raw has no such event in these hours"),
            ("repeated_event_ids", "the row does not come from this object"),
            ("rejects", "Raw has only rejects with this id"),
        ],
    )
    def test_trace(self, planted: History, check: str, said: str) -> None:
        """Of an event without a row, a row without an object, an event with duplicates, and a reject."""
        finding = planted.checks[check][0]
        done = planted.run("trace", finding.get("key") or finding["event_id"], *SPAN)
        assert said in done.stdout
        assert hard_phrases(done.stdout) == []

    def test_rejects(self, planted: History) -> None:
        """With reasons."""
        done = planted.run("rejects", "list")
        assert done.exit_code == 1
        assert planted.checks["rejects"][0]["key"] in done.stdout
        assert hard_phrases(done.stdout) == []

    def test_report(self, planted: History, tmp_path: Path) -> None:
        """In the terminal."""
        done = planted.run("report", *SPAN, "--out", str(tmp_path / "report.html"))
        assert done.exit_code == 0
        assert hard_phrases(done.output) == []

    def test_report_page(self, planted: History, tmp_path: Path) -> None:
        """The text of the page, with its section on validation."""
        page = tmp_path / "report.html"
        planted.run("report", *SPAN, "--out", str(page))
        text = unescape(re.sub(r"<[^>]*>", " ", page.read_text()))
        assert "missing_rows" in text
        assert hard_phrases(text) == []

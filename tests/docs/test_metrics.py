"""docs/metrics.md shows figures that the code gives."""

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from analysis import Range, RawEvents, events_over_time, moment, read_events
from analysis.metrics.zone import local_text
from emulator.commands.main import main

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
SEED = "seed --days 3 --shoppers 60 --clean --end 2026-11-24T00 --out shop"
ZONES = ("UTC", "Asia/Ho_Chi_Minh")


class TestTwoZones:
    def test_the_table_is_what_the_code_gives(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Events and visitors of each date, in both zones, of the history that the page's command writes."""
        monkeypatch.chdir(tmp_path)
        assert f"python -m emulator {SEED}\n" in PAGE
        assert CliRunner().invoke(main, SEED.split()).exit_code == 0
        start, end = moment("2026-11-21"), moment("2026-11-24")
        raw = RawEvents(read_events("shop", start, end).frame)
        days = [self._days(raw, Range(start, end, zone=zone), zone) for zone in ZONES]
        table = days[0].join(days[1], on="date", how="full", coalesce=True).sort("date")
        lines = [f"| {' | '.join('-' if cell is None else str(cell) for cell in row)} |\n" for row in table.rows()]
        assert table["UTC events"].sum() == table["Asia/Ho_Chi_Minh events"].sum()
        assert "".join(lines) in PAGE, "".join(lines)

    @staticmethod
    def _days(raw: RawEvents, within: Range, zone: str) -> pl.DataFrame:
        frame = events_over_time(raw, within)
        dates = [local_text(period, zone, "%Y-%m-%d") for period in frame["period"]]
        return frame.select(
            pl.Series("date", dates), *(pl.col(name).alias(f"{zone} {name}") for name in ("events", "visitors"))
        )

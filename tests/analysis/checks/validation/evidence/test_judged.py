"""One part and many give the same, of events, duplicates and every check."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.checks.validation.clocks import clock_checks
from analysis.checks.validation.content import content_checks
from analysis.checks.validation.evidence import spool
from analysis.checks.validation.evidence.judged import judge
from analysis.checks.validation.evidence.parts import Parts
from analysis.checks.validation.finding import Check
from analysis.checks.validation.identity import identity_checks
from analysis.checks.validation.prices import price_checks
from analysis.checks.validation.run import validate
from analysis.checks.validation.senders.bots import bot_checks
from analysis.checks.validation.senders.publishers import publisher_check
from analysis.checks.validation.sequences import sequence_checks
from analysis.checks.validation.visits import visit_checks
from analysis.checks.validation.warehouse.rows import hours
from analysis.metrics.range import moment
from emulator.commands.main import main
from tests.support.raw_objects import Objects

NAMES = st.sampled_from([None, "a", "b", "c", "d"])
PRICES = st.sampled_from([None, 0, -1, 5, 90, 99.5, "12.345", "dear"])
EVENTS = st.fixed_dictionaries(
    {
        "received": st.integers(0, 20_000).map(float),
        "sent": st.integers(-90_000, 20_000).map(float),
        "eventId": NAMES,
        "eventName": st.sampled_from([None, "page_view", "product_view", "dance"]),
        "clientId": NAMES,
        "sessionId": NAMES,
        "tabId": NAMES,
        "seq": st.none() | st.integers(1, 9),
        "isFirstVisit": st.sampled_from([None, True, False, "yes"]),
        "product": st.none()
        | st.fixed_dictionaries({"id": NAMES, "price": PRICES, "discountPrice": PRICES, "odd": NAMES}),
        "publisher": st.none() | st.fixed_dictionaries({"name": NAMES}),
        "dropped": st.fixed_dictionaries({"overflow": st.integers(0, 3)}),
    }
)


def outcome(described: Parts, earlier: Parts) -> tuple[list[Check], pl.DataFrame]:
    """Give every check of raw, and the table of hours."""
    events, repeated = judge(described, earlier)
    checks = [
        *identity_checks(described, events, repeated, described.collect().clear()),
        *content_checks(events),
        publisher_check(events),
        *price_checks(events, 1),
        *clock_checks(events),
        *sequence_checks(events, earlier),
        *visit_checks(events),
        *bot_checks(events),
    ]
    return checks, hours(described, repeated["key"], None)


def cut(whole: pl.DataFrame, size: int, most: int) -> Parts:
    return replace(Parts.of(*whole.iter_slices(size)), most=most)


class TestJudge:
    @settings(max_examples=25, deadline=None)
    @given(events=st.lists(EVENTS, min_size=1, max_size=40), size=st.integers(1, 9), most=st.integers(1, 9))
    def test_parts_of_random_events(self, events: list[dict[str, Any]], size: int, most: int) -> None:
        """Whatever is wrong with them, and wherever a part ends."""
        objects = Objects()
        for event in events:
            objects.add(**event)
        described = objects.describe(1)
        earlier, here = described.head(len(events) // 4), described.slice(len(events) // 4)
        whole, whole_hours = outcome(Parts.of(here), Parts.of(earlier))
        parts, hours_of_parts = outcome(
            cut(here, size, most), cut(earlier, size, most) if earlier.height else Parts.of(earlier)
        )
        assert parts == whole
        assert hours_of_parts.equals(whole_hours)

    @pytest.mark.slow
    def test_parts_of_a_history(self, tmp_path: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """All faults are planted in it, and a part is much smaller than a day."""
        options = ["--days", "9", "--shoppers", "60", "--end", "2026-11-20T00", "--out", str(tmp_path / "bucket")]
        done = CliRunner().invoke(main, ["seed", *options, "--load", "--dw", warehouse_url])
        assert done.exit_code == 0, done.output
        span = moment("2026-11-11"), moment("2026-11-20")
        whole = validate(tmp_path / "bucket", warehouse_url, *span)
        monkeypatch.setattr(spool, "FILE_ROWS", 90)
        monkeypatch.setattr(spool, "MOST_ROWS", 200)
        parts = validate(tmp_path / "bucket", warehouse_url, *span)
        assert sum(bool(check.findings) for check in whole.checks) > 15
        assert parts.checks == whole.checks
        assert parts.hours.equals(whole.hours)

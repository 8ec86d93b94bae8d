"""Every metric and every finding beside the exact answers of seeded histories, from raw and from the warehouse."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
from click.testing import CliRunner

import analysis
from analysis import AnalysisError, Engine, Range, RawEvents, WarehouseEvents, read_events, validate
from emulator.commands.main import main

pytestmark = pytest.mark.slow

START, END = datetime(2026, 11, 6, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
SOURCES = ("page_url", "referrer", "user_agent", "time_zone")  # of the derived columns
RAW_ONLY = (
    "revenue",
    "revenue_over_time",
    "revenue_by_product",
    "revenue_by_category",
    "sessions_by",
    "revenue_by",
    "top_pages",
    "search_terms",
)


def needs_raw(answer: dict[str, Any]) -> bool:
    """Whether the warehouse lacks a column, so that the metric refuses it."""
    arguments = answer["arguments"]
    is_of_pages = answer["metric"] == "path_links" and "nodes" not in arguments
    is_more = arguments.get("derived") or arguments.get("orders") or arguments.get("by") in ("channel", "device")
    return answer["metric"] in RAW_ONLY or is_of_pages or bool(is_more)


class History(NamedTuple):
    """A seeded history: where it is, its answers, and both engines over it, raw by both clocks."""

    bucket: Path
    answers: dict[str, Any]
    dw_url: str
    engines: Mapping[str, Engine]


def history(folder: Path, dw_url: str, *options: str) -> History:
    """Write a history, and load it into a warehouse."""
    bucket, answers = folder / "bucket", folder / "answers.json"
    given = [
        "--days",
        "13",
        "--shoppers",
        "120",
        "--end",
        "2026-11-20T00",
        "--out",
        str(bucket),
        "--answers",
        str(answers),
    ]
    done = CliRunner().invoke(main, ["seed", *given, "--load", "--dw", dw_url, *options])
    assert done.exit_code == 0, done.output
    raw, occurred = (
        RawEvents(read_events(bucket, START, END, fields=["order", *SOURCES], clock=clock))
        for clock in ("received", "occurred")
    )
    engines: dict[str, Engine] = {"raw": raw, "warehouse": WarehouseEvents(dw_url), "occurred": occurred}
    return History(bucket, json.loads(answers.read_text()), dw_url, engines)


@pytest.fixture(scope="module", params=[("1", "UTC"), ("2", "Asia/Kathmandu"), ("3", "America/New_York")])
def planted(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: Callable[[], AbstractContextManager[str]],
) -> Iterator[History]:
    """Give a history with faults, of three seeds in turn, with answers in three time zones."""
    seed, zone = request.param
    with new_database() as dw_url:
        yield history(tmp_path_factory.mktemp("history"), dw_url, "--seed", seed, "--zone", zone)


def metric(name: str) -> Any:
    """The function of a metric."""
    return getattr(analysis, name)


def plain(value: object) -> object:
    """A value of a frame as the answers spell it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return Decimal(value) if isinstance(value, Decimal) else value


def expected(value: object, dtype: str) -> object:
    return Decimal(str(value)) if dtype.startswith("Decimal") and value is not None else value


class TestMetrics:
    def test_every_metric_is_exact(self, planted: History) -> None:
        """From raw, by both clocks, and from the warehouse where it holds the columns."""
        assert len(planted.answers["metrics"]) > 120
        for answer in planted.answers["metrics"]:
            within = Range(START, END, answer["login_state"], planted.answers["zone"])
            for place, engine in planted.engines.items():
                if place == "warehouse" and needs_raw(answer):
                    with pytest.raises(AnalysisError, match="which the warehouse does not hold: use"):
                        metric(answer["metric"])(engine, within, **answer["arguments"])
                    continue
                if (place == "occurred") != (answer["clock"] == "occurred"):
                    continue
                frame = metric(answer["metric"])(engine, within, **answer["arguments"])
                assert frame.columns == answer["columns"]
                types = [str(dtype) for dtype in frame.dtypes]
                rows = [[expected(*pair) for pair in zip(row, types, strict=True)] for row in answer["rows"]]
                found = [[plain(value) for value in row] for row in frame.rows()]
                assert found == rows, (place, answer["metric"], answer["arguments"], answer["login_state"])

    def test_every_event_counts_on_one_day(self, planted: History) -> None:
        """Day by day, each read alone, events and orders add up to the whole, though some came again the next day."""
        days = [(START + timedelta(days=day), START + timedelta(days=day + 1)) for day in range((END - START).days)]
        reads = [(Range(*day), RawEvents(read_events(planted.bucket, *day, fields=["order"]))) for day in days]
        whole = Range(START, END)
        for figure in (analysis.top_events, analysis.revenue):
            name, count = ("event_name", "events") if figure is analysis.top_events else ("currency", "orders")
            parts = pl.concat(figure(raw, within) for within, raw in reads).group_by(name).agg(pl.col(count).sum())
            together = figure(planted.engines["raw"], whole)
            assert dict(parts.rows()) == dict(together.select(name, count).rows())


class TestValidation:
    def test_every_planted_fault_is_found_and_nothing_else(self, planted: History) -> None:
        """Each finding, to the key, the client, the number."""
        report = validate(planted.bucket, planted.dw_url, START, END)
        checks = {check.name: check.findings for check in report.checks}
        assert checks.keys() <= planted.answers["checks"].keys()
        for name, answers in planted.answers["checks"].items():
            fields = answers[0].keys() if answers else ()
            found = [{field: plain(finding[field]) for field in fields} for finding in checks.get(name, [])]
            assert sorted(found, key=json.dumps) == sorted(answers, key=json.dumps), name
        assert not report.is_passed

    def test_a_clean_history_has_no_finding(self, tmp_path: Path, warehouse_url: str) -> None:
        """No check cries wolf, and metrics from raw and warehouse agree."""
        clean = history(tmp_path, warehouse_url, "--seed", "4", "--clean")
        report = validate(clean.bucket, clean.dw_url, START, END)
        assert {check.name: check.findings for check in report.checks if check.findings} == {}
        assert "raw_and_warehouse_differ" in [check.name for check in report.checks]

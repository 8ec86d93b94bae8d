"""The bill: by hand, as the command prints it, and the measured sizes of which it is made, measured again."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from psycopg import sql

import app as clickstream_app
from chalicelib import log
from chalicelib.contract import COLUMNS, TABLE
from chalicelib.settings import Settings
from chalicelib.storage import RawObject
from chalicelib.warehouse.client import open_warehouse
from command_line.home import BUCKET
from emulator.commands.main import main as emulator
from emulator.triggers.notification import object_created
from infra.costs.amounts import LINE, MEASURED, stage_amounts
from infra.costs.command import main
from infra.costs.month import FIXED, month
from infra.costs.prices import PRICES, documentation
from tests.support.aws.stacks import template
from tests.support.stack_process import ROOT

PAGE = (ROOT / "docs" / "costs.md").read_text()
DOLLARS = {name: price.dollars for name, price in PRICES.items()}
# Half an ACU, an endpoint in two zones, and half a gigabyte for each function.
STAGE = {"ingest_gb": 0.5, "projector_gb": 0.5, "acus": 0.5, "has_aurora": 1, "zones": 2, "secrets": 1}
STAGE |= {"is_arm64": 0, "has_lake": 1, "alarms": 8, "metrics": 3, "log_months": 2, "reconciler_gb": 0.5}
STAGE |= {"has_queue": 1, "batch_size": 1000, "window_seconds": 5}
# Round numbers, so that every line can be computed by hand.
ROUND = {
    "event_bytes": 1024,
    "row_bytes": 512,
    "ingest_line_bytes": 300,
    "projector_line_bytes": 324,
    "lambda_lines_bytes": 400,
    "access_line_bytes": 200,
    "logs_kept_share": 0.2,
    "answer_bytes": 1024,
    "ingest_ms": 100,
    "projector_ms": 50,
    "object_ms": 10,
    "preflights": 0.5,
    "writes": 2,
    "lake_bytes": 1024,
    "run_seconds": 60,
    "compaction_ms": 100,
    "run_writes": 1000,
    "run_reads": 1000,
    "run_calls": 1000,
    "listings": 10,
    "reconciler_seconds": 4,
    "reconciler_lists": 10,
    "reconciler_gets": 10,
    "reconciler_listings": 100,
    "reconciler_reads": 0.5,
}
KIB = 1e6 * 1024 / 1024**3  # gigabytes of a million KiB


def row_bytes(url: str) -> float:
    """Bytes of a row and its places in the indexes, once there are many: each again and again, with other ids."""
    others = ", ".join(column.name for column in COLUMNS[1:])
    with psycopg.connect(url, autocommit=True) as connection:
        again = f"SELECT gen_random_uuid(), {others} FROM {TABLE}, generate_series(1, 20)"
        connection.execute(sql.SQL(f"INSERT INTO {TABLE} {again}"))
        query = sql.SQL(f"SELECT count(*), pg_total_relation_size('{TABLE}') FROM {TABLE}")
        rows, size = connection.execute(query).fetchone() or (0, 0)
    return float(size / rows)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


class TestMonth:
    def test_a_million_events_by_hand(self) -> None:
        """A preflight for every second event; each line in full."""
        bill = month(1e6, STAGE, ROUND, DOLLARS)
        log_gb = (1 * 300 + 1 * 324 + 2.5 * 400 + 1.5 * 200) * 1e6 / 1024**3
        assert bill == pytest.approx(
            {
                "Aurora, least capacity": 0.5 * 730 * 0.12,
                "Secret, and its endpoint": 0.40 + 2 * 730 * 0.01,
                "Alarms, metrics, dashboard": 8 * 0.10 + 3 * 0.30 + 3.00,
                # 8,760 runs: an invocation, two GB-seconds, ten requests of S3 of either kind.
                "Reconciler, every five minutes": 0.00876 * (0.20 + 2 * 16.6667 + 10 * 5.00 + 10 * 0.40),
                # A minute of CodeBuild, a thousand calls of Glue, a thousand requests of S3 of either kind.
                "Lake, a run each hour": 730 * (0.005 + 0.001 + 0.005 + 0.0004),
                # Five pollers, each three times a minute.
                "SQS, asked while it is empty": 5 * 3 * 60 * 730 / 1e6 * 0.40,
                # A million a month is fewer than one in five seconds for each poller: each comes alone.
                "SQS, messages": 3 * 0.40,
                "HTTP API, requests": 1.5 * 1.00,
                "HTTP API, answers": 1.5 * KIB * 0.09,
                "Lambda, invocations": 2.5 * 0.20,
                "Lambda, time": (1.5e6 * 0.1 * 0.5 + 1e6 * 0.05 * 0.5) * 0.0000166667,
                "S3, PUT by ingest": 5.00,
                "S3, GET by the projector": 0.40,
                "S3, LIST and GET by the reconciler": 100 / 1000 * 5.00 + 0.5 * 0.40,
                "S3, LIST and GET, once by analysts": 0.405,
                "S3, storage": KIB * 0.023,
                "Logs, coming in": log_gb * 0.50,
                "Logs, kept": log_gb * 0.2 * 2 * 0.03,
                # Fewer than one a second: all are traced.
                "X-Ray, traces": 2.5 * 5.00,
                "Aurora, writes": 2 * 0.20,
                "Aurora, storage": 0.5 * KIB * 0.10,
                # 1,370 events an hour take 137 seconds after the first 60: of four minutes, three are for events.
                "Lake, CodeBuild for events": 730 * 3 * 0.005,
                "Lake, LIST and GET of raw": 0.40 + 10 / 1000 * 5.00,
                "Lake, storage": KIB * 0.023,
            }
        )

    def test_without_events_only_what_is_there_costs(self) -> None:
        """And that has a name of its own."""
        bill = month(0, STAGE, ROUND, DOLLARS)
        assert tuple(name for name, dollars in bill.items() if dollars) == FIXED

    def test_of_many_requests_few_are_traced(self) -> None:
        """One each second, and a twentieth of the rest; of the projector all, since each poller has one a second."""
        traces = 2.628 + 0.05 * (100 - 2.628)
        bill = month(1e8, STAGE, ROUND | {"preflights": 0}, DOLLARS)
        assert bill["X-Ray, traces"] == pytest.approx((traces + 2.628) * 5.00)

    def test_many_events_share_invocations_and_requests(self) -> None:
        """Of 380 events a second, as many as come in five seconds to five pollers: 380.5 in each batch."""
        batch = 1e9 / (730 * 3600)
        few = {"preflights": 0, "projector_ms": 50, "object_ms": 10}
        bill, direct = (
            month(1e9, STAGE | queue, ROUND | few, DOLLARS)
            for queue in ({}, {"has_queue": 0, "batch_size": 1, "window_seconds": 0})
        )
        assert bill["Lambda, invocations"] == pytest.approx(1000 * (1 + 1 / batch) * 0.20)
        milliseconds = 100 + (50 + (batch - 1) * 10) / batch
        assert bill["Lambda, time"] == pytest.approx(1e9 * milliseconds / 1000 * 0.5 * 0.0000166667)
        assert bill["SQS, messages"] == pytest.approx(1000 * 1.2 * 0.40)
        assert direct["Lambda, invocations"] == pytest.approx(2000 * 0.20)
        assert direct["SQS, messages"] == direct["SQS, asked while it is empty"] == 0

    def test_a_batch_is_as_large_as_the_stage_allows(self) -> None:
        """However many events come."""
        bill = month(1e9, STAGE | {"batch_size": 4}, ROUND | {"preflights": 0}, DOLLARS)
        assert bill["Lambda, invocations"] == pytest.approx(1000 * 1.25 * 0.20)
        assert bill["SQS, messages"] == pytest.approx(1000 * 1.5 * 0.40)

    def test_on_arm64_only_time_costs_less(self) -> None:
        """A fifth less; everything else stays as it is."""
        x86, arm = month(1e6, STAGE, ROUND, DOLLARS), month(1e6, STAGE | {"is_arm64": 1}, ROUND, DOLLARS)
        assert arm["Lambda, time"] == pytest.approx(0.8 * x86["Lambda, time"], rel=1e-4)
        assert {name for name in x86 if x86[name] != arm[name]} == {"Lambda, time", "Reconciler, every five minutes"}

    def test_the_page_says_what_arm64_would_save_of_the_stage_prod(self) -> None:
        """Of each million events, in cents, and as a share of the bill of a hundred million."""
        stage = stage_amounts("prod")
        x86, arm = (sum(month(1e8, stage | {"is_arm64": each}, MEASURED, DOLLARS).values()) for each in (0, 1))
        said = f"saves {(x86 - arm):.0f} cents of each million events, {(x86 - arm) / x86:.1%} of the bill"
        assert said.replace("%", " %") in " ".join(PAGE.split())

    def test_beyond_300_million_a_request_costs_less(self) -> None:
        """Those beyond, no other."""
        bill = month(4e8, STAGE, ROUND | {"preflights": 0}, DOLLARS)
        assert bill["HTTP API, requests"] == pytest.approx(300 * 1.00 + 100 * 0.90)

    def test_every_price_and_amount_counts(self) -> None:
        """A larger one makes a larger bill, so that none is there for nothing."""
        total = sum(month(4e8, STAGE, ROUND, DOLLARS).values())
        graviton = STAGE | {"is_arm64": 1}
        for name in DOLLARS:
            stage = graviton if name == "lambda_gb_seconds_arm64" else STAGE
            assert sum(month(4e8, stage, ROUND, DOLLARS | {name: 99}).values()) > total, name
        for name in MEASURED:
            assert sum(month(4e8, STAGE, ROUND | {name: 9999}, DOLLARS).values()) > total, name
        for name in STAGE.keys() - {"is_arm64", "batch_size", "window_seconds"}:
            assert sum(month(4e8, STAGE | {name: 99}, ROUND, DOLLARS).values()) > total, name


class TestStageAmounts:
    def test_prod_is_as_its_files_say(self) -> None:
        """Memory, least capacity, zones, and whatever three templates with alarms make."""
        assert stage_amounts("prod") == {
            "ingest_gb": 1,
            "projector_gb": 1,
            "is_arm64": 0,
            "acus": 0.5,
            "has_aurora": 1,
            "has_lake": 1,
            "has_queue": 1,
            "batch_size": 1000,
            "window_seconds": 5,
            "zones": 2,
            "secrets": 3,
            "alarms": 22,
            "metrics": 8,
            "log_months": 1,
            "reconciler_gb": 1,
        }

    def test_dev_sleeps_and_waits_for_nobody(self) -> None:
        """No least capacity, no lake, and one alarm less, because silence is nothing to worry about."""
        amounts = stage_amounts("dev")
        assert (amounts["acus"], amounts["has_lake"], amounts["alarms"], amounts["ingest_gb"]) == (0, 0, 19, 0.5)


@pytest.mark.slow
class TestMeasured:
    """The sizes of seeded events of the publisher, which go through both functions and into PostgreSQL."""

    EVENTS = 600
    CLOSE = 0.06  # of such a sample; a member or column more would be seen

    @pytest.fixture
    def bodies(self, tmp_path: Path) -> list[str]:
        """Give what pages post: the payloads of a seeded history."""
        history = [
            "--days",
            "2",
            "--shoppers",
            "80",
            "--clean",
            "--end",
            "2026-11-01T00",
            "--out",
            f"{tmp_path}/bucket",
        ]
        assert CliRunner().invoke(emulator, ["seed", *history, "--answers", f"{tmp_path}/answers.json"]).exit_code == 0
        events = [json.loads(path.read_bytes()) for path in sorted((tmp_path / "bucket").rglob("*.json"))]
        assert len(events) >= self.EVENTS
        for event in events:
            del event["_ingest"]
        return [json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in events[: self.EVENTS]]

    @pytest.fixture
    def storage(self, monkeypatch: pytest.MonkeyPatch, warehouse_url: str) -> Iterator[dict[str, bytes]]:
        """Give the objects that the app stores and reads; its warehouse is real."""
        objects: dict[str, bytes] = {}

        class Storage:
            def put(self, bucket: str, key: str, body: bytes) -> None:
                del bucket
                objects[key] = body

            def get(self, bucket: str, key: str) -> RawObject:
                del bucket
                return RawObject(objects[key], datetime.now(UTC))

        settings = Settings(dw_url=warehouse_url)
        monkeypatch.setattr(clickstream_app, "storage", Storage())
        monkeypatch.setattr(clickstream_app, "settings", settings)
        yield objects
        open_warehouse(settings).close()

    def test_sizes_are_those_in_use(
        self,
        bodies: list[str],
        storage: dict[str, bytes],
        payload: Callable[[str], bytes],
        warehouse_url: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Raw object, log lines, answer and row."""
        request: dict[str, Any] = json.loads(payload("api_gateway_http_1_0")) | {"isBase64Encoded": False}
        lines = io.StringIO()
        monkeypatch.setattr(log, "output", lines)
        answers = [clickstream_app.app(request | {"body": body}, None)["body"] for body in bodies]
        measured = {
            "event_bytes": fmean(map(len, storage.values())),
            "ingest_line_bytes": fmean(map(len, lines.getvalue().splitlines())) + LINE,
            "answer_bytes": fmean(map(len, answers)) + 400,
        }
        lines.truncate(0)
        lines.seek(0)
        for key in storage:
            clickstream_app.project(object_created(BUCKET, key, 1), None)
        measured["projector_line_bytes"] = fmean(map(len, lines.getvalue().splitlines())) + LINE
        # How full the pages of an index are differs from one filling to the next.
        assert row_bytes(warehouse_url) == pytest.approx(MEASURED["row_bytes"], rel=2 * self.CLOSE)
        assert measured == pytest.approx({name: MEASURED[name] for name in measured}, rel=self.CLOSE)

    def test_the_access_log_has_lines_of_that_size(self) -> None:
        """Its format in api.yaml, with what API Gateway puts into it."""
        (stage,) = [each for each in template("api")["Resources"].values() if "AccessLogSettings" in each["Properties"]]
        _, line, _ = stage["Properties"]["AccessLogSettings"]["Format"]["Fn::If"]
        values = {
            "requestId": "BxY4mhQZSQ0EJxw=",
            "requestTimeEpoch": "1795511705250",
            "identity.sourceIp": "198.51.100.7",
            "routeKey": "POST /clickstream",
            "status": "200",
            "responseLength": "93",
            "responseLatency": "41",
            "integrationLatency": "38",
            "integrationStatus": "200",
            "error.message": "-",
            "integrationErrorMessage": "-",
            "authorizer.error": "-",
        }
        for name, value in values.items():
            line = line.replace(f'"$context.{name}"', f'"{value}"')
        assert "$context" not in line
        assert len(line) + LINE == pytest.approx(MEASURED["access_line_bytes"], rel=self.CLOSE)


class TestCommand:
    def test_the_page_shows_what_the_command_prints(self) -> None:
        """Both tables, to the cent."""
        printed = [line.strip() for line in run().output.splitlines() if line.strip()]
        assert [line for line in printed if line not in PAGE.splitlines()] == []
        assert len(printed) == 2 * 27

    def test_the_page_has_every_price_and_amount(self) -> None:
        """The prices as `documentation()` makes them; change one there, and print it into the page."""
        assert documentation() in PAGE
        for name, amount in MEASURED.items():
            assert f"| `{name}` | {amount:g} |" in PAGE

    def test_help_shows_commands_to_copy(self) -> None:
        """Each on a line of its own."""
        lines = [line.strip() for line in run("--help").output.splitlines()]
        assert "python -m infra.costs --stage dev --amounts amounts.json" in lines

    def test_json_says_the_same(self) -> None:
        """For as many numbers of events as are asked for."""
        (few, many) = json.loads(run("--events", "2.5e6", "--events", "5000000", "--json").output)
        assert (few["events"], many["events"]) == (2.5e6, 5e6)
        assert few["total"] == pytest.approx(sum(few["dollars"].values()))
        assert few["per_million"] == pytest.approx(few["total"] / 2.5)
        assert (
            few["fixed"] == many["fixed"] == pytest.approx(43.80 + 15.80 + 7.60 + 0.5706 + 8.9965 + 0.2628, abs=0.0001)
        )

    def test_other_prices_and_amounts_count(self, tmp_path: Path) -> None:
        """The named ones, in either file; the rest stay."""
        prices, amounts = tmp_path / "prices.json", tmp_path / "amounts.json"
        prices.write_text('{"s3_puts": 10}')
        amounts.write_text('{"preflights": 0}')
        done = run("--stage", "dev", "--events", "1e6", "--json", "--prices", prices, "--amounts", amounts)
        (bill,) = (each["dollars"] for each in json.loads(done.output))
        assert bill["S3, PUT by ingest"] == pytest.approx(10)
        assert bill["S3, GET by the projector"] == pytest.approx(0.40)
        assert bill["HTTP API, requests"] == pytest.approx(1)

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ('{"s3_putt": 1}', "s3_putt is unknown; there are: http_api,"),
            ('{"s3_puts": -1}', "s3_puts must be a number from 0"),
            ('{"s3_puts": NaN}', "s3_puts must be a number from 0"),
            ('{"s3_puts": 1e999}', "s3_puts must be a number from 0"),
            ('{"s3_puts": "cheap"}', "is not a JSON object of numbers"),
            ("[1]", "is not a JSON object of numbers"),
            ("nonsense", "is not a JSON object of numbers"),
        ],
    )
    def test_what_is_wrong_with_a_file_is_said(self, text: str, problem: str, tmp_path: Path) -> None:
        """With its name, and exit code 2."""
        prices = tmp_path / "prices.json"
        prices.write_text(text)
        done = run("--prices", prices)
        assert done.exit_code == 2
        assert problem in done.stderr
        assert "prices.json" in done.stderr

    def test_a_stage_that_is_not_there_is_said(self) -> None:
        """With where to look."""
        done = run("--stage", "nowhere")
        assert (done.exit_code, "there is no stage nowhere: see infra/stages" in done.stderr) == (2, True)

    @pytest.mark.parametrize("events", ["0", "-1", "many", "nan"])
    def test_events_that_are_no_number_are_refused(self, events: str) -> None:
        """Above 0."""
        done = run("--events", events)
        assert (done.exit_code, "'--events'" in done.stderr) == (2, True)

"""The capacity model: how much of each limit so many events a second take, and which limit they reach first."""

import json
import math
from typing import NamedTuple

from infra.costs.amounts import CONFIG, MEASURED, STAGES, stage_amounts
from infra.costs.month import SECONDS, month
from infra.costs.prices import PRICES

__all__ = ["RATES", "Limit", "documentation", "limits"]

RATES = (1, 10, 100, 1_000, 10_000, 100_000)  # events a second
DAY = 86_400
HOUR = 3_600
GB = 1e9
STAGE = "prod"

# Of this computer, two shared processors: rows a second that one connection inserts, by rows in one transaction.
ROWS = {1: 3_077, 100: 40_625, 1_000: 88_874}
# A compaction holds a day's rows in memory when the day closes: so much without any, and for each event. Measured here:
# 2.65 GB for a day of 478,656 events.
BASE_GB = 0.35
EVENT_GB = 4.8e-6
MACHINES_GB = (8, 16, 70, 145)  # of CodeBuild's larger machines
# A commit of a lake that is looked after, however large it is. An hour takes two commits, one for each table.
COMMIT_SECONDS = 0.067
COMMITS = 4
# The reconciler lists the current hour and the one before, 1,000 objects a request. It stops 40 s before its timeout.
LIST_SECONDS = 0.1
LISTED_HOURS = 2
RESERVE_SECONDS = 40


class Limit(NamedTuple):
    """One limit. So many events a second take `fixed` + `each` · events of it.

    Attributes:
        name: What is limited, with the unit.
        fixed: What is taken without any event.
        each: What one event a second takes.
        formula: How `each` is computed, in the names of docs/costs.md.
        most: The limit.
        origin: Where the limit is from: our setting, AWS's page with its date, measured, or assumed.
        beyond: What happens beyond it.
        moved_by: What moves it.
    """

    name: str
    fixed: float
    each: float
    formula: str
    most: float
    origin: str
    beyond: str
    moved_by: str

    @property
    def rate(self) -> float:
        """The events a second at which the limit is reached."""
        return (self.most - self.fixed) / self.each if self.each else math.inf


def limits(stage: str = STAGE) -> list[Limit]:
    """Return every limit of a stage, the first that is reached first."""
    settings = json.loads((STAGES / f"{stage}.json").read_text())
    functions = json.loads(CONFIG.read_text())["stages"][stage]["lambda_functions"]
    ingest_copies = functions["api_handler"]["reserved_concurrency"]
    requests = 1 + MEASURED["preflights"]
    ingest = requests * MEASURED["ingest_ms"] / 1000
    has_queue = settings["Trigger"] == "sqs"
    batch = settings["QueueBatchSize"] if has_queue else 1
    projector = (MEASURED["projector_ms"] + (batch - 1) * MEASURED["object_ms"]) / batch / 1000
    late = "rows come later: alarm `queue-age`" if has_queue else "rows come later, or go to the failure queue"
    formula = "(`projector_ms` + 999 · `object_ms`) / 1000 / 1000" if has_queue else "`projector_ms` / 1000"
    found = [
        Limit(
            "`ThrottleRate`: requests a second",
            0,
            requests,
            "1 + `preflights`",
            settings["ThrottleRate"],
            "our setting",
            "429; publishers send again",
            "`ThrottleRate`",
        ),
        Limit(
            "API Gateway: requests a second of an account in a region",
            0,
            requests,
            "1 + `preflights`",
            10_000,
            "[AWS](https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html), no date; 2,500 in some "
            "regions",
            "429; publishers send again",
            "Service Quotas, `L-8A5B8E43`",
        ),
        Limit(
            "ingest: copies at the same time",
            0,
            ingest,
            "(1 + `preflights`) · `ingest_ms` / 1000",
            ingest_copies,
            "our setting",
            "503; publishers send again",
            "`reserved_concurrency`",
        ),
        Limit(
            "projector: copies at the same time",
            0,
            projector,
            formula,
            settings["QueueConcurrency"] if has_queue else functions["projector"]["reserved_concurrency"],
            "our setting",
            late,
            f"`{'QueueConcurrency' if has_queue else 'reserved_concurrency'}`, with connections for it",
        ),
        Limit(
            "Lambda: copies of an account in a region",
            0,
            ingest + projector,
            "both together",
            1_000,
            "[AWS](https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), no date; new accounts: 10",
            "as for either function",
            "Service Quotas, `L-B99A9384`",
        ),
        Limit(
            "S3 PUT: requests a second below one prefix, the hour's",
            0,
            1,
            "1",
            3_500,
            "[AWS](https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html), no date",
            "503 until S3 has divided the prefix, which each new hour starts again",
            "a prefix of several letters below the hour: a change of the contract",
        ),
        Limit(
            "S3 GET: requests a second below one prefix, the hour's",
            0,
            1,
            "1: the projector reads each event once",
            5_500,
            "[AWS](https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html), no date",
            "the projector tries again",
            "as above",
        ),
        Limit(
            f"PostgreSQL rows: a second, {batch:,} in a transaction, over one connection",
            0,
            1,
            "1",
            max(rate for size, rate in ROWS.items() if size <= batch),
            "measured here",
            late,
            f"more connections; batches of 1,000: {ROWS[1_000]:,}, of 100: {ROWS[100]:,}, one by one: {ROWS[1]:,}",
        ),
        Limit(
            "PostgreSQL connections: at the same time",
            0,
            projector,
            "one for each copy of the projector",
            100,
            "PostgreSQL's own default; Aurora's grows with `WarehouseMaxCapacity`",
            "the projector tries again",
            "`WarehouseMaxCapacity`",
        ),
        Limit(
            "reconciler time: seconds of each run",
            0,
            LISTED_HOURS * HOUR / 1000 * LIST_SECONDS,
            f"{LISTED_HOURS} hours · events of an hour / 1000 · {LIST_SECONDS} s",
            functions["reconciler"]["lambda_timeout"] - RESERVE_SECONDS,
            "our setting; the seconds of a request are assumed",
            "nobody knows whether rows are missing: alarm `reconciler-stopped`",
            "nothing yet: an hour is listed in one thread",
        ),
        Limit(
            "compaction time: seconds of each hour",
            MEASURED["run_seconds"],
            HOUR * MEASURED["compaction_ms"] / 1000,
            "`run_seconds` + events of an hour · `compaction_ms` / 1000",
            HOUR,
            "an hour has no more",
            "the lake falls behind: alarm `lake-hours-wait`",
            "a larger `CompactionCompute`; then Spark over raw",
        ),
        Limit(
            "compaction memory: GB",
            BASE_GB,
            DAY * EVENT_GB,
            f"{BASE_GB} + events of a day · {EVENT_GB * 1e6:g} kB",
            4,
            "[AWS](https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html), no date",
            "the run is killed: alarm `lake-run-failed`; the lake stays as it was",
            f"`CompactionCompute`: {_machines()}; then Spark over raw",
        ),
        Limit(
            "Iceberg: seconds of commits in each hour",
            COMMITS * COMMIT_SECONDS,
            0,
            f"{COMMITS} commits · {COMMIT_SECONDS} s, whatever the rate",
            HOUR,
            "measured here",
            "never reached",
            "not needed",
        ),
    ]
    return sorted(found, key=lambda limit: limit.rate)


def documentation() -> str:
    """Return both tables of docs/capacity.md in Markdown: what each rate takes, and every limit."""
    found = limits()
    columns: tuple[str, ...] = ("events a second", "events a day", "raw, GB a day", "lake, GB a day")
    columns += (
        "copies of ingest",
        "copies of the projector",
        "compaction, minutes of each hour",
        "compaction, GB of memory",
    )
    columns += ("dollars a month", "limits that are passed, the first one first")
    lines = [
        f"| {' | '.join(columns)} |",
        f"|{'---:|' * (len(columns) - 1)}---|",
        *(_row(rate, found) for rate in RATES),
        "",
        "| limit | takes, for each event a second | most | from | reached at | beyond it | what moves it |",
        "|---|---|---:|---|---:|---|---|",
        *(
            f"| {each.name} | {each.formula} | {each.most:,} | {each.origin} | {_text(each.rate)} | {each.beyond} "
            f"| {each.moved_by} |"
            for each in found
        ),
    ]
    return "\n".join(lines)


def _machines() -> str:
    """Say how many events a second each larger machine has the memory for."""
    rates = ((most, (most - BASE_GB) / (DAY * EVENT_GB)) for most in MACHINES_GB)
    return ", ".join(f"{most} GB for {rate:,.0f}" for most, rate in rates) + " events a second"


def _row(rate: float, found: list[Limit]) -> str:
    takes = {each.name: each.fixed + each.each * rate for each in found}
    dollars = sum(
        month(
            rate * SECONDS, stage_amounts(STAGE), MEASURED, {name: price.dollars for name, price in PRICES.items()}
        ).values()
    )
    cells = [
        f"{rate:,}",
        f"{rate * DAY:,}",
        _text(rate * DAY * MEASURED["event_bytes"] / GB),
        _text(rate * DAY * MEASURED["lake_bytes"] / GB),
        _text(takes["ingest: copies at the same time"]),
        _text(takes["projector: copies at the same time"]),
        _text(takes["compaction time: seconds of each hour"] / 60),
        _text(takes["compaction memory: GB"]),
        f"{dollars:,.0f}",
        "; ".join(each.name.partition(":")[0] for each in found if each.rate < rate) or "none",
    ]
    return f"| {' | '.join(cells)} |"


def _text(number: float) -> str:
    """Write a number with two significant digits, or as a whole number."""
    if math.isinf(number):
        return "never"
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"

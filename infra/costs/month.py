"""Computes the bill of one month, by purpose."""

import math
from collections.abc import Mapping

__all__ = ["FIXED", "month"]

GB = 1024**3
HOURS = 730  # per month
SECONDS = HOURS * 3600
FIRST_TIER = 300.0  # million requests of the HTTP API
# By default Lambda traces the first request of each second, and this share of the others:
# https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
TRACED = 0.05
# Keys per LIST request.
PAGE = 1000
# Lambda asks a queue by so many pollers, each of which collects a batch of its own; one request of SQS gives it up to
# ten messages, or waits for twenty seconds: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
POLLERS = 5
MESSAGES = 10
WAIT_SECONDS = 20

# Costs that do not depend on events.
FIXED = (
    "Aurora, least capacity",
    "Secret, and its endpoint",
    "Alarms, metrics, dashboard",
    "Reconciler, every five minutes",
    "Lake, a run each hour",
    "SQS, asked while it is empty",
)
# Of the reconciler, in a month.
RUNS = HOURS * 12

Numbers = Mapping[str, float]


def month(events: float, stage: Numbers, amounts: Numbers, prices: Numbers) -> dict[str, float]:
    """Return the dollars of a month, by purpose.

    Storage covers the events of this month only: each further month that they are kept costs as much again.

    Args:
        events: Number of events, evenly spread over the month.
        stage: Resources of the stage, as in `amounts.py`.
        amounts: Amounts per event, as in `amounts.py`.
        prices: Dollars, as in `prices.py`.
    """
    millions = events / 1e6
    requests = millions * (1 + amounts["preflights"])
    batch = _batch(events, stage)
    return {
        **_fixed(stage, amounts, prices),
        **_requests(millions, requests, batch, stage, amounts, prices),
        **_queue(millions * stage["has_queue"], batch, prices),
        **_objects(millions, amounts, prices),
        **_watching(millions, requests, millions / batch, stage, amounts, prices),
        **_rows(millions * stage["has_aurora"], amounts, prices),
        **_lake(millions * stage["has_lake"], amounts, prices),
    }


def _fixed(stage: Numbers, amounts: Numbers, prices: Numbers) -> dict[str, float]:
    endpoint = stage["zones"] * HOURS * prices["endpoint_hours"]
    watching = stage["alarms"] * prices["alarms"] + stage["metrics"] * prices["metrics"] + prices["dashboards"]
    run = _minutes(0, amounts) * prices["build_minutes"] + amounts["run_calls"] / 1e6 * prices["glue_requests"]
    run += (amounts["run_writes"] * prices["s3_puts"] + amounts["run_reads"] * prices["s3_gets"]) / 1e6
    lake = stage["has_lake"] * HOURS * run
    aurora = stage["acus"] * HOURS * prices["acu_hours"]
    polls = stage["has_queue"] * POLLERS * SECONDS / WAIT_SECONDS / 1e6 * prices["sqs"]
    secret = stage["secrets"] * prices["secrets"] + endpoint
    costs = (aurora, secret, watching, _reconciler(stage, amounts, prices), lake, polls)
    return dict(zip(FIXED, costs, strict=True))


def _reconciler(stage: Numbers, amounts: Numbers, prices: Numbers) -> float:
    """Return what its runs cost that find nothing new."""
    second = prices["lambda_gb_seconds_arm64" if stage["is_arm64"] else "lambda_gb_seconds"]
    run = (prices["lambda_requests"] + amounts["reconciler_seconds"] * stage["reconciler_gb"] * second) / 1e6
    run += (amounts["reconciler_lists"] * prices["s3_puts"] + amounts["reconciler_gets"] * prices["s3_gets"]) / 1e6
    return RUNS * run


def _batch(events: float, stage: Numbers) -> float:
    """Return the mean number of objects in an invocation of the projector: as many as come while a poller collects."""
    collected = events / SECONDS * stage["window_seconds"] / POLLERS
    return min(max(1.0, collected), stage["batch_size"])


def _requests(
    millions: float, requests: float, batch: float, stage: Numbers, amounts: Numbers, prices: Numbers
) -> dict[str, float]:
    """Return the costs of requests; a preflight takes ingest as much time as an event."""
    first, beyond = min(requests, FIRST_TIER), max(0.0, requests - FIRST_TIER)
    ingest = requests * amounts["ingest_ms"] / 1000 * stage["ingest_gb"]
    milliseconds = (amounts["projector_ms"] + (batch - 1) * amounts["object_ms"]) / batch
    projector = millions * milliseconds / 1000 * stage["projector_gb"]
    second = prices["lambda_gb_seconds_arm64" if stage["is_arm64"] else "lambda_gb_seconds"]
    return {
        "HTTP API, requests": first * prices["http_api"] + beyond * prices["http_api_beyond"],
        "HTTP API, answers": _gb(requests, amounts["answer_bytes"]) * prices["sent"],
        "Lambda, invocations": (requests + millions / batch) * prices["lambda_requests"],
        "Lambda, time": (ingest + projector) * second,
    }


def _queue(millions: float, batch: float, prices: Numbers) -> dict[str, float]:
    """Return the costs of messages: S3 sends each one alone, Lambda takes and deletes up to ten at once."""
    return {"SQS, messages": millions * (1 + 2 / min(batch, MESSAGES)) * prices["sqs"]}


def _objects(millions: float, amounts: Numbers, prices: Numbers) -> dict[str, float]:
    return {
        "S3, PUT by ingest": millions * prices["s3_puts"],
        "S3, GET by the projector": millions * prices["s3_gets"],
        "S3, LIST and GET by the reconciler": millions
        * (amounts["reconciler_listings"] / PAGE * prices["s3_puts"] + amounts["reconciler_reads"] * prices["s3_gets"]),
        "S3, LIST and GET, once by analysts": millions * (prices["s3_puts"] / PAGE + prices["s3_gets"]),
        "S3, storage": _gb(millions, amounts["event_bytes"]) * prices["s3_storage"],
    }


def _watching(
    millions: float, requests: float, batches: float, stage: Numbers, amounts: Numbers, prices: Numbers
) -> dict[str, float]:
    """Return the costs of logs (of both functions, Lambda and the API) and traces; ingest logs no preflight."""
    lines = _gb(millions, amounts["ingest_line_bytes"] + amounts["projector_line_bytes"])
    lines += _gb(requests + batches, amounts["lambda_lines_bytes"]) + _gb(requests, amounts["access_line_bytes"])
    return {
        "Logs, coming in": lines * prices["logs"],
        "Logs, kept": lines * amounts["logs_kept_share"] * stage["log_months"] * prices["logs_kept"],
        "X-Ray, traces": (_traces(requests) + _traces(batches)) * prices["traces"],
    }


def _rows(millions: float, amounts: Numbers, prices: Numbers) -> dict[str, float]:
    return {
        "Aurora, writes": millions * amounts["writes"] * prices["aurora_ios"],
        "Aurora, storage": _gb(millions, amounts["row_bytes"]) * prices["aurora_storage"],
    }


def _lake(millions: float, amounts: Numbers, prices: Numbers) -> dict[str, float]:
    """Return what events cost in the lake, beyond a run each hour."""
    minutes = _minutes(millions * 1e6 / HOURS, amounts) - _minutes(0, amounts)
    listed = amounts["listings"] / PAGE
    return {
        "Lake, CodeBuild for events": HOURS * minutes * prices["build_minutes"],
        "Lake, LIST and GET of raw": millions * (prices["s3_gets"] + listed * prices["s3_puts"]),
        "Lake, storage": _gb(millions, amounts["lake_bytes"]) * prices["s3_storage"],
    }


def _minutes(events: float, amounts: Numbers) -> int:
    """Return the minutes, each of them begun, that CodeBuild counts for the compaction of an hour's events."""
    return math.ceil((amounts["run_seconds"] + events * amounts["compaction_ms"] / 1000) / 60)


def _gb(millions: float, size: float) -> float:
    """Convert a number of millions of things, each of `size` bytes, to gigabytes."""
    return millions * 1e6 * size / GB


def _traces(millions: float) -> float:
    """Return the millions of traces for the millions of invocations of a function."""
    first = min(millions, SECONDS / 1e6)
    return first + TRACED * (millions - first)

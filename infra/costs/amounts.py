"""The amounts of the cost model: measured sizes per event, and the resources of a stage from its files."""

import json
from pathlib import Path

from chalicelib.projection.reconciler.run import METRICS

__all__ = ["MEASURED", "stage_amounts"]

INFRA = Path(__file__).parents[1]
CONFIG = INFRA.parent / "chalice_app" / ".chalice" / "config.json"
STAGES = INFRA / "stages"
MB = 1024  # megabytes per gigabyte
ZONES = 2
# CloudWatch adds so many bytes to each line.
LINE = 26
# How monitoring.yaml begins an alarm that only the direct trigger has.
DIRECT = "AWS::CloudWatch::Alarm\n    Condition: IsDirect"
# The lines START, END and REPORT (with its trace), as long as in AWS's examples.
LAMBDA_LINES = 71 + 52 + 235 + 3 * LINE

# Bytes are means over seeded events of our publisher that pass both functions in the way of the HTTP API's events; a
# test measures them again. Milliseconds, preflights, headers and writes are assumptions: nothing was run in AWS.
MEASURED = {
    "event_bytes": 1051.0,  # size of the raw object
    "row_bytes": 259.0,  # in PostgreSQL, with both indexes
    "ingest_line_bytes": 216.0 + LINE,
    "projector_line_bytes": 255.0 + LINE,
    "lambda_lines_bytes": float(LAMBDA_LINES),  # for each invocation
    "access_line_bytes": 234.0 + LINE,
    "logs_kept_share": 0.16,  # stored size of a compressed log line, as a share
    "answer_bytes": 93.0 + 400,  # the response's body and headers
    "ingest_ms": 40.0,
    "projector_ms": 40.0,  # of an invocation with one object
    "object_ms": 5.0,  # of each further object of a batch
    "preflights": 0.05,  # per event
    "writes": 1.0,  # to Aurora's storage, per row
    "lake_bytes": 83.0,  # in the lake, per event
    "run_seconds": 90.0,  # of a compaction that has nothing to do: start, installation, imports
    "compaction_ms": 0.55,  # per event: to get it from S3, and to compact it
    "run_writes": 450.0,  # PUT and LIST requests of a compaction, whatever it finds
    "run_reads": 160.0,  # its GET and HEAD requests of the lake's files
    "run_calls": 10.0,  # its calls of Glue
    "listings": 53.0,  # how often each object of raw is listed
    "reconciler_seconds": 2.0,  # of a run that finds nothing new
    "reconciler_lists": 6.0,  # its LIST and PUT requests, on average: open hours each time, 46 others once an hour
    "reconciler_gets": 4.0,  # its GETs of what it remembers
    "reconciler_listings": 95.0,  # how often each event is listed
    "reconciler_reads": 0.05,  # how often each event is read, because it was on its way to the warehouse
}


def stage_amounts(stage: str) -> dict[str, float]:
    """Return the resources of a stage from its files, such as gigabytes of memory, ACUs, endpoints and alarms.

    Raises:
        KeyError: The stage does not exist.
    """
    config = json.loads(CONFIG.read_text())
    functions = config["stages"][stage]["lambda_functions"]
    architecture = config["stages"][stage].get("lambda_architecture", config.get("lambda_architecture"))
    file = STAGES / f"{stage}.json"
    if not file.exists():
        raise KeyError(stage)
    settings = json.loads(file.read_text())
    monitoring = "".join((INFRA / "templates" / f"{name}.yaml").read_text() for name in ("monitoring", "reconciler"))
    has_aurora = settings["Warehouse"] == "aurora"
    has_endpoint = settings["Vpc"] != "none" and settings["CredentialsEndpoint"] != "none"
    has_lake = settings["Lake"] == "new"
    has_queue = settings["Trigger"] == "sqs"
    if has_queue:
        monitoring = monitoring.replace(DIRECT, "") + (INFRA / "templates" / "queue.yaml").read_text()
    if has_aurora:
        monitoring += (INFRA / "templates" / "warehouse" / "warehouse-alarms.yaml").read_text()
    if has_lake:
        monitoring += (INFRA / "templates" / "compaction.yaml").read_text()
    is_silent = settings["NoEventsMinutes"] == 0
    return {
        "ingest_gb": functions["api_handler"]["lambda_memory_size"] / MB,
        "projector_gb": functions["projector"]["lambda_memory_size"] / MB,
        "reconciler_gb": functions["reconciler"]["lambda_memory_size"] / MB,
        "is_arm64": float(architecture == "arm64"),
        "acus": float(settings["WarehouseMinCapacity"]) if has_aurora else 0.0,
        "has_aurora": float(has_aurora),
        "has_lake": float(has_lake),
        "has_queue": float(has_queue),
        "batch_size": float(settings["QueueBatchSize"] if has_queue else 1),
        "window_seconds": float(settings["QueueWindowSeconds"] if has_queue else 0),
        "zones": float(len(settings["VpcSubnetIds"].split(",")) if settings["VpcSubnetIds"] else ZONES) * has_endpoint,
        "secrets": 3.0 if has_aurora else float(bool(settings["DwSecretArn"])),  # owner, writer, reader
        # An alarm that computes costs as much for each metric that it reads as another alarm.
        "alarms": float(
            monitoring.count("AWS::CloudWatch::Alarm")
            - monitoring.count("  Metrics:\n")
            + monitoring.count("MetricStat:")
            - is_silent
        ),
        "metrics": float(monitoring.count("AWS::Logs::MetricFilter") + len(METRICS)),
        "log_months": settings["LogRetentionDays"] / 30,
    }

"""How much of everything an event takes, as it was measured, and a stage has, as its files say."""

import json
from pathlib import Path

__all__ = ["MEASURED", "stage_amounts"]

INFRA = Path(__file__).parents[1]
CONFIG = INFRA.parent / "chalice_app" / ".chalice" / "config.json"
STAGES = INFRA / "stages"
MB = 1024  # megabytes of a gigabyte
ZONES = 2
# CloudWatch counts so many bytes with each line.
LINE = 26
# START, END, and REPORT with its trace, as long as in AWS's examples.
LAMBDA_LINES = 71 + 52 + 235 + 3 * LINE

# Bytes are means over seeded events of our publisher that go through both functions as events of the HTTP API do; a
# test measures them again. Milliseconds, preflights, headers and writes are assumptions: nothing has been run in AWS.
MEASURED = {
    "event_bytes": 977.0,  # of the raw object
    "row_bytes": 259.0,  # in PostgreSQL, with both indexes
    "ingest_line_bytes": 216.0 + LINE,
    "projector_line_bytes": 255.0 + LINE,
    "lambda_lines_bytes": float(LAMBDA_LINES),  # for each invocation
    "access_line_bytes": 234.0 + LINE,
    "logs_kept_share": 0.16,  # of a log line, compressed
    "answer_bytes": 93.0 + 400,  # the second is headers
    "ingest_ms": 40.0,
    "projector_ms": 40.0,
    "preflights": 0.05,  # for each event
    "writes": 1.0,  # of Aurora's storage, for each row
}


def stage_amounts(stage: str) -> dict[str, float]:
    """What a stage has: gigabytes of memory, ACUs, zones with an endpoint, alarms … Raises KeyError for none."""
    functions = json.loads(CONFIG.read_text())["stages"][stage]["lambda_functions"]
    file = STAGES / f"{stage}.json"
    if not file.exists():
        raise KeyError(stage)
    settings = json.loads(file.read_text())
    monitoring = (INFRA / "templates" / "monitoring.yaml").read_text()
    has_aurora = settings["Warehouse"] == "aurora"
    has_endpoint = settings["Vpc"] != "none" and settings["CredentialsEndpoint"] != "none"
    is_silent = settings["NoEventsMinutes"] == 0
    return {
        "ingest_gb": functions["api_handler"]["lambda_memory_size"] / MB,
        "projector_gb": functions["projector"]["lambda_memory_size"] / MB,
        "acus": float(settings["WarehouseMinCapacity"]) if has_aurora else 0.0,
        "has_aurora": float(has_aurora),
        "zones": float(len(settings["VpcSubnetIds"].split(",")) if settings["VpcSubnetIds"] else ZONES) * has_endpoint,
        "secrets": float(has_aurora or bool(settings["DwSecretArn"])),
        "alarms": float(monitoring.count("AWS::CloudWatch::Alarm") - is_silent),
        "metrics": float(monitoring.count("AWS::Logs::MetricFilter")),
        "log_months": settings["LogRetentionDays"] / 30,
    }

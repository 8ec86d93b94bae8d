"""What a deployed stage costs: unit prices times the sizes that were measured, by service and by traffic."""

import json
from collections.abc import Mapping
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

__all__ = ["MEASURED", "PRICES", "costs", "main"]

CONFIG = Path(__file__).parent.parent / "chalice_app" / ".chalice" / "config.json"
STAGES = Path(__file__).parent / "stages"
TRAFFIC = (1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
GB = 1024**3
MB = 1024
HOURS = 730
SECONDS = HOURS * 3600
ZONES = 2
# CloudWatch counts so many bytes with each line.
LINE_BYTES = 26

# US dollars in us-east-1, by AWS's pages https://aws.amazon.com/<service>/pricing/ as others have quoted them in 2026.
# They change, and differ by region: check them, and give your own with --prices. Free tiers are left out.
PRICES = {
    "http_api_request": 1.00e-6,  # api-gateway
    "lambda_request": 0.20e-6,  # lambda
    "lambda_gb_second": 0.0000166667,
    "s3_put": 5e-6,  # s3
    "s3_get": 0.4e-6,
    "s3_gb_month": 0.023,
    "log_gb": 0.50,  # cloudwatch
    "alarm_month": 0.10,
    "metric_month": 0.30,
    "dashboard_month": 3.00,
    "trace": 5e-6,  # xray
    "secret_month": 0.40,  # secrets-manager
    "endpoint_hour": 0.01,  # privatelink
    "acu_hour": 0.12,  # rds/aurora
    "aurora_gb_month": 0.10,
}
# Bytes and lines were measured: of 267,429 seeded events of the publisher, of their rows with both indexes, of the log
# lines of 1,000 replayed shop events. Lambda's own lines (START, END, REPORT with its trace) and the access log's are
# as long as in AWS's examples. Milliseconds and preflights are assumptions: no function has been timed in AWS.
MEASURED = {
    "event_bytes": 850.0,
    "row_bytes": 259.0,
    "ingest_log_bytes": 217.0 + 430.0 + 5 * LINE_BYTES,
    "projector_log_bytes": 256.0 + 430.0 + 5 * LINE_BYTES,
    "access_log_bytes": 330.0 + LINE_BYTES,
    "ingest_ms": 40.0,
    "projector_ms": 40.0,
    "preflights": 0.05,
}
ALARMS = 8
METRICS = 3

Amounts = Mapping[str, float]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stage", default="prod", show_default=True, help="Whose memory, VPC and warehouse count.")
@click.option("--prices", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON: other unit prices.")
@click.option("--measured", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON: other amounts.")
@click.option("--json", "as_json", is_flag=True, help="Print dollars as one JSON object, and nothing else.")
def main(stage: str, prices: Path | None, measured: Path | None, *, as_json: bool) -> None:
    r"""Print what a month costs, by service, at 1 to 1,000 million events, in US dollars.

    Prices are AWS's list prices of us-east-1, which change; amounts are measured, or said to be assumed in
    infra/costs.py. Both can be given as JSON files that name some of them:

    \b
      python -m infra.costs
      echo '{"ingest_ms": 25, "preflights": 0}' > amounts.json
      python -m infra.costs --stage dev --measured amounts.json --json
    """
    paid, amounts = _changed(PRICES, prices), _changed(MEASURED, measured)
    months = {events: costs(events, _settings(stage), paid, amounts) for events in TRAFFIC}
    click.echo(json.dumps(months, indent=2)) if as_json else _show(months)


def costs(events: int, settings: Amounts, prices: Amounts, amounts: Amounts) -> dict[str, float]:
    """Dollars of one month with so many events, by service.

    `settings` are the stage's `ingest_gb`, `projector_gb`, `has_vpc` and `acus`. Storage is that of this month's
    events: each month that they are kept costs as much again. Traces follow Lambda's rule: the first request of each
    second, and 5 % of the others (https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html).
    """
    requests = events * (1 + amounts["preflights"])
    ingest = requests * amounts["ingest_ms"] / 1000 * settings["ingest_gb"]
    projector = events * amounts["projector_ms"] / 1000 * settings["projector_gb"]
    logs = requests * (amounts["ingest_log_bytes"] + amounts["access_log_bytes"])
    logs += events * amounts["projector_log_bytes"]
    traces = sum(min(count, SECONDS) + 0.05 * max(0, count - SECONDS) for count in (requests, events))
    return {
        "HTTP API": requests * prices["http_api_request"],
        "Lambda, requests": (requests + events) * prices["lambda_request"],
        "Lambda, time": (ingest + projector) * prices["lambda_gb_second"],
        "S3, PUT and GET": events * (prices["s3_put"] + prices["s3_get"]),
        "S3, storage": events * amounts["event_bytes"] / GB * prices["s3_gb_month"],
        "logs": logs / GB * prices["log_gb"],
        "X-Ray": traces * prices["trace"],
        "alarms, metrics, dashboard": ALARMS * prices["alarm_month"]
        + METRICS * prices["metric_month"]
        + prices["dashboard_month"],
        "secret and its endpoint": settings["has_vpc"]
        * (prices["secret_month"] + ZONES * HOURS * prices["endpoint_hour"]),
        "Aurora, least capacity": settings["acus"] * HOURS * prices["acu_hour"],
        "Aurora, storage": events * amounts["row_bytes"] / GB * prices["aurora_gb_month"],
    }


def _settings(stage: str) -> dict[str, float]:
    """What a stage's files say. Raises UsageError if there is no such stage."""
    config = json.loads(CONFIG.read_text())["stages"].get(stage)
    if config is None or not (STAGES / f"{stage}.json").exists():
        raise click.UsageError(f"there is no stage {stage}: see infra/stages")
    made = json.loads((STAGES / f"{stage}.json").read_text())
    functions = config["lambda_functions"]
    return {
        "ingest_gb": functions["api_handler"]["lambda_memory_size"] / MB,
        "projector_gb": functions["projector"]["lambda_memory_size"] / MB,
        "has_vpc": float(made["Vpc"] != "none"),
        "acus": float(made["WarehouseMinCapacity"]) if made["Warehouse"] == "aurora" else 0.0,
    }


def _changed(known: Amounts, file: Path | None) -> Amounts:
    """Known numbers with those of a file in their places. Raises UsageError for a file that holds something else."""
    try:
        given = json.loads(file.read_text()) if file else {}
        changed = {name: float(value) for name, value in given.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise click.UsageError(f"{file} is not a JSON object of numbers: {error}") from None
    wrong = [name for name, value in changed.items() if name not in known or not value >= 0]
    if wrong:
        raise click.UsageError(f"{file}: {wrong[0]} is unknown, or below 0; there are: {', '.join(known)}")
    return {**known, **changed}


def _show(months: Mapping[int, Mapping[str, float]]) -> None:
    table = Table(title="US dollars a month")
    table.add_column("events")
    for events in months:
        table.add_column(f"{events // 10**6:,} million", justify="right")
    for name in months[TRAFFIC[0]]:
        table.add_row(name, *(f"{month[name]:,.2f}" for month in months.values()))
    table.add_section()
    totals = {events: sum(month.values()) for events, month in months.items()}
    table.add_row("together", *(f"{total:,.2f}" for total in totals.values()))
    table.add_row("per million events", *(f"{total / events * 10**6:,.2f}" for events, total in totals.items()))
    Console(width=100).print(table)


if __name__ == "__main__":
    main(prog_name="python -m infra.costs")

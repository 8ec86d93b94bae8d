"""AWS's list prices in us-east-1, and their table in the docs."""

from typing import NamedTuple

__all__ = ["PRICES", "Price", "documentation"]


class Price(NamedTuple):
    """One list price.

    The figures come from stored copies of AWS's pages, or of pages that quote them. Prices change. Free tiers and
    volume discounts beyond the listed tiers are left out.

    Attributes:
        dollars: US dollars for one unit.
        unit: The unit.
        page: AWS's page with the price.
        seen: Date of the copy, as far as it is known.
    """

    dollars: float
    unit: str
    page: str
    seen: str


_API = "https://aws.amazon.com/api-gateway/pricing/"
_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_S3 = "https://aws.amazon.com/s3/pricing/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_AURORA = "https://aws.amazon.com/rds/aurora/pricing/"
_NO_DATE = "no date"

PRICES = {
    "http_api": Price(1.00, "million requests, of the first 300 million", _API, "2026-09"),
    "http_api_beyond": Price(0.90, "million requests, beyond 300 million", _API, "2026-09"),
    "lambda_requests": Price(0.20, "million invocations", _LAMBDA, "2026-09"),
    "lambda_gb_seconds": Price(16.6667, "million GB-seconds (x86)", _LAMBDA, _NO_DATE),
    "lambda_gb_seconds_arm64": Price(13.3334, "million GB-seconds (arm64)", _LAMBDA, "2026-05"),
    "s3_puts": Price(5.00, "million PUT or LIST requests", _S3, _NO_DATE),
    "s3_gets": Price(0.40, "million GET requests", _S3, _NO_DATE),
    "s3_storage": Price(0.023, "GB and month, Standard", _S3, _NO_DATE),
    "sqs": Price(0.40, "million requests to SQS", "https://aws.amazon.com/sqs/pricing/", "2026-06"),
    "logs": Price(0.50, "GB of log lines that come in", _CLOUDWATCH, "2026-06"),
    "logs_kept": Price(0.03, "GB of log lines, compressed, and month", _CLOUDWATCH, "2026-06"),
    "alarms": Price(0.10, "alarm and month", _CLOUDWATCH, _NO_DATE),
    "metrics": Price(0.30, "metric of one's own and month", _CLOUDWATCH, "2026-02"),
    "dashboards": Price(3.00, "dashboard and month", _CLOUDWATCH, "2026-06"),
    "traces": Price(5.00, "million traces", "https://aws.amazon.com/xray/pricing/", _NO_DATE),
    "secrets": Price(0.40, "secret and month", "https://aws.amazon.com/secrets-manager/pricing/", "2026-09"),
    "endpoint_hours": Price(0.01, "hour, zone and endpoint", "https://aws.amazon.com/privatelink/pricing/", "2026-05"),
    "acu_hours": Price(0.12, "ACU-hour", _AURORA, "2026-05"),
    "aurora_storage": Price(0.10, "GB and month", _AURORA, _NO_DATE),
    "aurora_ios": Price(0.20, "million reads and writes of storage", _AURORA, _NO_DATE),
    "build_minutes": Price(
        0.005, "minute of CodeBuild, general1.small", "https://aws.amazon.com/codebuild/pricing/", "2026-05"
    ),
    "glue_requests": Price(1.00, "million calls of Glue's catalog", "https://aws.amazon.com/glue/pricing/", "2026-10"),
    "sent": Price(0.09, "GB sent to the internet", "https://aws.amazon.com/ec2/pricing/on-demand/", _NO_DATE),
}


def documentation() -> str:
    """Return the table of prices in Markdown."""
    rows = [
        f"| `{name}` | {price.dollars:g} | {price.unit} | {price.seen} | <{price.page}> |"
        for name, price in PRICES.items()
    ]
    return "\n".join(["| price | dollars | for one | seen | AWS's page |", "|---|---:|---|---|---|", *rows])

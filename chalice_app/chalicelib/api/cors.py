"""CORS headers, which are decided per request: an allowed origin is echoed."""

from collections.abc import Collection

__all__ = ["TRACING_HEADERS", "cors_headers", "preflight_headers"]

A_DAY = 24 * 60 * 60
REQUEST_HEADERS = (
    "Authorization, Content-Encoding, Content-Type, X-Amz-Date, X-Amz-Security-Token, X-Amzn-Trace-Id, X-Api-Key"
)

# What tracing agents add to a page's requests: W3C, B3, Sentry, Datadog, New Relic, Elastic, Jaeger, Google, Azure,
# AppDynamics, Dynatrace and Instana.
TRACING_HEADERS = (
    "traceparent", "tracestate", "baggage",
    "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags",
    "sentry-trace",
    "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-origin", "x-datadog-sampling-priority", "x-datadog-tags",
    "newrelic",
    "elastic-apm-traceparent",
    "uber-trace-id",
    "x-cloud-trace-context",
    "request-id", "request-context",
    "adrum", "adrum_1", "adrum_2",
    "x-dtc", "x-dtpc", "x-dtreferer",
    "x-instana-t", "x-instana-s", "x-instana-l",
)  # fmt: skip


def cors_headers(allowed_origins: Collection[str], origin: str | None) -> dict[str, str]:
    """Give the headers of every response; without `Access-Control-Allow-Origin` if `origin` is not allowed."""
    headers = {"Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}
    if "*" in allowed_origins:
        headers["Access-Control-Allow-Origin"] = "*"
    elif origin is not None and origin.lower() in allowed_origins:
        headers["Access-Control-Allow-Origin"] = origin
    return headers


def preflight_headers(allowed_headers: Collection[str]) -> dict[str, str]:
    """Give the further headers of a response to `OPTIONS`; browsers may keep them for a day.

    Args:
        allowed_headers: Names that a page's requests may carry besides the ones that ingest reads, or `*`.
    """
    return {
        "Access-Control-Allow-Methods": "POST, OPTIONS",
        "Access-Control-Allow-Headers": ", ".join([REQUEST_HEADERS, *allowed_headers]),
        "Access-Control-Max-Age": str(A_DAY),
    }

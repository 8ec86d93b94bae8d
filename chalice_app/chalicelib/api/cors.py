"""CORS headers, decided at run time: any of several allowed origins is echoed."""

from collections.abc import Collection

__all__ = ["cors_headers", "preflight_headers"]

A_DAY = 24 * 60 * 60
REQUEST_HEADERS = "Authorization, Content-Type, X-Amz-Date, X-Amz-Security-Token, X-Amzn-Trace-Id, X-Api-Key"


def cors_headers(allowed_origins: Collection[str], origin: str | None) -> dict[str, str]:
    """Headers of every answer; without `Access-Control-Allow-Origin` if `origin` is not allowed."""
    headers = {"Access-Control-Expose-Headers": "Retry-After", "Vary": "Origin"}
    if "*" in allowed_origins:
        headers["Access-Control-Allow-Origin"] = "*"
    elif origin is not None and origin.lower() in allowed_origins:
        headers["Access-Control-Allow-Origin"] = origin
    return headers


def preflight_headers() -> dict[str, str]:
    """What the answer to `OPTIONS` says besides; browsers may keep it for a day."""
    return {
        "Access-Control-Allow-Methods": "POST, OPTIONS",
        "Access-Control-Allow-Headers": REQUEST_HEADERS,
        "Access-Control-Max-Age": str(A_DAY),
    }

"""The collector's response to one POST: the key of the stored object, or the reason why nothing was stored."""

import re
from dataclasses import dataclass
from typing import Any

import httpx2

from command_line.printable import short_line
from emulator.posting.retry import RETRIED, seconds_of

__all__ = ["Response", "no_response", "response_of"]

_KEY = re.compile(r"events/\d{4}/\d{2}/\d{2}/\d{2}/event-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class Response:
    """The outcome of one attempt.

    Attributes:
        status: HTTP status; None if no response came.
        key: Key of the event's object; None if the event was not accepted.
        reason: Why the event was not accepted; empty if it was.
        seconds: Time until the response, only for accepted events.
        retry_after: Seconds that the response asks to wait before the next attempt.
    """

    status: int | None = None
    key: str | None = None
    reason: str = ""
    seconds: float = 0.0
    retry_after: float | None = None

    @property
    def is_retryable(self) -> bool:
        """Whether another attempt may succeed."""
        return self.status is None or self.status in RETRIED


def no_response(error: httpx2.RequestError) -> Response:
    """Return the outcome of a request that got no response."""
    return Response(reason=f"no response: {type(error).__name__}")


def response_of(response: httpx2.Response, seconds: float) -> Response:
    """Return the outcome of a request whose response came after `seconds`."""
    status, body = response.status_code, _json_object(response)
    key = body.get("key")
    if status == 200 and body.get("success") is True and isinstance(key, str) and _KEY.fullmatch(key):
        return Response(status, key, seconds=seconds)
    why = "without an object key" if status == 200 else body.get("message") or "without a message"
    retry_after = seconds_of(response.headers.get("Retry-After", ""))
    return Response(status, reason=f"{status} {short_line(str(why))}", retry_after=retry_after)


def _json_object(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}

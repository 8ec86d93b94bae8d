"""The collector's answer to one POST, as a replay understands it."""

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
    """The key of the event's object, or why there is none; `status` is None where nothing came back at all."""

    status: int | None = None
    key: str | None = None
    reason: str = ""
    seconds: float = 0.0
    retry_after: float | None = None

    @property
    def is_retryable(self) -> bool:
        """Whether another attempt may end better."""
        return self.status is None or self.status in RETRIED


def no_response(error: httpx2.RequestError) -> Response:
    """The outcome of a request that the connection did not survive."""
    return Response(reason=f"no answer: {type(error).__name__}")


def response_of(response: httpx2.Response, seconds: float) -> Response:
    """The outcome of a request that was answered within the given time."""
    status, body = response.status_code, _json_object(response)
    key = body.get("key")
    if status == 200 and body.get("success") is True and isinstance(key, str) and _KEY.fullmatch(key):
        return Response(status, key, seconds=seconds)
    why = "without the key of an object" if status == 200 else body.get("message") or "without a message"
    retry_after = seconds_of(response.headers.get("Retry-After", ""))
    return Response(status, reason=f"{status} {short_line(str(why))}", retry_after=retry_after)


def _json_object(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}

"""Posts events to the collector over HTTP, and retries."""

import threading
import time
from typing import Any

import httpx2

from command_line.errors import CommandError
from command_line.printable import short_line, without_credentials
from emulator.posting.response import Response, no_response, response_of
from emulator.posting.retry import ATTEMPTS, delay

__all__ = ["Poster"]

SCHEMES = frozenset({"http", "https"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Poster:
    """Posts to one endpoint; threads may share it.

    Args:
        endpoint: URL of the collector.
        connections: The most connections to keep open at the same time.
        stop: Ends the waits between attempts when it is set.

    Raises:
        CommandError: The endpoint is not a URL.
    """

    def __init__(self, endpoint: str, connections: int, stop: threading.Event | None = None) -> None:
        self._endpoint = endpoint
        self._stop = stop or threading.Event()
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        # A proxy named in the environment cannot reach this machine's loopback.
        trust_env = _host(endpoint) not in LOOPBACK
        self._client = httpx2.Client(timeout=httpx2.Timeout(30, connect=5), limits=limits, trust_env=trust_env)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> None:
        """Raise CommandError if nothing answers at the endpoint; any response will do."""
        try:
            self._client.options(self._endpoint)
        except httpx2.RequestError as error:
            why = short_line(str(error)) or type(error).__name__
            raise CommandError(
                f"nothing answers at {short_line(without_credentials(self._endpoint))}: {why}; "
                "check the URL, or start the stack with 'python -m emulator up'"
            ) from error

    def post(self, payload: dict[str, Any]) -> Response:
        """Post one event until it is accepted or refused, all attempts are made, or the run is stopped."""
        for attempt in range(1, ATTEMPTS):
            response = self.attempt(payload)
            if not response.is_retryable or self._stop.wait(delay(attempt, response.retry_after)):
                return response
        return self.attempt(payload)

    def attempt(self, payload: dict[str, Any]) -> Response:
        """Post one event once."""
        started = time.perf_counter()
        try:
            response = self._client.post(self._endpoint, json=payload)
        except httpx2.RequestError as error:
            return no_response(error)
        return response_of(response, time.perf_counter() - started)


def _host(endpoint: str) -> str:
    try:
        url = httpx2.URL(endpoint)
    except httpx2.InvalidURL as error:
        raise CommandError(f"{short_line(endpoint)} is not a URL: {error}") from error
    if url.scheme not in SCHEMES:
        shown = short_line(without_credentials(endpoint))
        raise CommandError(f"{shown} is not a URL: it must begin with http:// or https://")
    return url.host

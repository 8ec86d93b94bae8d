"""Posts events to the collector over HTTP, with retries."""

import threading
import time
from typing import Any

import httpx2

from command_line.errors import CommandError
from command_line.printable import short_line, without_credentials
from emulator.posting.response import Response, no_response, response_of
from emulator.posting.retry import ATTEMPTS, delay

__all__ = ["Poster"]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Poster:
    """Posts to one endpoint over at most `connections` kept-alive connections; threads may share it."""

    def __init__(self, endpoint: str, connections: int, stop: threading.Event | None = None) -> None:
        self._endpoint = endpoint
        self._stop = stop or threading.Event()
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        # A proxy of the environment cannot reach this machine's loopback.
        trust_env = _host(endpoint) not in LOOPBACK
        self._client = httpx2.Client(timeout=httpx2.Timeout(30, connect=5), limits=limits, trust_env=trust_env)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> None:
        """Raise CommandError unless the endpoint answers at all, whatever it says."""
        try:
            self._client.options(self._endpoint)
        except httpx2.RequestError as error:
            why = short_line(str(error)) or type(error).__name__
            raise CommandError(
                f"nothing answers at {short_line(without_credentials(self._endpoint))}: {why}"
            ) from error

    def post(self, payload: dict[str, Any]) -> Response:
        """Post one event until it is accepted, refused, out of attempts, or the run is stopped."""
        for attempt in range(1, ATTEMPTS):
            answer = self.attempt(payload)
            if not answer.is_retryable or self._stop.wait(delay(attempt, answer.retry_after)):
                return answer
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
        return httpx2.URL(endpoint).host
    except httpx2.InvalidURL as error:
        raise CommandError(f"not a URL: {short_line(endpoint)} ({error})") from error

"""One connection of a client with the ingest server: reads requests strictly and within a limit, and responds."""

import re
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate

import h11

__all__ = ["Connection", "Refused", "Request"]

IDLE_SECONDS = 60.0
LINGER_SECONDS = 2.0
PIECE_BYTES = 64 * 1024
# A client of another method may send a body without naming its length.
METHODS_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "DELETE")
QUOTATION = re.compile(r":? (?:b['\"]|bytearray).*", re.DOTALL)


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are lower case; the values of a repeated header are joined by commas."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Refused(Exception):
    """A request that is not read to its end, because it breaks HTTP's rules or is too large.

    Args:
        status: HTTP status of the response.
        message: What is wrong. It quotes nothing of the request.
        headers: Headers of the request, as far as they were read.
    """

    def __init__(self, status: int, message: str, headers: dict[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class Connection:
    """The requests and responses of one connection, in turn; h11 knows HTTP's rules.

    If the end of a request is not certain, the response to it is the last one: no part of a body is ever taken for
    another request.

    Args:
        stream: The connected socket.
        most_bytes: Size of the largest body that is accepted. At most one byte more is read.
    """

    def __init__(self, stream: socket.socket, most_bytes: int) -> None:
        stream.settimeout(IDLE_SECONDS)
        # Otherwise Nagle's algorithm could delay a response on a kept connection by 40 ms.
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = stream
        self._most = most_bytes
        self._http = h11.Connection(h11.SERVER)
        self._is_head = False
        self._is_last = False

    def next_request(self) -> Request | None:
        """Read the next request; return None after the last one.

        Raises:
            Refused: The request breaks HTTP's rules, or is too large. Respond, and close the connection.
            OSError: The client is gone, or was silent for IDLE_SECONDS.
        """
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        if self._http.our_state is not h11.IDLE:
            return None
        headers: dict[str, str] = {}
        try:
            head = self._next_event(PIECE_BYTES)
            if not isinstance(head, h11.Request):  # the client has closed the connection
                return None
            headers |= _joined(head)
            self._check(head, headers)
            return Request(head.method.decode(), head.target.decode(), headers, self._body(headers))
        except h11.RemoteProtocolError as error:
            self._is_last = True
            message = f"the request breaks the rules of HTTP: {QUOTATION.sub('', str(error))}"
            raise Refused(error.error_status_hint, message, headers) from error

    def respond(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send a response. Raises OSError."""
        framing = [("Date", formatdate(usegmt=True)), ("Content-Length", str(len(body)))]
        if self._is_last:
            framing.append(("Connection", "close"))
        parts = [
            self._http.send(h11.Response(status_code=status, headers=[*headers, *framing])),
            self._http.send(h11.Data(data=b"" if self._is_head else body)),
            self._http.send(h11.EndOfMessage()),
        ]
        self._stream.sendall(b"".join(part or b"" for part in parts))

    def close(self) -> None:
        """End the connection. A client that still sends gets the last response: what it sends is dropped for a moment.

        A socket that is closed while it holds unread bytes is reset, and the client may lose the response.
        """
        deadline = time.monotonic() + LINGER_SECONDS
        dropped = 0
        with suppress(OSError):
            self._stream.shutdown(socket.SHUT_WR)
            while dropped <= self._most and (seconds := deadline - time.monotonic()) > 0:
                self._stream.settimeout(seconds)
                piece = len(self._stream.recv(PIECE_BYTES))
                if piece == 0:
                    return
                dropped += piece

    def _check(self, head: h11.Request, headers: dict[str, str]) -> None:
        """Check how the request names the length of its body. Raises Refused."""
        self._is_head = head.method == b"HEAD"
        length = headers.get("content-length")
        is_chunked = "transfer-encoding" in headers
        if is_chunked and (length is not None or head.http_version < b"1.1"):
            problem = "in HTTP/1.0" if length is None else "beside Content-Length"
            raise self._refused(400, f"Transfer-Encoding is not allowed {problem}: send Content-Length alone", headers)
        if length is not None and int(length) > self._most:
            raise self._too_large(f"{length} bytes", headers)
        if length is None and not is_chunked and head.method.decode() not in METHODS_WITHOUT_BODY:
            self._is_last = True

    def _body(self, headers: dict[str, str]) -> bytes:
        """Read the body of a request. Raises Refused, OSError, or h11's RemoteProtocolError."""
        body = bytearray()
        while isinstance(event := self._next_event(self._most + 1 - len(body)), h11.Data):
            body += event.data
            if len(body) > self._most:
                raise self._too_large(f"more than {self._most} bytes", headers)
        return bytes(body)

    def _next_event(self, most: int) -> object:
        """Return what comes next; read at most `most` bytes at a time. Raises RemoteProtocolError or OSError."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                go_on = self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
                self._stream.sendall(go_on or b"")
            self._http.receive_data(self._stream.recv(min(most, PIECE_BYTES)))
        return event

    def _too_large(self, size: str, headers: dict[str, str]) -> Refused:
        return self._refused(413, f"the event has {size}; at most {self._most} are accepted", headers)

    def _refused(self, status: int, message: str, headers: dict[str, str]) -> Refused:
        self._is_last = True
        return Refused(status, message, headers)


def _joined(head: h11.Request) -> dict[str, str]:
    """Return the headers of a request by their names in lower case."""
    headers: dict[str, str] = {}
    for name, value in head.headers:
        text = value.decode("iso-8859-1")
        known = headers.get(name.decode())
        headers[name.decode()] = text if known is None else f"{known},{text}"
    return headers

"""The ingest server over real sockets: what HTTP forbids, what is too large, and many clients at once."""

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from chalice.config import Config

import app as clickstream_app
from emulator.servers import connection as module
from emulator.servers.chalice_local import ingest_server

MEBIBYTE = 2**20
EVENT = b'{"eventName":"click"}'
SECRET = b"secret-of-the-event"
# What follows on the connection, as the rest of a body would: a request of its own, if a server takes it for one.
INNER = b'POST /clickstream HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\n{"inner": 1}'


class Storage:
    """A bucket in memory."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def put(self, bucket: str, key: str, body: bytes) -> None:
        del bucket, key
        self.bodies.append(body)


@pytest.fixture(autouse=True)
def storage(monkeypatch: pytest.MonkeyPatch) -> Storage:
    """Give the bucket of the app."""
    storage = Storage()
    monkeypatch.setattr(clickstream_app, "storage", storage)
    return storage


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Give the port of a running ingest server."""
    server = ingest_server(clickstream_app.app, Config(), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server.server_address[1]
    server.shutdown()
    thread.join()
    server.server.server_close()


def head(*lines: str, method: str = "POST", path: str = "/clickstream") -> bytes:
    """The head of a request with a content type and these header lines."""
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: a", "Content-Type: application/json", *lines, "", ""]
    ).encode()


def chunked(*pieces: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


def exchange(port: int, *parts: bytes) -> list[tuple[int, bytes]]:
    """Send bytes as they are, and return the status and body of each response until the server closes."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as client:
        for part in parts:
            client.sendall(part)
        client.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: client.recv(65536), b""))
    return list(_responses(said))


def _responses(said: bytes) -> Iterator[tuple[int, bytes]]:
    while said:
        lines, _, rest = said.partition(b"\r\n\r\n")
        status = int(lines.split()[1])
        headers = {
            line.partition(b":")[0].lower(): line.partition(b":")[2].strip() for line in lines.split(b"\r\n")[1:]
        }
        length = 0 if status < 200 else int(headers[b"content-length"])
        yield status, rest[:length]
        said = rest[length:]


class TestFraming:
    def test_requests_on_one_connection(self, port: int, storage: Storage) -> None:
        """Each gets its response, in order, also if they are sent at once."""
        request = head(f"Content-Length: {len(EVENT)}") + EVENT
        assert [status for status, _ in exchange(port, request + INNER + request)] == [200, 200, 200]
        assert len(storage.bodies) == 3

    @pytest.mark.parametrize("pieces", [(EVENT,), (EVENT[:5], EVENT[5:]), tuple(bytes([byte]) for byte in EVENT)])
    def test_a_chunked_body_is_decoded(self, pieces: tuple[bytes, ...], port: int, storage: Storage) -> None:
        """The event is stored as it was sent, and the next request is read after it."""
        found = exchange(port, head("Transfer-Encoding: chunked") + chunked(*pieces), INNER)
        assert [status for status, _ in found] == [200, 200]
        assert storage.bodies[0].startswith(EVENT[:-1])
        assert len(storage.bodies) == 2

    def test_chunks_may_have_extensions_and_trailers(self, port: int, storage: Storage) -> None:
        """HTTP allows both; neither is part of the event."""
        body = b"%x;name=value\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(EVENT), EVENT)
        assert [status for status, _ in exchange(port, head("Transfer-Encoding: Chunked") + body)] == [200]
        assert b"railer" not in storage.bodies[0]

    @pytest.mark.parametrize(
        ("lines", "status", "said"),
        [
            (["Content-Length: 21", "Content-Length: 22"], 400, "conflicting Content-Length"),
            (["Content-Length: 21, 22"], 400, "conflicting Content-Length"),
            (["Content-Length: abc"], 400, "bad Content-Length"),
            (["Content-Length: -1"], 400, "bad Content-Length"),
            (["Content-Length: +21"], 400, "bad Content-Length"),
            (["Content-Length: 2_1"], 400, "bad Content-Length"),
            (["Content-Length: 0x15"], 400, "bad Content-Length"),
            (["Content-Length: 21.0"], 400, "bad Content-Length"),
            (["Content-Length:"], 400, "bad Content-Length"),
            ([f"Content-Length: {'9' * 5000}"], 400, "bad Content-Length"),
            (["Content-Length: 21", "Transfer-Encoding: chunked"], 400, "Transfer-Encoding is not allowed"),
            (["Transfer-Encoding: chunked", "Content-Length: 0"], 400, "Transfer-Encoding is not allowed"),
            (["Transfer-Encoding: gzip, chunked"], 501, "Only Transfer-Encoding: chunked is supported"),
            (["Transfer-Encoding: identity"], 501, "Only Transfer-Encoding: chunked is supported"),
            (["Transfer-Encoding: xchunked"], 501, "Only Transfer-Encoding: chunked is supported"),
            (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 501, "multiple Transfer-Encoding"),
            (["Content-Length : 21"], 400, "illegal header line"),
            (["Transfer-Encoding : chunked"], 400, "illegal header line"),
            (["no colon", "Content-Length: 21"], 400, "illegal header line"),
            (["Host: b", "Content-Length: 21"], 400, "multiple Host"),
            ([f"X-Long: {'x' * MEBIBYTE}"], 431, "too long"),
        ],
    )
    def test_a_length_that_is_not_certain_is_refused(
        self, lines: list[str], status: int, said: str, port: int, storage: Storage, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The connection is closed, and what follows runs as no request; no text of it gets into the log."""
        ((found, body),) = exchange(port, head(f"X-Note: {SECRET.decode()}", *lines), INNER)
        answer = json.loads(body)
        assert (found, answer["success"]) == (status, False)
        assert said in answer["message"]
        assert storage.bodies == []
        (line,) = capsys.readouterr().out.splitlines()
        logged = json.loads(line)
        assert (logged["component"], logged["outcome"], logged["status"]) == ("ingest", "refused", status)
        assert SECRET.decode() not in line

    @pytest.mark.parametrize(
        "body",
        [
            b"zz\r\n%s\r\n0\r\n\r\n",
            b"-5\r\n%s\r\n0\r\n\r\n",
            b"5\r\n%s\r\n0\r\n\r\n",
            b"15 \x00\r\n%s",
            b"%s",
            b"0x15\r\n%s\r\n0\r\n\r\n",
        ],
    )
    def test_chunks_that_are_none(
        self, body: bytes, port: int, storage: Storage, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """400, and closed; the event is neither stored nor logged."""
        event = b'{"a":"' + SECRET + b'"}'
        ((status, _),) = exchange(port, head("Transfer-Encoding: chunked") + body % event + b"\r\n", INNER)
        assert status == 400
        assert storage.bodies == []
        assert SECRET.decode() not in "".join(capfd.readouterr())

    @pytest.mark.parametrize("version", ["1.0", "1.1"])
    def test_a_body_without_a_length(self, version: str, port: int, storage: Storage) -> None:
        """It counts as empty, as HTTP says; but it is the last of its connection, so that it runs as no request."""
        start = f"POST /clickstream HTTP/{version}\r\nHost: a\r\nContent-Type: text/plain\r\n\r\n".encode()
        ((status, body),) = exchange(port, start + INNER)
        assert status == 400
        assert "the body is empty" in json.loads(body)["message"]
        assert storage.bodies == []

    @pytest.mark.parametrize("end", ["Content-Length: 22", "Transfer-Encoding: chunked"])
    def test_a_request_that_is_cut_off(self, end: str, port: int, storage: Storage) -> None:
        """400, if the client still listens; what came of it is no event."""
        ((status, _),) = exchange(port, head(end) + (EVENT if end.startswith("Content") else chunked(EVENT, end=b"")))
        assert (status, storage.bodies) == (400, [])
        assert exchange(port) == []

    def test_chunks_in_http_1_0(self, port: int, storage: Storage) -> None:
        """That version has none: 400, and closed."""
        request = head("Transfer-Encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0") + chunked(EVENT)
        ((status, _),) = exchange(port, request, INNER)
        assert (status, storage.bodies) == (400, [])

    @pytest.mark.parametrize(
        "text",
        [
            b'{"a":"secret-of-the-event"}\r\n\r\n',
            b"secret-of-the-event /x HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\x16\x03\x01secret-of-the-event\r\n\r\n",
        ],
    )
    def test_what_is_no_request_is_not_logged(self, text: bytes, port: int, capfd: pytest.CaptureFixture[str]) -> None:
        """Whoever sends an event in the place of a request gets a response, and the log none of it."""
        ((status, _),) = exchange(port, text)
        assert 400 <= status < 500
        assert "secret" not in "".join(capfd.readouterr())

    @pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
    def test_other_methods_keep_the_connection_in_step(self, method: str, port: int, storage: Storage) -> None:
        """405, and the next request is the one after the body; a response to HEAD has no body."""
        with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as client:
            client.sendall(head(f"Content-Length: {len(EVENT)}", method=method) + EVENT + INNER)
            client.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: client.recv(65536), b""))
        assert said.count(b"HTTP/1.1 405") == 1
        assert said.count(b"HTTP/1.1 200") == 1
        assert len(storage.bodies) == 1

    def test_a_path_that_is_none_of_ours(self, port: int) -> None:
        """403, as API Gateway says it, on a connection that goes on."""
        found = exchange(port, head("Content-Length: 2", path="/other") + b"{}", INNER)
        assert [status for status, _ in found] == [403, 200]

    def test_a_page_may_read_the_refusal(self, port: int) -> None:
        """It carries CORS headers, as every response of the app."""
        with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as client:
            client.sendall(head("Origin: https://shop.example", f"Content-Length: {MEBIBYTE + 1}"))
            client.shutdown(socket.SHUT_WR)
            said = b"".join(iter(lambda: client.recv(65536), b""))
        assert said.startswith(b"HTTP/1.1 413")
        assert b"Access-Control-Allow-Origin: *" in said


class TestSize:
    def test_a_length_that_is_too_large_is_refused_before_the_body_is_read(self, port: int, storage: Storage) -> None:
        """The response comes before the first byte of the body."""
        with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as client:
            client.sendall(head(f"Content-Length: {300 * MEBIBYTE}"))
            assert client.recv(65536).startswith(b"HTTP/1.1 413")
        assert storage.bodies == []

    def test_a_client_that_waits_to_be_told_sends_nothing(self, port: int) -> None:
        """`Expect: 100-continue` gets its 413 at once, and 100 for an event that is small enough."""
        with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as client:
            client.sendall(head("Expect: 100-continue", f"Content-Length: {MEBIBYTE + 1}"))
            assert client.recv(65536).startswith(b"HTTP/1.1 413")
        with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as client:
            client.sendall(head("Expect: 100-continue", f"Content-Length: {len(EVENT)}"))
            assert client.recv(65536).startswith(b"HTTP/1.1 100")
            client.sendall(EVENT)
            assert client.recv(65536).startswith(b"HTTP/1.1 200")

    @pytest.mark.parametrize(("size", "status"), [(MEBIBYTE, 200), (MEBIBYTE + 1, 413), (MEBIBYTE + 5000, 413)])
    @pytest.mark.parametrize("is_chunked", [True, False])
    def test_the_largest_event(self, size: int, status: int, *, is_chunked: bool, port: int, storage: Storage) -> None:
        """One more byte is too many, whether the length is named or not, and the client gets to know."""
        event = b'{"a":' + b"9" * (size - 6) + b"}"
        if is_chunked:
            pieces = [event[start : start + 4000] for start in range(0, size, 4000)]
            request = head("Transfer-Encoding: chunked") + chunked(*pieces)
        else:
            request = head(f"Content-Length: {size}") + event
        ((found, body),) = exchange(port, request)
        assert found == status
        assert len(storage.bodies) == (status == 200)
        if status == 413:
            assert f"at most {MEBIBYTE} are accepted" in json.loads(body)["message"]

    @pytest.mark.parametrize("lines", [[f"Content-Length: {300 * MEBIBYTE}"], ["Transfer-Encoding: chunked"]])
    def test_how_much_is_read_of_300_megabytes(self, lines: list[str]) -> None:
        """At most one byte more than an event may have; nothing, if the length is named."""
        counting = Counting(head(*lines), endless=chunked(b"x" * 60_000, end=b""))
        with pytest.raises(module.Refused) as caught:
            module.Connection(counting, MEBIBYTE).next_request()  # type: ignore[arg-type]
        assert caught.value.status == 413
        wire = MEBIBYTE + 1 + 18 * 10 if lines[0].startswith("Transfer") else 0  # 18 chunks with their sizes
        assert counting.given - len(head(*lines)) <= wire


class TestPacked:
    @pytest.mark.parametrize("line", ["Content-Encoding: gzip", "Content-Type: application/gzip"])
    def test_gzip_is_unpacked(self, line: str, port: int, storage: Storage) -> None:
        """Also in chunks, and under the content type that no gateway takes for text."""
        packed = gzip.compress(EVENT)
        start = head(line, f"Content-Length: {len(packed)}")
        if line.startswith("Content-Type"):
            start = start.replace(b"Content-Type: application/json\r\n", b"")
        in_chunks = head("Content-Encoding: gzip", "Transfer-Encoding: chunked") + chunked(packed[:9], packed[9:])
        assert [status for status, _ in exchange(port, start + packed, in_chunks)] == [200, 200]
        assert all(body.startswith(EVENT[:-1]) for body in storage.bodies)

    def test_a_bomb_is_refused(self, port: int, storage: Storage) -> None:
        """A gigabyte in a megabyte: 413, and the connection goes on."""
        stream = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        bomb = b"".join(stream.compress(bytes(MEBIBYTE)) for _ in range(1000)) + stream.flush()
        found = exchange(port, head("Content-Encoding: gzip", f"Content-Length: {len(bomb)}") + bomb, INNER)
        assert [status for status, _ in found] == [413, 200]
        assert len(storage.bodies) == 1


class Counting:
    """A socket that gives the head of a request, then the same bytes for ever; it counts what was taken."""

    def __init__(self, start: bytes, endless: bytes) -> None:
        self.given = 0
        self._start = start
        self._endless = endless
        self._waiting = b""

    def recv(self, most: int) -> bytes:
        if self.given == 0:
            self.given = len(self._start)
            return self._start
        self._waiting = self._waiting or self._endless
        piece, self._waiting = self._waiting[:most], self._waiting[most:]
        self.given += len(piece)
        return piece

    def settimeout(self, seconds: float) -> None:
        """Do nothing: it never waits."""

    def setsockopt(self, *options: int) -> None:
        """Do nothing: nothing is sent."""


class TestManyClients:
    def test_200_new_connections_are_taken_before_the_server_gets_to_any(self) -> None:
        """They wait in the backlog. With the usual 5, the eighth gets no connection."""
        server = ingest_server(clickstream_app.app, Config(), "127.0.0.1", 0)
        try:
            with ExitStack() as held:
                for _ in range(200):
                    client = socket.create_connection(server.server.server_address, timeout=0.5)
                    held.enter_context(closing(client))
        finally:
            server.server.server_close()

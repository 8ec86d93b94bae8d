"""Slow readers of the page's API: many connections that read nothing, or one byte per second."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial

from emulator.servers.processes import wait_until
from emulator.soak.subject import Subject

__all__ = ["read_slowly", "reading"]

READERS = 50
BUFFER_BYTES = 2048
ANSWER_SECONDS = 10.0
FREE_SECONDS = 60.0
# The request, and whether so many of its readers take a byte per second.
STREAM, WAIT = "/api/stream", "/api/wait?count=1000000&timeout=600"


def read_slowly(subject: Subject, seconds: float) -> None:
    """Open many connections to the stream and to `wait`; half of them read nothing, and half one byte per second.

    The API must answer others meanwhile, and have room for new readers afterwards.
    """
    with ExitStack() as stack:
        readers = [stack.enter_context(reading(subject, path)) for path in (STREAM, WAIT) for _ in range(READERS)]
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not wait_until(subject.is_healthy, ANSWER_SECONDS):
                subject.problems.append(f"{2 * READERS} slow readers keep the API from answering")
                break
            for reader in readers[::2]:
                with suppress(OSError):  # nothing is there to read, or the stack has closed the connection
                    reader.recv(1)
            time.sleep(min(left, 1.0))
    if not wait_until(partial(_has_room, subject), FREE_SECONDS):
        subject.problems.append("the API has no room for a reader after slow ones have gone")


@contextmanager
def reading(subject: Subject, path: str) -> Iterator[socket.socket]:
    """Give a connection that has sent a request; it never waits, and has next to no room for the response."""
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        reader.settimeout(ANSWER_SECONDS)
        with suppress(OSError):  # refused, since too many wait: that harms nobody
            reader.connect(("127.0.0.1", subject.web_port))
            reader.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        reader.settimeout(0)
        yield reader


def _has_room(subject: Subject) -> bool:
    with reading(subject, STREAM) as reader:
        reader.settimeout(ANSWER_SECONDS)
        with suppress(OSError):
            return b" 200 " in reader.recv(64)
    return False

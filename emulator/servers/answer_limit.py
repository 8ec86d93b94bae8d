"""A limit to how long a PostgreSQL server may take for its response."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psycopg

__all__ = ["answer_within"]


@contextmanager
def answer_within(seconds: float, connection: psycopg.Connection) -> Iterator[None]:
    """Cut the connection if the block takes longer: the driver would wait for ever for a server that froze.

    Raises:
        OperationalError: psycopg's. The block took longer.
    """
    is_done, is_cut = Event(), Event()
    with socket.socket(fileno=os.dup(connection.fileno())) as line:

        def cut() -> None:
            if not is_done.wait(seconds):
                is_cut.set()
                line.shutdown(socket.SHUT_RDWR)

        watch = Thread(target=cut, name="limit of a response", daemon=True)
        watch.start()
        try:
            yield
        except psycopg.OperationalError as error:
            if is_cut.is_set():
                raise psycopg.OperationalError(f"no response within {seconds:g} s") from error
            raise
        finally:
            is_done.set()
            watch.join()

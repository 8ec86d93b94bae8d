"""TLS before the real PostgreSQL, whose embedded build has none: answers SSLRequest, decrypts, and passes on."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

__all__ = ["tls_before"]

# https://www.postgresql.org/docs/current/protocol-message-formats.html, SSLRequest
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@contextmanager
def tls_before(unix_socket: str, certificate: ssl.SSLContext | None) -> Iterator[int]:
    """Serve the server behind `unix_socket` on a port of 127.0.0.1, over TLS only; gives the port.

    Without a certificate, it says to whoever wants TLS that it has none.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_accept, args=(listener, unix_socket, certificate), daemon=True).start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, unix_socket: str, certificate: ssl.SSLContext | None) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        Thread(target=_serve, args=(client, unix_socket, certificate), daemon=True).start()


def _serve(client: socket.socket, unix_socket: str, certificate: ssl.SSLContext | None) -> None:
    """One connection; a client that wants no TLS, or rejects the certificate, is hung up on."""
    with client, suppress(OSError):
        if client.recv(len(SSL_REQUEST), socket.MSG_WAITALL) != SSL_REQUEST:
            return
        client.sendall(b"N" if certificate is None else b"S")
        if certificate is None:
            return
        with certificate.wrap_socket(client, server_side=True) as inside, socket.socket(socket.AF_UNIX) as server:
            server.connect(unix_socket)
            back = Thread(target=_copy, args=(server, inside), daemon=True)
            back.start()
            _copy(inside, server)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)

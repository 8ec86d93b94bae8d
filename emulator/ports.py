"""Loopback ports: whether one is free, and who holds it."""

import errno
import socket

import psutil

from emulator.errors import EmulatorError

__all__ = ["require_free"]


def require_free(port: int, option: str) -> None:
    """Raise EmulatorError, naming the holder where that can be seen, if a port of 127.0.0.1 cannot be listened on.

    `option` is the command-line option that would choose another port.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = (
                f"is in use{_holder(port)}" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            )
            raise EmulatorError(f"port {port} {reason}: free it, or choose another with {option}") from error


def _holder(port: int) -> str:
    """Name the process that listens on the port; empty if the system does not tell."""
    try:
        pids = {
            c.pid for c in psutil.net_connections("tcp") if c.laddr and c.laddr.port == port and c.status == "LISTEN"
        }
        return "".join(f" by {psutil.Process(pid).name()} (process {pid})" for pid in pids if pid)
    except (psutil.Error, OSError):
        return ""
